"""Weights of a network whose patch embedding is narrower than another's, made to fit that one."""

import torch


def widened(weights: dict[str, torch.Tensor], embed_width: int) -> dict[str, torch.Tensor]:
    """Weights for a network with `embed_width`, which at first makes exactly what theirs makes.

    New rows of embed.in_proj [e, c] span what the old ones leave out of a patch, as long as the old ones are on
    average; their columns of embed.up [d, e] are zero and learn first.
    """
    down, up = weights["embed.in_proj"].float(), weights["embed.up"].float()
    old, channels = down.shape
    more = embed_width - old
    if more == 0:
        return weights
    if not 0 < more <= channels - old:
        raise ValueError(f"An embedding of {old} cannot become one of {embed_width} for patches of {channels} numbers.")
    _, lengths, directions = torch.linalg.svd(down, full_matrices=True)
    rows = directions[old : old + more] * lengths.mean()
    return {
        **weights,
        "embed.in_proj": torch.cat([down, rows]),
        "embed.up": torch.cat([up, up.new_zeros(up.shape[0], more)], 1),
    }
