"""Frame-local attention: a chunk of F frames sees itself, both ways, and the chunk before (docs/model.md, Layer 2)."""

import torch
from torch import nn

from .config import WorldConfig
from .levels import cast_linear, matrix, rms


def rotary_angles(config: WorldConfig, times: torch.Tensor) -> torch.Tensor:
    """Angles [M, S, d_a/2] for frames with time index `times` [M]: time pairs, then row pairs, then column pairs."""
    device = times.device
    row = torch.arange(config.rows, device=device).repeat_interleave(config.columns)
    column = torch.arange(config.columns, device=device).repeat(config.rows)
    parts = []
    for position, frequencies in (
        (times[:, None].expand(-1, config.tokens), config.rope_time),
        (row.expand(len(times), -1), config.rope_row),
        (column.expand(len(times), -1), config.rope_column),
    ):
        parts.append(position[..., None].float() * torch.tensor(frequencies, device=device))
    return torch.cat(parts, -1)


def rotate_pairs(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Turns pairs (2j, 2j+1) of x [M, S, heads, d_a] by the angles whose cosines and sines are [M, S, d_a/2]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = cos[:, :, None], sin[:, :, None]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class FrameLocalAttention(nn.Module):
    """Queries, keys and values of a run of chunks; `attend` joins each chunk with the one before it."""

    def __init__(self, config: WorldConfig):
        super().__init__()
        self.config = config
        self.qkv = matrix(3 * config.width, config.width)
        self.query_gain = nn.Parameter(torch.ones(config.attention_head_length))
        self.key_gain = nn.Parameter(torch.ones(config.attention_head_length))
        self.out = matrix(config.width, config.width, (2 * len(config.layers)) ** -0.5)

    def project(self, a: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor):
        """a [M, S, d] to rotated queries, rotated keys, values, each [n_chunks, F*S, d]."""
        config = self.config
        q, k, v = cast_linear(a, self.qkv).unflatten(-1, (3, config.attention_heads, -1)).unbind(-3)
        q = rotate_pairs(rms(q) * self.query_gain, cos, sin).to(v.dtype)
        k = rotate_pairs(rms(k) * self.key_gain, cos, sin).to(v.dtype)
        shape = (-1, config.frames_per_chunk * config.tokens, config.width)
        return q.reshape(shape), k.reshape(shape), v.reshape(shape)

    def attend(self, q, k, v, k_before, v_before) -> torch.Tensor:
        """Each chunk's queries over [chunk before, own chunk]; all [n_chunks, F*S, d]. Returns [n_chunks, F*S, d].

        A chunk with nothing before it is given itself as the chunk before: every key twice, which halves each weight
        and leaves the result the same.
        """
        keys, values = torch.cat([k_before, k], 1), torch.cat([v_before, v], 1)
        q, keys, values = (
            x.unflatten(-1, (self.config.attention_heads, -1)).transpose(1, 2) for x in (q, keys, values)
        )
        y = nn.functional.scaled_dot_product_attention(q, keys, values)
        return cast_linear(y.transpose(1, 2).flatten(-2), self.out)
