"""Evaluation in PyTorch: the probe (memory alone) and sampled rollouts. Run with `--help` for more."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from .codec import decode_patches
from .metrics import psnr, ssim
from .model import WorldConfig, WorldModel
from .package import read_weights
from .sampler import LEVELS, Chunk, rollout
from .sheets import write_sheet
from .training_data import WalkPool, gather

GAP_ANCHORS = 20
REGION_SIDE = 0.5


def protocol_clip(
    pool: WalkPool, config: WorldConfig, task: str, context: int, generate: int, walks: np.ndarray
) -> Chunk:
    """The clips of some walks for a protocol; the last `generate` frames of the sequence are to be made.

    retrieval: the context, then its exact way back (its last frame again first). reasoning, cold: the walk as it is.
    gap: 20 frames from after the gap, then `context` frames before it, then the gap. region: the walk as it is, but
    of each later frame only a square of a quarter of the picture is missing, which wanders from corner to corner.
    """
    length = context + generate
    times, mask = np.arange(length), np.zeros((length, config.rows, config.columns), dtype=bool)
    mask[context:] = True
    if task == "gap":
        after = np.arange(length, length + GAP_ANCHORS)
        times = np.concatenate([after, times])
        mask = np.concatenate([np.zeros_like(mask[:1]).repeat(GAP_ANCHORS, 0), mask])
    if task == "region":
        height, width = int(config.rows * REGION_SIDE), int(config.columns * REGION_SIDE)
        for i in range(generate):
            top, left = (
                (i // step) % (2 * free)
                for step, free in ((3, config.rows - height), (5, config.columns - width))
            )
            top, left = (
                min(top, 2 * (config.rows - height) - top),
                min(left, 2 * (config.columns - width) - left),
            )
            mask[context + i] = False
            mask[context + i, top : top + height, left : left + width] = True
    frames = times
    if task == "retrieval":
        frames = np.concatenate([np.arange(context), np.arange(context - 1, -1, -1)[:generate]])
    shape = (len(walks), len(frames))
    return gather(
        pool,
        config,
        walks,
        np.broadcast_to(frames, shape),
        np.broadcast_to(times, shape),
        np.broadcast_to(mask.reshape(len(mask), -1), (*shape, config.tokens)),
        np.ones(shape, dtype=bool),
    )


@torch.no_grad()
def probe(model: WorldModel, pool: WalkPool, length: int, clips: int, dtype) -> dict[str, float]:
    """PSNR (dB) of one pass with the whole suffix at noise level 1: what memory alone gives back.

    retrieval: half the length, then the way back; reasoning: the last 28 % from the first 72 %.
    """
    result = {}
    for task, context in (("retrieval", length // 2), ("reasoning", length * 18 // 25)):
        clip = protocol_clip(pool, model.config, task, context, length - context, np.arange(clips))
        generator = torch.Generator(device=pool.device).manual_seed(1)
        noise = torch.randn(clip.latents.shape, generator=generator, device=pool.device)
        z = torch.where(clip.mask[..., None], noise, clip.latents)
        predicted = model.predict(
            z,
            torch.ones_like(clip.known, dtype=torch.float32),
            clip.mask,
            clip.rays,
            clip.known,
            clip.times,
            dtype,
        )
        config = model.config
        pictures = [
            decode_patches(x[:, context:], config.rows, config.columns, config.codec.patch)
            for x in (predicted, clip.latents)
        ]
        result[task] = psnr(*pictures).mean().item()
    return result


@torch.no_grad()
def sampled(
    model: WorldModel, clip: Chunk, context: int, levels: list[float], seed: int, dtype, batch: int = 32
):
    """Rolls clips out. Returns generated and true pictures, uint8 [clips, generated, height, width, 3]."""
    config = model.config
    generator = torch.Generator(device=clip.latents.device)
    made = []
    for start in range(0, len(clip.latents), batch):
        part = Chunk(
            *(getattr(clip, n)[start : start + batch] for n in ("latents", "mask", "rays", "known", "times"))
        )
        shape = (len(part.latents), config.frames_per_chunk, config.tokens, config.latent_channels)

        def noise_of(index, first=seed + start, shape=shape):
            generator.manual_seed(first * 10000 + index)
            return torch.randn(shape, generator=generator, device=generator.device)

        made.append(rollout(model, part, context, levels, noise_of, dtype))
    pictures = (
        decode_patches(x, config.rows, config.columns, config.codec.patch)
        for x in (torch.cat(made), clip.latents)
    )
    return tuple(x[:, context:] for x in pictures)


def figures(made: torch.Tensor, true: torch.Tensor) -> dict:
    """Mean PSNR and SSIM, and both as curves over the distance from the prefix (tenths of the generated part)."""
    p = psnr(made, true)
    s = ssim(made.flatten(0, 1), true.flatten(0, 1)).view(p.shape)
    edges = np.linspace(0, p.shape[1], 11).astype(int)
    parts = [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True) if b > a]
    curves = {
        f"{name}_curve": [round(x[:, i].mean().item(), 4) for i in parts]
        for name, x in (("psnr", p), ("ssim", s))
    }
    return {"psnr": p.mean().item(), "ssim": s.mean().item(), **curves}


def evaluate(
    model: WorldModel,
    pool: WalkPool,
    task: str,
    context: int,
    generate: int,
    levels,
    clips: int,
    dtype,
    sheet=None,
):
    """One protocol on the first `clips` walks of the pool. Returns figures; writes a sheet of pictures if asked."""
    start = time.monotonic()
    clip = protocol_clip(pool, model.config, task, context, generate, np.arange(clips))
    if task == "gap":
        context += GAP_ANCHORS
    made, true = sampled(model, clip, context, levels, seed=1000, dtype=dtype)
    result = {"task": task, "context": context, "generate": generate, "levels": levels, "clips": clips}
    if task == "gap":
        before, after = (
            decode_patches(clip.latents[:, i], *_grid(model.config)).float() for i in (context - 1, 0)
        )
        share = (torch.arange(1, generate + 1, device=before.device) / (generate + 1)).view(-1, 1, 1, 1)
        fade = (before[:, None] * (1 - share) + after[:, None] * share).round().to(torch.uint8)
        result["cross_fade"] = psnr(fade, true).mean().item()
    if task != "cold":
        result.update(figures(made, true))
        last = decode_patches(clip.latents[:, context - 1 : context], *_grid(model.config)).expand_as(true)
        result["freeze"] = {k: v for k, v in figures(last, true).items() if k in ("psnr", "ssim")}
    if sheet is not None:
        write_sheet(sheet, made[:6].cpu().numpy(), true[:6].cpu().numpy())
    return {**result, "seconds": time.monotonic() - start}


def _grid(config: WorldConfig):
    return config.rows, config.columns, config.codec.patch


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """EMA weights of a training run (.safetensors, half precision) or of a package (int8), as float32."""
    return {name: tensor.float() for name, tensor in read_weights(path).items()}


def main(argv: list[str] | None = None) -> None:
    """Evaluates weights on held-out walks; one JSON object a line on standard output."""
    parser = argparse.ArgumentParser(description="Evaluate a world model on held-out walks.")
    parser.add_argument(
        "--config", type=Path, required=True, help="config file, or training.json of a package"
    )
    parser.add_argument("--weights", type=Path, required=True, help="ema.safetensors or weights.safetensors")
    parser.add_argument("--data", type=Path, required=True, help="folder of shards")
    parser.add_argument(
        "--task", choices=["retrieval", "reasoning", "cold", "gap", "region", "probe"], default="retrieval"
    )
    parser.add_argument("--context", type=int, default=400)
    parser.add_argument("--generate", type=int, default=400)
    parser.add_argument("--steps", type=int, default=4, choices=sorted(LEVELS))
    parser.add_argument(
        "--levels", help="noise levels, from 1 down to 0, joined by commas; overrides --steps"
    )
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--sheet", type=Path, help="PNG to write")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    arguments = parser.parse_args(argv)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = WorldModel(WorldConfig.load(arguments.config))
    model.load_state_dict(load_weights(arguments.weights))
    model.to(device).eval()
    pool = WalkPool(arguments.data, arguments.clips, device)
    pool.wait_for(arguments.clips, 60)
    dtype = getattr(torch, arguments.precision)
    if arguments.task == "probe":
        length = arguments.context + arguments.generate
        print(
            json.dumps(
                {"task": "probe", "length": length, **probe(model, pool, length, arguments.clips, dtype)}
            )
        )
        return
    levels = [float(x) for x in arguments.levels.split(",")] if arguments.levels else LEVELS[arguments.steps]
    result = evaluate(
        model,
        pool,
        arguments.task,
        arguments.context,
        arguments.generate,
        levels,
        arguments.clips,
        dtype,
        arguments.sheet,
    )
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
