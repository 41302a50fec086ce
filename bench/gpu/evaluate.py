"""Puts the figures of bench/gpu/evaluate.sh in one table: `python3 bench/gpu/evaluate.py FOLDER`."""

import json
import sys
from pathlib import Path


def row(name: str, x: dict) -> str:
    """One protocol: a line of the table."""
    frames = f"{x['context']} → {x['generate']}, {x['clips']} clips, {x['steps']} steps"
    if x["task"] == "cold":
        cold = x["cold"]
        spread, change = cold["spread"]["ratio"], cold["change"]["ratio"]
        text = f"spread {spread:.2f}, change {change:.2f}, collapsed {cold['collapsed']}"
        return f"| {name} | {frames} | | | | {text} |"
    curve = x["curve"]
    drop = f"{curve[0]['psnr']:.2f} → {curve[-1]['psnr']:.2f}" if curve else ""
    beside = [f"{key} {value['psnr']:.2f}" for key, value in x["baselines"].items()]
    if "holePsnr" in x:
        beside = [f"hole {x['holePsnr']:.2f}"] + [f"{k} {v['holePsnr']:.2f}" for k, v in x["baselines"].items()]
    return f"| {name} | {frames} | {x['psnr']:.2f} | {x['ssim']:.3f} | {drop} | {', '.join(beside)} |"


def main() -> None:
    """Prints the table and writes figures.md."""
    folder = Path(sys.argv[1])
    reports = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    lines = ["| protocol | frames | PSNR | SSIM | first tenth → last | beside it |", "|---|---|---|---|---|---|"]
    lines += [row(path.stem, json.loads(path.read_text())) for path in reports]
    text = "\n".join(lines) + "\n"
    (folder / "figures.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
