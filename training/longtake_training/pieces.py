"""Long work in pieces: a machine's calls are shorter than a leg, so every command can be called again and goes on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass
class Piece:
    """One call's share of the time.

    end: time.monotonic() at which the call has to be over. reserve: seconds before it at which processes are asked to
    have saved and ended; grace: seconds after it until they are killed.
    """

    end: float
    reserve: float = 45.0
    grace: float = -5.0

    @staticmethod
    def of(seconds: float, **more) -> "Piece":
        """A piece that begins now."""
        return Piece(time.monotonic() + seconds, **more)

    def left(self) -> float:
        """Seconds until processes are asked to end; may be negative."""
        return self.end - self.reserve - time.monotonic()

    def run(self, commands: list[list[str]], environments: list[dict[str, str]] | None = None) -> bool:
        """Runs commands side by side, each in a process group of its own; returns whether all ended well in time."""
        environments = environments or [{} for _ in commands]
        children = [start(*x) for x in zip(commands, environments, strict=True)]
        try:
            codes = [x.wait(max(1.0, self.end + self.grace - time.monotonic())) for x in children]
        except subprocess.TimeoutExpired:
            return False
        finally:
            for child in children:
                stop(child)
        return not any(codes)


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen:
    """Starts a command with additions to this process's environment."""
    return subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)


def stop(child: subprocess.Popen) -> None:
    """Kills what is left of a process and its children."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def module(name: str, *arguments: object) -> list[str]:
    """Command that runs a module of this package."""
    return [sys.executable, "-m", f"longtake_training.{name}", *map(str, arguments)]


def devices() -> list[dict[str, str]]:
    """One environment for each GPU, which shows a process that one alone; a single empty one without GPUs."""
    return [{"CUDA_VISIBLE_DEVICES": str(i)} for i in range(torch.cuda.device_count())] or [{}]


def keep_compiled(folder: Path) -> None:
    """Lets this process's children keep compiled code in a folder from call to call."""
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder.resolve() / "inductor"))
    os.environ.setdefault("TRITON_CACHE_DIR", str(folder.resolve() / "triton"))
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
