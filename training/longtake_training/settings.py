"""The `training` object of a config file."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .config_files import read_config
from .few_step import FewStep
from .tasks import TaskMix


@dataclass
class Settings:
    """How a model is trained.

    lengths: (frames a clip, share of the budget from which on it is used), ascending; every length divides
    frames_per_step, the frames a step and process. halved: of the steps, how many take twice as many clips of half that
    length. frequency_rate: learning rate of the rays' frequencies; 0: they stay as they are. cooldown: share of the
    budget over which rates fall to nothing. few_step: the stage for few denoise steps at the end of the budget; None:
    there is none.
    """

    frames_per_step: int
    lengths: list[tuple[int, float]]
    learning_rate: float
    matrix_learning_rate: float
    weight_decay: float
    warmup_steps: int
    cooldown: float
    ema: float
    halved: float = 0.0
    frequency_rate: float = 0.0
    tasks: TaskMix = field(default_factory=TaskMix)
    few_step: FewStep | None = None

    @staticmethod
    def load(path: Path) -> "Settings":
        """Reads the `training` object of a config file."""
        values = read_config(path)["training"]
        tasks, few_step = TaskMix(**values.pop("tasks", {})), values.pop("few_step", None)
        return Settings(**values, tasks=tasks, few_step=FewStep(**few_step) if few_step else None)

    def length_at(self, progress: float) -> int:
        """Clip length at a share of the budget."""
        return [length for length, start in self.lengths if start <= progress][-1]

    def length_of_step(self, progress: float, step: int) -> int:
        """Clip length of one step, the same in all processes."""
        length = self.length_at(progress)
        return length // 2 if np.random.default_rng([11, step]).random() < self.halved else length

    def rate_at(self, progress: float, steps_since_start: int) -> float:
        """Share of the learning rates: warm-up after every start, linear cooldown at the end."""
        warm = min(1.0, (steps_since_start + 1) / max(1, self.warmup_steps))
        return warm * min(1.0, max(0.0, (1 - progress) / self.cooldown))
