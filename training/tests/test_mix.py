import pytest
import torch
from safetensors.torch import load_file
from tiny import tiny_config

from longtake_training import mix
from longtake_training.export import condition
from longtake_training.model import WorldModel
from longtake_training.package import half_tensors, package_tensors, write_safetensors


def test_a_mix_is_between_its_parts(tmp_path):
    a, b = (condition(WorldModel(tiny_config()), seed).state_dict() for seed in (1, 2))
    b["ray.frequencies"] = a["ray.frequencies"] * 1.1
    write_safetensors(tmp_path / "a.safetensors", package_tensors(a))  # a package's rounded weights will do too
    write_safetensors(tmp_path / "b.safetensors", half_tensors(b))
    for share in (0.0, 0.6, 1.0):
        out = tmp_path / "c.safetensors"
        mix.main([str(tmp_path / "a.safetensors"), str(tmp_path / "b.safetensors"), f"--share={share}", f"--out={out}"])
        made = {k: v for k, v in load_file(out).items() if not k.startswith("pad.")}
        assert made.keys() == a.keys()
        for name, tensor in made.items():
            expected = (1 - share) * a[name] + share * b[name]
            error = (tensor.float() - expected).abs().max() / expected.abs().max()
            assert error < 1e-2, name
        assert made["layers.0.mlp.up"].dtype == torch.float16 and made["ray.frequencies"].dtype == torch.float32
    torch.testing.assert_close(made["ray.frequencies"], b["ray.frequencies"], rtol=1e-6, atol=0)


def test_weights_of_different_networks_are_not_mixed():
    with pytest.raises(ValueError, match="different"):
        mix.mixed({"x": torch.zeros(2)}, {"x": torch.zeros(1)}, 0.5)
