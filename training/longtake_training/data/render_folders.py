"""Render walks through Memory Maze mazes into plain folders (format: folders.py).

    python -m longtake_training.data.render_folders --mazes 64 --seed 0 --frames 800 --out DIR

Maze k of the command is number SEED + k of the split, so that a folder is the same whoever renders it. The default
split is 'heldout', which no training run sees.
"""

import argparse
import functools
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from .camera import VERTICAL_FOV
from .folders import write_clip
from .gl import configure_gl
from .seeds import SPLITS, maze_seed


def _render(number: int, split: str, frames: int, out: Path) -> str:
    from .produce import record

    recording = record(maze_seed(split, number), walks=1, frames=frames)
    name = f"maze-{split}-{number:06d}"
    write_clip(out / name, recording.frames[0], recording.poses[0], VERTICAL_FOV)
    return name


def main(arguments: list[str] | None = None) -> None:
    """Run the command; see the module's description."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mazes", type=int, required=True, help="how many mazes, one walk each")
    parser.add_argument("--seed", type=int, default=0, help="number of the first maze in its split")
    parser.add_argument("--frames", type=int, default=800, help="frames a walk")
    parser.add_argument("--split", choices=sorted(SPLITS), default="heldout")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.mazes < 1 or options.frames < 1 or options.processes < 1:
        parser.error("--mazes, --frames and --processes must be at least 1")
    configure_gl()
    numbers = range(options.seed, options.seed + options.mazes)
    render = functools.partial(_render, split=options.split, frames=options.frames, out=options.out)
    with ProcessPoolExecutor(min(options.processes, options.mazes), get_context("spawn")) as pool:
        for name in pool.map(render, numbers):
            print(name, flush=True)


if __name__ == "__main__":
    main()
