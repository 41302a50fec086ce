"""A leg of training in pieces: render, train, few-step stage, choose weights, evaluate them; what counts lies in --out
at any time.

    python -m longtake_training.leg LEG.json --out DIR [--seconds 555]

Call it again, on the same machine, until it says that the leg is finished. Shards, checkpoint and compiled code stay
in --work between calls; --out holds at most eight files, each small enough to be sent: two averages in parts (`cat
ema.safetensors.* > ema.safetensors`), that before the few-step stage and that at the end, of which every mix can be
made; the log, figures, sheets of pictures in one file.
"""

import argparse
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from .choice import Mixes, chosen_share, chosen_weights, compared
from .choice import table as table_of_mixes
from .pieces import Piece, devices, keep_compiled, module, ranks, rendering
from .sheets import stack_sheets
from .suite import Sizes, release_claims, write_table
from .train import BEFORE_FEW_STEP

PART = 15 * 2**20
SHEETS = ("retrieval.png", "reasoning.png", "cold.png")


@dataclass
class Leg:
    """A leg's file (configs/legs). Paths in it are relative to the file.

    config, start_from: of the training. minutes: of training, on the wall clock; steps: or so many steps. render:
    command that fills the folders train and heldout in {data} with shards, started in the background ({cores}: of this
    machine); None: they are there. Rendering goes on from call to call until the file {data}/done is there.
    walks: most walks a process keeps in memory; first_walks: to wait for. processes: of the training; None: one a GPU.
    evaluation: fields of suite.Sizes. mixes: fields of choice.Mixes.
    """

    config: Path
    start_from: Path | None
    minutes: float
    walks: int
    first_walks: int
    render: list[str] | None = None
    steps: int | None = None
    processes: int | None = None
    evaluation: dict = field(default_factory=dict)
    mixes: dict = field(default_factory=dict)

    @staticmethod
    def load(path: Path) -> "Leg":
        """Reads a leg's file."""
        leg = Leg(**json.loads(path.read_text()))
        leg.config = path.parent / leg.config
        leg.start_from = path.parent / leg.start_from if leg.start_from else None
        return leg


@contextmanager
def sending(work: Path, out: Path, sizes: Sizes, seconds: float = 120):
    """Keeps --out up to date while the body runs, and once more at its end."""
    over = threading.Event()

    def repeat():
        while not over.wait(seconds):
            collect(work, out, sizes)

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        collect(work, out, sizes)


def collect(work: Path, out: Path, sizes: Sizes) -> None:
    """Copies what is worth sending, each file whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    for weights in (work / "run" / BEFORE_FEW_STEP, work / "run" / "ema.safetensors"):
        if weights.exists():
            data = weights.read_bytes()
            for i in range(-(-len(data) // PART)):
                _write(out / f"{weights.name}.{i}", data[i * PART : (i + 1) * PART])
    log, figures = work / "run" / "log.jsonl", work / "figures"
    if log.exists():
        _write(out / log.name, log.read_bytes())
    mixes = compared(work / "mixes")
    if mixes or figures.exists():
        figures.mkdir(exist_ok=True)
        write_table(figures, sizes)
        lines = table_of_mixes(mixes, chosen_share(work / "mixes")) if mixes else ""
        content = {"mixes": mixes, **json.loads((figures / "figures.json").read_text())}
        _write(out / "figures.md", (lines + (figures / "figures.md").read_text()).encode())
        _write(out / "figures.json", (json.dumps(content, indent=1) + "\n").encode())
    sheets = [path for path in (figures / name for name in SHEETS) if path.exists()]
    if sheets:
        _write(out / "sheets.png", stack_sheets(sheets))


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.rename(path)


def is_trained(work: Path) -> bool:
    """Whether the leg's training is over."""
    log = work / "run" / "log.jsonl"
    return log.exists() and '"finished": true' in log.read_text().splitlines()[-1]


def train(leg: Leg, work: Path, data: Path, piece: Piece) -> bool:
    """Trains until the piece or the budget is over; returns whether the budget is."""
    arguments = [
        *("--config", leg.config, "--data", data / "train", "--held-out", data / "heldout", "--out", work / "run"),
        *("--minutes", leg.minutes, "--walks", leg.walks, "--first-walks", leg.first_walks),
        # No rollouts by one process while the others wait: mixes of the averages are compared on all devices after it.
        *("--final-clips", 0, "--probe-seconds", 90, "--stop-after", piece.left()),
    ]
    arguments += ["--start-from", leg.start_from] if leg.start_from else []
    arguments += ["--steps", leg.steps] if leg.steps else []
    environments = ranks(leg.processes or max(1, torch.cuda.device_count()))
    if not piece.run([module("train", *arguments)] * len(environments), environments):
        raise SystemExit("Training broke off or did not end in time; what it saved last is kept.")
    return is_trained(work)


def evaluate(leg: Leg, weights: Path, work: Path, data: Path, sizes: Sizes, piece: Piece) -> bool:
    """Evaluates weights on all devices until the piece or the suite is over; returns whether the suite is."""
    figures = work / "figures"
    figures.mkdir(exist_ok=True)
    release_claims(figures)
    commands = [
        module(
            "suite",
            *("--config", leg.config, "--weights", weights, "--data", data / "heldout"),
            *("--out", figures, "--sizes", json.dumps(leg.evaluation), "--worker", i, "--stop-after", piece.left()),
        )
        for i in range(len(devices()))
    ]
    if not piece.run(commands, devices(), together=False):
        print("An evaluation broke off or did not end in time; finished figures are kept.", flush=True)
    return write_table(figures, sizes)


def main(argv: list[str] | None = None) -> None:
    """Does one piece of a leg."""
    parser = argparse.ArgumentParser(description="One piece of a leg of training; call again until it is finished.")
    parser.add_argument("leg", type=Path, help="the leg's file")
    parser.add_argument("--out", type=Path, required=True, help="folder for what is to be sent, at most eight files")
    parser.add_argument("--work", type=Path, help="folder that stays between calls [runs/NAME OF THE LEG]")
    parser.add_argument("--seconds", type=float, default=555, help="wall clock of this call")
    parser.add_argument("--grace", type=float, default=-5, help="seconds after them until processes are killed")
    parser.add_argument("--start-from", type=Path, help="other weights to start from than the file says")
    parser.add_argument("--minutes", type=float, help="other minutes of training than the file says")
    a = parser.parse_args(argv)
    piece = Piece.of(a.seconds, grace=a.grace)
    leg = Leg.load(a.leg)
    leg.start_from, leg.minutes = a.start_from or leg.start_from, a.minutes or leg.minutes
    work = a.work or Path("runs") / a.leg.stem
    data, sizes = work / "data", Sizes(**leg.evaluation)
    data.mkdir(parents=True, exist_ok=True)
    keep_compiled(work / "compiled")
    with sending(work, a.out, sizes):
        with rendering(leg.render, data):
            trained = is_trained(work) or train(leg, work, data, piece)
        weights = trained and chosen_weights(
            leg.config, work / "run", data, work / "mixes", Mixes(**leg.mixes), sizes, piece
        )
        done = bool(weights) and evaluate(leg, weights, work, data, sizes, piece)
    figures = a.out / "figures.md"
    print(figures.read_text() if figures.exists() else "", flush=True)
    print("The leg is finished." if done else "Call again: " + ("evaluation" if trained else "training") + " goes on.")


if __name__ == "__main__":
    main()
