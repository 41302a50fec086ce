import json

import numpy as np
import torch
from safetensors.numpy import load_file
from tiny import random_clip, tiny_config

from longtake_training.codec import decode_patches, encode_patches
from longtake_training.export import condition
from longtake_training.model import WorldModel
from longtake_training.noise import chunk_noise, pcg4d
from longtake_training.package import (
    dequantised_state,
    package_tensors,
    read_weights,
    write_model_json,
    write_safetensors,
)


def test_weights_survive_the_package(tmp_path):
    model = condition(WorldModel(tiny_config()))
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, package_tensors(model.state_dict()))
    stored = load_file(path)
    assert stored["layers.0.mlp.up"].dtype == np.int8 and stored["ray.frequencies"].dtype == np.float32
    back, expected = read_weights(path), dequantised_state(model.state_dict())
    assert back.keys() == expected.keys() == model.state_dict().keys()
    for name, tensor in back.items():
        torch.testing.assert_close(tensor, expected[name], atol=0, rtol=0)
    clip = random_clip(model.config, 1, 10)
    with torch.no_grad():
        exact = model(**clip)[0]
        model.load_state_dict(back)
        rounded = model(**clip)[0]
    assert 0 < (exact - rounded).square().mean() < 1e-3 * exact.square().mean()


def test_every_tensor_is_aligned(tmp_path):
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, package_tensors(WorldModel(tiny_config()).state_dict()))
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    starts = [8 + length + x["data_offsets"][0] for name, x in header.items() if not name.startswith("pad.")]
    assert len(starts) > 50 and all(start % 256 == 0 for start in starts)


def test_model_json_lists_the_files(tmp_path):
    import hashlib

    model = WorldModel(tiny_config())
    write_safetensors(tmp_path / "weights.safetensors", package_tensors(model.state_dict()))
    about = {"name": "x", "title": "X", "licence": "Apache-2.0", "rate": {"num": 4, "den": 1}, "unit": "cell"}
    write_model_json(tmp_path, model, about, {"defaultSteps": 4, "levels": {}}, ["extend"])
    written = json.loads((tmp_path / "model.json").read_text())
    data = (tmp_path / "weights.safetensors").read_bytes()
    assert written["files"] == [
        {"path": "weights.safetensors", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    ]
    assert written["world"]["layers"][0] == {"kind": "gated-delta", "key": "ray", "block": [1, 4]}


def test_patches_go_there_and_back():
    frames = torch.randint(0, 256, (2, 3, 16, 24, 3), dtype=torch.uint8)
    latents = encode_patches(frames, 4)
    assert latents.shape == (2, 3, 24, 48)
    # The second token of the first row holds columns 4 to 7, channels innermost.
    assert latents[0, 0, 1, 3] == frames[0, 0, 0, 5, 0].float() / 127.5 - 1
    assert torch.equal(decode_patches(latents, 4, 6, 4), frames)


def test_noise_is_fixed_by_its_key():
    # One word worked out by hand from the definition, with Python integers.
    def by_hand(v):
        mask = 2**32 - 1
        v = [(x * 1664525 + 1013904223) & mask for x in v]
        for turn in range(2):
            x, y, z, w = v
            x = (x + y * w) & mask
            y = (y + z * x) & mask
            z = (z + x * y) & mask
            w = (w + y * z) & mask
            v = [x, y, z, w]
            if turn == 0:
                v = [x ^ (x >> 16) for x in v]
        return v

    assert pcg4d(123, 4, 5, 6).tolist() == by_hand([123, 4, 5, 6])
    noise = chunk_noise((5, 64, 192), seed=1, chunk=2)
    assert abs(noise.mean()) < 0.01 and abs(noise.std() - 1) < 0.01
    assert np.array_equal(noise, chunk_noise((5, 64, 192), seed=1, chunk=2))
    assert not np.array_equal(noise, chunk_noise((5, 64, 192), seed=1, chunk=3))
