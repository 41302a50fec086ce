"""Block-wise scan: every b_h x b_w block of the token grid is scanned on its own over all frames (docs/model.md,
Layer 1)."""

import math

import torch
from torch import nn
from torch.nn.functional import logsigmoid, silu

from .config import LayerConfig, WorldConfig
from .levels import cast_linear, matrix
from .scans import Pieces, chunk_scan, pass_states, prepare_pieces, read_pieces

# Tokens a piece by tokens a block and frame: short pieces where a frame gives few tokens, so that clips of any
# multiple of 160 frames divide into whole pieces of whole frames.
TRAINING_PIECE = {1: 32, 2: 64, 4: 64, 8: 64, 16: 64, 32: 128, 64: 128}


def unit(x: torch.Tensor) -> torch.Tensor:
    """Unit length over the last axis; float32."""
    x = x.float()
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + 1e-6)


class BlockScan(nn.Module):
    """Projections, keys and one of the two scan rules over blocks."""

    def __init__(self, config: WorldConfig, layer: LayerConfig, index: int):
        super().__init__()
        self.config, self.layer = config, layer
        heads, n, p, d = config.scan_heads, config.key_length, config.value_length, config.width
        content_gain = 1.0 if layer.key == "none" else 0.1
        self.key = matrix(heads * n, d, content_gain)
        self.query = nn.Parameter(self.key.detach().clone())
        self.value = matrix(heads * p, d)
        self.gate = matrix(heads * p, d)
        self.write = matrix(heads, d, 0.1)
        self.write_bias = nn.Parameter(torch.zeros(heads))
        self.decay = matrix(heads, d, 0.1)
        self.decay_bias = nn.Parameter(_decay_biases(config, layer, index))
        self.out = matrix(d, heads * p, (2 * len(config.layers)) ** -0.5)
        if layer.key != "none":
            self.key_pose = nn.Parameter(_pose_kernels(config, layer))
            self.query_pose = nn.Parameter(self.key_pose.detach().clone())
        if layer.key == "point":
            self.depth = matrix(len(config.depths), d)
            self.depth_bias = nn.Parameter(torch.zeros(len(config.depths)))

    @property
    def tokens_per_frame(self) -> int:
        """Tokens of one block in one frame."""
        return self.layer.block[0] * self.layer.block[1]

    def project(self, a: torch.Tensor, features: torch.Tensor | None):
        """a [M, S, d] (modulated), features [M, S, 2R] or [M, S, D, 2Q] or None.

        Returns q, k [M, S, H, N] and v [M, S, H, P] in a's precision, beta, g [M, S, H] float32, gate z [M, S, H*P].
        """
        config = self.config
        heads, n, p = config.scan_heads, config.key_length, config.value_length
        weight = torch.cat([self.query, self.key, self.value, self.gate, self.write, self.decay])
        parts = cast_linear(a, weight).split([heads * n, heads * n, heads * p, heads * p, heads, heads], -1)
        q, k, v, z, write, decay = parts
        if features is not None:
            if self.layer.key == "point":
                likely = cast_linear(a, self.depth, self.depth_bias).float().softmax(-1)
                features = (likely[..., None] * features).sum(-2).to(a.dtype)
            pose = cast_linear(features.to(a.dtype), torch.cat([self.query_pose, self.key_pose]))
            q_pose, k_pose = pose.chunk(2, -1)
            q, k = q + q_pose, k + k_pose
        q, k = (unit(x.unflatten(-1, (heads, n))).to(a.dtype) for x in (q, k))
        beta = torch.sigmoid(write.float() + self.write_bias)
        g = logsigmoid(-(decay.float() + self.decay_bias))
        return q, k, v.unflatten(-1, (heads, p)), beta, g, z

    def gather(self, x: torch.Tensor, frames: int) -> torch.Tensor:
        """[M, S, H, ...] to [M/frames, blocks*H, frames * block tokens, ...]: tokens of each block in scan order."""
        (bh, bw), rows, columns = self.layer.block, self.config.rows, self.config.columns
        rest = x.shape[2:]
        x = x.reshape(-1, frames, rows // bh, bh, columns // bw, bw, *rest)
        order = (0, 2, 4, 6, 1, 3, 5) + ((7,) if len(rest) == 2 else ())
        return x.permute(order).flatten(4, 6).flatten(1, 3)

    def scatter(self, y: torch.Tensor, frames: int) -> torch.Tensor:
        """The way back: [M/frames, blocks*H, tokens, P] to [M, S, H, P]."""
        (bh, bw), rows, columns = self.layer.block, self.config.rows, self.config.columns
        y = y.unflatten(2, (frames, bh, bw)).unflatten(1, (rows // bh, columns // bw, -1))
        return y.permute(0, 4, 1, 5, 2, 6, 3, 7).reshape(-1, self.config.tokens, y.shape[3], y.shape[-1])

    def finish(self, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Scan output y [M, S, H, P] and gate z [M, S, H*P] to the residual's update [M, S, d]."""
        y = y.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 0.1)
        return cast_linear((y.flatten(-2) * silu(z.float())).to(z.dtype), self.out)

    def piece_frames(self) -> int:
        """Frames a piece in training."""
        return max(1, TRAINING_PIECE.get(self.tokens_per_frame, 64) // self.tokens_per_frame)

    def prepare(self, a: torch.Tensor, features: torch.Tensor | None):
        """First half of the training path, independent of how frames are cut into clips: q, k, z and pieces."""
        q, k, v, beta, g, z = self.project(a, features)
        q, k, v, beta, g = (self.gather(x, self.piece_frames()) for x in (q, k, v, beta, g))
        return q, k, z, prepare_pieces(self.layer.kind, k, v, beta, g)

    def carry(self, pieces: Pieces, clips: int):
        """Middle of the training path: states through the pieces of each clip, starting from nothing."""
        split = Pieces(*(None if x is None else x.unflatten(0, (clips, -1)) for x in pieces))
        starts, written, _ = pass_states(split, None)
        return starts.flatten(0, 1), written.flatten(0, 1)

    def read(self, q, k, z, cumulative, starts, written) -> torch.Tensor:
        """Last half of the training path: the residual's update [M, S, d]."""
        return self.finish(
            self.scatter(read_pieces(q, k, cumulative, starts, written), self.piece_frames()), z
        )

    def run(self, a: torch.Tensor, features: torch.Tensor | None, clips: int, state: torch.Tensor | None):
        """Any number of frames from any state. a [M, S, d] holds `clips` clips; state [clips, blocks, H, N, P] or None.

        Returns the residual's update, the last state (same layout) and the tensors (q, k, v, beta, g, y) [M, S, H, ...]
        for those who look inside.
        """
        q, k, v, beta, g, z = self.project(a, features)
        frames = a.shape[0] // clips
        length = min(64, max(16, 2 ** math.ceil(math.log2(frames * self.tokens_per_frame))))
        gathered = [self.gather(x, frames) for x in (q, k, v, beta, g)]
        flat = None if state is None else state.flatten(1, 2)
        y, last = chunk_scan(self.layer.kind, *gathered, flat, length)
        y = self.scatter(y, frames)
        last = last.unflatten(1, (-1, self.config.scan_heads))
        return self.finish(y, z), last, {"q": q, "k": k, "v": v, "beta": beta, "g": g, "y": y}


def _decay_biases(config: WorldConfig, layer: LayerConfig, index: int) -> torch.Tensor:
    """Biases whose softplus is 1/(time scale in tokens). Time scales are spread geometrically over heads; which head
    has which turns from layer to layer, so that long memory is not tied to one bandwidth."""
    low, high = config.decay_frames
    spread = torch.linspace(math.log(low), math.log(high), config.scan_heads).roll(index)
    rate = 1 / (spread.exp() * layer.block[0] * layer.block[1])
    return torch.log(torch.expm1(rate))


def _pose_kernels(config: WorldConfig, layer: LayerConfig) -> torch.Tensor:
    """[H*N, 2R]: random projections; head i looks at a band of the (ascending) frequencies, coarse to fine."""
    count = config.ray_frequencies if layer.key == "ray" else config.point_frequencies
    heads, n = config.scan_heads, config.key_length
    position = torch.linspace(0, heads, count)
    centre = torch.arange(heads) + 0.5
    window = torch.exp(-(((position - centre[:, None]) / 0.8) ** 2)).repeat(1, 2)
    window = window / window.square().sum(-1, keepdim=True).sqrt()
    return (torch.randn(heads, n, 2 * count) * window[:, None]).reshape(heads * n, 2 * count) * 2**0.5
