"""The clips of the evaluation's protocols, damage to what is given, and the baselines without a model
(docs/evaluation.md has the same protocols for the engine)."""

from dataclasses import dataclass

import numpy as np
import torch

from .codec import decode_patches
from .model import WorldConfig
from .sampler import Chunk
from .training_data import WalkPool, gather

TASKS = ("retrieval", "reasoning", "gap", "region", "cold")
GAP_ANCHORS = 20
REGION_SIDE = 0.5


@dataclass(frozen=True)
class Damage:
    """What is done to the given frames before the model sees them; what is to be made and compared stays as it is.

    noise: deviation of Gaussian noise, in units of the full range. missing: share of the frames that is not in the
    sequence. occlusion: in every stretch of 5 times so many frames a grey half picture covers so many. camera_jump:
    the first half of the frames is walked backwards, so the camera jumps in the middle.
    """

    noise: float = 0.0
    missing: float = 0.0
    occlusion: int = 0
    camera_jump: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Protocol:
    """One evaluation: `context` frames given, `generate` frames made by passes at `levels`, on `clips` walks.

    retrieval: the context, then its exact way back (its last frame again first). reasoning, cold: the walk as it is.
    gap: 20 frames from after the gap, then `context` frames before it, then the gap. region: the walk as it is, but
    of each later frame only a square of a quarter of the picture is missing, which wanders from corner to corner.
    """

    task: str
    context: int
    generate: int
    levels: tuple[float, ...]
    clips: int
    damage: Damage = Damage()


