"""A whole leg with the tiny network, in two calls of its command."""

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from tiny import TINY_TRAINING

from longtake_training import leg, pieces, suite
from longtake_training.config_files import read_config
from longtake_training.export import condition
from longtake_training.model import WorldConfig, WorldModel
from longtake_training.package import package_tensors, read_weights, write_safetensors
from longtake_training.pieces import Piece
from longtake_training.settings import Settings
from longtake_training.widen import widened

SIZES = {
    "clips": 2, "far_clips": 1, "steps": [2, 1], "retrieval": [20, 10], "reasoning": [20, 10],
    "gap": [10, 5], "region": [10, 10], "cold": 10, "far": [30, 30],
}  # fmt: skip


def write_leg(folder: Path) -> Path:
    """A leg that renders, starts from a package's weights, grows its clips and ends with the few-step stage."""
    config = files("longtake_training") / "configs" / "tiny.json"
    stage = {"start": 0.5, "share": 1.0, "near": -50, "steps": [1, 2], "structure": 0.02}
    training = {**TINY_TRAINING, "frames_per_step": 320, "lengths": [[160, 0], [320, 0.5]], "few_step": stage}
    layers = read_config(Path(str(config)))["model"]["layers"][:1]
    content = {"base": str(config), "model": {"layers": layers}, "training": training}
    (folder / "config.json").write_text(json.dumps(content))
    model = condition(WorldModel(WorldConfig.load(folder / "config.json")))
    write_safetensors(folder / "weights.safetensors", package_tensors(model.state_dict()))
    program = "import sys, pathlib, tiny; out = pathlib.Path(sys.argv[1]); tiny.write_walks(out); (out/'done').touch()"
    content = {
        "config": "config.json", "start_from": "weights.safetensors", "minutes": 60, "steps": 4, "walks": 2,
        "first_walks": 1, "processes": 2, "render": [sys.executable, "-c", program, "{data}"], "evaluation": SIZES,
        "mixes": {"shares": [0.5, 1.0], "clips": 2},
    }  # fmt: skip
    path = folder / "leg-0.json"
    path.write_text(json.dumps(content))
    return path


