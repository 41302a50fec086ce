"""Trains every baseline for the same number of frames, evaluates it, and writes a table and curves.

    python -m longtake_training.baselines --data DIR --out DIR [--frames 2500000] [--seconds 555]

Side by side on all GPUs, --together models on each: one compiles or is evaluated on the CPU's time while another
trains. Like a leg it may be called again and goes on; what is finished is in --out/baselines.md and
--out/baselines.json at the end of every call.
"""

import argparse
import json
import shlex
import threading
from importlib.resources import files
from pathlib import Path
from queue import Empty, Queue

from .config_files import read_config
from .model import WorldConfig, WorldModel
from .pieces import Piece, devices, keep_compiled, module, rendering
from .settings import Settings
from .suite import finished, release_claims

CONFIGS = Path(str(files("longtake_training") / "configs" / "baselines"))
# Ours first, then the dearest, so that no GPU is left alone with it at the end, then what the paper compares with.
ORDER = (
    "ours", "causal-full", "causal-195", "ssd-local", "single-tokens", "no-clean-prefix", "no-pose-keys", "ssd",
)  # fmt: skip


def configs_in(folder: Path, only: list[str] | None = None) -> list[Path]:
    """The baselines' config files, or some of them by name, in the order they are trained in.

    Raises SystemExit for names of none.
    """
    paths = {path.stem: path for path in sorted(folder.glob("*.json"))}
    if only is not None:
        unknown = [name for name in only if name not in paths]
        if unknown:
            raise SystemExit(f"There is no baseline {', '.join(unknown)}; there are {', '.join(paths)}.")
        paths = {name: path for name, path in paths.items() if name in only}
    return [paths.pop(name) for name in ORDER if name in paths] + list(paths.values())


def read_log(run: Path) -> list[dict]:
    """A run's log, oldest line first; empty where there is none."""
    log = run / "log.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def work_on(config: Path, a: argparse.Namespace, environment: dict[str, str], piece: Piece) -> None:
    """Trains a baseline, or goes on, and evaluates it, as far as the piece's time goes."""
    run, settings = a.out / config.stem, Settings.load(config)
    log = read_log(run)
    if not log or "finished" not in log[-1]:
        arguments = [
            *("--config", config, "--data", a.data / "train", "--held-out", a.data / "heldout", "--out", run),
            *("--minutes", 1e6, "--steps", max(1, a.frames // settings.frames_per_step), "--final-clips", 0),
            *("--walks", a.walks, "--first-walks", a.first_walks, "--stop-after", piece.left()),
        ]
        piece.run([module("train", *arguments)], [environment])
        log = read_log(run)
    if log and "finished" in log[-1] and piece.left() > 0:
        release_claims(run)
        arguments = [
            *("--config", config, "--weights", run / "ema.safetensors", "--data", a.data / "heldout", "--out", run),
            *("--sizes", a.sizes, "--only", 2, "--stop-after", piece.left()),
        ]
        piece.run([module("suite", *arguments)], [environment])


def is_done(run: Path) -> bool:
    """Whether a baseline is trained and evaluated."""
    return len(finished(run)) >= 2


def summary(config: Path, run: Path) -> dict:
    """What is known of a baseline: its size, how long it trained, probes, figures, curves over distance."""
    log, figures = read_log(run), finished(run)
    losses, probes = [x for x in log if "loss" in x], [x for x in log if "probe" in x]
    model = WorldModel(WorldConfig.load(config))
    return {
        "name": config.stem,
        "title": read_config(config)["title"],
        "parameters": sum(x.numel() for x in model.parameters()),
        "frames": losses[-1]["frames"] if losses else 0,
        "minutes": round(log[-1]["seconds"] / 60, 2) if log else 0.0,
        "finished": is_done(run),
        "probes": [{"seconds": x["seconds"], "length": x["length"], **x["probe"]} for x in probes],
        "figures": figures,
    }


def table(rows: list[dict]) -> str:
    """Markdown: one line a baseline; `-` where it has not come to it."""
    lines = [
        "| model | parameters | frames | minutes | probe: retrieval / reasoning | retrieval | last tenth | reasoning |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for x in rows:
        probe = x["probes"][-1] if x["probes"] else None
        probed = f"{probe['retrieval']:.1f} / {probe['reasoning']:.1f}" if probe else "-"
        cells = {y["task"]: f"{y['psnr']:.2f} dB, {y['ssim']:.3f}" for y in x["figures"].values()}
        last = [f"{y['psnr_curve'][-1]:.2f}" for y in x["figures"].values() if y["task"] == "retrieval"]
        size = f"{x['parameters'] / 1e6:.2f} M | {x['frames'] / 1e6:.2f} M | {x['minutes']:.1f}"
        lines.append(
            f"| {x['title']} | {size} | {probed} "
            f"| {cells.get('retrieval', '-')} | {(last or ['-'])[0]} | {cells.get('reasoning', '-')} |"
        )
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> None:
    """Does one piece of the comparison."""
    parser = argparse.ArgumentParser(description="Train and evaluate all baselines; call again until it is finished.")
    parser.add_argument("--configs", type=Path, default=CONFIGS, help="folder of config files")
    parser.add_argument("--only", help="names of some of them, with commas between; all unless given")
    parser.add_argument("--data", type=Path, required=True, help="folder with shards in train and heldout")
    parser.add_argument("--render", help="command that fills --data in the background, with {data} and {cores}")
    parser.add_argument("--out", type=Path, required=True, help="folder that stays between calls")
    parser.add_argument("--frames", type=int, default=2_500_000, help="frames each model trains on")
    parser.add_argument("--together", type=int, default=1, help="models on each GPU at a time")
    parser.add_argument("--walks", type=int, default=1000, help="most walks a process keeps on its device")
    parser.add_argument("--first-walks", type=int, default=100, help="walks to wait for")
    parser.add_argument(
        "--sizes",
        default='{"clips": 16, "retrieval": [320, 320], "reasoning": [460, 180]}',
        help="of the evaluation: JSON object, fields of suite.Sizes",
    )
    parser.add_argument("--seconds", type=float, default=555, help="wall clock of this call")
    parser.add_argument("--grace", type=float, default=-5, help="seconds after them until processes are killed")
    a = parser.parse_args(argv)
    piece = Piece.of(a.seconds, grace=a.grace)
    a.out.mkdir(parents=True, exist_ok=True)
    keep_compiled(a.out / "compiled")
    configs, waiting = configs_in(a.configs, a.only.split(",") if a.only else None), Queue()
    for config in configs:
        if not is_done(a.out / config.stem):
            waiting.put(config)

    def work(environment):
        while True:
            try:
                config = waiting.get_nowait()
            except Empty:
                return
            work_on(config, a, environment, piece)
            if piece.left() < 0:
                return

    with rendering(shlex.split(a.render) if a.render else None, a.data):
        workers = [threading.Thread(target=work, args=(x,)) for x in devices() for _ in range(a.together)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    rows = [summary(config, a.out / config.stem) for config in configs]
    (a.out / "baselines.json").write_text(json.dumps(rows, indent=1) + "\n")
    (a.out / "baselines.md").write_text(table(rows))
    print(table(rows), flush=True)
    print("All are finished." if all(x["finished"] for x in rows) else "Call again: some are not finished.", flush=True)


if __name__ == "__main__":
    main()
