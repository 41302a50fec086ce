"""The only sequential part of the scans: states from piece to piece. Shapes as in scans.py, [B, C, X, ...].

On a GPU one Triton program walks a whole sequence with its state in registers; elsewhere a plain loop does the same.
"""

import torch

try:
    from . import recurrence_kernels as kernels
except ImportError:
    kernels = None

use_kernels = True


def state_recurrence(erase, write, key, log_decay, state):
    """written = write - erase S; S <- e^decay S + key^T written, piece after piece. erase None: nothing is erased.

    erase, key [B, C, X, L, N], write [B, C, X, L, P], log_decay [B, C, X] float32, state [B, X, N, P] float32 or None
    for zero. Returns the state before each piece [B, C, X, N, P] (dtype of key), what was written [B, C, X, L, P], and
    the last state (float32).
    """
    if state is None:
        batch, _, lanes, _, n = key.shape
        state = key.new_zeros(batch, lanes, n, write.shape[-1], dtype=torch.float32)
    if key.is_cuda and kernels is not None and use_kernels:
        return KernelRecurrence.apply(erase, write, key, log_decay, state)
    return loop_recurrence(erase, write, key, log_decay, state)


def loop_recurrence(erase, write, key, log_decay, state):
    """`state_recurrence` as a plain loop."""
    decay = log_decay.exp()
    starts, written = [], []
    for c in range(key.shape[1]):
        start = state.to(key.dtype)
        new = write[:, c] if erase is None else write[:, c] - erase[:, c] @ start
        state = state * decay[:, c, :, None, None] + key[:, c].transpose(-1, -2) @ new
        starts.append(start)
        written.append(new)
    return torch.stack(starts, 1), torch.stack(written, 1), state


class KernelRecurrence(torch.autograd.Function):
    """`loop_recurrence` through the Triton kernels."""

    @staticmethod
    def forward(ctx, erase, write, key, log_decay, state):
        """Arguments and results as in state_recurrence."""
        erase = None if erase is None else erase.contiguous()
        write, key, log_decay = write.contiguous(), key.contiguous(), log_decay.contiguous()
        starts, written, last = kernels.forward(erase, write, key, log_decay, state.contiguous())
        ctx.save_for_backward(erase, key, log_decay, starts, written)
        return starts, written, last

    @staticmethod
    def backward(ctx, grad_starts, grad_written, grad_last):
        """The kernel walks back through the pieces; what needs no order is done for all pieces at once."""
        erase, key, log_decay, starts, written = ctx.saved_tensors
        grad_new, grad_next, grad_log_decay, grad_state = kernels.backward(
            erase,
            key,
            log_decay,
            starts,
            grad_starts.contiguous(),
            grad_written.contiguous(),
            grad_last.contiguous(),
        )
        grad_erase = None if erase is None else -(grad_new @ starts.transpose(-1, -2))
        return grad_erase, grad_new, written @ grad_next.transpose(-1, -2), grad_log_decay, grad_state
