from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import random_clip, tiny_config

from longtake_training.codec import decode_patches, encode_patches
from longtake_training.export import condition
from longtake_training.few_step import FewStep, given_before, own_batch, own_frames
from longtake_training.losses import structure_loss, training_loss
from longtake_training.metrics import ssim
from longtake_training.model import WorldModel
from longtake_training.sampler import LEVELS, Chunk, commit, denoise
from longtake_training.training_data import Batch


@pytest.fixture(scope="module")
def model():
    return condition(WorldModel(tiny_config(), seed=3)).eval()


@pytest.fixture
def batch(model):
    clip = random_clip(model.config, clips=2, frames=160)
    clip["mask"][:, :100] = False
    level = clip.pop("level").clamp_min(0.01)
    return Batch(Chunk(clip.pop("z"), clip.pop("mask"), **clip), level)


def test_a_single_chunk_is_made_as_the_sampler_makes_it(model, batch):
    chunk = replace(batch.chunk, mask=batch.chunk.mask.clone())
    chunk.mask[:, :-5] = False
    torch.manual_seed(5)
    own, visited = own_frames(model, Batch(chunk, batch.level), LEVELS[4], 2, torch.float32)
    torch.manual_seed(5)
    noise = torch.randn_like(chunk.latents)[:, -5:]
    with torch.no_grad():
        state = commit(model, chunk.cut(0, 155), None)
        last = chunk.cut(155, 160)
        torch.testing.assert_close(own[:, -5:], denoise(model, last, LEVELS[4], noise, state), atol=2e-4, rtol=2e-4)
        # Before its third pass the sampler stands where two passes down to that level end.
        before = denoise(model, last, [1.0, 0.5], noise, state)
        half = LEVELS[4][2] / LEVELS[4][1]
        predicted, _ = model(
            before,
            torch.full((2, 5), 0.5),
            last.mask,
            last.rays,
            last.known,
            last.times,
            state=state,
        )
        expected = torch.where(last.mask[..., None], predicted + half * (before - predicted), last.latents)
    torch.testing.assert_close(visited[:, -5:], expected, atol=2e-4, rtol=2e-4)
    assert torch.equal(own[:, :-5], chunk.latents[:, :-5])


