import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from tiny import TINY_TRAINING, random_clip, tiny_config, write_walks

from longtake_training import evaluate, metrics, train
from longtake_training.model import WorldConfig, WorldModel
from longtake_training.optimiser import orthogonalise
from longtake_training.package import package_tensors, read_weights, write_safetensors
from longtake_training.settings import Settings
from longtake_training.tasks import TaskMix, draw_sample, rectangles_to_mask
from longtake_training.training_data import BatchMaker, WalkPool


@pytest.fixture(scope="module")
def walks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walks")
    write_walks(folder)
    return folder


def test_a_run_learns_saves_and_resumes(walks, tmp_path, monkeypatch):
    config = json.loads((files("longtake_training") / "configs" / "tiny.json").read_text())
    config["training"] = dict(TINY_TRAINING)
    (tmp_path / "config.json").write_text(json.dumps(config))

    def run(steps, *more):
        train.main(
            [
                f"--config={tmp_path / 'config.json'}",
                f"--data={walks / 'train'}",
                f"--held-out={walks / 'heldout'}",
                f"--out={tmp_path / 'run'}",
                "--minutes=30",
                f"--steps={steps}",
                "--walks=3",
                "--first-walks=3",
                "--probe-seconds=1000",
                "--final-clips=2",
                "--final-frames",
                "10",
                "10",
                *more,
            ]
        )
        lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    log = run(30)
    fresh = WorldModel(WorldConfig.load(tmp_path / "config.json"))
    held_out = WalkPool(walks / "heldout", 2, torch.device("cpu"))
    held_out.wait_for(2, 30)
    before = sum(evaluate.probe(fresh, held_out, 160, 2, torch.float32).values())
    after = sum([x["probe"] for x in log if "probe" in x][-1].values())
    assert log[-2]["final"]["psnr"] > 5 and (tmp_path / "run" / "final-reasoning.png").exists()
    assert log[-1]["finished"] and after > before + 0.8
    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert saved["step"] == 30 and any(x.abs().max() > 0 for x in saved["optimiser"]["muon"])

    # A process that must stop at once leaves a run that the next one ends, through the few-step stage.
    config["training"]["few_step"] = {"start": 0.85, "share": 1.0, "structure": 0.02}
    (tmp_path / "config.json").write_text(json.dumps(config))
    stopped = run(37, "--stop-after=0", "--final-clips=0")[-1]
    assert 30 < stopped["step"] < 37 and stopped["stopped"] < 1
    # A minute spent on what stands before the stage is none of training.
    real = train.Run._begin_few_step
    monkeypatch.setattr(train.Run, "_begin_few_step", lambda run, held_out: real(run, held_out) + 60)
    again = run(37, "--final-clips=0")
    assert sum("resumed" in x for x in again) == 2 and again[-1] == {**again[-1], "step": 37, "finished": True}
    assert again[-1]["seconds"] < stopped["seconds"]
    before, end = (read_weights(tmp_path / "run" / x) for x in ("ema-before-few-step.safetensors", "ema.safetensors"))
    assert before.keys() == end.keys() and (before["layers.0.mlp.up"] != end["layers.0.mlp.up"]).any()


def test_learned_frequencies_move_and_are_kept_exactly(walks, tmp_path):
    config = json.loads((files("longtake_training") / "configs" / "tiny.json").read_text())
    config["training"] = {**TINY_TRAINING, "frequency_rate": 0.002}
    (tmp_path / "config.json").write_text(json.dumps(config))
    fresh = WorldModel(WorldConfig.load(tmp_path / "config.json"))
    for steps in (2, 3):  # the second process goes on with the first one's averages
        train.main(
            [f"--config={tmp_path / 'config.json'}", f"--data={walks / 'train'}", f"--held-out={walks / 'heldout'}",
             f"--out={tmp_path}", "--minutes=30", f"--steps={steps}", "--walks=3", "--first-walks=3",
             "--final-clips=0"]
        )  # fmt: skip
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    learned = read_weights(tmp_path / "ema.safetensors")["ray.frequencies"]
    assert learned.dtype == torch.float32 and torch.equal(learned, saved["ema"]["ray.frequencies"])
    moved = (saved["model"]["ray.frequencies"] - fresh.ray.frequencies).abs()
    # The walks' camera turns and stays where it is: only what is multiplied with directions can learn.
    assert 0.0005 < moved.max() < 0.01 and (moved[:, 3:] > 0).all() and not moved[:, :3].any()
    assert torch.equal(saved["model"]["point.frequencies"], fresh.point.frequencies)
    # A network that does not learn them reads them, and a package stores them as they are.
    model = evaluate.load_model(tmp_path / "config.json", tmp_path / "ema.safetensors", torch.device("cpu"))
    write_safetensors(tmp_path / "weights.safetensors", package_tensors(model.state_dict()))
    assert torch.equal(read_weights(tmp_path / "weights.safetensors")["ray.frequencies"], learned)


def test_half_of_the_steps_have_clips_of_half_the_length():
    settings = Settings(2560, [(640, 0.0), (1280, 0.5)], 1e-3, 1e-3, 0.0, 10, 0.5, 0.99, halved=0.5)
    lengths = [settings.length_of_step(0.6, step) for step in range(200)]
    assert set(lengths) == {640, 1280} and 70 < lengths.count(640) < 130
    assert settings.length_of_step(0.6, 7) == settings.length_of_step(0.6, 7) and settings.length_at(0.6) == 1280
    assert {replace(settings, halved=0.0).length_of_step(0.2, step) for step in range(50)} == {640}


