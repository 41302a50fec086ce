"""Muon for the layers' matrices, AdamW for everything else."""

import torch
from torch import nn

# The quintic of Jordan's Newton-Schulz iteration: pushes singular values to about 1 in five steps, in bfloat16.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(x: torch.Tensor) -> torch.Tensor:
    """Nearest semi-orthogonal matrices, roughly (singular values 0.7...1.2), of a stack [n, rows, columns]."""
    a, b, c = COEFFICIENTS
    flip = x.shape[-2] > x.shape[-1]
    y = (x.transpose(-1, -2) if flip else x).bfloat16()
    y = y / (y.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        square = y @ y.transpose(-1, -2)
        y = a * y + (b * square + c * square @ square) @ y
    return y.transpose(-1, -2) if flip else y


class Muon:
    """Momentum, then orthogonalised, scaled to the root mean square of an Adam step (0.2), with decoupled weight decay.

    Matrices of one shape are handled as one stack, which makes a step a few dozen kernels.
    """

    def __init__(self, matrices: list[nn.Parameter], momentum: float = 0.95, weight_decay: float = 0.0):
        self.momentum, self.weight_decay = momentum, weight_decay
        by_shape: dict[tuple, list[nn.Parameter]] = {}
        for p in matrices:
            by_shape.setdefault(tuple(p.shape), []).append(p)
        self.groups = [
            (group, torch.zeros(len(group), *shape, device=group[0].device)) for shape, group in by_shape.items()
        ]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step at this learning rate, from the parameters' gradients."""
        for group, average in self.groups:
            grad = torch.stack([p.grad for p in group])
            average.lerp_(grad, 1 - self.momentum)
            update = orthogonalise(grad.lerp(average, self.momentum)).float()
            scale = -rate * 0.2 * max(update.shape[-2:]) ** 0.5
            torch._foreach_mul_(group, 1 - rate * self.weight_decay)
            torch._foreach_add_(group, list(update.unbind(0)), alpha=scale)


def split_parameters(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """Matrices that map vectors to vectors inside layers, the rays' frequencies where they are learned, and the rest
    (modulation, pose kernels, vectors)."""
    endings = (
        "scan.key",
        "scan.query",
        "scan.value",
        "scan.gate",
        "scan.out",
        "attention.qkv",
        "attention.out",
    )
    matrices, frequencies, rest = [], [], []
    for name, p in model.named_parameters():
        inner = name.startswith("layers.") and name.endswith((*endings, "mlp.up", "mlp.down"))
        (matrices if inner else frequencies if name == "ray.frequencies" else rest).append(p)
    return matrices, frequencies, rest


class Optimiser:
    """Both optimisers behind one step; gradients are one flat buffer, averaged over processes in one call."""

    def __init__(
        self, model: nn.Module, rate: float, matrix_rate: float, weight_decay: float, frequency_rate: float = 0.0
    ):
        matrices, frequencies, rest = split_parameters(model)
        parameters = matrices + rest + frequencies
        self.matrix_rate = matrix_rate
        self.rates = [rate, frequency_rate][: 2 if frequencies else 1]
        self.flat = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        start = 0
        for p in parameters:
            p.grad = self.flat[start : start + p.numel()].view_as(p)
            start += p.numel()
        # Gradients of frequencies are sums over all layers and positions: they must not shorten the others' steps.
        self.clipped = self.flat[: self.flat.numel() - sum(p.numel() for p in frequencies)]
        self.muon = Muon(matrices, weight_decay=weight_decay)
        groups = [{"params": x} for x in (rest, frequencies) if x]
        self.adam = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), weight_decay=0.0, fused=self.flat.is_cuda)

    def state_dict(self) -> dict:
        """Averages of both optimisers, to go on with in another process."""
        return {"muon": [average for _, average in self.muon.groups], "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Takes up what `state_dict` gave for a model of the same shape."""
        for (_, average), saved in zip(self.muon.groups, state["muon"], strict=True):
            average.copy_(saved)
        self.adam.load_state_dict(state["adam"])

    def step(self, share: float, world: int) -> torch.Tensor:
        """Averages gradients over `world` processes, clips to norm 1 (but for frequencies, whose optimiser asks for no
        scale), steps at `share` of the learning rates, zeroes.

        Returns the clipped gradients' norm before. Gradients that are no numbers count as zero.
        """
        if world > 1:
            torch.distributed.all_reduce(self.flat)
            self.flat.div_(world)
        self.flat.nan_to_num_(0.0, 0.0, 0.0)
        norm = self.clipped.norm()
        self.clipped.mul_((1 / (norm + 1e-6)).clamp_max(1.0))
        self.muon.step(self.matrix_rate * share)
        for group, rate in zip(self.adam.param_groups, self.rates, strict=True):
            group["lr"] = rate * share
        self.adam.step()
        self.flat.zero_()
        return norm
