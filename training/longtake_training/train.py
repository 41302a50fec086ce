"""Training within a wall-clock budget, on any number of GPUs or a CPU. `python -m longtake_training.train --help`.

Several GPUs: `torchrun --nproc-per-node N -m longtake_training.train ...`. A run that finds its checkpoint goes on
from there with what is left of the budget; `--stop-after` ends a process, not the run.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import distributed

from .evaluate import evaluate, load_weights, probe
from .few_step import own_batch
from .losses import training_loss
from .model import WorldConfig, WorldModel
from .model.kernel_check import try_kernels
from .optimiser import Optimiser
from .package import half_tensors, write_safetensors
from .protocols import Protocol
from .report import Report
from .sampler import levels_of
from .settings import Settings
from .training_data import BatchMaker, WalkPool
from .widen import widened

BEFORE_FEW_STEP = "ema-before-few-step.safetensors"


class Run:
    """One process's part of a training run."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments, self.born = arguments, time.monotonic()
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        cuda = torch.cuda.is_available()
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
        self.dtype = torch.bfloat16 if cuda else torch.float32
        if cuda:
            torch.cuda.set_device(self.device)
            torch.set_float32_matmul_precision("high")
        if self.world > 1:
            distributed.init_process_group("nccl" if cuda else "gloo")
        self.settings = Settings.load(arguments.config)
        self.config = WorldConfig.load(arguments.config)
        self.model = WorldModel(self.config).to(self.device)
        self.average = WorldModel(self.config).to(self.device).requires_grad_(False)
        self.step = self.frames = 0
        self.seconds = 0.0
        self.out: Path = arguments.out
        self.out.mkdir(parents=True, exist_ok=True)
        s = self.settings
        if s.frequency_rate:
            for model in (self.model, self.average):
                model.ray.learn("frequencies")
            self.average.requires_grad_(False)
        self.optimiser = Optimiser(
            self.model, s.learning_rate, s.matrix_learning_rate, s.weight_decay, s.frequency_rate
        )
        self._resume()
        if cuda:
            works, errors = try_kernels(self.config, self.device)
            self.log(kernels=works, errors=errors)
            self.model.compile_layers()

    def log(self, **values) -> None:
        """One line of the log, as JSON, from the first process."""
        if self.rank == 0:
            line = json.dumps({"step": self.step, "seconds": round(self.seconds, 1), **values})
            print(line, flush=True)
            with open(self.out / "log.jsonl", "a") as file:
                file.write(line + "\n")

    def _resume(self) -> None:
        path = self.out / "checkpoint.pt"
        if path.exists():
            saved = torch.load(path, map_location=self.device, weights_only=True)
            self.model.load_state_dict(saved["model"])
            self.average.load_state_dict(saved["ema"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.step, self.frames, self.seconds = saved["step"], saved["frames"], saved["seconds"]
            self.log(resumed=True)
        elif self.arguments.start_from:
            weights = load_weights(self.arguments.start_from)
            self.model.load_state_dict(widened(weights, self.config.embed_width))
            self.average.load_state_dict(self.model.state_dict())

    def save(self) -> None:
        """Writes checkpoint.pt (everything to go on with) and ema.safetensors."""
        if self.rank:
            return
        part = self.out / "checkpoint.part"
        state = {
            "model": self.model.state_dict(),
            "ema": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save({**state, "step": self.step, "frames": self.frames, "seconds": self.seconds}, part)
        part.rename(self.out / "checkpoint.pt")
        write_safetensors(self.out / "ema.safetensors", half_tensors(self.average.state_dict()))

    def _agree(self, value: float) -> float:
        """The first process's value, in all processes."""
        if self.world == 1:
            return value
        tensor = torch.tensor([value], device=self.device, dtype=torch.float64)
        distributed.broadcast(tensor, 0)
        return tensor.item()

    def _update_average(self) -> None:
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - decay)

    def _probe(self, held_out: WalkPool, length: int) -> None:
        held_out.take(64)
        if self.rank == 0 and held_out.count:
            clips = min(held_out.count, max(4, 2 * self.settings.frames_per_step // length))
            self.log(probe=probe(self.average, held_out, length, clips, self.dtype), length=length)

    def _step(self, batches: BatchMaker, length: int, progress: float, report: Report) -> None:
        """Gradients of one batch; its losses go to the report."""
        stage, batch, z = self.settings.few_step, batches.next(length), None
        if stage is not None and progress < stage.start:
            stage = None
        if stage is not None:
            # All processes draw alike, so that none waits for another that makes own frames.
            random = np.random.default_rng([7, self.step])
            if random.random() < stage.share:
                batch, z, committed = own_batch(self.model, batch, stage, random, self.dtype)
                report.add_committed(committed)
        structure = 0.0 if stage is None else stage.structure
        while not self._gradients(report, batch, z, structure):
            # Half a backward pass may have been added up already.
            self.optimiser.flat.zero_()
            torch.cuda.empty_cache()
            print(f"process {self.rank}: out of memory, {self.model.recomputed} layers recomputed", flush=True)

    def _gradients(self, report: Report, *batch) -> bool:
        """Adds a batch's gradients up; False where memory did not suffice and now less will be needed.

        A process decides alone: the others wait for it where gradients are averaged.
        """
        try:
            loss, counts = training_loss(self.model, batch[0], self.dtype, *batch[1:])
            loss.backward()
        except torch.OutOfMemoryError:
            if not self.model.recompute_more():
                raise
            return False
        report.add(loss, counts)
        return True

    def _time_is_up(self) -> bool:
        limit = self.arguments.stop_after
        return limit is not None and bool(self._agree(float(time.monotonic() - self.born > limit)))

    def train(self) -> None:
        """Trains until the budget is spent, then samples and saves; or until this process has to stop."""
        a, s = self.arguments, self.settings
        pool = WalkPool(a.data, a.walks, self.device, (self.rank, self.world))
        held_out = WalkPool(a.held_out, 64, self.device)
        pool.wait_for(a.first_walks, 600)
        batches = BatchMaker(pool, self.config, s.frames_per_step, s.tasks, seed=self.step * 64 + self.rank + 1)
        torch.manual_seed(self.step * 64 + self.rank)
        begin, before, first_step = time.monotonic(), self.seconds, self.step
        progress, last_probe, last_save = self._progress(), begin, begin
        report = Report(self.log, self.device, self.frames)
        while progress < 1:
            length, share = s.length_at(progress), s.rate_at(progress, self.step)
            clip = s.length_of_step(progress, self.step)
            self._step(batches, clip, progress, report)
            norm = self.optimiser.step(share, self.world)
            self._update_average()
            self.step += 1
            if self.step == first_step + 1:
                # The first step compiles: minutes that train nothing are no part of the budget.
                if self.device.type == "cuda":
                    torch.cuda.synchronize()
                self.log(compiled=round(time.monotonic() - begin, 1))
                begin = last_probe = last_save = time.monotonic()
            self.frames += clip * max(1, s.frames_per_step // clip) * self.world
            if self.step % 5 == 0:
                pool.take(12)
            # Processes agree on the time only now and then: agreeing waits for the device.
            often = self.step % 10 == 0 or self.device.type == "cpu"
            if not often and self.step > first_step + 3 and self.step != a.steps:
                continue
            now = time.monotonic()
            self.seconds = self._agree(before + now - begin)
            earlier, progress = progress, self._progress()
            if s.few_step and earlier < s.few_step.start <= progress:
                begin += self._begin_few_step(held_out)
            if self.step % 50 == 0 or self.step <= first_step + 4:
                report.write(
                    self.frames, norm=round(norm.item(), 3), share=round(share, 4), length=length, walks=pool.count
                )
            if now - last_probe > a.probe_seconds:
                self._probe(held_out, length)
                last_probe = now
            if now - last_save > a.save_seconds:
                self.save()
                last_save = now
            if progress < 1 and self._time_is_up():
                self.save()
                self.log(stopped=round(progress, 4))
                self._leave()
                return
        self.save()
        self._finish(held_out)
        self.log(finished=True)

    def _progress(self) -> float:
        """Share of the budget that is spent."""
        a = self.arguments
        return max(self.seconds / (a.minutes * 60), self.step / a.steps if a.steps else 0.0)

    def _begin_few_step(self, held_out: WalkPool) -> float:
        """Keeps the average as it is before the stage, to mix with the final one (mix.py), and samples from it.

        Returns the seconds it took, which train nothing and are no part of the budget.
        """
        start = time.monotonic()
        if self.rank == 0:
            write_safetensors(self.out / BEFORE_FEW_STEP, half_tensors(self.average.state_dict()))
        self._sample(held_out, "before_few_step")
        return time.monotonic() - start

    def _finish(self, held_out: WalkPool) -> None:
        """The last probe and sampled rollouts."""
        self._probe(held_out, self.settings.lengths[-1][0])
        self._sample(held_out, "final")
        self._leave()

    def _sample(self, held_out: WalkPool, name: str) -> None:
        """Sampled rollouts into the log, and sheets of them, by the first process."""
        a = self.arguments
        held_out.take(64)
        clips = min(a.final_clips, held_out.count)
        if self.rank == 0 and clips:
            for task in ("retrieval", "reasoning"):
                protocol = Protocol(task, *a.final_frames, tuple(levels_of(4)), clips)
                sheet = self.out / f"{name}-{task}.png"
                self.log(**{name: evaluate(self.average, held_out, protocol, self.dtype, sheet)})

    def _leave(self) -> None:
        if self.world > 1:
            distributed.barrier()
            distributed.destroy_process_group()


def main(argv: list[str] | None = None) -> None:
    """Parses arguments and trains."""
    parser = argparse.ArgumentParser(description="Train a world model within a wall-clock budget.")
    parser.add_argument("--config", type=Path, required=True, help="config file (JSON) with `model` and `training`")
    parser.add_argument("--data", type=Path, required=True, help="folder of training shards; may still be filling")
    parser.add_argument("--held-out", type=Path, required=True, help="folder of held-out shards")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, log, sheets")
    parser.add_argument("--minutes", type=float, required=True, help="budget of the whole run, earlier legs counted in")
    parser.add_argument("--steps", type=int, help="stop after so many steps where the budget lasts longer")
    parser.add_argument(
        "--stop-after", type=float, help="seconds after which this process saves and ends, to be started again"
    )
    parser.add_argument("--walks", type=int, default=1000, help="most walks a process keeps on its device")
    parser.add_argument("--first-walks", type=int, default=1, help="walks to wait for before the first step")
    parser.add_argument("--start-from", type=Path, help="weights to start a new run from")
    parser.add_argument("--probe-seconds", type=float, default=45)
    parser.add_argument("--save-seconds", type=float, default=120)
    parser.add_argument(
        "--final-clips", type=int, default=8, help="held-out clips sampled at the end and before the few-step stage"
    )
    parser.add_argument("--final-frames", type=int, nargs=2, default=(160, 160), metavar=("CONTEXT", "GENERATE"))
    Run(parser.parse_args(argv)).train()


if __name__ == "__main__":
    main()
