"""The exchange format of every evaluation: one plain folder a clip.

    NAME/0000.png 0001.png …   frames in order, RGB, 8 bits, all of one size (four digits or more)
    NAME/camera.json           {"verticalFov": 80, "poses": [{"position": [x, y, z], "orientation": [w, x, y, z]}, …]}

One pose a frame, null where it is unknown, in the convention of docs/model.md, section Camera (for mazes: absolute,
in cells, see camera.py; readers make them relative to the first frame they use). A clip without any known pose may
leave camera.json out.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass
class Clip:
    """frames: uint8 [T, height, width, 3]; poses: float64 [T, 7] (position, quaternion w, x, y, z), NaN = unknown;
    vertical_fov: degrees, or None where no camera is known."""

    frames: np.ndarray
    poses: np.ndarray
    vertical_fov: float | None


def camera_track(poses: np.ndarray, vertical_fov: float) -> dict:
    """The content of camera.json for poses [T, 7]; a row with a NaN becomes null."""
    rows = []
    for pose in np.asarray(poses, dtype=np.float64):
        if np.isnan(pose).any():
            rows.append(None)
            continue
        values = [round(float(value), 7) for value in pose]
        rows.append({"position": values[:3], "orientation": values[3:]})
    return {"verticalFov": vertical_fov, "poses": rows}


def poses_of_track(track: dict) -> np.ndarray:
    """float64 [T, 7] of the content of a camera.json, NaN where a pose is null."""
    poses = np.full((len(track["poses"]), 7), np.nan)
    for index, pose in enumerate(track["poses"]):
        if pose is not None:
            poses[index] = [*pose["position"], *pose["orientation"]]
    return poses


def write_clip(folder: Path, frames: np.ndarray, poses: np.ndarray, vertical_fov: float) -> None:
    """Write a clip folder whole or not at all; one that exists is replaced.

    frames: uint8 [T, height, width, 3]; poses: [T, 7]. Raises ValueError when their lengths differ.
    """
    if len(frames) != len(poses):
        raise ValueError(f"{len(frames)} frames but {len(poses)} poses.")
    folder = Path(folder)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(unfinished / f"{index:04d}.png", compress_level=6)
    track = camera_track(poses, vertical_fov)
    lines = ",\n".join("    " + json.dumps(pose) for pose in track["poses"])
    text = f'{{\n  "verticalFov": {json.dumps(track["verticalFov"])},\n  "poses": [\n{lines}\n  ]\n}}\n'
    (unfinished / "camera.json").write_text(text)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def read_clip(folder: Path) -> Clip:
    """Read a clip folder. Raises ValueError where frames are missing or don't match camera.json."""
    folder = Path(folder)
    paths = sorted((path for path in folder.glob("*.png") if path.stem.isdigit()), key=lambda path: int(path.stem))
    if not paths or [int(path.stem) for path in paths] != list(range(len(paths))):
        raise ValueError(f"{folder} must hold frames 0000.png, 0001.png, … without a gap.")
    frames = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    if len({frame.shape for frame in frames}) > 1:
        raise ValueError(f"The frames in {folder} differ in size.")
    camera = folder / "camera.json"
    if not camera.exists():
        return Clip(np.stack(frames), np.full((len(frames), 7), np.nan), None)
    track = json.loads(camera.read_text())
    poses = poses_of_track(track)
    if len(poses) != len(frames):
        raise ValueError(f"{camera} has {len(poses)} poses for {len(frames)} frames.")
    return Clip(np.stack(frames), poses, track.get("verticalFov"))
