"""The Triton kernels under Triton's interpreter, in a process of their own (the switch is read at import)."""

import importlib.util
import os
import subprocess
import sys

import pytest

PROGRAM = """
import torch
from longtake_training.model import recurrence
from longtake_training.model.recurrence import KernelRecurrence, loop_recurrence

for erases in (True, False):
    torch.manual_seed(0)
    B, C, X, L, N, P = 2, 3, 2, 16, 16, 32
    small = lambda *shape: (0.3 * torch.randn(*shape)).requires_grad_()
    erase, key = small(B, C, X, L, N) if erases else None, small(B, C, X, L, N)
    write, state = small(B, C, X, L, P), small(B, X, N, P)
    decay = (-torch.rand(B, C, X)).requires_grad_()
    inputs = [x for x in (erase, write, key, decay, state) if x is not None]
    results = []
    for run in (loop_recurrence, KernelRecurrence.apply):
        outputs = run(erase, write, key, decay, state)
        weights = [torch.linspace(-1, 1, x.numel()).view_as(x) for x in outputs]
        loss = sum((w * x).sum() for w, x in zip(weights, outputs))
        results.append([*outputs, *torch.autograd.grad(loss, inputs)])
    for a, b in zip(*results):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
print("equal")
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not there")
def test_kernels_equal_the_loop():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.stdout.strip() == "equal", result.stderr[-2000:]
