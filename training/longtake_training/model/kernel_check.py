"""Whether the Triton kernels give on this device what the plain loop gives."""

import torch

from . import recurrence
from .config import WorldConfig


def try_kernels(config: WorldConfig, device: torch.device) -> tuple[bool, list]:
    """Compares the recurrence and its gradients once, in bfloat16, and turns the kernels off where they differ.

    Returns whether they are used, and the relative errors, or what went wrong.
    """
    torch.manual_seed(0)
    shape = dict(device=device, dtype=torch.bfloat16)
    erase, key = (torch.randn(2, 4, 8, 64, config.key_length, **shape) * 0.1 for _ in range(2))
    write = torch.randn(2, 4, 8, 64, config.value_length, **shape)
    decay = -torch.rand(2, 4, 8, device=device)
    inputs = [x.requires_grad_() for x in (erase, write, key, decay)]
    results = []
    try:
        for kernels in (True, False):
            recurrence.use_kernels = kernels
            starts, written, last = recurrence.state_recurrence(*inputs, None)
            loss = starts.float().square().mean() + written.float().square().mean() + last.square().mean()
            results.append([written.float(), last, *torch.autograd.grad(loss, inputs)])
        errors = [((a - b).float().norm() / b.float().norm()).item() for a, b in zip(*results, strict=True)]
        recurrence.use_kernels = max(errors) < 0.03
    except Exception as error:  # a kernel that does not compile here must not stop the run
        errors = [repr(error)[:300]]
        recurrence.use_kernels = False
    return recurrence.use_kernels, errors
