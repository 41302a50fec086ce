"""Render training shards with many processes (format: shards.py).

    python -m longtake_training.data.render_shards --mazes 500 --first 0 --frames 800 --processes 30 --out DIR

Each maze is one file that appears when it is finished; mazes that are there already are skipped, so a stopped
command goes on where it was. A trainer may read the folder meanwhile.
"""

import argparse
import functools
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from .gl import configure_gl
from .seeds import SPLITS, maze_seed
from .shards import shard_path, write_shard


def _render(number: int, split: str, walks: int, frames: int, out: Path) -> int:
    """Render one maze; returns the frames rendered (0 where the shard was there)."""
    seed = maze_seed(split, number)
    if shard_path(out, seed).exists():
        return 0
    from .produce import record

    recording = record(seed, walks, frames)
    write_shard(out, seed, recording.frames, recording.poses, recording.walker, recording.maze.layout)
    return walks * frames


def main(arguments: list[str] | None = None) -> None:
    """Run the command; see the module's description."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mazes", type=int, required=True)
    parser.add_argument("--first", type=int, default=0, help="number of the first maze in its split")
    parser.add_argument("--frames", type=int, default=800, help="frames a walk")
    parser.add_argument("--walks", type=int, default=1, help="walks a maze")
    parser.add_argument("--split", choices=sorted(SPLITS), default="train")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    if min(options.mazes, options.frames, options.walks, options.processes) < 1:
        parser.error("--mazes, --frames, --walks and --processes must be at least 1")
    gl = configure_gl()
    render = functools.partial(
        _render, split=options.split, walks=options.walks, frames=options.frames, out=options.out
    )
    numbers = range(options.first, options.first + options.mazes)
    start = time.monotonic()
    total = 0
    with ProcessPoolExecutor(min(options.processes, options.mazes), get_context("spawn")) as pool:
        tasks = [pool.submit(render, number) for number in numbers]
        for done, task in enumerate(as_completed(tasks), start=1):
            total += task.result()
            if done % 50 == 0 or done == options.mazes:
                speed = total / (time.monotonic() - start)
                print(f"{done}/{options.mazes} mazes, {total} frames, {speed:.0f} frames/s ({gl})", flush=True)


if __name__ == "__main__":
    main()
