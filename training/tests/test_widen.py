from dataclasses import replace

import pytest
import torch
from tiny import random_clip, tiny_config

from longtake_training.embedding_loss import through
from longtake_training.model import WorldModel
from longtake_training.widen import widened


def test_a_wider_embedding_makes_the_same_and_can_learn_what_it_did_not_see():
    torch.manual_seed(0)
    narrow = replace(tiny_config(), embed_width=24)
    wide = replace(narrow, embed_width=40)
    model, wider = WorldModel(narrow), WorldModel(wide)
    wider.load_state_dict(widened(model.state_dict(), 40))
    clip = random_clip(narrow, 2, 10)
    outputs = [net(**clip) for net in (model, wider)]
    torch.testing.assert_close(outputs[1], outputs[0], rtol=1e-5, atol=1e-5)
    # The new rows look at right angles to the old ones, and their columns get a gradient.
    down = wider.embed.in_proj
    assert (down[24:] @ down[:24].T).abs().max() < 1e-4
    outputs[1][0].square().mean().backward()
    assert wider.embed.up.grad[:, 24:].abs().max() > 0


def test_refuses_what_cannot_be():
    weights = WorldModel(tiny_config()).state_dict()
    old, channels = weights["embed.in_proj"].shape
    assert widened(weights, old) is weights
    for width in (old - 1, channels + 1):
        with pytest.raises(ValueError, match="cannot become"):
            widened(weights, width)


def test_what_gets_through_an_embedding():
    torch.manual_seed(0)
    pictures = 255 * torch.rand(2, 8, 12, 3, dtype=torch.float64)
    whole = torch.randn(48, 48, dtype=torch.float64)
    torch.testing.assert_close(through(pictures, whole), pictures)
    # Blind to everything but the first pixel's red of a 4 x 4 patch.
    red = torch.zeros(1, 48, dtype=torch.float64)
    red[0, 0] = 2.0
    seen = through(pictures, red)
    torch.testing.assert_close(seen[:, ::4, ::4, 0], pictures[:, ::4, ::4, 0])
    assert seen.count_nonzero() == 2 * 2 * 3
