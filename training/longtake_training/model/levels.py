"""Noise levels to modulation vectors. They depend on the level alone: two rows a frame, never one a token."""

import torch
from torch import nn
from torch.nn.functional import linear, silu


def cast_linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """`linear` in the precision of x; parameters stay float32."""
    return linear(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype))


def matrix(rows: int, columns: int, gain: float = 1.0) -> nn.Parameter:
    """A [rows, columns] matrix that keeps the variance of its input times gain^2."""
    return nn.Parameter(torch.randn(rows, columns) * gain / columns**0.5)


def level_features(level: torch.Tensor) -> torch.Tensor:
    """Sinusoidal features [..., 64] of noise levels [...] in 0...1."""
    frequency = 10000.0 ** (-torch.arange(32, device=level.device, dtype=torch.float32) / 32)
    angle = 1000.0 * level.float()[..., None] * frequency
    return torch.cat([angle.cos(), angle.sin()], -1)


class LevelEmbedding(nn.Module):
    """Level to the vector that every layer's modulation is read from."""

    def __init__(self, width: int):
        super().__init__()
        self.fc1 = matrix(width, 64, 1.4)
        self.fc1_bias = nn.Parameter(torch.zeros(width))
        self.fc2 = matrix(width, width, 1.4)
        self.fc2_bias = nn.Parameter(torch.zeros(width))

    def forward(self, level: torch.Tensor) -> torch.Tensor:
        """[...] levels in 0...1 to [..., m]."""
        hidden = silu(linear(level_features(level), self.fc1, self.fc1_bias))
        return silu(linear(hidden, self.fc2, self.fc2_bias))


def rms(x: torch.Tensor) -> torch.Tensor:
    """Divides by the root mean square over the last axis; float32."""
    x = x.float()
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


def pick(noised: torch.Tensor, clean: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """One modulation vector for every token.

    noised [M, d]: each frame's vector at its own level; clean [d]: the vector at level 0; mask [M, S]: true where the
    token has the frame's level. Returns [M, S, d] (fused away under compilation).
    """
    return torch.where(mask[..., None], noised[:, None], clean)


def modulate(x: torch.Tensor, shift: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """`rms(x) * (1 + scale) + shift` in the precision of x."""
    return (rms(x) * (1 + scale) + shift).to(x.dtype)
