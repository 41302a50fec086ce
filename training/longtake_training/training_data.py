"""Walks in device memory, and batches cut from them."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

import numpy as np
import torch

from .codec import encode_patches
from .data.shards import list_shards, read_shard
from .model import WorldConfig
from .model.poses import grid_directions, rays_of, relative_poses
from .sampler import Chunk
from .tasks import TaskMix, draw_sample, rectangles_to_mask


class WalkPool:
    """Walks of equal length in device memory, uint8. Grows while shards appear in the folder.

    share (rank, world): this process takes every world-th shard.
    """

    def __init__(self, folder: Path, capacity: int, device: torch.device, share: tuple[int, int] = (0, 1)):
        self.folder, self.capacity, self.device, self.share = Path(folder), capacity, device, share
        self.count = 0
        self.frames = self.poses = None
        self.seen: set[Path] = set()
        self.queue: Queue = Queue(maxsize=64)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while len(self.seen) < self.capacity * self.share[1]:
            for path in list_shards(self.folder):
                if path in self.seen:
                    continue
                self.seen.add(path)
                # A shard's share must not depend on when it was first seen.
                if int(path.stem.split("-")[1]) % self.share[1] == self.share[0]:
                    shard = read_shard(path)
                    self.queue.put((shard["frames"], shard["poses"]))
            time.sleep(1)

    def take(self, most: int) -> None:
        """Moves up to `most` newly read shards to the device."""
        for _ in range(most):
            try:
                frames, poses = self.queue.get_nowait()
            except Empty:
                return
            for walk, track in zip(frames, poses, strict=True):
                if self.count == self.capacity:
                    return
                if self.frames is None:
                    self.frames = torch.empty(self.capacity, *walk.shape, dtype=torch.uint8, device=self.device)
                    self.poses = torch.empty(self.capacity, *track.shape, device=self.device)
                self.frames[self.count] = torch.from_numpy(walk).to(self.device)
                self.poses[self.count] = torch.from_numpy(track).to(self.device)
                self.count += 1

    def wait_for(self, count: int, seconds: float) -> None:
        """Blocks until `count` walks are there; raises TimeoutError otherwise, RuntimeError when rendering failed."""
        end = time.monotonic() + seconds
        while self.count < count:
            if (self.folder.parent / "failed").exists():
                raise RuntimeError(f"rendering into {self.folder.parent} failed: see its output")
            if time.monotonic() > end:
                raise TimeoutError(f"{self.count} of {count} walks in {self.folder} after {seconds:.0f} s")
            self.take(64)
            time.sleep(0.1)


@dataclass
class Batch:
    """Training input: clean latents in `chunk`, the noise level of masked tokens a frame [B, T]."""

    chunk: Chunk
    level: torch.Tensor


def gather(pool: WalkPool, config: WorldConfig, walks, frames, times, mask, known) -> Chunk:
    """Clips of the pool as network input. walks [B], frames, times, known [B, T], mask [B, T, S], all NumPy.

    Poses are made relative to the frame with time index 0.
    """
    device = pool.device

    def send(x):
        tensor = torch.from_numpy(np.array(x))
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)

    walks, frames, times, mask, known = (send(x) for x in (walks, frames, times, mask, known))
    latents = encode_patches(pool.frames[walks[:, None], frames], config.codec.patch)
    poses = pool.poses[walks[:, None], frames]
    reference = (times == 0).int().argmax(1)
    position, orientation = relative_poses(poses[..., :3], poses[..., 3:], reference)
    directions = grid_directions(config.rows, config.columns, config.vertical_fov, device)
    return Chunk(latents, mask, rays_of(position, orientation, directions), known, times)


class BatchMaker:
    """Draws batches: the CPU part ahead of time, in a thread for each length; the gathering on the device."""

    def __init__(self, pool: WalkPool, config: WorldConfig, frames_per_step: int, mix: TaskMix, seed: int):
        self.pool, self.config, self.frames_per_step, self.mix = pool, config, frames_per_step, mix
        self.random, self.walks = np.random.default_rng(seed).spawn(2)
        self.queues: dict[int, Queue] = {}

    def _draw(self, random: np.random.Generator, length: int, walk: int):
        config = self.config
        samples = [
            draw_sample(random, length, walk, config.rows, config.columns, config.frames_per_chunk, self.mix)
            for _ in range(max(1, self.frames_per_step // length))
        ]
        frames, times, level, rectangle, known = (
            np.stack([getattr(x, name) for x in samples]) for name in ("frames", "times", "level", "rectangle", "known")
        )
        return frames, times, level, rectangles_to_mask(rectangle, config.rows, config.columns), known

    def _ahead(self, random: np.random.Generator, length: int, queue: Queue):
        while True:  # a length that is over leaves its thread waiting at a full queue
            queue.put(self._draw(random, length, self.pool.frames.shape[1]))

    def next(self, length: int) -> Batch:
        """A batch of clips of `length` frames from random walks of the pool."""
        if length not in self.queues:
            self.queues[length] = Queue(maxsize=4)
            arguments = (self.random.spawn(1)[0], length, self.queues[length])
            threading.Thread(target=self._ahead, args=arguments, daemon=True).start()
        frames, times, level, mask, known = self.queues[length].get()
        walks = self.walks.integers(0, self.pool.count, len(frames))
        chunk = gather(self.pool, self.config, walks, frames, times, mask, known)
        return Batch(chunk, torch.from_numpy(level).to(self.pool.device, non_blocking=True))
