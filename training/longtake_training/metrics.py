"""PSNR and SSIM of 8-bit pictures, on any device."""

import torch
from torch.nn.functional import avg_pool2d, conv2d


def psnr(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio in dB over the last three axes of uint8 [..., height, width, 3]; at most 100."""
    error = (a.float() - b.float()).square().mean((-3, -2, -1))
    return 10 * torch.log10(255.0**2 / error.clamp_min(255.0**2 * 1e-10))


def sharpness(pictures: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of neighbouring pixels of uint8 [..., height, width, 3], in grey levels."""
    x = pictures.float()
    return (x.diff(dim=-2).abs().mean() + x.diff(dim=-3).abs().mean()) / 2


def ssim(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Structural similarity of uint8 [n, height, width, 3]: windows of 7 x 7, mean over channels, as scikit-image."""
    return window_ssim(*(v.float().movedim(-1, 1) for v in (a, b)))


def window_ssim(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """`ssim` of float [n, 3, height, width] in 0...255; has gradients."""
    return _ssim(x, y, lambda v: avg_pool2d(v, 7, 1), 49 / 48)


def gaussian_ssim(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The SSIM of `longtake eval` (docs/evaluation.md): Gaussian window 11 x 11, sigma 1.5, population variances."""
    x, y = (v.float().movedim(-1, 1) for v in (a, b))
    line = torch.exp(-((torch.arange(11, device=x.device) - 5.0) ** 2) / (2 * 1.5**2))
    line = (line / line.sum()).expand(3, 1, 1, 11)

    def mean(v):
        return conv2d(conv2d(v, line, groups=3), line.transpose(-1, -2), groups=3)

    return _ssim(x, y, mean, 1.0)


def _ssim(x, y, mean, sample) -> torch.Tensor:
    mx, my = mean(x), mean(y)
    vx, vy, vxy = (
        sample * (mean(u * v) - mu * mv) for u, v, mu, mv in ((x, x, mx, mx), (y, y, my, my), (x, y, mx, my))
    )
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    value = ((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return value.mean((1, 2, 3))
