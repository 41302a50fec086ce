"""What block-wise scans and causal attention share: keys and queries from content and camera, values, output gate."""

import torch
from torch import nn
from torch.nn.functional import silu

from .config import LayerConfig, WorldConfig
from .levels import cast_linear, matrix


def unit(x: torch.Tensor) -> torch.Tensor:
    """Unit length over the last axis; float32."""
    x = x.float()
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + 1e-6)


class Mixer(nn.Module):
    """Carries content from earlier frames to later ones, addressed by keys.

    Training path in three parts, of which the first and last know frames only, never how they form clips (so that
    they compile once): `prepare` (a tuple that begins with q, k, z), `carry` (over each clip), `read` (the residual's
    update). `run` does all of it from any state.
    """

    def __init__(self, config: WorldConfig, layer: LayerConfig):
        super().__init__()
        self.config, self.layer = config, layer
        heads, n, p, d = config.scan_heads, config.key_length, config.value_length, config.width
        content_gain = 1.0 if layer.key == "none" else 0.1
        self.key = matrix(heads * n, d, content_gain)
        self.query = nn.Parameter(self.key.detach().clone())
        self.value = matrix(heads * p, d)
        self.gate = matrix(heads * p, d)
        self.out = matrix(d, heads * p, (2 * len(config.layers)) ** -0.5)
        if layer.key != "none":
            self.key_pose = nn.Parameter(_pose_kernels(config, layer))
            self.query_pose = nn.Parameter(self.key_pose.detach().clone())
        if layer.key == "point":
            self.depth = matrix(len(config.depths), d)
            self.depth_bias = nn.Parameter(torch.zeros(len(config.depths)))

    def project_keyed(self, a: torch.Tensor, features: torch.Tensor | None, *more: torch.Tensor):
        """a [M, S, d] (modulated), features [M, S, 2R] or [M, S, D, 2Q] or None, more: weights [rows, d].

        Returns q, k [M, S, H, N], v [M, S, H, P], gate z [M, S, H*P] in a's precision, and a's product with each of
        `more`.
        """
        config = self.config
        heads, n, p = config.scan_heads, config.key_length, config.value_length
        weights = [self.query, self.key, self.value, self.gate, *more]
        parts = cast_linear(a, torch.cat(weights)).split([len(w) for w in weights], -1)
        q, k, v, z, *rest = parts
        if features is not None:
            if self.layer.key == "point":
                likely = cast_linear(a, self.depth, self.depth_bias).float().softmax(-1)
                features = (likely[..., None] * features).sum(-2).to(a.dtype)
            pose = cast_linear(features.to(a.dtype), torch.cat([self.query_pose, self.key_pose]))
            q_pose, k_pose = pose.chunk(2, -1)
            q, k = q + q_pose, k + k_pose
        q, k = (unit(x.unflatten(-1, (heads, n))).to(a.dtype) for x in (q, k))
        return q, k, v.unflatten(-1, (heads, p)), z, *rest

    def finish(self, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """What was read, y [M, S, H, P], and gate z [M, S, H*P] to the residual's update [M, S, d]."""
        y = y.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 0.1)
        return cast_linear((y.flatten(-2) * silu(z.float())).to(z.dtype), self.out)


def _pose_kernels(config: WorldConfig, layer: LayerConfig) -> torch.Tensor:
    """[H*N, 2R]: random projections; head i looks at a band of the (ascending) frequencies, coarse to fine."""
    count = config.ray_frequencies if layer.key == "ray" else config.point_frequencies
    heads, n = config.scan_heads, config.key_length
    position = torch.linspace(0, heads, count)
    centre = torch.arange(heads) + 0.5
    window = torch.exp(-(((position - centre[:, None]) / 0.8) ** 2)).repeat(1, 2)
    window = window / window.square().sum(-1, keepdim=True).sqrt()
    return (torch.randn(heads, n, 2 * count) * window[:, None]).reshape(heads * n, 2 * count) * 2**0.5
