"""The few-step stage: the network trains on what its own sampler commits and visits.

Sampling chunk by chunk, the network meets two things that plain training never shows it: frames it has made itself,
slightly wrong, as committed ones; and noise levels reached from its own estimate instead of from the truth. Here a
batch's noised frames are first made by the sampler's own levels, all chunks at once and without gradients (chunk after
chunk would take as many passes as there are chunks). Then some of the chunks are given as committed, the others are to
be predicted, from what the sampler had before one of its passes or from noised truth. The target is always the truth.

Only chunks that came out near the truth serve so, and only after enough was given. Where memory knows nothing, own
frames show something else than the truth, and a network that is told to predict the truth after them would learn not to
believe what it has committed: flicker, and cold starts that fade to the mean. Being near is not enough there: the mean
of many possible rooms is near each of them, and with it for input the network would learn to stay with the mean.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from .losses import noised
from .model import WorldModel
from .sampler import LEVELS
from .training_data import Batch


@dataclass(frozen=True)
class FewStep:
    """The `few_step` object of a config file's `training`.

    start: share of the budget from which the stage runs. share: of its steps that train on own frames; the others are
    as before. committed: of the noised chunks, how many are given as own frames. visited: of the clips, how many are
    predicted from what the sampler visits. near: PSNR in dB from which on an own chunk serves for either. given: how
    many given frames have to stand before it, so that no chunk of a free sample does, nor the first ones after a short
    prefix. steps: numbers of denoise passes to be good at. structure: weight of the structure loss in the whole stage.
    """

    start: float
    share: float = 0.6
    committed: float = 0.5
    visited: float = 0.5
    near: float = 22.0
    given: int = 0
    steps: tuple[int, ...] = (1, 2, 4)
    structure: float = 0.0


def own_frames(model: WorldModel, batch: Batch, levels: list[float], stop: int, dtype):
    """Masked tokens made by the sampler's passes, all chunks together. Returns finished latents [B, T, S, c] and what
    stood before pass `stop`."""
    chunk = batch.chunk
    where = chunk.mask[..., None]
    z = torch.where(where, torch.randn_like(chunk.latents), chunk.latents)
    visited = z
    for i, (level, following) in enumerate(zip(levels[:-1], levels[1:], strict=True)):
        if i == stop:
            visited = z
        at = torch.full_like(batch.level, level)
        # With gradients and without use of them: compiled code for both ways would take another minute to make.
        predicted = model.predict(z, at, chunk.mask, chunk.rays, chunk.known, chunk.times, dtype).detach()
        z = torch.where(where, predicted + (following / level) * (z - predicted), chunk.latents)
    return z, visited


def near_truth(own: torch.Tensor, batch: Batch, size: int, decibels: float) -> torch.Tensor:
    """[B, T / size]: whether a chunk's masked tokens, as made, have at least this PSNR."""
    mask = batch.chunk.mask
    error = (own - batch.chunk.latents).square().mean(-1) * mask
    error, count = (x.sum(-1).unflatten(1, (-1, size)).sum(-1) for x in (error, mask))
    close = error < count * 4 * 10 ** (-decibels / 10)  # latents span 2, so the peak's square is 4
    return close & (count > 0)


def given_before(batch: Batch, size: int) -> torch.Tensor:
    """[B, T / size]: how many frames are given in the chunks before each one; parts of frames count as such."""
    by_chunk = (~batch.chunk.mask).float().mean(-1).unflatten(1, (-1, size)).sum(-1)
    return by_chunk.cumsum(1) - by_chunk


def own_batch(
    model: WorldModel, batch: Batch, settings: FewStep, random: np.random.Generator, dtype
) -> tuple[Batch, torch.Tensor, torch.Tensor]:
    """A batch as the sampler meets it. Returns it (targets as `latents`), the network's input z [B, T, S, c], and the
    mask [B, T] of frames that are given as own."""
    levels = LEVELS[int(random.choice(settings.steps))]
    stop = int(random.integers(len(levels) - 1))
    own, visited = own_frames(model, batch, levels, stop, dtype)
    chunk, size = batch.chunk, model.config.frames_per_chunk
    fit = near_truth(own, batch, size, settings.near) & (given_before(batch, size) >= settings.given)

    def draw(share, *shape):
        return torch.from_numpy(random.random(shape) < share).to(fit.device)

    committed = draw(settings.committed, *fit.shape) & fit
    on_path = draw(settings.visited, len(fit), 1) & fit
    committed, on_path = (x.repeat_interleave(size, 1) for x in (committed, on_path))
    # A clip all of whose noised chunks came out committed would have nothing to predict.
    committed &= (chunk.mask.any(-1) & ~committed).any(1, keepdim=True)
    level = torch.where(on_path, torch.full_like(batch.level, levels[stop]), batch.level)
    z = torch.where(on_path[..., None, None], visited, noised(batch))
    z = torch.where(committed[..., None, None], own, z)
    mask = chunk.mask & ~committed[..., None]
    return Batch(replace(chunk, mask=mask), level), z, committed
