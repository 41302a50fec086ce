"""One maze from seed to pictures: what both render commands do in each of their processes."""

from dataclasses import dataclass

import numpy as np

from .camera import walker_to_pose
from .maze import Maze, build_maze
from .render import FrameRenderer
from .walk import random_walk

_renderer: FrameRenderer | None = None


@dataclass
class Recording:
    """Walks through one maze. frames: uint8 [walks, T, 64, 64, 3]; poses: float64 [walks, T, 7]; walker: float64
    [walks, T, 3]."""

    maze: Maze
    frames: np.ndarray
    poses: np.ndarray
    walker: np.ndarray


def process_renderer() -> FrameRenderer:
    """The one renderer of this process (a GL context can't be shared between processes)."""
    global _renderer
    if _renderer is None:
        _renderer = FrameRenderer()
    return _renderer


def record(seed: int, walks: int, frames: int) -> Recording:
    """Build maze `seed`, walk through it `walks` times for `frames` frames each, render. The same seed and numbers
    give the same walks."""
    maze = build_maze(seed)
    renderer = process_renderer()
    renderer.load(maze)
    walker = np.stack(
        [random_walk(maze.layout, frames, np.random.default_rng([seed, index])) for index in range(walks)]
    )
    pictures = np.stack([renderer.walk(walk) for walk in walker])
    return Recording(maze, pictures, walker_to_pose(walker), walker)
