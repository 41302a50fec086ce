import json

import pytest
import torch
from tiny import tiny_config, write_walks

from longtake_training import suite
from longtake_training.export import condition
from longtake_training.model import WorldModel
from longtake_training.package import package_tensors, write_safetensors

SIZES = {"clips": 1, "steps": [1], "retrieval": [10, 5], "reasoning": [10, 5], "far_clips": 1}


@pytest.fixture
def arguments(tmp_path):
    """Of a worker, for a package of the tiny network."""
    write_walks(tmp_path / "data", frames=40)
    config = tiny_config()
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    write_safetensors(tmp_path / "weights.safetensors", package_tensors(condition(WorldModel(config)).state_dict()))
    return [
        f"--config={tmp_path / 'config.json'}", f"--weights={tmp_path / 'weights.safetensors'}",
        f"--data={tmp_path / 'data' / 'heldout'}", f"--out={tmp_path / 'out'}", f"--sizes={json.dumps(SIZES)}",
        "--only=2",
    ]  # fmt: skip


def test_workers_share_jobs_and_skip_finished_ones(arguments, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    assert suite.claim(out, 0) and not suite.claim(out, 0)
    suite.main([*arguments, "--worker=1"])
    assert list(suite.finished(out)) == ["reasoning, 1 steps"]
    suite.release_claims(out)
    suite.main([*arguments, "--worker=2"])
    assert [x["name"] for x in map(json.loads, (out / "figures-2.jsonl").read_text().splitlines())] == [
        "retrieval, 1 steps"
    ]
    assert list(json.loads((out / "figures.json").read_text())) == ["retrieval, 1 steps", "reasoning, 1 steps"]


def test_one_protocol_that_breaks_does_not_cost_the_others(arguments, tmp_path, monkeypatch):
    evaluate = suite.evaluate

    def short_of_memory(model, pool, protocol, *more):
        if protocol.task == "retrieval":
            raise torch.OutOfMemoryError("too large")
        return evaluate(model, pool, protocol, *more)

    monkeypatch.setattr(suite, "evaluate", short_of_memory)
    with pytest.raises(SystemExit, match="too large"):
        suite.main(arguments)
    assert list(suite.finished(tmp_path / "out")) == ["reasoning, 1 steps"]


def test_jobs_come_in_the_order_of_what_they_tell_and_fit_the_walks():
    jobs = suite.jobs(suite.Sizes())
    names = list(jobs)
    assert names[:5] == [
        "retrieval, 4 steps", "reasoning, 4 steps", "retrieval, 32 steps", "reasoning, 32 steps", "far retrieval",
    ]  # fmt: skip
    assert all(x.split(", ")[1] in suite.DAMAGES for x in names[5:13]) and names[13:16] == ["cold", "gap", "region"]
    assert names[16:] == [f"{task}, {steps} steps" for steps in (1, 2, 8) for task in ("retrieval", "reasoning")]
    assert len(jobs["retrieval, 32 steps"].levels) == 33 and len(jobs["far retrieval"].levels) == 5
    assert len(jobs) == 22
    for protocol in jobs.values():
        walked = protocol.context if protocol.task == "retrieval" else protocol.context + protocol.generate
        assert walked <= 800 and protocol.context % 5 == 0 and protocol.generate % 5 == 0
