"""Block-wise scan: every b_h x b_w block of the token grid is scanned on its own over all frames (docs/model.md,
Layer 1)."""

import math

import torch
from torch import nn
from torch.nn.functional import logsigmoid

from .config import LayerConfig, WorldConfig
from .levels import matrix
from .mixer import Mixer
from .scans import Pieces, chunk_scan, pass_states, prepare_pieces, read_pieces

# Tokens a piece by tokens a block and frame: short pieces where a frame gives few tokens, so that clips of any
# multiple of 160 frames divide into whole pieces of whole frames.
TRAINING_PIECE = {1: 32, 2: 64, 4: 64, 8: 64, 16: 64, 32: 128, 64: 128}


class BlockScan(Mixer):
    """One of the two scan rules over blocks."""

    def __init__(self, config: WorldConfig, layer: LayerConfig, index: int):
        super().__init__(config, layer)
        heads, d = config.scan_heads, config.width
        self.write = matrix(heads, d, 0.1)
        self.write_bias = nn.Parameter(torch.zeros(heads))
        self.decay = matrix(heads, d, 0.1)
        self.decay_bias = nn.Parameter(_decay_biases(config, layer, index))

    @property
    def tokens_per_frame(self) -> int:
        """Tokens of one block in one frame."""
        return self.layer.block[0] * self.layer.block[1]

    def project(self, a: torch.Tensor, features: torch.Tensor | None):
        """As `project_keyed`: q, k, v, then beta, g [M, S, H] float32, then gate z."""
        q, k, v, z, write, decay = self.project_keyed(a, features, self.write, self.decay)
        beta = torch.sigmoid(write.float() + self.write_bias)
        g = logsigmoid(-(decay.float() + self.decay_bias))
        return q, k, v, beta, g, z

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

    def piece_frames(self) -> int:
        """Frames a piece in training."""
        return max(1, TRAINING_PIECE.get(self.tokens_per_frame, 64) // self.tokens_per_frame)

    def prepare(self, a: torch.Tensor, features: torch.Tensor | None):
        """Training path, first part: q, k, z and the pieces that clips are cut into."""
        q, k, v, beta, g, z = self.project(a, features)
        q, k, v, beta, g = (self.gather(x, self.piece_frames()) for x in (q, k, v, beta, g))
        return q, k, z, prepare_pieces(self.layer.kind, k, v, beta, g)

    def carry(self, prepared, clips: int):
        """Training path, middle: states through the pieces of each clip, starting from nothing."""
        split = Pieces(*(None if x is None else x.unflatten(0, (clips, -1)) for x in prepared[3]))
        starts, written, _ = pass_states(split, None)
        return starts.flatten(0, 1), written.flatten(0, 1)

    def read(self, prepared, carried) -> torch.Tensor:
        """Training path, last part: the residual's update [M, S, d]."""
        q, k, z, pieces = prepared
        y = read_pieces(q, k, pieces.cumulative, *carried)
        return self.finish(self.scatter(y, self.piece_frames()), z)

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
