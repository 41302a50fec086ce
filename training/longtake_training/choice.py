"""Which weights a leg ends with: mixes of the average before the few-step stage with the final one, compared.

The stage buys decibels with sharpness (training/LOG.md, leg 2), and a mix gives back some of both. The rule: of the
mixes that lose little SSIM against the best one, in both long protocols, the sharpest.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .mix import mix
from .pieces import Piece, devices, module
from .suite import Sizes, finished, release_claims
from .train import BEFORE_FEW_STEP

MOST_LOST = {"retrieval": 0.002, "reasoning": 0.004}


@dataclass(frozen=True)
class Mixes:
    """The `mixes` object of a leg's file. shares: of the final average in each mix; 0 and 1 are the averages alone, and
    show what the stage has done. clips: held-out walks a protocol."""

    shares: tuple[float, ...] = (0.0, 0.4, 0.6, 0.8, 1.0)
    clips: int = 24


def compared(folder: Path) -> dict[float, dict[str, dict]]:
    """Figures by share and task, of the mixes that are evaluated in both tasks."""
    result = {float(x.name): {y["task"]: y for y in finished(x).values()} for x in folder.glob("[01].*")}
    return {share: result[share] for share in sorted(result) if result[share].keys() == MOST_LOST.keys()}


def sharpness(figures: dict[str, dict]) -> float:
    """Mean over the tasks."""
    return sum(x["sharpness"] for x in figures.values()) / len(figures)


def choose(mixes: dict[float, dict[str, dict]]) -> float:
    """The share of the mix to take. Where none is near the best in both tasks, the one that lacks least."""
    best = {task: max(x[task]["ssim"] for x in mixes.values()) for task in MOST_LOST}

    def excess(share):
        return max(best[task] - mixes[share][task]["ssim"] - most for task, most in MOST_LOST.items())

    near = [share for share in mixes if excess(share) <= 1e-9]
    return max(near, key=lambda share: sharpness(mixes[share])) if near else min(mixes, key=excess)


def table(mixes: dict[float, dict[str, dict]], chosen: float | None) -> str:
    """Markdown: one row a mix, and how to make the chosen one of what the leg sends."""
    lines = [
        "| final average in the mix | retrieval | SSIM | sharpness | reasoning | SSIM | sharpness | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for share, figures in mixes.items():
        cells = [f"{x['psnr']:.2f} dB | {x['ssim']:.4f} | {x['sharpness']:.3f}" for x in map(figures.get, MOST_LOST)]
        lines.append(f"| {share} | {' | '.join(cells)} | {'chosen' if share == chosen else ''} |")
    if chosen is not None:
        lines += [
            "",
            f"Chosen and evaluated below: `python -m longtake_training.mix {BEFORE_FEW_STEP} ema.safetensors "
            f"--share {chosen} --out chosen.safetensors`",
        ]
    return "\n".join(lines) + "\n\n"


def chosen_share(folder: Path) -> float | None:
    """The share that was chosen; None: it is not yet."""
    path = folder / "choice.json"
    return json.loads(path.read_text())["share"] if path.exists() else None


def weights_of(folder: Path, share: float) -> Path:
    """Where a mix is."""
    return folder / str(float(share)) / "ema.safetensors"


def chosen_weights(
    config: Path, run: Path, data: Path, folder: Path, mixes: Mixes, sizes: Sizes, piece: Piece
) -> Path | None:
    """Mixes, evaluates, chooses, or goes on; returns the chosen weights, None where the piece was over before.

    A mix whose evaluation breaks is left out. A run that kept no earlier average ends with its final one.
    """
    if not (run / BEFORE_FEW_STEP).exists():
        return run / "ema.safetensors"
    if chosen_share(folder) is None:
        sizes = {**asdict(sizes), "clips": mixes.clips}
        commands = []
        for share in mixes.shares:
            weights = weights_of(folder, share)
            weights.parent.mkdir(parents=True, exist_ok=True)
            release_claims(weights.parent)
            if not weights.exists():
                mix(run / BEFORE_FEW_STEP, run / "ema.safetensors", share, weights)
            arguments = ["--config", config, "--weights", weights, "--data", data / "heldout", "--out", weights.parent]
            arguments += ["--sizes", json.dumps(sizes), "--only", len(MOST_LOST), "--stop-after", piece.left()]
            commands.append(module("suite", *arguments))
        # All at once: a rollout waits for its own small kernels most of the time, so a device has room for several.
        places = devices()
        piece.run(commands, [places[i % len(places)] for i in range(len(commands))], together=False)
        figures = compared(folder)
        if not figures or (len(figures) < len(mixes.shares) and piece.left() < 0):
            return None
        (folder / "choice.json").write_text(json.dumps({"share": choose(figures)}) + "\n")
    return weights_of(folder, chosen_share(folder))
