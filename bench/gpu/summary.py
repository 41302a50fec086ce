"""Puts the figures of bench/gpu/run.sh beside the goals: `python3 bench/gpu/summary.py FOLDER`."""

import json
import sys
from pathlib import Path


def load(path: Path) -> dict:
    """A JSON file, {} where it is missing."""
    return json.loads(path.read_text()) if path.exists() else {}


def backend(report: dict, name: str) -> dict:
    """One subject's figures, {} where it was not measured."""
    return next((x for x in report.get("backends", []) if x["name"] == name), {})


def rows(folder: Path) -> list[tuple[str, str, str, str]]:
    """What, bar, aim, measured."""
    report = load(folder / "bench.json")
    ours, ort = backend(report, "webgpu"), backend(report, "ort-webgpu")
    world = ours.get("world", {})
    preview = next((x for x in world.get("profiles", []) if x["profile"] == "preview"), {})
    missing = "not measured"
    found = []

    def add(what: str, bar: str, aim: str, value) -> None:
        found.append((what, bar, aim, missing if value is None else value))

    add("generation, frames/s", "1,000", "2,500", f"{preview['framesASecond']:.1f}" if preview else None)
    priming = world.get("primingFramesASecond")
    add("priming against generation", "3 ×", "", f"{priming / preview['framesASecond']:.2f} ×" if priming else None)
    variations = {x["count"]: x["msAChunk"] for x in world.get("variations", [])}
    several = variations[8] / variations[1] if 8 in variations and 1 in variations else None
    add("8 variations against one", "2.5 ×", "1.5 ×", several and f"{several:.2f} ×")
    ratio = ort["msAChunk"] / preview["msAChunk"] if "msAChunk" in ort and preview else None
    add("against ORT WebGPU EP", "5 ×", "20 ×", ratio and f"{ratio:.2f} ×")
    torch = [x for x in load(folder / "torch.json").get("rows", []) if x["rollouts"] == 1 and "compile" in x["way"]]
    speed = min(x["msAChunk"] for x in torch) / preview["msAChunk"] if torch and preview else None
    add("against torch.compile + CUDA graph", "0.7 ×", "1 ×", speed and f"{speed:.2f} ×")
    for measured in ours.get("passes", []):
        add(f"floor share, {measured['pass']}", "40 %", "70 %", f"{100 * measured['floorShare']:.1f} %")
    prefixes = {x["frames"]: x for x in world.get("prefixes", [])}
    if 10 in prefixes and 10000 in prefixes:
        few, many = prefixes[10], prefixes[10000]
        change = 100 * (many["msAChunk"] / few["msAChunk"] - 1)
        add("chunk cost, 10,000 against 10 prefix frames", "within 2 %", "equal", f"{change:+.1f} %")
        more = many["deviceBytes"] - few["deviceBytes"]
        add("device memory, 10,000 against 10 prefix frames", "equal", "", f"{more:+} bytes")
    else:
        add("chunk cost, 10,000 against 10 prefix frames", "within 2 %", "equal", None)
    return found


def main() -> None:
    """Prints the table and writes summary.txt."""
    folder = Path(sys.argv[1])
    lines = ["--- against the goals", f"{'':48}{'bar':>12}{'aim':>8}{'measured':>16}"]
    lines += [f"{what:48}{bar:>12}{aim:>8}{value:>16}" for what, bar, aim, value in rows(folder)]
    text = "\n".join(lines) + "\n"
    (folder / "summary.txt").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
