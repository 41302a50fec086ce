"""Recorded tensors: what PyTorch computes, for the engines' tests. `python -m longtake_training.record --help`."""

import argparse
from pathlib import Path

import numpy as np
import torch

from .model import WorldConfig, WorldModel
from .model.poses import grid_directions, rays_of
from .noise import chunk_noise, pcg4d
from .package import read_weights, write_safetensors
from .sampler import Chunk, commit, denoise, run_pass

LEVELS = [1.0, 0.75, 0.5, 0.25, 0.0]
SEED = 7
PREFIX_CHUNKS = 2
CHUNKS = 7


def wandering_clip(config: WorldConfig, frames: int, latents: torch.Tensor | None = None, seed: int = 5) -> Chunk:
    """A camera that turns and walks, smooth random latents unless given. The pose of one frame (7) is unknown."""
    generator = torch.Generator().manual_seed(seed)
    yaw = torch.randn(1, frames, generator=generator).mul(0.3).cumsum(1)
    position = torch.randn(1, frames, 3, generator=generator).mul(0.2).cumsum(1)
    zero = torch.zeros_like(yaw)
    orientation = torch.stack([(yaw / 2).cos(), zero, (yaw / 2).sin(), zero], -1)
    rays = rays_of(position, orientation, grid_directions(config.rows, config.columns, config.vertical_fov))
    if latents is None:
        still = torch.randn(1, 1, config.tokens, config.latent_channels, generator=generator)
        moving = torch.randn(1, frames, config.tokens, config.latent_channels, generator=generator)
        latents = (0.5 * still + 0.2 * moving).clamp(-1, 1)
    known = torch.ones(1, frames, dtype=torch.bool)
    known[:, 7] = False
    mask = torch.zeros(1, frames, config.tokens, dtype=torch.bool)
    return Chunk(latents, mask, rays, known, torch.arange(frames)[None])


def record_rollout(model: WorldModel, clip: Chunk, traces: bool) -> dict[str, np.ndarray]:
    """Commits two chunks, generates four, then one whose mask is mixed; names as documented in docs/training.md.

    In the last chunk the first two frames are given, and of the others every third token.
    """
    config = model.config
    size = config.frames_per_chunk
    clip.mask[:, PREFIX_CHUNKS * size :] = True
    clip.mask[:, -size : 2 - size] = False
    clip.mask[:, 2 - size :, ::3] = False
    out: dict[str, torch.Tensor] = {"levels": torch.tensor(LEVELS)}
    with torch.no_grad():
        prefix = clip.cut(0, PREFIX_CHUNKS * size)
        if traces:
            _trace(out, "trace.commit", model, prefix.cut(0, size), 0.0, None)
        state = commit(model, prefix, None)
        _state(out, f"state.{PREFIX_CHUNKS}", state)
        for i in range(CHUNKS):
            chunk = clip.cut(i * size, (i + 1) * size)
            for name in ("latents", "mask", "rays", "known", "times"):
                out[f"chunk.{i}.{name}"] = getattr(chunk, name)[0]
            if i < PREFIX_CHUNKS:
                continue
            noise = torch.from_numpy(chunk_noise(chunk.latents.shape[1:], SEED, i))[None]
            if traces and i == CHUNKS - 1:
                z = torch.where(chunk.mask[..., None], noise, chunk.latents)
                _trace(
                    out,
                    "trace.denoise",
                    model,
                    Chunk(z, chunk.mask, chunk.rays, chunk.known, chunk.times),
                    0.75,
                    state,
                )
                _state(out, "trace.denoise.state", state)
            finished = denoise(model, chunk, LEVELS, noise, state)
            state = commit(model, chunk.given(finished), state)
            out[f"chunk.{i}.noise"], out[f"chunk.{i}.finished"] = noise[0], finished[0]
        _state(out, f"state.{CHUNKS}", state)
    arrays = {name: _to_numpy(tensor) for name, tensor in out.items()}
    elements = np.array([0, 1, 2, 1000, 15359, 2**31], dtype=np.uint32)
    arrays["noise.elements"] = elements
    arrays["noise.words"] = pcg4d(elements, np.uint32(3), np.uint32(SEED), np.uint32(0))
    return arrays


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    array = tensor.contiguous().numpy()
    kinds = {np.dtype(bool): np.uint8, np.dtype(np.int64): np.int32}
    return array.astype(kinds.get(array.dtype, array.dtype))


def _state(out, name, state):
    for i, layer in enumerate(state.layers):
        out[f"{name}.layers.{i}.scan"] = layer.scan[0]
        out[f"{name}.layers.{i}.keys"], out[f"{name}.layers.{i}.values"] = layer.keys[0], layer.values[0]


def _trace(out, name, model, chunk, level, state):
    trace = []
    predicted, _ = run_pass(model, chunk, level, state, trace=trace)
    out[f"{name}.z"], out[f"{name}.level"], out[f"{name}.predicted"] = (
        chunk.latents[0],
        torch.tensor([level]),
        predicted[0],
    )
    for i, inside in enumerate(trace):
        for key, tensor in inside.items():
            out[f"{name}.layers.{i}.{key}"] = tensor[0] if key in ("keys", "values") else tensor


def load_package_model(folder: Path) -> WorldModel:
    """The model of a package folder with its stored (rounded) weights; its config comes from training.json there."""
    model = WorldModel(WorldConfig.load(folder / "training.json"))
    model.load_state_dict(read_weights(folder / "weights.safetensors"))
    return model.eval()


def main(argv: list[str] | None = None) -> None:
    """Records a package's rollout."""
    parser = argparse.ArgumentParser(description="Write a rollout of a package, computed by PyTorch, for engine tests.")
    parser.add_argument("package", type=Path, help="package folder (with training.json)")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--traces", action="store_true", help="with every layer's intermediates")
    arguments = parser.parse_args(argv)
    model = load_package_model(arguments.package)
    clip = wandering_clip(model.config, CHUNKS * model.config.frames_per_chunk)
    write_safetensors(arguments.out, record_rollout(model, clip, arguments.traces))


if __name__ == "__main__":
    main()
