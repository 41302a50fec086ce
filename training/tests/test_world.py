from dataclasses import replace

import pytest
import torch
from tiny import random_clip, tiny_config

from longtake_training.export import condition
from longtake_training.model import LayerConfig, WorldModel


@pytest.fixture(scope="module")
def model():
    return condition(WorldModel(tiny_config(), seed=3)).eval()


def test_training_path_equals_streaming_path(model):
    clip = random_clip(model.config, clips=2, frames=160)
    with torch.no_grad():
        whole = model.predict(**clip, dtype=torch.float32)
        streamed, state = model(**clip)
    assert state.committed == 32
    torch.testing.assert_close(whole, streamed, atol=2e-4, rtol=2e-4)


def test_chunk_by_chunk_equals_all_at_once(model):
    clip = random_clip(model.config, clips=2, frames=20)
    with torch.no_grad():
        whole, end = model(**clip)
        state, parts = None, []
        for start in range(0, 20, 5):
            part, state = model(**{k: v[:, start : start + 5] for k, v in clip.items()}, state=state)
            parts.append(part)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=2e-5, rtol=2e-5)
    for a, b in zip(end.layers, state.layers, strict=True):
        torch.testing.assert_close(a.scan, b.scan, atol=2e-5, rtol=2e-5)
        torch.testing.assert_close(a.keys, b.keys, atol=2e-5, rtol=2e-5)


def test_a_chunk_never_sees_what_comes_after(model):
    clip = random_clip(model.config, clips=1, frames=15)
    changed = {k: v.clone() for k, v in clip.items()}
    changed["z"][:, 10:] += 1
    with torch.no_grad():
        a, b = model(**clip)[0], model(**changed)[0]
    torch.testing.assert_close(a[:, :10], b[:, :10], atol=0, rtol=0)
    assert (a[:, 10:] - b[:, 10:]).abs().max() > 1e-3


def test_every_parameter_gets_a_gradient(model):
    clip = random_clip(model.config, clips=1, frames=160)
    model.zero_grad()
    model.predict(**clip, dtype=torch.float32).square().mean().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert silent == []
    model.zero_grad()


def test_unknown_camera_ignores_the_rays(model):
    clip = random_clip(model.config, clips=1, frames=5)
    clip["known"][:] = False
    other = dict(clip, rays=torch.randn_like(clip["rays"]))
    with torch.no_grad():
        torch.testing.assert_close(model(**clip)[0], model(**other)[0], atol=0, rtol=0)


def test_frames_must_fill_chunks(model):
    with pytest.raises(ValueError, match="chunks of 5"):
        model(**random_clip(model.config, clips=1, frames=7))


def attention_config(**changes):
    """Two layers of causal attention and a scan, one of them without frame-local attention."""
    whole = {"kind": "attention", "block": (4, 4)}
    layers = (
        LayerConfig(key="ray", window=15, **whole),
        LayerConfig(key="point", local=False, **whole),
        LayerConfig("ssd", "none", (4, 4), local=False),
    )
    return replace(tiny_config(), layers=layers, **changes)


def test_causal_attention_streams_as_it_trains():
    model = condition(WorldModel(attention_config(), seed=4)).eval()
    clip = random_clip(model.config, clips=2, frames=160)
    with torch.no_grad():
        whole = model.predict(**clip, dtype=torch.float32)
        state, parts = None, []
        for start, end in ((0, 120), (120, 125), (125, 135), (135, 160)):
            part, state = model(**{k: v[:, start:end] for k, v in clip.items()}, state=state)
            parts.append(part)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=2e-4, rtol=2e-4)
    limited, full = (layer.scan.shape[2] // model.config.tokens for layer in state.layers[:2])
    assert (limited, full) == (10, 160) and state.layers[1].keys is None


def test_a_window_of_attention_forgets_what_is_before_it():
    config = replace(attention_config(), layers=(LayerConfig("attention", "ray", (4, 4), window=15, local=False),))
    model = condition(WorldModel(config, seed=4)).eval()
    clip = random_clip(config, clips=1, frames=40)
    clip["known"][:] = True
    changed = {k: v.clone() for k, v in clip.items()}
    changed["z"][:, :5] += 1
    with torch.no_grad():
        difference = (model(**clip)[0] - model(**changed)[0]).abs().amax((0, 2, 3))
    # Chunk 2 sees chunk 0 by its window of three chunks; from chunk 3 on nothing is left of it.
    assert (difference[:15] > 0).all() and (difference[15:] == 0).all()


def test_windows_are_whole_chunks():
    with pytest.raises(ValueError, match="whole chunks"):
        replace(tiny_config(), layers=(LayerConfig("attention", "ray", (4, 4), window=12),))
    with pytest.raises(ValueError, match="whole chunks"):
        replace(tiny_config(), layers=(LayerConfig("ssd", "ray", (4, 4), window=10),))
