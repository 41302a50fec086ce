import json

import numpy as np
import pytest

from longtake_training.data.camera import walker_to_pose
from longtake_training.data.examples import CONTINUATION, PREFIX, Example, example_walk
from longtake_training.data.folders import read_clip, write_clip
from longtake_training.data.seeds import SPLITS, maze_seed
from longtake_training.data.shards import list_shards, read_shard, shard_path, write_shard

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (7, 6, 8, 3), dtype=np.uint8)
POSES = walker_to_pose(RNG.uniform(0, 9, (7, 3)))


def test_a_clip_folder_comes_back_as_it_was_written(tmp_path):
    poses = POSES.copy()
    poses[3] = np.nan
    write_clip(tmp_path / "clip", FRAMES, poses, 80.0)
    clip = read_clip(tmp_path / "clip")
    np.testing.assert_array_equal(clip.frames, FRAMES)
    np.testing.assert_allclose(clip.poses, poses, atol=1e-7)
    assert clip.vertical_fov == 80.0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip"]


def test_camera_json_is_a_camera_track(tmp_path):
    poses = POSES.copy()
    poses[0, 2] = np.nan
    write_clip(tmp_path / "clip", FRAMES, poses, 80.0)
    track = json.loads((tmp_path / "clip" / "camera.json").read_text())
    assert set(track) == {"verticalFov", "poses"}
    assert track["poses"][0] is None
    assert set(track["poses"][1]) == {"position", "orientation"}
    assert len(track["poses"][1]["position"]) == 3 and len(track["poses"][1]["orientation"]) == 4


def test_writing_again_replaces_the_folder(tmp_path):
    write_clip(tmp_path / "clip", FRAMES, POSES, 80.0)
    write_clip(tmp_path / "clip", FRAMES[:2], POSES[:2], 80.0)
    assert len(read_clip(tmp_path / "clip").frames) == 2


def test_damaged_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="7 frames but 6 poses"):
        write_clip(tmp_path / "clip", FRAMES, POSES[:6], 80.0)
    write_clip(tmp_path / "clip", FRAMES, POSES, 80.0)
    (tmp_path / "clip" / "0006.png").unlink()
    with pytest.raises(ValueError, match="7 poses for 6 frames"):
        read_clip(tmp_path / "clip")
    (tmp_path / "clip" / "0002.png").unlink()
    with pytest.raises(ValueError, match="without a gap"):
        read_clip(tmp_path / "clip")


def test_a_folder_without_camera_has_unknown_poses(tmp_path):
    write_clip(tmp_path / "clip", FRAMES, POSES, 80.0)
    (tmp_path / "clip" / "camera.json").unlink()
    clip = read_clip(tmp_path / "clip")
    assert np.isnan(clip.poses).all() and clip.vertical_fov is None


def test_shards_come_back_and_unfinished_ones_are_not_listed(tmp_path):
    frames = RNG.integers(0, 256, (2, 5, 64, 64, 3), dtype=np.uint8)
    walker = RNG.uniform(0, 9, (2, 5, 3))
    layout = RNG.integers(0, 2, (9, 9), dtype=np.uint8)
    write_shard(tmp_path, 1_000_012, frames, walker_to_pose(walker), walker, layout)
    write_shard(tmp_path, 1_000_003, frames, walker_to_pose(walker), walker, layout)
    (tmp_path / ".maze-001000004.npz.1.part").write_bytes(b"half")
    assert list_shards(tmp_path) == [shard_path(tmp_path, 1_000_003), shard_path(tmp_path, 1_000_012)]
    shard = read_shard(list_shards(tmp_path)[1])
    np.testing.assert_array_equal(shard["frames"], frames)
    np.testing.assert_allclose(shard["poses"], walker_to_pose(walker), atol=1e-6)
    np.testing.assert_allclose(shard["walker"], walker, atol=1e-6)
    np.testing.assert_array_equal(shard["layout"], layout)
    assert shard["seed"] == 1_000_012


def test_splits_share_no_seed():
    assert set(SPLITS) == {"train", "heldout"}
    train, heldout = SPLITS["train"], SPLITS["heldout"]
    assert heldout.stop <= train.start
    assert maze_seed("heldout", 5) in heldout and maze_seed("train", 5) in train
    for split in SPLITS:
        with pytest.raises(ValueError, match="outside"):
            maze_seed(split, len(SPLITS[split]))
    with pytest.raises(ValueError, match="Unknown split"):
        maze_seed("test", 0)


def test_the_way_back_ends_where_the_clip_began():
    plan = np.ones((9, 9), dtype=np.uint8)
    walk = example_walk(plan, 5, Example("x", number=0, walk=0, way_back=True))
    assert len(walk) == PREFIX + CONTINUATION
    np.testing.assert_array_equal(walk[PREFIX : 2 * PREFIX - 1], walk[: PREFIX - 1][::-1])
    np.testing.assert_array_equal(walk[-1], walk[0])
    onward = example_walk(plan, 5, Example("x", number=0, walk=0, way_back=False))
    np.testing.assert_array_equal(onward[:PREFIX], walk[:PREFIX])
    assert not np.array_equal(onward[-1], onward[0])
