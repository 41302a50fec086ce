"""The two scan rules (docs/model.md, Layer 1), step by step and in chunks. Both forms give the same result.

Shapes: keys k and queries q [..., L, N], values v [..., L, P], write strength beta and log decay g [..., L],
state S [..., N, P]. The chunked form cuts a sequence into pieces of L tokens, [B, C, X, L, .] (B sequences, C pieces,
X = blocks times heads), does all work inside pieces at once and passes only states from piece to piece.
"""

from typing import NamedTuple

import torch

from .recurrence import state_recurrence


def step_scan(kind: str, q, k, v, beta, g, state):
    """The definition: one token after the other. Returns y [..., L, P] and the last state."""
    outputs = []
    for i in range(k.shape[-2]):
        key, value, write = k[..., i, :, None], v[..., i, None, :], beta[..., i, None, None]
        state = state * g[..., i, None, None].exp()
        if kind == "gated-delta":
            value = value - (key * state).sum(-2, keepdim=True)
        state = state + write * key * value
        outputs.append((q[..., i, :, None] * state).sum(-2))
    return torch.stack(outputs, -2), state


class Pieces(NamedTuple):
    """What the pass from piece to piece needs. Last axes: erase [L, N] (gated-delta only), write [L, P], key [L, N]
    (decayed to the piece's end), log_decay [] of the whole piece, cumulative [L] log decay up to each token."""

    erase: torch.Tensor | None
    write: torch.Tensor
    key: torch.Tensor
    log_decay: torch.Tensor
    cumulative: torch.Tensor


def decay_between(cumulative: torch.Tensor, strict: bool) -> torch.Tensor:
    """exp(log decay from token j to token i) for j <= i (j < i if strict), else 0: [..., L, L]."""
    difference = cumulative[..., :, None] - cumulative[..., None, :]
    length = cumulative.shape[-1]
    keep = torch.ones(length, length, dtype=torch.bool, device=cumulative.device).tril(-1 if strict else 0)
    return torch.where(keep, difference, float("-inf")).exp()


def prepare_pieces(kind: str, k, v, beta, g) -> Pieces:
    """Everything inside pieces that does not depend on the state. k, v may be bfloat16; beta, g are float32."""
    cumulative = g.cumsum(-1)
    end = cumulative[..., -1:]
    decayed_key = (k * (end - cumulative).exp()[..., None]).to(k.dtype)
    if kind == "ssd":
        return Pieces(None, (v * beta[..., None]).to(v.dtype), decayed_key, end[..., 0], cumulative)
    overlap = (k @ k.transpose(-1, -2)).float() * beta[..., None] * decay_between(cumulative, strict=True)
    solve = inverse_of_unit_lower(overlap).to(k.dtype)
    write = solve @ (v * beta[..., None]).to(v.dtype)
    erase = solve @ (k * (beta * cumulative.exp())[..., None]).to(k.dtype)
    return Pieces(erase, write, decayed_key, end[..., 0], cumulative)


def pass_states(pieces: Pieces, state):
    """Moves the state through the pieces [B, C, X, ...].

    state: [B, X, N, P] float32 or None for zero. Returns the state before each piece [B, C, X, N, P], what each token
    really writes [B, C, X, L, P], and the last state (float32).
    """
    return state_recurrence(pieces.erase, pieces.write, pieces.key, pieces.log_decay, state)


def read_pieces(q, k, cumulative, starts, written) -> torch.Tensor:
    """y of every token from its own piece and the state before it."""
    scores = ((q @ k.transpose(-1, -2)) * decay_between(cumulative, strict=False)).to(q.dtype)
    carried = (q * cumulative.exp()[..., None]).to(q.dtype)
    return scores @ written + carried @ starts.to(q.dtype)


def chunk_scan(kind: str, q, k, v, beta, g, state, length: int):
    """`step_scan` in pieces of `length` tokens. Tensors [B, X, tokens, .]; pads the end with tokens that do nothing."""
    tokens = k.shape[-2]
    pad = -tokens % length

    def cut(x, trailing):
        x = torch.nn.functional.pad(x, (0, 0) * trailing + (0, pad))
        return x.unflatten(2, (-1, length)).transpose(1, 2)

    q, k, v, beta, g = cut(q, 1), cut(k, 1), cut(v, 1), cut(beta, 0), cut(g, 0)
    pieces = prepare_pieces(kind, k, v, beta, g)
    starts, written, last = pass_states(pieces, state)
    y = read_pieces(q, k, pieces.cumulative, starts, written)
    return y.transpose(1, 2).flatten(2, 3)[:, :, :tokens], last


class UnitLowerInverse(torch.autograd.Function):
    """(I + strict)^-1 for strictly lower triangular [..., L, L]; its gradient needs the inverse alone."""

    @staticmethod
    def forward(ctx, strict):
        """strict float32 [..., L, L]; L is a power of two, or 8 times one."""
        inverse = _inverse(strict)
        ctx.save_for_backward(inverse)
        return inverse

    @staticmethod
    def backward(ctx, grad):
        """d(M^-1) = -M^-1 dM M^-1, of which only the strictly lower part is free."""
        (inverse,) = ctx.saved_tensors
        transposed = inverse.transpose(-1, -2)
        return -(transposed @ grad @ transposed).tril(-1)


def inverse_of_unit_lower(strict: torch.Tensor) -> torch.Tensor:
    """(I + strict)^-1 for strictly lower triangular [..., L, L] in float32; raises ValueError for an unfit L."""
    return UnitLowerInverse.apply(strict)


def _inverse(strict: torch.Tensor) -> torch.Tensor:
    """Blocks of 8 by a product of three factors, exact since the 8th power vanishes (longer products would cancel
    badly), then pairs of blocks are joined: [[a, 0], [c, b]]^-1 = [[a', 0], [-b' c a', b']]."""
    length = strict.shape[-1]
    size = min(8, length)
    if length % size or (length // size) & (length // size - 1):
        raise ValueError(f"piece length {length} is not 8 times a power of two")
    inverse = _small_inverse(_diagonal_blocks(strict, size))
    while size < length:
        corner = _diagonal_blocks(strict, 2 * size)[..., size:, :size]
        first, second = inverse[..., 0::2, :, :], inverse[..., 1::2, :, :]
        joined = -(second @ (corner @ first))
        top = torch.cat([first, torch.zeros_like(first)], -1)
        inverse = torch.cat([top, torch.cat([joined, second], -1)], -2)
        size *= 2
    return inverse[..., 0, :, :]


def _diagonal_blocks(x: torch.Tensor, size: int) -> torch.Tensor:
    count = x.shape[-1] // size
    blocks = x.unflatten(-1, (count, size)).unflatten(-3, (count, size))
    return torch.stack([blocks[..., i, :, i, :] for i in range(count)], -3)


def _small_inverse(strict: torch.Tensor) -> torch.Tensor:
    eye = torch.eye(strict.shape[-1], device=strict.device, dtype=strict.dtype)
    square = strict @ strict
    return (eye - strict) @ (eye + square) @ (eye + square @ square)
