"""Real Memory Maze mazes (memory-maze 1.0.3) as compiled MuJoCo models, one seed a maze."""

import sys
import types
from dataclasses import dataclass

import numpy as np

from .camera import CELL

CELLS = 9  # inner cells a side


def _register_gym_stub() -> None:
    """memory_maze imports `gym`, which is not maintained any more, only to register environments we don't use."""
    if "gym" in sys.modules:
        return
    gym = types.ModuleType("gym")
    gym.Env = gym.Space = object
    gym.spaces = types.ModuleType("gym.spaces")
    envs = types.ModuleType("gym.envs")
    registration = types.ModuleType("gym.envs.registration")
    registration.register = lambda **kwargs: None
    modules = {"gym": gym, "gym.spaces": gym.spaces, "gym.envs": envs, "gym.envs.registration": registration}
    sys.modules.update(modules)


@dataclass
class Maze:
    """A compiled maze.

    layout: uint8 [9, 9], 1 = free, indexed [y][x]; model: mujoco.MjModel; camera: id of the egocentric camera;
    targets: float64 [3, 3], centres of the target
    spheres as x, y (plan) and height, in cells.
    """

    seed: int
    layout: np.ndarray
    model: object
    camera: int
    targets: np.ndarray


def build_maze(seed: int) -> Maze:
    """Build Memory Maze 9x9 as `memory_maze.tasks.memory_maze_9x9(seed=seed)` has it after its first reset.

    The pictures are the same to the bit (a test compares them); built from the same parts but with one set of wall
    textures for all nine regions in place of ten equal copies, and compiled once instead of twice, which is ten
    times faster.
    """
    _register_gym_stub()
    import mujoco
    from dm_control.locomotion.arenas import labmaze_textures
    from memory_maze import maze as parts

    random = np.random.RandomState(seed)
    walls = labmaze_textures.WallTextures("style_01")
    arena = parts.MazeWithTargetsArena(
        x_cells=CELLS + 2,
        y_cells=CELLS + 2,
        xy_scale=CELL,
        z_height=1.5,
        max_rooms=6,
        room_min_size=3,
        room_max_size=5,
        spawns_per_room=1,
        targets_per_room=1,
        floor_textures=parts.FixedFloorTexture("style_01", ["blue", "blue_bright"]),
        wall_textures={"*": parts.FixedWallTexture("style_01", "yellow"), **{str(i): walls for i in range(10)}},
        skybox_texture=None,
        random_seed=random.randint(2147483648),
    )
    task = parts.MemoryMazeTask(
        walker=parts.RollingBallWithFriction(camera_height=0.3, add_ears=False),
        maze_arena=arena,
        n_targets=3,
        target_radius=0.6,
        target_height_above_ground=-0.6,
        enable_global_task_observables=True,
        control_timestep=0.25,
        camera_resolution=64,
    )
    task.initialize_episode_mjcf(random)
    root = task.root_entity.mjcf_model
    model = mujoco.MjModel.from_xml_string(root.to_xml_string(), root.get_assets())
    text = np.flip(np.asarray(arena.maze.entity_layer)[1:-1, 1:-1], 0)
    layout = ((text == " ") | (text == "P") | (text == "G")).astype(np.uint8)
    camera = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, "walker/egocentric")
    return Maze(seed, layout, model, camera, _target_centres(model))


def _target_centres(model) -> np.ndarray:
    import mujoco

    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    spheres = [
        geom
        for geom in range(model.ngeom)
        if mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_GEOM, geom).startswith("target")
    ]
    return data.geom_xpos[spheres] / CELL + np.array([CELLS / 2, CELLS / 2, 0.0])
