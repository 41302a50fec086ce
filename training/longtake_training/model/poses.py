"""Camera poses to rays, and rays to the Fourier features that key the memory (docs/model.md, Camera)."""

import math

import torch


def rotate(quaternion: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """Rotates vectors [..., 3] by unit quaternions [..., 4] (w, x, y, z)."""
    w, axis = (
        quaternion[..., :1],
        quaternion[..., 1:].expand(torch.broadcast_shapes(quaternion[..., 1:].shape, vector.shape)),
    )
    twice = 2 * torch.cross(axis, vector.expand(axis.shape), dim=-1)
    return vector + w * twice + torch.cross(axis, twice, dim=-1)


def multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Hamilton product of quaternions [..., 4]."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    )


def relative_poses(position: torch.Tensor, orientation: torch.Tensor, reference: torch.Tensor):
    """Poses seen from one of them.

    position [B, T, 3], orientation [B, T, 4], reference [B] (index of the frame that becomes the origin).
    Returns position and orientation of the same shapes.
    """
    rows = torch.arange(position.shape[0], device=position.device)
    origin, turn = position[rows, reference][:, None], orientation[rows, reference][:, None]
    back = turn * turn.new_tensor([1.0, -1.0, -1.0, -1.0])
    return rotate(back, position - origin), multiply(back.expand_as(orientation), orientation)


def grid_directions(rows: int, columns: int, vertical_fov: float, device=None) -> torch.Tensor:
    """Unit directions [rows*columns, 3] through the tokens' centres for a camera that looks along -z, y up."""
    half_height = math.tan(math.radians(vertical_fov) / 2)
    half_width = half_height * columns / rows
    y = (1 - (2 * torch.arange(rows, device=device, dtype=torch.float32) + 1) / rows) * half_height
    x = ((2 * torch.arange(columns, device=device, dtype=torch.float32) + 1) / columns - 1) * half_width
    grid = torch.stack(
        [x[None].expand(rows, -1), y[:, None].expand(-1, columns), -torch.ones(rows, columns, device=device)],
        -1,
    )
    return torch.nn.functional.normalize(grid.reshape(-1, 3), dim=-1)


def rays_of(position: torch.Tensor, orientation: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Rays [..., S, 6] (camera position, unit direction) of poses [..., 3], [..., 4] and directions [S, 3]."""
    turned = rotate(orientation[..., None, :], directions)
    return torch.cat([position[..., None, :].expand_as(turned), turned], -1)


def _angles(x: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """x [..., n] times frequencies [R, n]: [..., R]. No matrix product, which a GPU may round to ten bits."""
    return sum(x[..., i, None] * frequencies[:, i] for i in range(x.shape[-1]))


def ray_features(rays: torch.Tensor, known: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """Fourier features [..., S, 2R] of rays [..., S, 6]; zero where `known` [...] is false. frequencies: [R, 6]."""
    angle = _angles(rays, frequencies)
    features = torch.cat([angle.cos(), angle.sin()], -1)
    return features * known[..., None, None]


def point_features(
    rays: torch.Tensor, known: torch.Tensor, frequencies: torch.Tensor, depths: torch.Tensor
) -> torch.Tensor:
    """Fourier features [..., S, D, 2Q] of the points at `depths` along each ray; zero where `known` is false."""
    position, direction = rays[..., None, :3], rays[..., None, 3:]
    angle = _angles(position + depths[:, None] * direction, frequencies)
    features = torch.cat([angle.cos(), angle.sin()], -1)
    return features * known[..., None, None, None]


def log_spaced_frequencies(
    count: int, dimensions: int, octaves: tuple[float, float], generator: torch.Generator
) -> torch.Tensor:
    """[count, dimensions] wave vectors in random directions, lengths 2^octaves[0] ... 2^octaves[1], ascending."""
    direction = torch.nn.functional.normalize(torch.randn(count, dimensions, generator=generator), dim=-1)
    length = 2 ** torch.linspace(octaves[0], octaves[1], count)
    return direction * length[:, None]
