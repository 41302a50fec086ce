import importlib
import json
import shlex
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from tiny import TINY_TRAINING

from longtake_training import baselines
from longtake_training.config_files import read_config
from longtake_training.export import export_package
from longtake_training.model import LayerConfig, WorldConfig, WorldModel
from longtake_training.pieces import Piece
from longtake_training.settings import Settings


def test_baselines_are_of_equal_size_and_training():
    paths = baselines.configs_in(baselines.CONFIGS)
    assert [x.stem for x in paths] == list(baselines.ORDER)
    sizes = {x.stem: sum(p.numel() for p in WorldModel(WorldConfig.load(x)).parameters()) for x in paths}
    assert all(abs(size / sizes["ours"] - 1) < 0.03 for size in sizes.values())
    settings = {x.stem: Settings.load(x) for x in paths}
    mix = settings["no-clean-prefix"].tasks
    assert mix.shares == {"free": 1.0} and mix.blind == 0
    for name, other in settings.items():
        if name != "no-clean-prefix":
            assert other == settings["ours"]
    assert {**vars(settings["no-clean-prefix"]), "tasks": 0} == {**vars(settings["ours"]), "tasks": 0}


def test_each_baseline_lacks_what_its_name_says():
    configs = {x.stem: WorldConfig.load(x).layers for x in baselines.configs_in(baselines.CONFIGS)}
    ours = configs["ours"]
    assert {x.block for x in configs["single-tokens"]} == {(1, 1)}
    assert [x.key for x in configs["single-tokens"]] == [x.key for x in ours]
    assert [x.block for x in configs["no-pose-keys"]] == [x.block for x in ours]
    assert {x.key for x in configs["no-pose-keys"]} == {"none"}
    assert set(configs["ssd-local"]) == {LayerConfig("ssd", "none", (8, 8))}
    assert set(configs["ssd"]) == {LayerConfig("ssd", "none", (8, 8), local=False)}
    for name, window in (("causal-full", None), ("causal-195", 195)):
        assert {(x.kind, x.window) for x in configs[name]} == {("attention", window)}
        assert [x.key for x in configs[name]] == [x.key for x in ours]


def test_no_engine_is_given_a_baseline(tmp_path):
    config = WorldConfig.load(files("longtake_training") / "configs" / "tiny.json")
    layer = LayerConfig("attention", "ray", (4, 4))
    model = WorldModel(WorldConfig(**{**config.to_dict(), "layers": [vars(layer)]}))
    with pytest.raises(ValueError, match="no engine runs"):
        export_package(model, tmp_path / "package", {"name": "causal-full"}, "")
    assert not (tmp_path / "package").exists()


def test_a_base_is_changed_field_by_field(tmp_path):
    (tmp_path / "a.json").write_text('{"name": "a", "model": {"x": 1, "y": 2}, "training": {"z": 3}}')
    (tmp_path / "b.json").write_text('{"base": "a.json", "name": "b", "model": {"y": 5}}')
    assert read_config(tmp_path / "b.json") == {"name": "b", "model": {"x": 1, "y": 5}, "training": {"z": 3}}


def run_here(piece, commands, environments, together=True):
    """Piece.run in this process: importing PyTorch six times over would be most of the test."""
    for _, _, name, *arguments in commands:
        importlib.import_module(name).main(arguments)
    return True


def test_the_comparison_goes_on_in_a_second_call(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(baselines, "keep_compiled", lambda folder: None)
    monkeypatch.setattr(Piece, "run", run_here)
    (tmp_path / "data").mkdir()
    program = "import sys, pathlib, tiny; out = pathlib.Path(sys.argv[1]); tiny.write_walks(out); (out/'done').touch()"
    render = shlex.join([sys.executable, "-c", program, "{data}"])
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    configs = tmp_path / "configs"
    configs.mkdir()
    shutil.copy(files("longtake_training") / "configs" / "tiny.json", tmp_path / "tiny.json")
    scan = {"layers": [{"kind": "ssd", "key": "point", "block": [4, 4]}]}
    ours = {"base": "../tiny.json", "model": scan, "training": TINY_TRAINING}
    (configs / "ours.json").write_text(json.dumps(ours))
    causal = [{"kind": "attention", "key": "ray", "block": [4, 4], "window": 15}]
    content = {"base": "ours.json", "title": "Causal", "model": {"layers": causal}}
    (configs / "causal-195.json").write_text(json.dumps(content))
    sizes = json.dumps({"clips": 2, "retrieval": [20, 10], "reasoning": [20, 10]})

    def call(seconds, *more):
        baselines.main(
            [f"--configs={configs}", f"--render={render}", f"--data={tmp_path / 'data'}", f"--out={tmp_path / 'out'}",
             "--frames=320", "--first-walks=3", "--walks=3", f"--sizes={sizes}", f"--seconds={seconds}", "--grace=300",
             *more]
        )  # fmt: skip
        return capsys.readouterr().out, json.loads((tmp_path / "out" / "baselines.json").read_text())

    printed, rows = call(0)
    assert "Call again" in printed and [x["frames"] for x in rows] == [160, 0]
    with pytest.raises(SystemExit, match="no baseline other; there are"):
        call(600, "--only=ours,other")
    _, rows = call(0, "--only=causal-195")
    assert [x["name"] for x in rows] == ["causal-195"]
    printed, rows = call(600)
    assert "All are finished." in printed and [x["name"] for x in rows] == ["ours", "causal-195"]
    assert [x["frames"] for x in rows] == [320, 320] and rows[1]["probes"][-1]["length"] == 160
    for row in rows:
        assert {y["task"] for y in row["figures"].values()} == {"retrieval", "reasoning"}
    assert "| Causal |" in (tmp_path / "out" / "baselines.md").read_text()
