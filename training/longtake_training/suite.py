"""All protocols of the evaluation, shared by several workers, gone on with where a worker was stopped.

python -m longtake_training.suite --config FILE --weights FILE --data DIR --out DIR [--worker 1]
"""

import argparse
import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from .evaluate import evaluate, load_model
from .protocols import Damage, Protocol
from .sampler import levels_of
from .training_data import WalkPool

DAMAGES = {
    "noise .1": Damage(noise=0.1),
    "20 % missing": Damage(missing=0.2),
    "16-frame occlusions": Damage(occlusion=16),
    "camera jump": Damage(camera_jump=True),
}


@dataclass(frozen=True)
class Sizes:
    """How large the suite is: (context, generated frames) of each protocol, clips, numbers of denoise passes (the first
    two early, the others last).

    far: a retrieval beyond everything trained, on far_clips clips.
    """

    clips: int = 64
    retrieval: tuple[int, int] = (400, 400)
    reasoning: tuple[int, int] = (575, 225)
    gap: tuple[int, int] = (100, 10)
    region: tuple[int, int] = (100, 50)
    cold: int = 100
    far: tuple[int, int] = (800, 800)
    far_clips: int = 16
    steps: tuple[int, ...] = (4, 32, 1, 2, 8)


def jobs(sizes: Sizes) -> dict[str, Protocol]:
    """Protocols by name, what matters most first: how good the usual passes are, what more of them would give, how far
    memory reaches and what it survives; then the other tasks, and fewer passes."""
    usual = tuple(levels_of(4))
    long = {task: Protocol(task, *getattr(sizes, task), usual, sizes.clips) for task in ("retrieval", "reasoning")}

    def with_steps(steps):
        levels = tuple(levels_of(steps))
        return {f"{task}, {steps} steps": replace(protocol, levels=levels) for task, protocol in long.items()}

    result = {}
    for steps in sizes.steps[:2]:
        result |= with_steps(steps)
    result["far retrieval"] = Protocol("retrieval", *sizes.far, usual, sizes.far_clips)
    for name, damage in DAMAGES.items():
        result |= {f"{task}, {name}": replace(protocol, damage=damage) for task, protocol in long.items()}
    result["cold"] = Protocol("cold", 0, sizes.cold, usual, sizes.clips)
    result["gap"] = Protocol("gap", *sizes.gap, usual, sizes.clips)
    result["region"] = Protocol("region", *sizes.region, usual, sizes.clips)
    for steps in sizes.steps[2:]:
        result |= with_steps(steps)
    return result


def finished(out: Path) -> dict[str, dict]:
    """Figures by job name that workers have written so far."""
    lines = [line for path in sorted(out.glob("figures-*.jsonl")) for line in path.read_text().splitlines()]
    return {x["name"]: x for x in map(json.loads, lines)}


def table(figures: dict[str, dict]) -> str:
    """Markdown: one row a job, in the suite's order."""
    rows = [
        "| protocol | frames | PSNR | SSIM | SSIM 7 × 7 | first tenth → last | sharpness | beside it |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, x in figures.items():
        frames = f"{x['context']} → {x['generate']}, {x['clips']} clips"
        beside = {"freeze": x.get("freeze"), "cross-fade": x.get("cross_fade"), "Telea": x.get("telea")}
        beside |= {"hole": x.get("hole_psnr"), "hole, Telea": x.get("telea_hole_psnr")}
        text = ", ".join(f"{k} {v:.2f}" for k, v in beside.items() if v is not None)
        if "liveliness" in x:
            text = f"spread {x['liveliness']['spread']}, change {x['liveliness']['change']}, "
            text += f"collapsed {x['liveliness']['collapsed']:.3f}"
            rows.append(f"| {name} | {frames} | | | | | | {text} |")
            continue
        curve = x["psnr_curve"]
        rows.append(
            f"| {name} | {frames} | {x['psnr']:.2f} | {x['ssim']:.3f} | {x['ssim_7']:.3f} "
            f"| {curve[0]:.2f} → {curve[-1]:.2f} | {x['sharpness']:.3f} | {text} |"
        )
    return "\n".join(rows) + "\n"


def claim(out: Path, index: int) -> bool:
    """Whether this worker is the first to ask for a job."""
    try:
        (out / f"claimed-{index}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def release_claims(out: Path) -> None:
    """Lets jobs be asked for again; only while no worker runs. Finished ones are not done twice."""
    for path in out.glob("claimed-*"):
        path.unlink()


def write_table(out: Path, sizes: Sizes) -> bool:
    """Writes figures.json and figures.md of what is finished; returns whether that is all."""
    done, names = finished(out), list(jobs(sizes))
    ordered = {name: done[name] for name in names if name in done}
    for name, text in (("figures.json", json.dumps(ordered, indent=1) + "\n"), ("figures.md", table(ordered))):
        part = out / f".{name}.{os.getpid()}.part"  # several workers may write at a time
        part.write_text(text)
        part.rename(out / name)
    return len(ordered) == len(names)


def main(argv: list[str] | None = None) -> None:
    """Runs jobs that no other worker has claimed or finished."""
    parser = argparse.ArgumentParser(description="Evaluate a model on every protocol.")
    parser.add_argument("--config", type=Path, required=True, help="config file, or training.json of a package")
    parser.add_argument("--weights", type=Path, required=True, help="ema.safetensors or weights.safetensors")
    parser.add_argument("--data", type=Path, required=True, help="folder of held-out shards")
    parser.add_argument("--out", type=Path, required=True, help="folder for figures and sheets")
    parser.add_argument("--sizes", default="{}", help="JSON object: fields of Sizes that differ")
    parser.add_argument("--only", type=int, help="just so many of the jobs, the first ones")
    parser.add_argument("--worker", type=int, default=0, help="number that tells workers apart")
    parser.add_argument("--stop-after", type=float, default=1e9, help="seconds after which no job is begun")
    a = parser.parse_args(argv)
    born = time.monotonic()
    sizes = Sizes(**json.loads(a.sizes))
    a.out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")
    model = load_model(a.config, a.weights, device)
    pool = WalkPool(a.data, sizes.clips, device)
    pool.wait_for(sizes.clips, 120)
    failed: list[str] = []
    pictured = {f"retrieval, {sizes.steps[0]} steps", f"reasoning, {sizes.steps[0]} steps", "gap", "region", "cold"}
    for index, (name, protocol) in enumerate(list(jobs(sizes).items())[: a.only]):
        if time.monotonic() - born > a.stop_after:
            break
        if name in finished(a.out) or not claim(a.out, index):
            continue
        sheet = a.out / f"{protocol.task}.png" if name in pictured else None
        try:
            figures = {"name": name, **evaluate(model, pool, protocol, torch.float32, sheet)}
        except RuntimeError as error:  # too little memory for one protocol must not cost the others
            failed.append(f"{name}: {error!r}")
            continue
        with open(a.out / f"figures-{a.worker}.jsonl", "a") as file:
            file.write(json.dumps(figures) + "\n")
        print(json.dumps({k: v for k, v in figures.items() if not k.endswith("curve")}), flush=True)
    write_table(a.out, sizes)
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
