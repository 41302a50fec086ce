"""Evaluation in PyTorch: the probe (memory alone) and sampled rollouts. Run with `--help` for more."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from .metrics import gaussian_ssim, psnr, sharpness, ssim
from .model import WorldConfig, WorldModel
from .package import read_weights
from .protocols import (
    TASKS,
    Damage,
    Protocol,
    cross_fade,
    liveliness,
    pictures_of,
    pixel_mask,
    protocol_clip,
    telea,
)
from .sampler import Chunk, levels_of, rollout
from .sheets import write_sheet
from .training_data import WalkPool


@torch.no_grad()
def probe(model: WorldModel, pool: WalkPool, length: int, clips: int, dtype) -> dict[str, float]:
    """PSNR (dB) of one pass with the whole suffix at noise level 1: what memory alone gives back.

    retrieval: half the length, then the way back; reasoning: the last 28 % from the first 72 %. length: a multiple
    of 160.
    """
    result = {}
    for task, context in (("retrieval", length // 2), ("reasoning", length * 18 // 25)):
        context -= context % model.config.frames_per_chunk
        clip, _ = protocol_clip(pool, model.config, Protocol(task, context, length - context, (1, 0), clips))
        generator = torch.Generator(device=pool.device).manual_seed(1)
        noise = torch.randn(clip.latents.shape, generator=generator, device=pool.device)
        z = torch.where(clip.mask[..., None], noise, clip.latents)
        level = torch.ones_like(clip.known, dtype=torch.float32)
        predicted = model.predict(z, level, clip.mask, clip.rays, clip.known, clip.times, dtype)
        made, true = (pictures_of(x[:, context:], model.config) for x in (predicted, clip.latents))
        result[task] = psnr(made, true).mean().item()
    return result


@torch.no_grad()
def sampled(model: WorldModel, clip: Chunk, given: int, levels, seed: int, dtype, batch: int = 64):
    """Rolls clips out. Returns generated and true pictures, uint8 [clips, generated, height, width, 3]."""
    config = model.config
    generator = torch.Generator(device=clip.latents.device)
    made = []
    for start in range(0, len(clip.latents), batch):
        part = Chunk(*(getattr(clip, n)[start : start + batch] for n in ("latents", "mask", "rays", "known", "times")))
        shape = (len(part.latents), config.frames_per_chunk, config.tokens, config.latent_channels)

        def noise_of(index, first=seed + start, shape=shape):
            generator.manual_seed(first * 10000 + index)
            return torch.randn(shape, generator=generator, device=generator.device)

        made.append(rollout(model, part, given, list(levels), noise_of, dtype)[:, given:])
    return pictures_of(torch.cat(made), config), pictures_of(clip.latents[:, given:], config)


def figures(made: torch.Tensor, true: torch.Tensor) -> dict:
    """Mean PSNR and SSIM, and both as curves over the distance from the prefix (tenths of the generated part).

    ssim is that of `longtake eval` (Gaussian window), ssim_7 has windows of 7 x 7; sharpness: generated over true.
    """
    p = psnr(made, true)
    s, s7 = (measure(made.flatten(0, 1), true.flatten(0, 1)).view(p.shape) for measure in (gaussian_ssim, ssim))
    edges = np.linspace(0, p.shape[1], 11).astype(int)
    parts = [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True) if b > a]
    curves = {
        f"{name}_curve": [round(x[:, i].mean().item(), 4) for i in parts] for name, x in (("psnr", p), ("ssim", s))
    }
    sharp = (sharpness(made) / sharpness(true).clamp_min(1e-6)).item()
    return {"psnr": p.mean().item(), "ssim": s.mean().item(), "ssim_7": s7.mean().item(), "sharpness": sharp, **curves}


def _hole_psnr(made: torch.Tensor, true: torch.Tensor, holes: torch.Tensor) -> float:
    """PSNR over the pixels of the holes alone, mean over frames."""
    error = (made.float() - true.float()).square().mean(-1) * holes
    error = error.sum((-1, -2)) / holes.sum((-1, -2)).clamp_min(1)
    return (10 * torch.log10(255.0**2 / error.clamp_min(255.0**2 * 1e-10))).mean().item()


def evaluate(model: WorldModel, pool: WalkPool, protocol: Protocol, dtype, sheet: Path | None = None) -> dict:
    """One protocol on the first walks of the pool. Returns figures; writes a sheet of pictures if asked."""
    start, config, task = time.monotonic(), model.config, protocol.task
    clip, given = protocol_clip(pool, config, protocol)
    made, true = sampled(model, clip, given, protocol.levels, seed=1000, dtype=dtype)
    result = {
        "task": task, "context": protocol.context, "generate": protocol.generate, "given": given,
        "levels": list(protocol.levels), "clips": protocol.clips,
    }  # fmt: skip
    if task == "cold":
        result["liveliness"] = liveliness(made, true)
    else:
        result.update(figures(made, true))
        last = pictures_of(clip.latents[:, given - 1 : given], config).expand_as(true)
        result["freeze"] = psnr(last, true).mean().item()
    if task == "gap":
        before, after = (pictures_of(clip.latents[:, i], config) for i in (given - 1, 0))
        result["cross_fade"] = psnr(cross_fade(before, after, protocol.generate), true).mean().item()
    if task == "region":
        holes = pixel_mask(clip.mask[:, given:], config)
        result["hole_psnr"] = _hole_psnr(made, true, holes)
        filled = telea(true, holes)
        if filled is not None:
            result["telea"] = psnr(filled, true).mean().item()
            result["telea_hole_psnr"] = _hole_psnr(filled, true, holes)
    if sheet is not None:
        write_sheet(sheet, made[:6].cpu().numpy(), true[:6].cpu().numpy())
    return {**result, "seconds": round(time.monotonic() - start, 1)}


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """EMA weights of a training run (.safetensors, half precision) or of a package (int8), as float32."""
    return {name: tensor.float() for name, tensor in read_weights(path).items()}


def load_model(config: Path, weights: Path, device: torch.device) -> WorldModel:
    """A model ready to sample from. config: a config file, or training.json of a package."""
    model = WorldModel(WorldConfig.load(config))
    model.load_state_dict(load_weights(weights))
    return model.to(device).eval()


def main(argv: list[str] | None = None) -> None:
    """Evaluates weights on held-out walks; one JSON object a line on standard output."""
    parser = argparse.ArgumentParser(description="Evaluate a world model on held-out walks.")
    parser.add_argument("--config", type=Path, required=True, help="config file, or training.json of a package")
    parser.add_argument("--weights", type=Path, required=True, help="ema.safetensors or weights.safetensors")
    parser.add_argument("--data", type=Path, required=True, help="folder of shards")
    parser.add_argument("--task", choices=[*TASKS, "probe"], default="retrieval")
    parser.add_argument("--context", type=int, default=400)
    parser.add_argument("--generate", type=int, default=400)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--levels", help="noise levels, from 1 down to 0, joined by commas; overrides --steps")
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--noise", type=float, default=0.0, help="noise on the given frames (0.1: 25.5 grey levels)")
    parser.add_argument("--missing", type=float, default=0.0, help="share of the given frames that is left out")
    parser.add_argument("--occlusion", type=int, default=0, help="frames that a grey half picture covers at a time")
    parser.add_argument("--camera-jump", action="store_true", help="walk the first half of the context backwards")
    parser.add_argument("--sheet", type=Path, help="PNG to write")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    a = parser.parse_args(argv)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_model(a.config, a.weights, device)
    pool = WalkPool(a.data, a.clips, device)
    pool.wait_for(a.clips, 60)
    dtype = getattr(torch, a.precision)
    if a.task == "probe":
        length = a.context + a.generate
        result = {"task": "probe", "length": length, **probe(model, pool, length, a.clips, dtype)}
    else:
        levels = [float(x) for x in a.levels.split(",")] if a.levels else levels_of(a.steps)
        damage = Damage(a.noise, a.missing, a.occlusion, a.camera_jump)
        protocol = Protocol(a.task, a.context, a.generate, tuple(levels), a.clips, damage)
        result = evaluate(model, pool, protocol, dtype, a.sheet)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
