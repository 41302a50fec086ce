"""Unpack wheels, keeping only what rendering Memory Maze needs.

Usage: strip_packages.py WHEELS_FOLDER SITE_FOLDER
"""

import sys
import zipfile
from pathlib import Path, PurePosixPath

# What is kept of each top-level package: folders or files by prefix. Tests are never kept.
KEEP = {
    "dm_control": (
        "dm_control/__init__.py",
        "dm_control/_render/",
        "dm_control/composer/",
        "dm_control/locomotion/__init__.py",
        "dm_control/locomotion/arenas/",
        "dm_control/locomotion/props/",
        "dm_control/locomotion/tasks/",
        "dm_control/locomotion/walkers/",
        "dm_control/mjcf/",
        "dm_control/mujoco/",
        "dm_control/rl/",
        "dm_control/utils/",
    ),
    "mujoco": ("mujoco/",),
    "labmaze": ("labmaze/",),
    "OpenGL": (
        "OpenGL/__init__.py",
        "OpenGL/GL/",
        "OpenGL/EGL/",
        "OpenGL/GLES",
        "OpenGL/osmesa/",
        "OpenGL/arrays/",
        "OpenGL/platform/",
        "OpenGL/raw/__init__.py",
        "OpenGL/raw/GL/",
        "OpenGL/raw/EGL/",
        "OpenGL/raw/GLES",
        "OpenGL/raw/osmesa/",
    ),
    "memory_maze": ("memory_maze/",),
    "dm_env": ("dm_env/",),
    "tree": ("tree/",),
}
DROP = (
    "mujoco/plugin/",
    "mujoco/introspect/",
    "mujoco/include/",
    "mujoco/mjx/",
    "mujoco/usd/",
    "mujoco/experimental/",
    "mujoco/_simulate",
    "mujoco/libsimulate",
    "mujoco/_rollout",
    "mujoco/testdata/",
    "dm_control/locomotion/arenas/assets/outdoor_natural/",
    "dm_control/mujoco/testing/",
)
# Data files are dropped but for these.
DATA = (
    "dm_control/composer/arena.xml",
    "dm_control/mjcf/schema.xml",
    "dm_control/locomotion/walkers/assets/jumping_ball/",
    "labmaze/assets/style_01/",
)


def is_kept(name: str) -> bool:
    """Whether the wheel member `name` goes into the bundle."""
    path = PurePosixPath(name)
    top = path.parts[0]
    # OpenGL's own modules at its top level are all small and import each other.
    prefixes = KEEP.get(top, ())
    if not (name.startswith(prefixes) or (top == "OpenGL" and len(path.parts) == 2)):
        return False
    if name.startswith(DROP) or path.stem.endswith("_test") or "test_assets" in path.parts:
        return False
    if path.suffix == ".py" or ".so" in path.suffixes:
        return True
    return name.startswith(DATA)


def main() -> None:
    """Run the command; see the module's description."""
    wheels, site = Path(sys.argv[1]), Path(sys.argv[2])
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/") and is_kept(name)]
            archive.extractall(site, names)
        print(f"{wheel.name}: {len(names)} files")


if __name__ == "__main__":
    main()
