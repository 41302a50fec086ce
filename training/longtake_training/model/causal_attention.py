"""Causal attention in place of a block-wise scan: the baselines' memory, exact but growing with every frame.

Chunk i's queries meet the keys of its own chunk, both ways, and of all chunks before it, or of a window of them. Keys
are those of the scans (content, ray, point). One product a chunk, each of just the keys it may see: no mask, and the
form that samples chunk by chunk is the form that trains.
"""

import math

import torch
from torch import nn
from torch.nn.functional import pad, scaled_dot_product_attention

from .config import LayerConfig, WorldConfig
from .mixer import Mixer


class CausalAttention(Mixer):
    """Softmax over unit keys and queries with a learned sharpness a head."""

    def __init__(self, config: WorldConfig, layer: LayerConfig):
        super().__init__(config, layer)
        self.sharpness = nn.Parameter(torch.full((config.scan_heads,), math.log(10.0)))

    def prepare(self, a: torch.Tensor, features: torch.Tensor | None):
        """Training path, first part: sharpened q, k, z, v, each [M, S, ...]."""
        q, k, v, z = self.project_keyed(a, features)
        return (q * self.sharpness.exp()[:, None]).to(q.dtype), k, z, v

    def carry(self, prepared, clips: int) -> torch.Tensor:
        """Training path, middle: y [M, S, H, P] of each clip, starting from nothing."""
        q, k, _, v = prepared
        y = self._attend(*(self._by_clip(x, clips) for x in (q, k, v)), before=0)
        # Of one layout however many clips there are: compiled code depends on it.
        return y.transpose(1, 2).reshape(v.shape).contiguous()

    def read(self, prepared, carried) -> torch.Tensor:
        """Training path, last part: the residual's update [M, S, d]."""
        return self.finish(carried, prepared[2])

    def run(self, a: torch.Tensor, features: torch.Tensor | None, clips: int, state: torch.Tensor | None):
        """As BlockScan.run; state: keys and values the next chunk may see, [clips, H, tokens, N + P]."""
        q, k, z, v = self.prepare(a, features)
        kept = self._by_clip(torch.cat([k, v], -1), clips)
        before = 0 if state is None else state.shape[2]
        if state is not None:
            kept = torch.cat([state.to(kept.dtype), kept], 2)
        keys, values = kept.split([self.config.key_length, self.config.value_length], -1)
        y = self._attend(self._by_clip(q, clips), keys, values, before)
        y = y.transpose(1, 2).reshape(v.shape)
        inside = {"q": q, "k": k, "v": v, "y": y}
        return self.finish(y, z), kept[:, :, max(0, kept.shape[2] - self._reach()) :], inside

    def _reach(self) -> int:
        """Tokens before its own chunk that a chunk sees at most."""
        window = self.layer.window
        return 2**62 if window is None else (window - self.config.frames_per_chunk) * self.config.tokens

    @staticmethod
    def _by_clip(x: torch.Tensor, clips: int) -> torch.Tensor:
        """[M, S, H, .] to [clips, H, tokens, .]."""
        return x.unflatten(0, (clips, -1)).flatten(1, 2).transpose(1, 2)

    def _attend(self, q, k, v, before: int) -> torch.Tensor:
        """q [B, H, tokens, N]; k, v with `before` more tokens in front. Returns [B, H, tokens, P]."""
        size = self.config.frames_per_chunk * self.config.tokens
        # Fused attention wants values as long as keys.
        width, v = v.shape[-1], pad(v, (0, max(0, q.shape[-1] - v.shape[-1])))
        parts = []
        for start in range(0, q.shape[2], size):
            end = before + start + size
            seen = slice(max(0, end - size - self._reach()), end)
            parts.append(
                scaled_dot_product_attention(q[:, :, start : start + size], k[:, :, seen], v[:, :, seen], scale=1.0)
            )
        return torch.cat(parts, 2)[..., :width]
