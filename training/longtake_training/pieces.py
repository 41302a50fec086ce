"""Long work in pieces: a machine's calls are shorter than a leg, so every command can be called again and goes on."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
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
    reserve: float = 30.0
    grace: float = -5.0

    @staticmethod
    def of(seconds: float, **more) -> "Piece":
        """A piece that begins now."""
        return Piece(time.monotonic() + seconds, **more)

    def left(self) -> float:
        """Seconds until processes are asked to end; may be negative."""
        return self.end - self.reserve - time.monotonic()

    def run(
        self, commands: list[list[str]], environments: list[dict[str, str]] | None = None, together: bool = True
    ) -> bool:
        """Runs commands side by side, each in a process group of its own, until all have ended or the piece is over;
        returns whether all ended well. together: one that fails ends the others too."""
        environments = environments or [{} for _ in commands]
        children = [start(*x) for x in zip(commands, environments, strict=True)]
        try:
            while True:
                codes = [x.poll() for x in children]
                if all(code == 0 for code in codes):
                    return True
                ended = None not in codes or (together and any(codes))
                if ended or time.monotonic() > self.end + self.grace:
                    return False
                time.sleep(0.1)
        finally:
            for child in children:
                stop(child)


def start(command: list[str], environment: dict[str, str]) -> subprocess.Popen:
    """Starts a command with additions to this process's environment, as leader of a process group (but of no session,
    so that whoever ends ours ends it too)."""
    return subprocess.Popen(command, env={**os.environ, **environment}, process_group=0)


def stop(child: subprocess.Popen) -> None:
    """Kills what is left of a process and of its group."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@contextmanager
def rendering(command: list[str] | None, data: Path):
    """Renders in the background while the body runs, unless all is there.

    command: fills the folders train and heldout in {data} with shards, by {cores} processes, and makes the file
    {data}/done at the end.
    """
    if command is None or (data / "done").exists():
        yield
        return
    values = {"data": str(data), "cores": str(max(1, (os.cpu_count() or 1) - 2))}
    child = start([x.format(**values) for x in command], {})
    try:
        yield
    finally:
        stop(child)


def module(name: str, *arguments: object) -> list[str]:
    """Command that runs a module of this package."""
    return [sys.executable, "-m", f"longtake_training.{name}", *map(str, arguments)]


def devices() -> list[dict[str, str]]:
    """One environment for each GPU, which shows a process that one alone; a single empty one without GPUs."""
    return [{"CUDA_VISIBLE_DEVICES": str(i)} for i in range(torch.cuda.device_count())] or [{}]


def ranks(count: int) -> list[dict[str, str]]:
    """Environments of `count` processes of one training run on this machine; nothing is set for one alone."""
    shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    return [{**shared, "RANK": str(i), "LOCAL_RANK": str(i)} for i in range(count)] if count > 1 else [{}]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def keep_compiled(folder: Path) -> None:
    """Lets this process's children keep compiled code in a folder from call to call."""
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder.resolve() / "inductor"))
    os.environ.setdefault("TRITON_CACHE_DIR", str(folder.resolve() / "triton"))
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