def test_own_frames_are_committed_and_the_rest_is_to_be_predicted(model, batch):
    where = batch.chunk.mask
    seen = set()
    for seed in range(4):
        settings = FewStep(start=0.0, committed=[0.5, 1.0][seed % 2], visited=seed // 2, near=-50, steps=(2,))
        made, z, committed = own_batch(model, batch, settings, np.random.default_rng(seed), torch.float32)
        by_chunk = committed.unflatten(1, (-1, 5))
        assert torch.equal(by_chunk.any(-1), by_chunk.all(-1))
        assert torch.equal(made.chunk.mask, where & ~committed[..., None]) and made.chunk.mask.any(2).any(1).all()
        assert torch.equal(z[~where], batch.chunk.latents[~where])
        assert torch.equal(made.chunk.latents, batch.chunk.latents)
        given = where & committed[..., None]
        if given.any():
            assert (z[given] - batch.chunk.latents[given]).abs().mean() > 0.1
        changed = (made.level != batch.level)[:, 100:].all(1)
        assert set(made.level[changed, 100:].flatten().tolist()) <= {1.0, 0.5}
        seen |= {int(changed.sum())}
    assert seen == {0, 2}


def test_what_memory_does_not_know_is_trained_as_before(model, batch):
    """Chunk 25 is made right to the last bit (its truth is what will be made of it); all else is far from the truth."""
    size, settings = model.config.frames_per_chunk, FewStep(start=0.0, committed=1.0, visited=0.0, steps=(1,))
    torch.manual_seed(5)
    own, _ = own_frames(model, batch, LEVELS[1], 0, torch.float32)
    known = slice(25 * size, 26 * size)
    batch.chunk.latents[:, known] = own[:, known]
    torch.manual_seed(5)
    made, z, committed = own_batch(model, batch, settings, np.random.default_rng(0), torch.float32)
    assert committed[:, known].all() and committed.sum() == 2 * size
    assert torch.equal(made.level, batch.level) and made.chunk.mask[:, 26 * size :].any()
    torch.testing.assert_close(z[:, known], own[:, known], atol=1e-5, rtol=0)
    on_path = replace(settings, committed=0.0, visited=1.0)
    batch.level[:] = 0.3
    torch.manual_seed(5)
    made, z, committed = own_batch(model, batch, on_path, np.random.default_rng(0), torch.float32)
    assert not committed.any() and (made.level[:, known] == 1).all() and (made.level == 1).sum() == 2 * size


def test_own_chunks_serve_only_after_enough_was_given(model, batch):
    # One free clip and one with a prefix of four chunks, a given chunk in its midst, and halves of frames at its end.
    batch.chunk.mask[:] = True
    batch.chunk.mask[1, :20] = batch.chunk.mask[1, 100:105] = False
    batch.chunk.mask[1, 140:, ::2] = False
    before = given_before(batch, 5)
    assert not before[0].any()
    assert before[1].tolist() == [0, 5, 10, 15] + [20] * 17 + [25] * 8 + [27.5, 30, 32.5]
    settings = FewStep(start=0.0, committed=1.0, visited=0.0, near=-50, steps=(1,), given=22)
    _, _, committed = own_batch(model, batch, settings, np.random.default_rng(0), torch.float32)
    assert not committed[0].any()
    assert committed[1].nonzero().flatten().tolist() == list(range(105, 160))
    on_path = replace(settings, committed=0.0, visited=1.0)
    batch.level[:] = 0.3
    made, _, _ = own_batch(model, batch, on_path, np.random.default_rng(0), torch.float32)
    assert (made.level[0] != 1).all() and (made.level[1] == 1).nonzero().flatten().tolist() == list(range(105, 160))


def test_the_stage_has_gradients_through_what_was_committed(model, batch):
    settings = FewStep(start=0.0, near=-50, steps=(1,))
    made, z, committed = own_batch(model, batch, settings, np.random.default_rng(0), torch.float32)
    z.requires_grad_()
    loss, counts = training_loss(model, made, torch.float32, z, structure=0.1)
    (grad,) = torch.autograd.grad(loss, z)
    given = batch.chunk.mask & committed[..., None]
    assert given.any() and grad[given].abs().max() > 0
    assert counts[:, 1].sum() == made.chunk.mask.sum()


def test_structure_loss_is_the_lack_of_ssim(model):
    config = model.config
    frames = torch.randint(0, 256, (2, 3, 16, 16, 3), dtype=torch.uint8)
    noisy = (frames.float() + 40 * torch.randn(frames.shape)).clamp(0, 255).to(torch.uint8)
    true, made = (encode_patches(x, config.codec.patch) for x in (frames, noisy))
    mask = torch.ones(2, 3, config.tokens, dtype=torch.bool)
    mask[:, 0] = False
    loss = structure_loss(config, made, true, mask)
    torch.testing.assert_close(
        1 - loss, ssim(noisy[:, 1:].flatten(0, 1), frames[:, 1:].flatten(0, 1)).mean(), atol=1e-4, rtol=0
    )
    assert structure_loss(config, true, true, mask).abs() < 1e-5
    # Tokens that were given count as they are.
    mask[:, 1:, 5] = False
    patched = torch.where(mask[..., None], made, true)
    pictures = decode_patches(patched, config.rows, config.columns, config.codec.patch)
    expected = ssim(pictures[:, 1:].flatten(0, 1), frames[:, 1:].flatten(0, 1)).mean()
    torch.testing.assert_close(1 - structure_loss(config, made, true, mask), expected, atol=1e-4, rtol=0)
