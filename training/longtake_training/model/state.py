"""What a rollout carries from chunk to chunk: fixed size, whatever the length of the prefix."""

from dataclasses import dataclass

import torch


@dataclass
class LayerState:
    """One layer's memory after a commit.

    scan: [B, blocks, H, N, P] float32; of a causal-attention layer (baselines) the keys and values it has kept instead,
    [B, H, tokens, N + P]: the one state that grows. keys (normalised, rotated) and values of the last chunk's
    frame-local attention: [B, F*S, d], None in a layer without it.
    """

    scan: torch.Tensor
    keys: torch.Tensor | None
    values: torch.Tensor | None


@dataclass
class WorldState:
    """Memory of all layers. `None` in place of a WorldState means: nothing committed yet."""

    layers: list[LayerState]
    committed: int
