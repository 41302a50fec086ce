"""Triton kernels of the state recurrence: one program a sequence, lane and tile of value columns."""

import torch
import triton
import triton.language as tl


@triton.jit
def _forward(
    erase, write, key, log_decay, state, starts, written, last, lanes,
    pieces: tl.constexpr, L: tl.constexpr, N: tl.constexpr, P: tl.constexpr, TILE: tl.constexpr, ERASES: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    batch, lane = row // lanes, row % lanes
    token, n, p = tl.arange(0, L), tl.arange(0, N), tl.program_id(1) * TILE + tl.arange(0, TILE)
    in_state = n[:, None] * P + p[None, :]
    in_value = token[:, None] * P + p[None, :]
    current = tl.load(state + row * N * P + in_state)
    for c in range(pieces):
        at = (batch * pieces + c) * lanes + lane
        start = current.to(starts.dtype.element_ty)
        tl.store(starts + at * N * P + in_state, start)
        new = tl.load(write + at * L * P + in_value)
        if ERASES:
            w = tl.load(erase + at * L * N + token[:, None] * N + n[None, :])
            new = (new.to(tl.float32) - tl.dot(w, start, input_precision="ieee")).to(new.dtype)
        tl.store(written + at * L * P + in_value, new)
        k = tl.load(key + at * L * N + token[None, :] * N + n[:, None])
        current = current * tl.exp(tl.load(log_decay + at)) + tl.dot(k, new, input_precision="ieee")
    tl.store(last + row * N * P + in_state, current)


@triton.jit
def _backward(
    erase, key, log_decay, starts, grad_starts, grad_written, grad_last,
    grad_new, grad_next, grad_decay, grad_state, lanes, total,
    pieces: tl.constexpr, L: tl.constexpr, N: tl.constexpr, P: tl.constexpr, TILE: tl.constexpr, ERASES: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0).to(tl.int64)
    batch, lane = row // lanes, row % lanes
    token, n, p = tl.arange(0, L), tl.arange(0, N), tl.program_id(1) * TILE + tl.arange(0, TILE)
    in_state = n[:, None] * P + p[None, :]
    in_value = token[:, None] * P + p[None, :]
    grad = tl.load(grad_last + row * N * P + in_state)
    for i in range(pieces):
        at = (batch * pieces + pieces - 1 - i) * lanes + lane
        low = grad.to(grad_next.dtype.element_ty)
        tl.store(grad_next + at * N * P + in_state, low)
        start = tl.load(starts + at * N * P + in_state).to(tl.float32)
        decay = tl.exp(tl.load(log_decay + at))
        tl.store(grad_decay + tl.program_id(1) * total + at, decay * tl.sum(tl.sum(grad * start, 1), 0))
        k = tl.load(key + at * L * N + token[:, None] * N + n[None, :])
        new = tl.load(grad_written + at * L * P + in_value).to(tl.float32) + tl.dot(k, low, input_precision="ieee")
        new = new.to(grad_new.dtype.element_ty)
        tl.store(grad_new + at * L * P + in_value, new)
        grad = grad * decay + tl.load(grad_starts + at * N * P + in_state).to(tl.float32)
        if ERASES:
            w = tl.load(erase + at * L * N + token[None, :] * N + n[:, None])
            grad -= tl.dot(w, new, input_precision="ieee")
    tl.store(grad_state + row * N * P + in_state, grad)


def _tile(rows: int, p: int) -> int:
    """Value columns a program: narrower where there are too few sequences to fill the chip."""
    return min(p, 32 if rows * (p // 32) >= 128 else 16)


def forward(erase, write, key, log_decay, state):
    """Contiguous tensors as in state_recurrence. Returns starts, written, last."""
    batch, pieces, lanes, length, n = key.shape
    p = write.shape[-1]
    starts, written = key.new_empty(batch, pieces, lanes, n, p), torch.empty_like(write)
    last = torch.empty_like(state)
    tile = _tile(batch * lanes, p)
    _forward[(batch * lanes, p // tile)](
        key if erase is None else erase, write, key, log_decay, state, starts, written, last, lanes,
        pieces=pieces, L=length, N=n, P=p, TILE=tile, ERASES=erase is not None,
    )  # fmt: skip
    return starts, written, last


def backward(erase, key, log_decay, starts, grad_starts, grad_written, grad_last):
    """Gradients with respect to: what was written, the state after each piece, log_decay, the first state."""
    batch, pieces, lanes, length, n = key.shape
    p = grad_written.shape[-1]
    tile = _tile(batch * lanes, p)
    grad_new, grad_next = torch.empty_like(grad_written), torch.empty_like(grad_starts)
    partial = log_decay.new_empty(p // tile, batch, pieces, lanes)
    grad_state = torch.empty_like(grad_last)
    _backward[(batch * lanes, p // tile)](
        key if erase is None else erase, key, log_decay, starts, grad_starts, grad_written, grad_last,
        grad_new, grad_next, partial, grad_state, lanes, batch * pieces * lanes,
        pieces=pieces, L=length, N=n, P=p, TILE=tile, ERASES=erase is not None,
    )  # fmt: skip
    return grad_new, grad_next, partial.sum(0), grad_state
