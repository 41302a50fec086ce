"""Make the clips in examples/: real Memory Maze frames with their camera tracks.

    python -m longtake_training.data.examples --out examples

For each example: NAME.mp4 (the clip, 256 × 256, the native 64 × 64 picture enlarged four times), NAME.camera.json
(poses of the clip's frames and of the frames that follow: a camera track for `longtake extend --camera`) and
NAME.truth.mp4 (what really follows, for comparison). Needs ffmpeg with libx264.
"""

import argparse
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .camera import VERTICAL_FOV, walker_to_pose
from .folders import camera_track
from .gl import configure_gl
from .seeds import maze_seed
from .walk import random_walk

RATE = 12
PREFIX = 120
CONTINUATION = 120
_SCALE = 4


@dataclass(frozen=True)
class Example:
    """A clip from held-out maze `number`, walk `walk`; way_back: it goes back to where it began, else walks on."""

    name: str
    number: int
    walk: int
    way_back: bool


EXAMPLES = (
    Example("maze-walk", number=112, walk=1, way_back=True),
    Example("maze-onward", number=109, walk=1, way_back=False),
)


def example_walk(layout: np.ndarray, seed: int, example: Example) -> np.ndarray:
    """Walker states of the clip and what follows, float64 [PREFIX + CONTINUATION, 3].

    The way back is the way forth backwards, frame by frame, and a last frame standing still.
    """
    rng = np.random.default_rng([seed, example.walk])
    if not example.way_back:
        return random_walk(layout, PREFIX + CONTINUATION, rng, random_actions=0)
    forth = random_walk(layout, PREFIX, rng, random_actions=0)
    back = forth[-2::-1]
    return np.concatenate([forth, back, np.repeat(back[-1:], CONTINUATION - len(back), axis=0)])


def encode(frames: np.ndarray, path: Path) -> None:
    """Encode uint8 [T, height, width, 3] as H.264 (BT.709, limited range), enlarged; raises CalledProcessError."""
    height, width = frames.shape[1:3]
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.mp4")
    scale = f"scale={width * _SCALE}:{height * _SCALE}:flags=bicubic:out_color_matrix=bt709:out_range=tv"
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(RATE), "-i", "-"]
    codec = ["-c:v", "libx264", "-preset", "veryslow", "-crf", "16", "-pix_fmt", "yuv420p", "-threads", "1"]
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    file = ["-movflags", "+faststart", "-map_metadata", "-1", "-fflags", "+bitexact", str(unfinished)]
    subprocess.run(
        ["ffmpeg", "-y", "-v", "error", *source, "-vf", scale, *codec, *tags, *file],
        input=np.ascontiguousarray(frames).tobytes(),
        check=True,
    )
    unfinished.rename(path)


def make(example: Example, out: Path) -> None:
    """Render one example into `out`."""
    from .maze import build_maze
    from .produce import process_renderer

    seed = maze_seed("heldout", example.number)
    maze = build_maze(seed)
    renderer = process_renderer()
    renderer.load(maze)
    walk = example_walk(maze.layout, seed, example)
    frames = renderer.walk(walk)
    out.mkdir(parents=True, exist_ok=True)
    encode(frames[:PREFIX], out / f"{example.name}.mp4")
    encode(frames[PREFIX:], out / f"{example.name}.truth.mp4")
    track = camera_track(walker_to_pose(walk), VERTICAL_FOV)
    (out / f"{example.name}.camera.json").write_text(json.dumps(track, separators=(",", ":")) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """Run the command; see the module's description."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    configure_gl()
    for example in EXAMPLES:
        make(example, options.out)
        print(example.name, flush=True)


if __name__ == "__main__":
    main()
