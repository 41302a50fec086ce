import numpy as np
import pytest
import torch
from tiny import tiny_config

from longtake_training import protocols
from longtake_training.codec import encode_patches
from longtake_training.data.shards import write_shard
from longtake_training.evaluate import evaluate
from longtake_training.export import condition
from longtake_training.metrics import gaussian_ssim
from longtake_training.model import WorldModel
from longtake_training.protocols import Damage, Protocol, liveliness, pixel_mask, protocol_clip
from longtake_training.training_data import WalkPool

LEVELS = (1.0, 0.0)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Two walks of 90 frames; frame i of walk w is filled with the grey value 2 * i + w, and walks right."""
    folder = tmp_path_factory.mktemp("walks")
    poses = np.zeros((1, 90, 7))
    poses[..., 0], poses[..., 3] = np.arange(90), 1
    for w in range(2):
        values = (2 * np.arange(90) + w).astype(np.uint8)[:, None, None, None]
        frames = np.broadcast_to(values, (90, 16, 16, 3))
        write_shard(folder, w, frames[None], poses, np.zeros((1, 90, 3)), np.ones((9, 9)))
    pool = WalkPool(folder, 2, torch.device("cpu"))
    pool.wait_for(2, 30)
    return pool


def frames_of(clip):
    """Which stored frame each frame of a clip shows, from the first token: [B, T]."""
    value = (clip.latents[:, :, 0, 0] + 1) * 127.5
    walk = torch.arange(len(value))[:, None]
    return ((value - walk) / 2).round().int()


def test_the_way_back_and_a_gap(pool):
    config = tiny_config()
    clip, given = protocol_clip(pool, config, Protocol("retrieval", 30, 20, LEVELS, 2))
    assert given == 30 and frames_of(clip)[1].tolist() == [*range(30), *range(29, 9, -1)]
    assert not clip.mask[:, :30].any() and clip.mask[:, 30:].all()
    clip, given = protocol_clip(pool, config, Protocol("gap", 30, 10, LEVELS, 2))
    assert given == 50 and frames_of(clip)[0].tolist() == [*range(40, 60), *range(40)]
    assert torch.equal(clip.times, frames_of(clip).long())


def test_missing_frames_leave_whole_chunks_with_true_times(pool):
    config, damage = tiny_config(), Damage(missing=0.2)
    clip, given = protocol_clip(pool, config, Protocol("gap", 30, 10, LEVELS, 2, damage))
    assert given == 40 and torch.equal(clip.times, frames_of(clip).long())
    assert (clip.times[:, 0] == 40).all() and (clip.times == 0).any(1).all()
    assert clip.times[:, 40:].tolist() == [[*range(30, 40)]] * 2
    assert not torch.equal(clip.times[0], clip.times[1])


def test_a_camera_jump_changes_the_order_of_what_was_seen(pool):
    config, damage = tiny_config(), Damage(camera_jump=True)
    clip, _ = protocol_clip(pool, config, Protocol("retrieval", 20, 20, LEVELS, 2, damage))
    assert frames_of(clip)[0].tolist() == [*range(9, -1, -1), *range(10, 20), *range(19, -1, -1)]
    assert clip.times[0].tolist() == list(range(40))
    # Poses move with the pictures: relative to the sequence's first frame, which shows place 9.
    torch.testing.assert_close(clip.rays[0, :, 0, 0], frames_of(clip)[0].float() - 9, atol=1e-4, rtol=0)


def test_noise_and_occlusion_touch_given_frames_alone(pool):
    config = tiny_config()
    plain, given = protocol_clip(pool, config, Protocol("reasoning", 60, 20, LEVELS, 2))
    noisy, _ = protocol_clip(pool, config, Protocol("reasoning", 60, 20, LEVELS, 2, Damage(noise=0.1)))
    covered, _ = protocol_clip(pool, config, Protocol("reasoning", 60, 20, LEVELS, 2, Damage(occlusion=4)))
    for other in (noisy, covered):
        assert torch.equal(other.latents[:, given:], plain.latents[:, given:])
    difference = (noisy.latents - plain.latents)[:, 20:given]
    assert abs(difference.std().item() - 0.2) < 0.01
    gone = (covered.latents[:, :given] == 0).all(-1)
    # Half of the picture for 4 frames in every 20.
    assert gone.sum().item() == 2 * 3 * 4 * config.tokens // 2


def test_every_protocol_runs(pool):
    model = condition(WorldModel(tiny_config())).eval()
    for task in protocols.TASKS:
        result = evaluate(model, pool, Protocol(task, 0 if task == "cold" else 30, 10, LEVELS, 2), torch.float32)
        if task == "cold":
            assert set(result["liveliness"]) == {"spread", "change", "collapsed"}
        else:
            assert 3 < result["psnr"] < 60 and result["given"] == (50 if task == "gap" else 30)
            assert result["freeze"] > 10
    with pytest.raises(ValueError, match="whole number of chunks"):
        evaluate(model, pool, Protocol("retrieval", 28, 10, LEVELS, 2), torch.float32)


def test_only_the_hole_counts_as_hole(pool):
    config = tiny_config()
    mask = protocol_clip(pool, config, Protocol("region", 30, 40, LEVELS, 1))[0].mask[0, 30:]
    assert (mask.sum(1) == 4).all() and len({tuple(x.tolist()) for x in mask}) > 3
    picture = torch.where(pixel_mask(mask, config), 255, 0).to(torch.uint8)[..., None].expand(-1, -1, -1, 3)
    assert torch.equal(encode_patches(picture, config.codec.patch).mean(-1) > 0, mask)


def test_collapse_is_seen():
    generator = torch.Generator().manual_seed(0)
    true = torch.randint(0, 256, (3, 16, 8, 8, 3), generator=generator, dtype=torch.uint8)
    made = true.clone()
    assert liveliness(made, true) == {"spread": [1.0] * 4, "change": [1.0] * 4, "collapsed": 0.0}
    made[0, 8:] = 128
    made[1, 8:] = made[1, 8:9]
    assert liveliness(made, true)["collapsed"] == pytest.approx(2 / 3)


def test_gaussian_ssim_is_scikit_images():
    from skimage.metrics import structural_similarity

    random = np.random.default_rng(2)
    a = random.integers(0, 256, (2, 24, 24, 3), dtype=np.uint8)
    b = np.clip(a + random.normal(0, 30, a.shape), 0, 255).astype(np.uint8)
    theirs = [
        structural_similarity(
            x, y, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
        )
        for x, y in zip(a, b, strict=True)
    ]
    ours = gaussian_ssim(torch.from_numpy(a), torch.from_numpy(b))
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-4)
