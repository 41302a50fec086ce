"""What the log says of the steps between two of its lines."""

import time
from collections.abc import Callable

import torch

from .losses import LEVEL_BINS


class Report:
    """Losses and speed since the last line of the log."""

    def __init__(self, log: Callable[..., None], device: torch.device, frames: int):
        self.log = log
        self.losses: list[torch.Tensor] = []
        self.committed: list[torch.Tensor] = []
        self.sums = torch.zeros(len(LEVEL_BINS) - 1, 2, device=device)
        self.since = (time.monotonic(), frames)

    def add(self, loss: torch.Tensor, counts: torch.Tensor) -> None:
        """One step's results of `training_loss`; nothing here waits for the device."""
        self.losses.append(loss.detach())
        self.sums += counts

    def add_committed(self, committed: torch.Tensor) -> None:
        """Mask [B, T] of frames that a step of the few-step stage gave as own."""
        self.committed.append(committed.float().mean())

    def write(self, frames: int, **values) -> None:
        """A line with the means since the last one. frames: of the run so far."""
        now = time.monotonic()
        if self.committed:
            values["committed"] = round(torch.stack(self.committed).mean().item(), 3)
        by_level = (self.sums[:, 0] / self.sums[:, 1].clamp_min(1)).tolist()
        self.log(
            loss=round(torch.stack(self.losses).mean().item(), 5),
            by_level=[round(x, 5) for x in by_level],
            frames=frames,
            rate=round((frames - self.since[1]) / (now - self.since[0])),
            **values,
        )
        self.losses, self.committed, self.since = [], [], (now, frames)
        self.sums.zero_()
