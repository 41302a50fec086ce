"""What is minimised: squared error of the predicted clean latents, and a share for structure."""

import torch

from .metrics import window_ssim
from .model import WorldConfig, WorldModel
from .training_data import Batch

LEVEL_BINS = (0.0, 0.25, 0.5, 0.75, 0.95, 1.01)


def noised(batch: Batch) -> torch.Tensor:
    """Latents [B, T, S, c] with the masked tokens at their frame's noise level: z = (1 - t) x + t noise."""
    chunk = batch.chunk
    t = batch.level[..., None, None]
    z = (1 - t) * chunk.latents + t * torch.randn_like(chunk.latents)
    return torch.where(chunk.mask[..., None], z, chunk.latents)


def training_loss(
    model: WorldModel, batch: Batch, dtype, z: torch.Tensor | None = None, structure: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rectified-flow loss with x-prediction, weight 1/(t^2 + 0.1), over noised tokens only.

    z: the network's input where it is not fresh noise. structure: weight of the `structure_loss` added to it.
    Returns the loss and, for the log, [bins, 2]: sum of squared errors and number of tokens a noise-level bin.
    """
    chunk, level = batch.chunk, batch.level
    z = noised(batch) if z is None else z
    predicted = model.predict(z, level, chunk.mask, chunk.rays, chunk.known, chunk.times, dtype)
    error = (predicted - chunk.latents).square().mean(-1) * chunk.mask
    weight = (1 / (level.square() + 0.1))[..., None] * chunk.mask
    loss = (weight * error).sum() / weight.sum().clamp_min(1)
    if structure:
        loss = loss + structure * structure_loss(model.config, predicted, chunk.latents, chunk.mask)
    bins = torch.bucketize(level, torch.tensor(LEVEL_BINS[1:-1], device=level.device), right=True)
    counts = torch.zeros(len(LEVEL_BINS) - 1, 2, device=level.device)
    both = torch.stack([error.detach().sum(-1), chunk.mask.sum(-1).float()], -1)
    counts.index_add_(0, bins.flatten(), both.flatten(0, 1))
    return loss, counts


def structure_loss(
    config: WorldConfig, predicted: torch.Tensor, true: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """1 - SSIM (windows of 7 x 7) between whole frames, predicted tokens in true surroundings; mean over noised frames.

    Squared error alone is least for the mean of what may be there, whose contrast is too low; SSIM compares contrast.
    """
    touched = mask.any(-1)
    pictures = []
    for latents in (torch.where(mask[..., None], predicted, true), true):
        x = latents.unflatten(-1, (config.codec.patch, config.codec.patch, 3))
        x = x.unflatten(2, (config.rows, config.columns)).movedim(-1, 2)  # [B, T, 3, rows, columns, patch, patch]
        pictures.append((x.movedim(-2, -3).flatten(-2).flatten(-3, -2).flatten(0, 1) + 1) * 127.5)
    value = window_ssim(*pictures).view(touched.shape)
    return 1 - (value * touched).sum() / touched.sum().clamp_min(1)
