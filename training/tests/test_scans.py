import pytest
import torch

from longtake_training.model.scans import chunk_scan, inverse_of_unit_lower, step_scan


def random_scan(tokens, n=16, p=8, batch=2, lanes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(batch, lanes, *shape, generator=generator, dtype=torch.float64)  # noqa: E731
    near = draw(1, n)
    unit = torch.nn.functional.normalize
    q, k = unit(near + 0.5 * draw(tokens, n), dim=-1), unit(near + 0.5 * draw(tokens, n), dim=-1)
    beta, g = torch.sigmoid(draw(tokens)), -torch.nn.functional.softplus(draw(tokens) - 3)
    return [q, k, draw(tokens, p), beta, g, draw(n, p)]


@pytest.mark.parametrize("kind", ["ssd", "gated-delta"])
@pytest.mark.parametrize("tokens,length", [(64, 16), (50, 32), (5, 8), (130, 64)])
def test_chunks_equal_steps(kind, tokens, length):
    q, k, v, beta, g, state = random_scan(tokens)
    y, last = step_scan(kind, q, k, v, beta, g, state)
    y_chunk, last_chunk = chunk_scan(kind, q, k, v, beta, g, state, length)
    torch.testing.assert_close(y_chunk, y, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(last_chunk.double(), last, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["ssd", "gated-delta"])
def test_a_scan_can_be_cut_anywhere(kind):
    q, k, v, beta, g, state = random_scan(60)
    whole, end = chunk_scan(kind, q, k, v, beta, g, state, 16)
    head = [x[:, :, :25] for x in (q, k, v, beta, g)]
    tail = [x[:, :, 25:] for x in (q, k, v, beta, g)]
    first, middle = chunk_scan(kind, *head, state, 16)
    second, last = chunk_scan(kind, *tail, middle, 32)
    torch.testing.assert_close(torch.cat([first, second], 2), whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(last, end, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["ssd", "gated-delta"])
def test_gradients_of_both_forms_agree(kind):
    inputs = [x.requires_grad_() for x in random_scan(24)]
    weight = torch.randn(2, 3, 24, 8, dtype=torch.float64)
    steps = torch.autograd.grad((step_scan(kind, *inputs)[0] * weight).sum(), inputs)
    chunks = torch.autograd.grad((chunk_scan(kind, *inputs, 8)[0] * weight).sum(), inputs)
    for a, b in zip(steps, chunks, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_inverse_of_unit_lower_triangular():
    strict = torch.rand(3, 64, 64).tril(-1)
    inverse = inverse_of_unit_lower(strict)
    product = (torch.eye(64) + strict) @ inverse
    torch.testing.assert_close(product, torch.eye(64).expand(3, 64, 64), atol=2e-4, rtol=0)
    with pytest.raises(ValueError, match="power of two"):
        inverse_of_unit_lower(torch.zeros(24, 24))
