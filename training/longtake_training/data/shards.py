"""Training shards: one .npz (uncompressed) a maze, whole or not there.

    frames  uint8   [walks, T, 64, 64, 3]   RGB, rows from the top
    poses   float32 [walks, T, 7]           position x, y, z in cells, then the unit quaternion w, x, y, z (w >= 0);
                                            absolute in the maze, convention of docs/model.md, section Camera
    walker  float32 [walks, T, 3]           plan position x, y in cells and heading in radians (see camera.py)
    layout  uint8   [9, 9]                  1 = free, indexed [y][x]
    seed    int64   []

Files are named maze-SEED.npz with nine digits, so that a sorted listing is a stable order.
"""

import os
from pathlib import Path

import numpy as np


def shard_path(folder: Path, seed: int) -> Path:
    """Where the shard of maze `seed` lies."""
    return Path(folder) / f"maze-{seed:09d}.npz"


def write_shard(
    folder: Path, seed: int, frames: np.ndarray, poses: np.ndarray, walker: np.ndarray, layout: np.ndarray
) -> Path:
    """Write one shard under a temporary name, then rename it; shapes as in the module's description."""
    path = shard_path(folder, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    with unfinished.open("wb") as file:
        np.savez(
            file,
            frames=np.ascontiguousarray(frames, dtype=np.uint8),
            poses=poses.astype(np.float32),
            walker=walker.astype(np.float32),
            layout=layout.astype(np.uint8),
            seed=np.int64(seed),
        )
    unfinished.rename(path)
    return path


def list_shards(folder: Path) -> list[Path]:
    """Finished shards in `folder`, sorted by maze seed."""
    return sorted(Path(folder).glob("maze-*.npz"))


def read_shard(path: Path) -> dict[str, np.ndarray]:
    """The arrays of one shard."""
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}
