"""Which OpenGL the renderer uses: must be settled before MuJoCo is imported."""

import os


def configure_gl() -> str:
    """Choose the GL for MuJoCo in this process and return its name ('osmesa', 'egl' or 'glfw').

    MUJOCO_GL wins where it is set; otherwise Mesa on the CPU (libOSMesa). Mesa rasterises in the calling thread: the
    commands here use one process a core.
    """
    name = os.environ.setdefault("MUJOCO_GL", "osmesa")
    if name in ("osmesa", "egl"):
        os.environ.setdefault("PYOPENGL_PLATFORM", name)
    os.environ.setdefault("LP_NUM_THREADS", "0")
    return name
