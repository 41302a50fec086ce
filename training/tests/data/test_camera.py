import math

import numpy as np
import pytest

from longtake_training.data.camera import (
    VERTICAL_FOV,
    project,
    relative_to_first,
    rotation_matrix,
    walker_to_pose,
)


def axes(walker):
    matrix = rotation_matrix(walker_to_pose(np.array(walker))[3:])
    return {"right": matrix[:, 0], "up": matrix[:, 1], "forward": -matrix[:, 2]}


@pytest.mark.parametrize("heading", [-3.0, -1.2, 0.0, 0.7, math.pi / 2, 3.1])
def test_camera_looks_where_the_walker_heads_and_slightly_down(heading):
    camera = axes([2.0, 3.0, heading])
    level = math.hypot(camera["forward"][0], camera["forward"][2])
    # The plan's y axis is the world's -z axis.
    np.testing.assert_allclose(camera["forward"][[0, 2]] / level, [math.cos(heading), -math.sin(heading)], atol=1e-12)
    assert math.degrees(math.atan2(camera["forward"][1], level)) == pytest.approx(-5.7106, abs=1e-3)
    assert camera["right"][1] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(np.cross(camera["right"], camera["up"]), -camera["forward"], atol=1e-12)


def test_quaternions_are_unit_with_positive_w():
    walkers = np.random.default_rng(0).uniform(-4, 4, (200, 3))
    quaternions = walker_to_pose(walkers)[:, 3:]
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1, atol=1e-12)
    assert (quaternions[:, 0] >= 0).all()


def test_turning_left_moves_the_picture_to_the_right():
    pole = np.array([5.0, 0.4, -2.0])  # one plan unit wide of the middle: plan position (5, 2)
    before, _ = project(pole, walker_to_pose(np.array([2.0, 2.0, 0.0])), 64, 64)
    after, _ = project(pole, walker_to_pose(np.array([2.0, 2.0, 0.32])), 64, 64)
    assert before[0] == pytest.approx(32)
    assert after[0] > before[0] + 10


def test_points_left_and_above_appear_left_and_above():
    pose = walker_to_pose(np.array([2.0, 2.0, 0.0]))
    middle, depth = project(np.array([6.0, 0.45, -2.0]), pose, 64, 64)
    left, _ = project(np.array([6.0, 0.45, -3.0]), pose, 64, 64)
    above, _ = project(np.array([6.0, 1.45, -2.0]), pose, 64, 64)
    assert depth > 0 and left[0] < middle[0] and above[1] < middle[1]
    _, behind = project(np.array([0.0, 0.45, -2.0]), pose, 64, 64)
    assert behind < 0


def test_the_field_of_view_ends_at_the_edge_of_the_picture():
    pose = np.array([0, 0, 0, 1.0, 0, 0, 0])
    edge = math.tan(math.radians(VERTICAL_FOV) / 2)
    corner, _ = project(np.array([-edge, edge, -1.0]) * 3, pose, 64, 64)
    np.testing.assert_allclose(corner, [0, 0], atol=1e-9)


def test_relative_poses_see_points_at_the_same_pixels():
    poses = walker_to_pose(np.random.default_rng(1).uniform(-2, 2, (20, 3)))
    relative = relative_to_first(poses)
    np.testing.assert_allclose(relative[0], [0, 0, 0, 1, 0, 0, 0], atol=1e-12)
    point = np.array([1.0, 0.2, -7.0])
    seen_first = (point - poses[0, :3]) @ rotation_matrix(poses[0, 3:])
    for pose, moved in zip(poses, relative, strict=True):
        expected, depth = project(point, pose, 64, 64)
        found, found_depth = project(seen_first, moved, 64, 64)
        np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
        assert found_depth == pytest.approx(depth)
