"""Geometry and pictures of real mazes; needs the `maze` extra and a GL (Mesa on the CPU will do)."""

import ctypes.util
import importlib.util

import numpy as np
import pytest

from longtake_training.data.camera import CELL, project, rotation_matrix, walker_to_pose
from longtake_training.data.folders import read_clip
from longtake_training.data.gl import configure_gl
from longtake_training.data.seeds import maze_seed
from longtake_training.data.shards import list_shards, read_shard
from longtake_training.data.walk import is_free, random_walk

if any(importlib.util.find_spec(name) is None for name in ("mujoco", "dm_control", "labmaze", "memory_maze")):
    pytest.skip("the maze extra is not installed", allow_module_level=True)
if configure_gl() == "osmesa" and ctypes.util.find_library("OSMesa") is None:
    pytest.skip("libOSMesa (Debian: libosmesa6) is not installed", allow_module_level=True)

# MuJoCo chooses its GL when it is imported: not before configure_gl.
from longtake_training.data import render_folders, render_shards  # noqa: E402
from longtake_training.data.maze import CELLS, build_maze  # noqa: E402
from longtake_training.data.produce import process_renderer, record  # noqa: E402

SEED = maze_seed("heldout", 3)


@pytest.fixture(scope="module")
def maze():
    return build_maze(SEED)


@pytest.fixture(scope="module")
def renderer(maze):
    renderer = process_renderer()
    renderer.load(maze)
    return renderer


@pytest.fixture(scope="module")
def walk(maze):
    return random_walk(maze.layout, 60, np.random.default_rng(1))


def test_poses_equal_mujocos_own_camera(maze, renderer, walk):
    # MuJoCo's world: x, y on the floor from the middle of the maze, z up.
    to_world = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    for walker in walk:
        renderer.frame(walker)
        position, axes = renderer.camera_pose()
        pose = walker_to_pose(walker)
        np.testing.assert_allclose(to_world @ position / CELL + [CELLS / 2, 0, -CELLS / 2], pose[:3], atol=1e-9)
        np.testing.assert_allclose(to_world @ axes, rotation_matrix(pose[3:]), atol=1e-9)


def test_pictures_equal_memory_mazes_own(maze, renderer, walk):
    """Built from the same seed by memory-maze itself: same plan, same textures, same bits."""
    from memory_maze import tasks

    environment = tasks.memory_maze_9x9(target_color_in_image=False, global_observables=True, seed=SEED)
    observation = environment.reset().observation
    np.testing.assert_array_equal(observation["maze_layout"], maze.layout)
    direction = observation["agent_dir"]
    start = np.array([*observation["agent_pos"], np.arctan2(direction[1], direction[0])])
    renderer_picture = renderer.frame(start)
    np.testing.assert_array_equal(renderer_picture, observation["image"])


def test_spheres_appear_where_their_poses_say(maze, renderer):
    """Looking at each target from two cells' distance, its colour lies at the projected point and not beside it."""
    checked = 0
    for target, name in zip(maze.targets, ("red", "green", "blue"), strict=True):
        for angle in np.arange(0, 2 * np.pi, 0.4):
            eye = target[:2] - 0.9 * np.array([np.cos(angle), np.sin(angle)])
            if not is_free(maze.layout, *eye) or not maze.layout[int(target[1]), int(target[0])]:
                continue
            walker = np.array([*eye, angle + 0.3])
            # A point on the sphere (radius 0.3 cells, its middle on the floor) facing the walker.
            toward = (eye - target[:2]) / np.linalg.norm(eye - target[:2])
            plan = target[:2] + 0.2 * toward
            point = np.array([plan[0], target[2] + 0.15, -plan[1]])
            (column, row), depth = project(point, walker_to_pose(walker), 64, 64)
            picture = renderer.frame(walker).astype(int)
            assert depth > 0
            channel = ("red", "green", "blue").index(name)
            pixel = picture[int(row), int(column)]
            mirrored = picture[int(row), 63 - int(column)]
            assert pixel[channel] == pixel.max() and pixel[channel] > pixel.min() + 30
            # Turned by 0.3 rad the sphere is off the middle: a mirrored yaw would put it on the other side.
            assert abs(mirrored - pixel).sum() > 40
            checked += 1
    assert checked >= 6


def test_the_top_edge_of_a_wall_appears_at_its_projected_row(renderer, maze):
    """Facing the outer wall squarely, sky meets wall where a point on its top edge (0.75 cells high) projects."""
    y = int(np.flatnonzero(maze.layout[:, CELLS - 1])[0])
    walker = np.array([CELLS - 0.8, y + 0.5, 0.0])
    (_, row), _ = project(np.array([CELLS, 0.75, -(y + 0.5)]), walker_to_pose(walker), 64, 64)
    column = renderer.frame(walker)[:, 32].astype(int)
    edge = np.abs(np.diff(column, axis=0)).sum(axis=1)[:40].argmax() + 1
    assert abs(edge - row) <= 1


def test_hiding_what_is_out_of_view_changes_no_pixel(maze, renderer, walk, monkeypatch):
    culled = renderer.walk(walk[::4])
    monkeypatch.setattr(renderer, "_visible", lambda: np.ones(maze.model.ngeom, dtype=bool))
    np.testing.assert_array_equal(renderer.walk(walk[::4]), culled)


def test_free_cells_hold_no_wall(maze):
    import mujoco

    data = mujoco.MjData(maze.model)
    mujoco.mj_kinematics(maze.model, data)
    walls = np.zeros_like(maze.layout)
    for geom in range(maze.model.ngeom):
        if maze.model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_BOX:
            continue
        middle = data.geom_xpos[geom][:2] / CELL + CELLS / 2
        half = maze.model.geom_size[geom][:2] / CELL
        for y in range(CELLS):
            for x in range(CELLS):
                if (np.abs(middle - [x + 0.5, y + 0.5]) < half).all():
                    walls[y, x] = 1
    np.testing.assert_array_equal(walls, 1 - maze.layout)


def test_recordings_are_repeatable():
    first, second = record(SEED, 1, 5), record(SEED, 1, 5)
    np.testing.assert_array_equal(first.frames, second.frames)
    np.testing.assert_array_equal(first.poses, second.poses)


def test_both_commands_write_the_same_walk(tmp_path):
    render_folders.main(["--mazes", "1", "--seed", "4", "--frames", "6", "--out", str(tmp_path / "folders")])
    arguments = ["--mazes", "1", "--first", "4", "--frames", "6", "--split", "heldout"]
    render_shards.main([*arguments, "--out", str(tmp_path / "shards")])
    clip = read_clip(tmp_path / "folders" / "maze-heldout-000004")
    (path,) = list_shards(tmp_path / "shards")
    shard = read_shard(path)
    assert shard["seed"] == maze_seed("heldout", 4)
    np.testing.assert_array_equal(shard["frames"][0], clip.frames)
    np.testing.assert_allclose(shard["poses"][0], clip.poses, atol=1e-5)
    written = path.stat().st_mtime_ns
    render_shards.main([*arguments, "--out", str(tmp_path / "shards")])
    assert path.stat().st_mtime_ns == written
