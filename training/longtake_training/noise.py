"""The noise every backend draws: counter-based, from (element, chunk, seed, stream) (docs/model.md, Random numbers)."""

import numpy as np


def pcg4d(x, y, z, w) -> np.ndarray:
    """Hashes four arrays of 32-bit words to four: [..., 4] uint32 (Jarzynski & Olano 2020)."""
    v = [np.asarray(a, dtype=np.uint32) for a in np.broadcast_arrays(x, y, z, w)]
    with np.errstate(over="ignore"):
        v = [a * np.uint32(1664525) + np.uint32(1013904223) for a in v]
        v = _mix(v)
        v = [a ^ (a >> np.uint32(16)) for a in v]
        v = _mix(v)
    return np.stack(v, -1)


def _mix(v):
    x, y, z, w = v
    x = x + y * w
    y = y + z * x
    z = z + x * y
    w = w + y * z
    return [x, y, z, w]


def chunk_noise(shape: tuple[int, ...], seed: int, chunk: int, stream: int = 0) -> np.ndarray:
    """Standard normal float32 noise of a chunk; shape [F, S, c], elements counted in that order."""
    count = int(np.prod(shape))
    words = pcg4d(np.arange(count, dtype=np.uint32), np.uint32(chunk), np.uint32(seed), np.uint32(stream))
    u1 = (words[:, 0].astype(np.float64) + 0.5) / 2**32
    u2 = words[:, 1].astype(np.float64) / 2**32
    normal = np.sqrt(-2 * np.log(u1)) * np.cos(2 * np.pi * u2)
    return normal.astype(np.float32).reshape(shape)
