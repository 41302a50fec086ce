"""What a training sample asks for: which frames in which order, which tokens are noised and how much.

All editing tasks are one network's work on permuted frames and token masks. Everything here is small integers and
levels, drawn on the CPU; frames and rays are gathered on the GPU (training_data.py).
"""

from dataclasses import dataclass, field

import numpy as np

CAMERA_UNKNOWN, CAMERA_PATCHY, CAMERA_UNKNOWN_AHEAD = 0.06, 0.06, 0.03
LEVEL_MEAN, LEVEL_DEVIATION = 0.8, 1.2


@dataclass(frozen=True)
class TaskMix:
    """How often a sample is what; the `tasks` object of a config file's `training`. All numbers are shares.

    shares: of the tasks; they add up to 1. way_back, reversed: trajectories that turn round, that run backwards in
    time. blind: samples all of whose noised tokens are at level 1. short_prefix: continuations whose prefix is shorter
    than half. even_levels: samples (not blind) with levels spread evenly over 0...1, not the logit-normal bell.
    """

    shares: dict[str, float] = field(
        default_factory=lambda: {"continuation": 0.62, "free": 0.13, "gap": 0.10, "region": 0.15}
    )
    way_back: float = 0.4
    reversed: float = 0.2
    blind: float = 0.6
    short_prefix: float = 0.15
    even_levels: float = 0.0


@dataclass
class Sample:
    """One clip in sequence order.

    frames [T]: indices into a stored walk; times [T]: time index (0 = the frame poses are relative to); level [T]:
    noise level of the noised tokens; rectangle [T, 4]: noised tokens as first row, last row + 1, first column,
    last column + 1 (an empty rectangle: a clean frame); known [T]: whether the pose is given.
    """

    task: str
    frames: np.ndarray
    times: np.ndarray
    level: np.ndarray
    rectangle: np.ndarray
    known: np.ndarray


def draw_sample(
    random: np.random.Generator,
    length: int,
    walk: int,
    rows: int,
    columns: int,
    chunk: int,
    mix: TaskMix,
) -> Sample:
    """One sample of `length` frames from a stored walk of `walk` frames (at least as many)."""
    frames, turn = _trajectory(random, length, walk, mix)
    task = str(random.choice(list(mix.shares), p=list(mix.shares.values())))
    times = np.arange(length)
    prefix = _prefix(random, task, length, turn, mix)
    if task == "gap":
        order, times = _gap_order(random, length, prefix, chunk)
        frames = frames[order]
    noised = np.arange(length) >= prefix
    rectangle = np.zeros((length, 4), dtype=np.int64)
    rectangle[noised] = (0, rows, 0, columns)
    if task == "region":
        rectangle[noised] = _moving_rectangle(random, int(noised.sum()), rows, columns)
    level = np.ones(length, dtype=np.float32)
    if task == "free" or random.random() >= mix.blind:
        level, given = _levels(random, length, chunk, task != "free", mix)
        if not given[noised].all():
            rectangle[given & noised] = 0
    return Sample(task, frames, times, level, rectangle, _known(random, length, prefix))


def _trajectory(random, length, walk, mix):
    """Frame indices and, for a way back, the position of the turning point (else None)."""
    kind = random.random()
    if kind < mix.way_back:
        forth = int(random.integers(length // 2, int(length * 0.8)))
        start = int(random.integers(0, walk - forth + 1))
        path = np.concatenate([np.arange(forth), np.arange(forth - 2, -1, -1), np.arange(1, forth)])
        return start + path[:length], forth
    start = int(random.integers(0, walk - length + 1))
    path = start + np.arange(length)
    return (path[::-1].copy() if kind < mix.way_back + mix.reversed else path), None


def _prefix(random, task, length, turn, mix) -> int:
    """How many frames at the sequence's start are given."""
    if task == "free":
        return 0
    if task == "region":
        return int(random.integers(0, int(length * 0.7)))
    if task == "continuation" and random.random() < mix.short_prefix:
        return int(random.integers(1, length // 2))
    if turn is not None and random.random() < 0.5:
        return turn
    return int(random.integers(length // 2, length - 4))


def _gap_order(random, length, given, chunk):
    """Frames after the gap first (with their true times), then those before it, then the gap itself.

    Returns the order (indices into the clip in time) and the times; the first frame before the gap has time 0.
    """
    gap = length - given
    after = int(random.integers(chunk, max(chunk + 1, given // 2)))
    before = given - after
    order = np.concatenate([np.arange(before + gap, length), np.arange(before), np.arange(before, before + gap)])
    return order, order


def _moving_rectangle(random, count, rows, columns):
    """A rectangle of 10 to 60 % of the picture that drifts over `count` frames: [count, 4]."""
    share = random.uniform(0.1, 0.6)
    height = int(np.clip(round(rows * share**0.5 * random.uniform(0.6, 1.6)), 1, rows))
    width = int(np.clip(round(columns * share * rows / height), 1, columns))
    drift = np.cumsum(random.normal(0, random.choice([0.0, 0.15, 0.5]), (count, 2)), 0)
    top = random.uniform(0, rows - height) + drift[:, 0]
    left = random.uniform(0, columns - width) + drift[:, 1]
    top = np.clip(np.round(top), 0, rows - height).astype(np.int64)
    left = np.clip(np.round(left), 0, columns - width).astype(np.int64)
    return np.stack([top, top + height, left, left + width], 1)


def _levels(random, length, chunk, inner, mix):
    """Noise levels [T] and, where `inner` clean chunks are wanted, which frames are given beside the prefix."""
    per_chunk = random.random() < 0.5
    count = -(-length // chunk) if per_chunk else length
    level = 1 / (1 + np.exp(-random.normal(LEVEL_MEAN, LEVEL_DEVIATION, count)))
    level = np.where(random.random(count) < 0.1, 1.0, level)
    if random.random() < mix.even_levels:
        level = 1 - random.random(count)
    given = np.zeros(count, dtype=bool)
    if per_chunk and inner:
        given = random.random(count) < 0.5
    if per_chunk:
        level, given = np.repeat(level, chunk)[:length], np.repeat(given, chunk)[:length]
    return level.astype(np.float32), given


def _known(random, length, prefix):
    known = np.ones(length, dtype=bool)
    kind = random.random()
    if kind < CAMERA_UNKNOWN:
        known[:] = False
    elif kind < CAMERA_UNKNOWN + CAMERA_PATCHY:
        known &= random.random(length) > random.uniform(0.05, 0.6)
    elif kind < CAMERA_UNKNOWN + CAMERA_PATCHY + CAMERA_UNKNOWN_AHEAD:
        known[prefix:] = False
    return known


def rectangles_to_mask(rectangle: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """[..., 4] rectangles to bool masks [..., rows*columns]."""
    row, column = np.arange(rows), np.arange(columns)
    top, bottom, left, right = (rectangle[..., i, None] for i in range(4))
    inside = ((row >= top) & (row < bottom))[..., :, None] & ((column >= left) & (column < right))[..., None, :]
    return inside.reshape(*rectangle.shape[:-1], rows * columns)