def protocol_clip(pool: WalkPool, config: WorldConfig, protocol: Protocol) -> tuple[Chunk, int]:
    """The protocol's clips as network input, and how many frames at their start are given.

    Raises ValueError where what is given does not fill whole chunks.
    """
    task, context, length = protocol.task, protocol.context, protocol.context + protocol.generate
    times, given = np.arange(length), context
    frames = times.copy()
    if task == "retrieval":
        frames[context:] = np.arange(context - 1, -1, -1)[: protocol.generate]
    if protocol.damage.camera_jump:
        frames[: context // 2] = frames[: context // 2][::-1]
    mask = np.zeros((length, config.rows, config.columns), dtype=bool)
    mask[context:] = True if task != "region" else _wandering_squares(config, protocol.generate)
    if task == "gap":
        anchors = np.arange(length, length + GAP_ANCHORS)
        times, frames = np.concatenate([anchors, times]), np.concatenate([anchors, frames])
        mask = np.concatenate([np.zeros_like(mask[:1]).repeat(GAP_ANCHORS, 0), mask])
        given += GAP_ANCHORS
    random = np.random.default_rng(protocol.damage.seed)
    never_missing = [0, given - context]
    order = [
        np.concatenate([_kept(random, given, never_missing, protocol.damage, config), np.arange(given, len(frames))])
        for _ in range(protocol.clips)
    ]
    order = np.stack(order)
    given -= len(frames) - order.shape[1]
    if given % config.frames_per_chunk:
        raise ValueError(f"{given} given frames are no whole number of chunks of {config.frames_per_chunk}")
    clip = gather(
        pool,
        config,
        np.arange(protocol.clips),
        frames[order],
        times[order],
        mask.reshape(len(mask), -1)[order],
        np.ones(order.shape, dtype=bool),
    )
    _cover(clip.latents[:, :given], config, protocol.damage, random)
    return clip, given


def _wandering_squares(config: WorldConfig, count: int) -> np.ndarray:
    """A square of a quarter of the picture that goes from edge to edge, other speeds down and across: [count, h, w]."""
    height, width = int(config.rows * REGION_SIDE), int(config.columns * REGION_SIDE)
    mask = np.zeros((count, config.rows, config.columns), dtype=bool)
    for i in range(count):
        down, across = config.rows - height, config.columns - width
        top, left = (i // 3) % (2 * down), (i // 5) % (2 * across)
        top, left = min(top, 2 * down - top), min(left, 2 * across - left)
        mask[i, top : top + height, left : left + width] = True
    return mask


def _kept(random, given: int, never_missing: list[int], damage: Damage, config: WorldConfig) -> np.ndarray:
    """Indices of the given frames that stay in the sequence: whole chunks of them."""
    if not damage.missing:
        return np.arange(given)
    size = config.frames_per_chunk
    count = round(given * (1 - damage.missing) / size) * size
    lucky = random.random(given)
    lucky[never_missing] = 2
    return np.sort(np.argsort(-lucky)[:count])


def _cover(latents: torch.Tensor, config: WorldConfig, damage: Damage, random) -> None:
    """Noise and occlusion, in place, on given latents [B, T, S, c]."""
    if damage.noise:
        generator = torch.Generator(device=latents.device).manual_seed(damage.seed)
        noise = torch.randn(latents.shape, generator=generator, device=latents.device)
        latents.copy_((latents + 2 * damage.noise * noise).clamp(-1, 1))
    if damage.occlusion:
        grid = latents.unflatten(2, (config.rows, config.columns))
        for clip in grid:
            for start in range(0, clip.shape[0], 5 * damage.occlusion):
                first = start + int(random.integers(0, 4 * damage.occlusion + 1))
                left = int(random.integers(0, config.columns // 2 + 1))
                clip[first : first + damage.occlusion, :, left : left + config.columns // 2] = 0


def pictures_of(latents: torch.Tensor, config: WorldConfig) -> torch.Tensor:
    """Latents [..., S, c] as uint8 pictures [..., height, width, 3]."""
    return decode_patches(latents, config.rows, config.columns, config.codec.patch)


def cross_fade(before: torch.Tensor, after: torch.Tensor, count: int) -> torch.Tensor:
    """`count` pictures [B, count, height, width, 3] between the pictures [B, height, width, 3] around a gap."""
    share = (torch.arange(1, count + 1, device=before.device) / (count + 1)).view(-1, 1, 1, 1)
    return (before[:, None].float() * (1 - share) + after[:, None].float() * share).round().to(torch.uint8)


def pixel_mask(mask: torch.Tensor, config: WorldConfig) -> torch.Tensor:
    """Token masks [..., S] as pixel masks [..., height, width]."""
    patch = config.codec.patch
    grid = mask.unflatten(-1, (config.rows, config.columns))
    return grid.repeat_interleave(patch, -1).repeat_interleave(patch, -2)


def telea(pictures: torch.Tensor, holes: torch.Tensor) -> torch.Tensor | None:
    """OpenCV's inpainting by Telea's method of uint8 [B, T, height, width, 3] where `holes` [B, T, height, width] is
    true; None where OpenCV is not installed."""
    try:
        import cv2
    except ImportError:
        return None
    filled = [
        cv2.inpaint(picture, hole, 3, cv2.INPAINT_TELEA)
        for picture, hole in zip(
            pictures.flatten(0, 1).cpu().numpy(), holes.flatten(0, 1).to(torch.uint8).cpu().numpy(), strict=True
        )
    ]
    return torch.from_numpy(np.stack(filled)).to(pictures.device).view(pictures.shape)


def liveliness(made: torch.Tensor, true: torch.Tensor) -> dict:
    """Whether cold starts stay alive, of uint8 [B, T, height, width, 3] with T at least 8.

    spread: deviation of the values within a frame; change: mean difference of neighbouring frames; both as ratios of
    generated to real clips, over four quarters of the time. collapsed: share of clips whose last quarter has under
    half the spread or under a quarter of the change of the real clips' last quarter.
    """
    quarters = {}
    for name, x in (("made", made.float()), ("true", true.float())):
        spread = x.flatten(2).std(-1)
        change = (x[:, 1:] - x[:, :-1]).abs().flatten(2).mean(-1)
        quarters[name] = [torch.stack([part.mean(1) for part in y.tensor_split(4, 1)], 1) for y in (spread, change)]
    ratios = [a.mean(0) / b.mean(0).clamp_min(1e-6) for a, b in zip(*quarters.values(), strict=True)]
    last = [a[:, -1] / b[:, -1].mean().clamp_min(1e-6) for a, b in zip(*quarters.values(), strict=True)]
    return {
        "spread": [round(x, 3) for x in ratios[0].tolist()],
        "change": [round(x, 3) for x in ratios[1].tolist()],
        "collapsed": ((last[0] < 0.5) | (last[1] < 0.25)).float().mean().item(),
    }
