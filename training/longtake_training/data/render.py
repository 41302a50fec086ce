"""Pictures of a maze from walker states: poses are set directly, no physics is stepped."""

import math

import numpy as np

from .camera import CELL, VERTICAL_FOV
from .maze import CELLS, Maze

# Geoms in this group are hidden by MuJoCo's default options.
_HIDDEN_GROUP = 5


class FrameRenderer:
    """Renders mazes one after the other in one process; choose the GL by MUJOCO_GL (osmesa, egl).

    Geoms outside the view are hidden before a frame is drawn: MuJoCo itself draws them all, and drawing calls are
    what a frame costs on software GL.
    """

    def __init__(self, size: int = 64):
        import mujoco

        self._mujoco = mujoco
        self._size = size
        self._gl = mujoco.GLContext(size, size)
        self._gl.make_current()
        self._option = mujoco.MjvOption()
        self._perturb = mujoco.MjvPerturb()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._rect = mujoco.MjrRect(0, 0, size, size)
        self._context = None
        self._maze: Maze | None = None

    def load(self, maze: Maze) -> None:
        """Make `maze` the one that is rendered; textures go to the GL now."""
        mujoco = self._mujoco
        if self._context is not None:
            self._context.free()
        model = maze.model
        # The off-screen buffer is cleared and resolved whole: no larger than the picture.
        model.vis.global_.offwidth = model.vis.global_.offheight = self._size
        self._maze = maze
        self._data = mujoco.MjData(model)
        self._scene = mujoco.MjvScene(model, maxgeom=model.ngeom + 100)
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._camera.fixedcamid = maze.camera
        mujoco.mj_kinematics(model, self._data)
        self._centres = self._data.geom_xpos.copy()
        self._radii = _bounding_radii(mujoco, model)
        self._groups = model.geom_group.copy()
        # Geoms of moving bodies (the walker itself) are never culled: their places are not those of the start.
        self._moving = model.body_weldid[model.geom_bodyid] != 0

    def frame(self, walker: np.ndarray) -> np.ndarray:
        """One picture, uint8 [size, size, 3], rows from the top. walker: [3] x, y in cells, heading in radians."""
        if self._maze is None:
            raise RuntimeError("Call load() with a maze before frame().")
        mujoco, model, data = self._mujoco, self._maze.model, self._data
        data.qpos[:] = 0
        data.qpos[0] = (walker[0] - CELLS / 2) * CELL
        data.qpos[1] = (walker[1] - CELLS / 2) * CELL
        data.qpos[3] = -walker[2]
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        model.geom_group[:] = np.where(self._visible() | self._moving, self._groups, _HIDDEN_GROUP)
        mujoco.mjv_updateScene(
            model, data, self._option, self._perturb, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        mujoco.mjr_render(self._rect, self._scene, self._context)
        picture = np.empty((self._size, self._size, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(picture, None, self._rect, self._context)
        return picture[::-1]

    def walk(self, walk: np.ndarray) -> np.ndarray:
        """Pictures of a whole walk [T, 3], uint8 [T, size, size, 3]."""
        return np.stack([self.frame(walker) for walker in walk])

    def camera_pose(self) -> tuple[np.ndarray, np.ndarray]:
        """MuJoCo's own position [3] and axes [3, 3] of the camera of the last frame, in MuJoCo's world."""
        camera = self._maze.camera
        return self._data.cam_xpos[camera].copy(), self._data.cam_xmat[camera].reshape(3, 3).copy()

    def close(self) -> None:
        """Free the GL context."""
        if self._context is not None:
            self._context.free()
            self._context = None
        self._gl.free()

    def _visible(self) -> np.ndarray:
        """Which geoms' bounding spheres touch the cone around the view: bool [ngeom]."""
        position, axes = self.camera_pose()
        offset = self._centres - position
        along = -(offset @ axes[:, 2])
        across = np.sqrt(np.maximum((offset * offset).sum(axis=1) - along * along, 0))
        # Half angle to the corner of the picture; a sphere is outside when its centre is further than its radius
        # from the cone's surface.
        half = math.atan(math.tan(math.radians(VERTICAL_FOV) / 2) * math.sqrt(2))
        return across * math.cos(half) - along * math.sin(half) <= self._radii


def _bounding_radii(mujoco, model) -> np.ndarray:
    """Radius of the sphere around each geom's centre that holds it, float64 [ngeom]."""
    planes = model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE
    plane_radii = np.hypot(model.geom_size[:, 0], model.geom_size[:, 1])
    return np.where(planes, plane_radii, model.geom_rbound) + 1e-6
