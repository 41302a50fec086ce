"""The smallest model that has every kind of layer, and random inputs for it."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import torch

from longtake_training.data.shards import write_shard
from longtake_training.model import WorldConfig
from longtake_training.model.poses import grid_directions, rays_of


def tiny_config() -> WorldConfig:
    """16 x 16 pixels in a 4 x 4 grid; four layers: both rules, all kinds of key, four block shapes."""
    return WorldConfig.load(files("longtake_training") / "configs" / "tiny.json")


def random_clip(config: WorldConfig, clips: int, frames: int, seed: int = 0) -> dict:
    """Arguments of WorldModel.forward: a wandering camera, random latents, levels and masks."""
    generator = torch.Generator().manual_seed(seed)
    shape = (clips, frames)
    position = torch.randn(*shape, 3, generator=generator).mul(0.2).cumsum(1)
    yaw = torch.randn(shape, generator=generator).mul(0.3).cumsum(1)
    zero = torch.zeros_like(yaw)
    orientation = torch.stack([(yaw / 2).cos(), zero, (yaw / 2).sin(), zero], -1)
    directions = grid_directions(config.rows, config.columns, config.vertical_fov)
    return {
        "z": torch.randn(*shape, config.tokens, config.latent_channels, generator=generator),
        "level": torch.rand(shape, generator=generator),
        "mask": torch.rand(*shape, config.tokens, generator=generator) < 0.5,
        "rays": rays_of(position, orientation, directions),
        "known": torch.rand(shape, generator=generator) < 0.9,
        "times": torch.arange(frames).expand(shape),
    }


def write_walks(folder: Path, frames: int = 340) -> None:
    """Three training and two held-out 'mazes', 16 x 16: smooth colours that depend on where the camera looks."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:16, 0:16] / 16
    for name, seeds in (("heldout", (4, 5)), ("train", (1, 2, 3))):
        for seed in seeds:
            yaw = np.cumsum(random.normal(0, 0.1, frames))
            angle = yaw[:, None, None] + columns * 1.5
            colours = np.stack([np.sin(angle + seed), np.cos(2 * angle), np.sin(angle) * (1 - rows)], -1)
            poses = np.zeros((1, frames, 7))
            poses[..., 3], poses[..., 5] = np.cos(yaw / 2), np.sin(yaw / 2)
            pixels = ((colours + 1) * 127.5).astype(np.uint8)
            write_shard(folder / name, seed, pixels[None], poses, np.zeros((1, frames, 3)), np.ones((9, 9)))


TINY_TRAINING = {
    "frames_per_step": 160,
    "lengths": [[160, 0.0]],
    "learning_rate": 0.004,
    "matrix_learning_rate": 0.01,
    "weight_decay": 0.0,
    "warmup_steps": 3,
    "cooldown": 0.4,
    "ema": 0.8,
}