def test_batches_of_two_lengths_take_turns(walks):
    pool = WalkPool(walks / "train", 3, torch.device("cpu"))
    pool.wait_for(3, 30)
    batches = BatchMaker(pool, tiny_config(), 320, TaskMix(), seed=1)
    shapes = [tuple(batches.next(length).level.shape) for length in (320, 160, 320, 160)]
    assert shapes == [(1, 320), (2, 160)] * 2


def test_samples_are_what_their_task_says():
    random, mix = np.random.default_rng(1), TaskMix()
    seen = set()
    for _ in range(400):
        sample = draw_sample(random, length=160, walk=340, rows=4, columns=4, chunk=5, mix=mix)
        seen.add(sample.task)
        mask = rectangles_to_mask(sample.rectangle, 4, 4)
        assert sample.frames.min() >= 0 and sample.frames.max() < 340
        assert sorted(sample.times) == list(range(160))
        assert mask.any() and ((sample.level > 0) & (sample.level <= 1)).all()
        touched = mask.any(1)
        if sample.task == "gap":
            first = int(np.argmax(sample.times == 0))
            assert first > 0 and not touched[: first + 1].any()
            assert sample.times[0] > sample.times[touched].max()
            # Time runs forward or back through the stored walk one step at a time, whatever the order.
            steps = np.diff(sample.frames[np.argsort(sample.times)])
            assert set(np.abs(steps)) == {1}
        elif sample.task == "region":
            assert (mask.sum(1) < 16).all()
        elif sample.task == "free":
            assert touched.all()
        else:
            assert not touched[0] and mask[touched].all()
    assert seen == set(mix.shares)


def test_ssim_is_scikit_images():
    random = np.random.default_rng(2)
    a = random.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    b = np.clip(a + random.normal(0, 30, a.shape), 0, 255).astype(np.uint8)
    ours = metrics.ssim(torch.from_numpy(a), torch.from_numpy(b))
    theirs = [structural_similarity(x, y, channel_axis=-1) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-4)


def test_psnr_of_a_known_error():
    a = torch.zeros(2, 8, 8, 3, dtype=torch.uint8)
    b = a + torch.tensor([51, 0], dtype=torch.uint8).view(2, 1, 1, 1)
    torch.testing.assert_close(metrics.psnr(a, b), torch.tensor([20 * np.log10(5), 100.0]).float())


def test_a_blurred_picture_is_less_sharp():
    stripes = torch.zeros(1, 8, 8, 3, dtype=torch.uint8)
    stripes[:, :, ::2] = 100
    # Every neighbour across differs by 100, none down.
    assert metrics.sharpness(stripes).item() == pytest.approx(50)
    assert metrics.sharpness(stripes // 2).item() == pytest.approx(25)


def test_orthogonalised_matrices_have_even_singular_values():
    singular = torch.linalg.svdvals(orthogonalise(torch.randn(2, 48, 16)).float())
    assert singular.min() > 0.5 and singular.max() < 1.4


def test_layers_computed_again_give_the_same_gradients():
    config = tiny_config()
    model = WorldModel(config)
    clip = random_clip(config, clips=2, frames=160)

    def gradients():
        model.zero_grad()
        model.predict(**clip, dtype=torch.float32).square().mean().backward()
        return [p.grad.clone() for p in model.parameters()]

    kept = gradients()
    while model.recompute_more():
        for a, b in zip(kept, gradients(), strict=True):
            torch.testing.assert_close(a, b)
    assert model.recomputed == len(config.layers)


def test_a_step_that_runs_out_of_memory_is_done_again_with_less(walks, tmp_path, monkeypatch, capsys):
    config = json.loads((files("longtake_training") / "configs" / "tiny.json").read_text())
    config["training"] = dict(TINY_TRAINING)
    (tmp_path / "config.json").write_text(json.dumps(config))
    real, calls = train.training_loss, []

    def starved(model, *arguments):
        noise = torch.get_rng_state()
        loss, counts = real(model, *arguments)
        calls.append(model.recomputed)
        if len(calls) == 2:
            # As a backward pass that fails half way: gradients of some parameters are there.
            next(model.parameters()).grad.fill_(1e6)
            torch.set_rng_state(noise)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return loss, counts

    def run(name):
        torch.manual_seed(0)
        arguments = [
            f"--config={tmp_path / 'config.json'}", f"--data={walks / 'train'}", f"--held-out={walks / 'heldout'}",
            f"--out={tmp_path / name}", "--minutes=30", "--steps=3", "--walks=3", "--first-walks=3",
            "--final-clips=0",
        ]  # fmt: skip
        train.main(arguments)
        lines = (tmp_path / name / "log.jsonl").read_text().splitlines()
        return [json.loads(line)["loss"] for line in lines if "loss" in line and "norm" in line]

    plain = run("plain")
    monkeypatch.setattr(train, "training_loss", starved)
    again = run("again")
    assert calls == [0, 0, 2, 2]
    assert "out of memory, 2 layers recomputed" in capsys.readouterr().out
    np.testing.assert_allclose(again, plain, rtol=1e-3)
