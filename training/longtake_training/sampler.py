"""Denoising one chunk and rolling out many (docs/model.md, Sampler)."""

from dataclasses import dataclass, replace

import torch

from .model import WorldModel, WorldState

# Noise levels by number of passes. The second pass starts at one half: after the first, what memory knows is there, and
# passes at higher levels let a chunk drift away from it (training/LOG.md, leg 1).
LEVELS = {
    1: [1.0, 0.0],
    2: [1.0, 0.5, 0.0],
    4: [1.0, 0.5, 0.25, 0.1, 0.0],
    8: [1.0, 0.6, 0.45, 0.35, 0.25, 0.17, 0.1, 0.05, 0.0],
}


def levels_of(steps: int) -> list[float]:
    """The levels of `steps` passes: those above, or evenly spaced ones."""
    return LEVELS.get(steps) or [1 - i / steps for i in range(steps)] + [0.0]


@dataclass
class Chunk:
    """A run of frames as it enters the network; T a multiple of F. Shapes as in WorldModel.forward.

    latents [B, T, S, c] (values at tokens to be generated are ignored), mask [B, T, S] true where to generate,
    rays [B, T, S, 6], known [B, T], times [B, T].
    """

    latents: torch.Tensor
    mask: torch.Tensor
    rays: torch.Tensor
    known: torch.Tensor
    times: torch.Tensor

    def cut(self, start: int, stop: int) -> "Chunk":
        """Frames start...stop-1."""
        return Chunk(*(x[:, start:stop] for x in (self.latents, self.mask, self.rays, self.known, self.times)))

    def given(self, latents: torch.Tensor) -> "Chunk":
        """The same frames with these latents, every token clean."""
        return replace(self, latents=latents, mask=torch.zeros_like(self.mask))


def run_pass(model: WorldModel, chunk: Chunk, level: float, state: WorldState | None, dtype=torch.float32, trace=None):
    """One network pass with all masked tokens at `level`. Returns predicted latents and the new state."""
    levels = torch.full(chunk.known.shape, level, device=chunk.latents.device)
    return model(
        chunk.latents,
        levels,
        chunk.mask,
        chunk.rays,
        chunk.known,
        chunk.times,
        state=state,
        dtype=dtype,
        trace=trace,
    )


def denoise(model: WorldModel, chunk: Chunk, levels: list[float], noise: torch.Tensor, state, dtype=torch.float32):
    """Generates a chunk's masked tokens. levels: from 1 down to 0; noise [B, F, S, c]. Returns finished latents."""
    where = chunk.mask[..., None]
    z = torch.where(where, noise, chunk.latents)
    for level, following in zip(levels[:-1], levels[1:], strict=True):
        predicted, _ = run_pass(model, replace(chunk, latents=z), level, state, dtype)
        z = torch.where(where, predicted + (following / level) * (z - predicted), chunk.latents)
    return z


def commit(model: WorldModel, chunk: Chunk, state: WorldState | None, dtype=torch.float32) -> WorldState:
    """Clean pass: the state after these frames, every token taken as given."""
    return run_pass(model, chunk.given(chunk.latents), 0.0, state, dtype)[1]


def rollout(
    model: WorldModel, clip: Chunk, prefix: int, levels: list[float], noise_of, dtype=torch.float32
) -> torch.Tensor:
    """Generates a clip's masked tokens chunk by chunk, after committing its first `prefix` frames (a multiple of F).

    noise_of(chunk index) gives noise [B, F, S, c]. Returns latents [B, T, S, c] of the whole clip.
    """
    size, state = model.config.frames_per_chunk, None
    # Not all at once: the prefixes of many clips would need more memory than training does.
    for start in range(0, prefix, 20 * size):
        state = commit(model, clip.cut(start, min(prefix, start + 20 * size)), state, dtype)
    done = [clip.latents[:, :prefix]]
    for start in range(prefix, clip.latents.shape[1], size):
        chunk = clip.cut(start, start + size)
        finished = denoise(model, chunk, levels, noise_of(start // size), state, dtype)
        state = commit(model, chunk.given(finished), state, dtype)
        done.append(finished)
    return torch.cat(done, 1)
