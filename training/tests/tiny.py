"""The smallest model that has every kind of layer, and random inputs for it."""

from importlib.resources import files

import torch

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
