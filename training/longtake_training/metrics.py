"""PSNR and SSIM of 8-bit pictures, on any device."""

import torch
from torch.nn.functional import avg_pool2d


def psnr(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio in dB over the last three axes of uint8 [..., height, width, 3]; at most 100."""
    error = (a.float() - b.float()).square().mean((-3, -2, -1))
    return 10 * torch.log10(255.0**2 / error.clamp_min(255.0**2 * 1e-10))


def ssim(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Structural similarity of uint8 [n, height, width, 3]: windows of 7 x 7, mean over channels, as scikit-image."""
    x, y = (v.float().movedim(-1, 1) for v in (a, b))
    mean = lambda v: avg_pool2d(v, 7, 1)  # noqa: E731
    mx, my = mean(x), mean(y)
    sample = 49 / 48
    vx, vy, vxy = (
        sample * (mean(u * v) - mu * mv) for u, v, mu, mv in ((x, x, mx, mx), (y, y, my, my), (x, y, mx, my))
    )
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    value = ((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return value.mean((1, 2, 3))
