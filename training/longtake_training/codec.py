"""The `patch` codec: pixels to latents and back, without loss (docs/model.md, Latents)."""

import torch


def encode_patches(frames: torch.Tensor, patch: int) -> torch.Tensor:
    """uint8 frames [..., height, width, 3] to latents [..., S, patch*patch*3] in -1...1, float32."""
    *lead, height, width, _ = frames.shape
    x = frames.reshape(*lead, height // patch, patch, width // patch, patch, 3).movedim(-4, -3)
    return x.reshape(*lead, (height // patch) * (width // patch), patch * patch * 3).float() / 127.5 - 1


def decode_patches(latents: torch.Tensor, rows: int, columns: int, patch: int) -> torch.Tensor:
    """The way back: clamps to -1...1 and rounds to uint8."""
    lead = latents.shape[:-2]
    x = latents.float().clamp(-1, 1).reshape(*lead, rows, columns, patch, patch, 3).movedim(-3, -4)
    return ((x + 1) * 127.5).round().to(torch.uint8).reshape(*lead, rows * patch, columns * patch, 3)