def test_a_leg_ends_in_its_second_call(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path, out, work = write_leg(tmp_path), tmp_path / "out", tmp_path / "work"
    monkeypatch.setattr(leg, "keep_compiled", lambda folder: None)

    def call(seconds):
        leg.main([str(path), f"--out={out}", f"--work={work}", f"--seconds={seconds}", "--grace=300"])
        return capsys.readouterr().out, [json.loads(x) for x in (out / "log.jsonl").read_text().splitlines()]

    # No time at all: a step is made, saved and sent all the same.
    printed, log = call(0)
    assert "Call again: training goes on." in printed
    assert "stopped" in log[-1] and log[-1]["step"] == 1
    assert sorted(x.name for x in out.iterdir()) == ["ema.safetensors.0", "log.jsonl"]

    printed, log = call(600)
    assert "The leg is finished." in printed and "| retrieval, 2 steps | 20 → 10, 2 clips |" in printed
    assert any("resumed" in x for x in log) and log[-1]["step"] == 4 and log[-1]["finished"]
    own = [x["committed"] for x in log if "committed" in x]
    assert len(own) == 2 and min(own) > 0
    assert [x["length"] for x in log if "loss" in x] == [160, 160, 320, 320]
    figures = json.loads((out / "figures.json").read_text())
    mixes = figures.pop("mixes")
    assert list(figures) == list(suite.jobs(suite.Sizes(**SIZES)))
    # The chosen mix is what the suite was given; both averages it is made of are sent.
    assert list(mixes) == ["0.5", "1.0"] and mixes["0.5"]["retrieval"]["clips"] == 2
    share = json.loads((work / "mixes" / "choice.json").read_text())["share"]
    assert figures["reasoning, 2 steps"]["psnr"] == pytest.approx(mixes[str(share)]["reasoning"]["psnr"], abs=1e-3)
    assert f"--share {share} " in printed and printed.count("| chosen |") == 1
    assert figures["reasoning, 20 % missing"]["given"] == 15 and figures["far retrieval"]["clips"] == 1
    assert "collapsed" in figures["cold"]["liveliness"] and figures["gap"]["cross_fade"] > 5
    assert sorted(x.name for x in out.iterdir()) == [
        "ema-before-few-step.safetensors.0", "ema.safetensors.0", "figures.json", "figures.md", "log.jsonl",
        "sheets.png",
    ]  # fmt: skip
    (tmp_path / "joined.safetensors").write_bytes((out / "ema.safetensors.0").read_bytes())
    start, end = (read_weights(tmp_path / x) for x in ("weights.safetensors", "joined.safetensors"))
    moved = [(start[k] - end[k].float()).abs().max() for k in start if k.startswith("layers.")]
    assert start.keys() == end.keys() and 0 < max(moved) < 1

    # A third call finds nothing to do.
    assert "The leg is finished." in call(0)[0]


def test_large_weights_travel_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(leg, "PART", 1000)
    (tmp_path / "work" / "run").mkdir(parents=True)
    data = torch.randint(0, 256, (2500,), dtype=torch.uint8).numpy().tobytes()
    (tmp_path / "work" / "run" / "ema.safetensors").write_bytes(data)
    leg.collect(tmp_path / "work", tmp_path / "out", suite.Sizes())
    parts = sorted((tmp_path / "out").iterdir())
    assert [x.stat().st_size for x in parts] == [1000, 1000, 500]
    assert b"".join(x.read_bytes() for x in parts) == data


def test_a_process_that_outlives_its_piece_is_ended():
    forever = [sys.executable, "-c", "import time; time.sleep(1000)"]
    assert not Piece.of(0.0, grace=0.0).run([forever])
    assert Piece.of(100.0).run([[sys.executable, "-c", ""]] * 2)
    failing = [sys.executable, "-c", "raise SystemExit(3)"]
    assert not Piece.of(100.0).run([forever, failing])


def test_workers_that_need_not_each_other_go_on_alone(tmp_path):
    failing = [sys.executable, "-c", "raise SystemExit(3)"]
    program = f"import time, pathlib; time.sleep(1); pathlib.Path({str(tmp_path / 'made')!r}).touch()"
    assert not Piece.of(100.0).run([failing, [sys.executable, "-c", program]], together=False)
    assert (tmp_path / "made").exists()


def test_failed_rendering_ends_the_wait(tmp_path):
    from longtake_training.training_data import WalkPool

    (tmp_path / "failed").touch()
    with pytest.raises(RuntimeError, match="rendering"):
        WalkPool(tmp_path / "train", 1, torch.device("cpu")).wait_for(1, 60)


@pytest.mark.parametrize("name", ["leg-2", "leg-3", "leg-4"])
def test_a_leg_is_ready_to_start(name):
    plan = leg.Leg.load(files("longtake_training") / "configs" / "legs" / f"{name}.json")
    settings, config = Settings.load(plan.config), WorldConfig.load(plan.config)
    assert plan.start_from.exists() and Path(plan.render[1]).name == "render.sh"
    weights = {name: tensor.float() for name, tensor in read_weights(plan.start_from).items()}
    WorldModel(config).load_state_dict(widened(weights, config.embed_width))
    # Compiled code is of one shape: every length fills the same number of frames, in whole pieces.
    lengths = [x // part for x, _ in settings.lengths for part in ((1, 2) if settings.halved else (1,))]
    assert all(settings.frames_per_step % x == 0 and x % 160 == 0 for x in lengths)
    longest = max(x for x, _ in settings.lengths)
    assert longest >= 1280 and int(plan.render[4]) >= longest
    assert sum(settings.tasks.shares.values()) == pytest.approx(1) and 0.5 < settings.few_step.start < 1


def test_every_gpu_is_one_workers(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pieces.devices() == [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert pieces.devices() == [{}]


@pytest.mark.parametrize(
    "given, passed",
    [
        ("out", "DEFAULT --out out"),
        ("out --minutes 14", "DEFAULT --out out --minutes 14"),
        ("out other.json --minutes 3", "other.json --out out --minutes 3"),
    ],
)
def test_the_script_takes_options_without_a_leg(given, passed):
    script = Path(__file__).parents[1] / "leg.sh"
    environment = {**os.environ, "PYTHON": "echo"}
    printed = subprocess.run(["bash", script, *given.split()], env=environment, capture_output=True, check=True)
    expected = passed.replace("DEFAULT", "training/longtake_training/configs/legs/leg-3.json")
    assert printed.stdout.decode().strip() == f"-m longtake_training.leg {expected}"
