"""Camera poses of the maze walker, in the convention of docs/model.md, section Camera.

World axes: right-handed, x right, y up; lengths in maze cells; the origin is the corner of the maze where cell
(0, 0) begins, on the floor. A walker at (x, y) on the maze plan, y growing away from that corner, stands at
(x, 0, -y). Camera axes: x right, y up, the camera looks along -z. A pose turns camera axes into world axes.
"""

import math

import numpy as np

VERTICAL_FOV = 80.0  # degrees; frames are square, so the horizontal one is equal
CELL = 2.0  # length of one maze cell in MuJoCo's unit
_AHEAD = 0.15 / CELL  # the camera sits in front of the axis that the walker turns about
_HEIGHT = 0.9 / CELL
# Memory Maze's walker looks slightly down: its camera's z axis is (0, -0.995, 0.0995) in the head's frame.
_PITCH = -math.atan2(0.09950371902, 0.99503719021)


def walker_to_pose(walker: np.ndarray) -> np.ndarray:
    """Camera poses of a walker.

    walker: [..., 3] plan position x, y in cells and heading in radians (0 looks along +x of the plan, growing
    anticlockwise seen from above). Returns float64 [..., 7]: position x, y, z, then the unit quaternion w, x, y, z
    with w >= 0.
    """
    walker = np.asarray(walker, dtype=np.float64)
    x, y, heading = walker[..., 0], walker[..., 1], walker[..., 2]
    px = x + _AHEAD * np.cos(heading)
    py = y + _AHEAD * np.sin(heading)
    # A camera without rotation looks along -z, which is +y of the plan: heading 90°.
    half_yaw = (heading - math.pi / 2) / 2
    cy, sy = np.cos(half_yaw), np.sin(half_yaw)
    cp, sp = math.cos(_PITCH / 2), math.sin(_PITCH / 2)
    # yaw about world y times pitch about camera x
    quaternion = np.stack([cy * cp, cy * sp, sy * cp, -sy * sp], axis=-1)
    quaternion = np.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    position = np.stack([px, np.full_like(px, _HEIGHT), -py], axis=-1)
    return np.concatenate([position, quaternion], axis=-1)


def rotation_matrix(quaternion: np.ndarray) -> np.ndarray:
    """Rotation matrices [..., 3, 3] (camera axes to world axes) of unit quaternions [..., 4] (w, x, y, z)."""
    w, x, y, z = np.moveaxis(np.asarray(quaternion, dtype=np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def relative_to_first(poses: np.ndarray) -> np.ndarray:
    """Poses [T, 7] seen from the first one's camera: the first becomes position 0, orientation 1, 0, 0, 0."""
    poses = np.asarray(poses, dtype=np.float64)
    position = (poses[:, :3] - poses[0, :3]) @ rotation_matrix(poses[0, 3:])
    a = poses[0, 3:] * np.array([1.0, -1.0, -1.0, -1.0])
    b = poses[:, 3:]
    w = a[0] * b[:, 0] - b[:, 1:] @ a[1:]
    vector = a[0] * b[:, 1:] + b[:, :1] * a[1:] + np.cross(a[1:], b[:, 1:])
    quaternion = np.concatenate([w[:, None], vector], axis=1)
    quaternion = np.where(quaternion[:, :1] < 0, -quaternion, quaternion)
    return np.concatenate([position, quaternion], axis=1)


def project(points: np.ndarray, pose: np.ndarray, width: int, height: int, vertical_fov: float = VERTICAL_FOV):
    """Where world points appear in the picture of a camera.

    points: [..., 3] in cells; pose: [7]. Returns (pixels [..., 2] as column, row with (0, 0) the outer corner of the
    first pixel, depth [...] along the viewing direction, positive in front of the camera).
    """
    local = (np.asarray(points, dtype=np.float64) - pose[:3]) @ rotation_matrix(pose[3:])
    depth = -local[..., 2]
    focal = height / 2 / math.tan(math.radians(vertical_fov) / 2)
    column = width / 2 + focal * local[..., 0] / depth
    row = height / 2 - focal * local[..., 1] / depth
    return np.stack([column, row], axis=-1), depth
