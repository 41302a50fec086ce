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


WAYS = {"base": "f32, default tiles", "bench": "f32", "f16": "f16 tiles", "units": "matrix units"}


def way_lines(folder: Path) -> list[str]:
    """Our kernels by arithmetic, and what takes the time of a denoise step in the fastest of them."""
    lines = ["--- our kernels by arithmetic"]
    head = ("", "frames/s", "step µs", "dispatches", "floor µs", "floor share", "8 against 1")
    lines.append("".join(f"{text:>{20 if at == 0 else 13}}" for at, text in enumerate(head)))
    fastest: tuple[float, str, dict] | None = None
    for name, what in WAYS.items():
        ours = backend(load(folder / f"{name}.json"), "webgpu")
        world = ours.get("world")
        if not world:
            lines.append(f"{what:>20}  not measured")
            continue
        speed = next(x["framesASecond"] for x in world["profiles"] if x["profile"] == "preview")
        step = next((x for x in ours.get("passes", []) if x["pass"] == "denoise step"), None)
        own = {x["count"]: x["msAChunk"] for x in world.get("variations", [])}
        several = f"{own[8] / own[1]:.2f} ×" if 8 in own and 1 in own else ""
        cells = [f"{speed:.1f}"]
        if step:
            cells += [f"{step['microseconds']:.1f}", str(step["dispatches"]), f"{step['floorMicroseconds']:.1f}"]
            cells += [f"{100 * step['floorShare']:.1f} %"]
            if fastest is None or step["microseconds"] < fastest[0]:
                fastest = (step["microseconds"], what, step)
        cells.append(several)
        lines.append(f"{what:>20}" + "".join(f"{cell:>13}" for cell in cells))
        lines += [f"{'':22}{note}" for note in ours.get("notes", []) if note.startswith(("arithmetic", "tiles"))]
    lines += variation_lines(folder)
    if fastest:
        _, what, step = fastest
        lines.append(f"--- a denoise step, {what}: kernels by time")
        lines.append(f"{'':32}{'uses':>6}{'µs each':>10}{'share':>8}{'floor µs':>10}  bound by")
        for kernel in step["kernels"]:
            share = 100 * kernel["uses"] * kernel["microseconds"] / step["sumMicroseconds"]
            lines.append(
                f"{kernel['what']:32}{kernel['uses']:>6}{kernel['microseconds']:>10.2f}{share:>6.1f} %"
                f"{kernel['floorMicroseconds']:>10.2f}  {kernel['bound']}"
            )
    return lines


def variation_lines(folder: Path) -> list[str]:
    """A chunk of several variations at once by arithmetic: milliseconds, and against one."""
    lines = ["--- a chunk of several variations at once, ms (against one)"]
    for name, what in WAYS.items():
        ours = backend(load(folder / f"{name}.json"), "webgpu")
        times = {x["count"]: x["msAChunk"] for x in ours.get("world", {}).get("variations", [])}
        if 1 not in times:
            continue
        cells = [f"{count}: {time:.3f} ({time / times[1]:.2f} ×)" for count, time in times.items()]
        lines.append(f"{what:>20}" + "".join(f"{cell:>22}" for cell in cells))
    return lines


def ours_fastest(folder: Path) -> dict:
    """The report of the fastest arithmetic, the one that the goals are judged by."""
    reports = [load(folder / f"{name}.json") for name in WAYS]
    measured = [x for x in reports if backend(x, "webgpu").get("world")]
    return min(measured, key=lambda x: backend(x, "webgpu")["msAChunk"], default={})


def rows(folder: Path) -> list[tuple[str, str, str, str]]:
    """What, bar, aim, measured."""
    ours, ort = backend(ours_fastest(folder), "webgpu"), backend(load(folder / "bench.json"), "ort-webgpu")
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
    # Only the full run has the longest prefix; what is compared is the same kernels' cost.
    full = backend(load(folder / "bench.json"), "webgpu").get("world", {})
    prefixes = {x["frames"]: x for x in full.get("prefixes", [])}
    if 10 in prefixes and 10000 in prefixes:
        few, many = prefixes[10], prefixes[10000]
        change = 100 * (full["longestAgainstShortest"] - 1)
        add("chunk cost, 10,000 against 10 prefix frames", "within 2 %", "equal", f"{change:+.2f} %")
        more = many["deviceBytes"] - few["deviceBytes"]
        add("device memory, 10,000 against 10 prefix frames", "equal", "", f"{more:+} bytes")
    else:
        add("chunk cost, 10,000 against 10 prefix frames", "within 2 %", "equal", None)
    return found


def main() -> None:
    """Prints the table and writes summary.txt."""
    folder = Path(sys.argv[1])
    lines = way_lines(folder)
    lines += ["--- against the goals, fastest arithmetic", f"{'':48}{'bar':>12}{'aim':>8}{'measured':>16}"]
    lines += [f"{what:48}{bar:>12}{aim:>8}{value:>16}" for what, bar, aim, value in rows(folder)]
    text = "\n".join(lines) + "\n"
    (folder / "summary.txt").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
