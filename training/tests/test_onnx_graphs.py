import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tiny import random_clip, tiny_config

from longtake_training.export import condition, export_package
from longtake_training.model import WorldModel
from longtake_training.package import read_weights
from longtake_training.sampler import Chunk, commit, run_pass

ABOUT = {"name": "x", "title": "X", "licence": "Apache-2.0", "rate": {"num": 4, "den": 1}, "unit": "cell"}
CHUNKS = 4


@pytest.mark.parametrize("rule", ["gated", "gated_delta"])
def test_linear_attention_is_our_scan(rule):
    """The operator against its recurrence in float64: blocks in the batch, decay and write strength per head."""
    blocks, tokens, heads, keys, values = 3, 7, 2, 5, 4
    random = np.random.default_rng(0)
    q, k = (random.standard_normal((blocks, tokens, heads, keys)) for _ in range(2))
    k /= np.linalg.norm(k, axis=-1, keepdims=True)
    v = random.standard_normal((blocks, tokens, heads, values))
    decay, write = -random.random((blocks, tokens, heads)), random.random((blocks, tokens, heads))
    past = random.standard_normal((blocks, heads, keys, values))
    state, expected = past.copy(), np.zeros_like(v)
    for t in range(tokens):
        state *= np.exp(decay[:, t, :, None, None])
        known = np.einsum("bhnp,bhn->bhp", state, k[:, t]) if rule == "gated_delta" else 0
        strength = write[:, t, :, None] if rule == "gated_delta" else 1
        state += np.einsum("bhn,bhp->bhnp", k[:, t], strength * (v[:, t] - known))
        expected[:, t] = np.einsum("bhnp,bhn->bhp", state, q[:, t])
    feeds = {"q": q, "k": k, "v": v, "past": past, "decay": decay} | ({"write": write} if rule == "gated_delta" else {})
    feeds = {
        name: (x if name == "past" else x.reshape(blocks, tokens, -1)).astype(np.float32) for name, x in feeds.items()
    }
    node = helper.make_node(
        "LinearAttention",
        list(feeds),
        ["y", "present"],
        domain="com.microsoft",
        update_rule=rule,
        q_num_heads=heads,
        kv_num_heads=heads,
        scale=1.0,
    )
    graph = helper.make_graph(
        [node],
        "scan",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape) for name, x in feeds.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "present")],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    y, present = ort.InferenceSession(model.SerializeToString()).run(None, feeds)
    np.testing.assert_allclose(y.reshape(expected.shape), expected, atol=2e-6)
    np.testing.assert_allclose(present, state, atol=2e-6)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A random package, its model with the stored weights, and a clip for it."""
    folder = tmp_path_factory.mktemp("package")
    model = condition(WorldModel(tiny_config()))
    # Frequencies may have been learned: nothing may take them for those that a network starts with.
    model.ray.frequencies.mul_(1.1).add_(0.05)
    export_package(model, folder, ABOUT, "# X\n")
    model.load_state_dict(read_weights(folder / "weights.safetensors"))
    inputs = random_clip(model.config, 1, CHUNKS * model.config.frames_per_chunk)
    inputs.pop("level")
    clip = Chunk(inputs.pop("z"), inputs.pop("mask"), **inputs)
    return folder, model.eval(), clip


def feeds_of(chunk, state, config):
    """Graph inputs for a run of chunks (batch 1) after `state`."""
    frames = chunk.known.shape[1]
    tokens = config.tokens
    bias = np.zeros(frames // config.frames_per_chunk, np.float32)
    feeds = {
        "z": chunk.latents[0].reshape(frames * tokens, -1).numpy(),
        "rays": chunk.rays[0].reshape(-1, 6).numpy(),
        "known": chunk.known[0].float().repeat_interleave(tokens)[:, None].numpy(),
        "times": chunk.times[0].float().numpy(),
        "cache_bias": bias,
    }
    for i, layer in enumerate(config.layers):
        if state:
            held = state.layers[i]
            scan, keys, values = held.scan[0], held.keys[0], held.values[0]
        else:
            bias[0] = -1e30
            rows, columns = layer.block
            scan = torch.zeros(tokens // (rows * columns), config.scan_heads, config.key_length, config.value_length)
            keys = values = torch.zeros(config.frames_per_chunk * tokens, config.width)
        feeds |= {f"scan.{i}": scan.numpy(), f"keys.{i}": keys.numpy(), f"values.{i}": values.numpy()}
    return feeds


@torch.no_grad()
@pytest.mark.parametrize("chunks", [1, 3])
def test_commit_graph_moves_the_state(package, chunks):
    folder, model, clip = package
    size = model.config.frames_per_chunk
    session = ort.InferenceSession(folder / "commit.onnx")
    names = [output.name for output in session.get_outputs()]
    for start, state in ((0, None), (size, commit(model, clip.cut(0, size), None))):
        part = clip.cut(start, start + chunks * size)
        after = commit(model, part, state)
        got = dict(zip(names, session.run(None, feeds_of(part, state, model.config)), strict=True))
        for i, layer in enumerate(after.layers):
            for name in ("scan", "keys", "values"):
                expected = getattr(layer, name)[0].numpy()
                scale = np.abs(expected).max()
                np.testing.assert_allclose(got[f"next.{name}.{i}"], expected, atol=1e-5 * max(1, scale))


@torch.no_grad()
def test_denoise_graph_predicts_clean_latents(package):
    folder, model, clip = package
    size = model.config.frames_per_chunk
    session = ort.InferenceSession(folder / "denoise.onnx")
    for start in (0, 2 * size):
        state = commit(model, clip.cut(0, start), None) if start else None
        chunk = clip.cut(start, start + size)
        feeds = feeds_of(chunk, state, model.config)
        for level in (1.0, 0.3):
            expected = run_pass(model, chunk, level, state)[0][0].reshape(len(feeds["z"]), -1).numpy()
            extra = {"level": np.array(level, np.float32), "noised": chunk.mask[0].reshape(-1, 1).numpy()}
            np.testing.assert_allclose(session.run(None, feeds | extra)[0], expected, atol=2e-5)


def psnr(a, b):
    """Of b against a, whose range of values is the peak."""
    return 20 * np.log10(np.ptp(a) / np.sqrt(np.square(a - b).mean()))


@torch.no_grad()
def test_int8_graphs_come_near_the_exact_ones(package):
    folder, model, clip = package
    chunk = clip.cut(0, model.config.frames_per_chunk)
    feeds = feeds_of(chunk, None, model.config)
    extra = {"level": np.array(0.6, np.float32), "noised": chunk.mask[0].reshape(-1, 1).numpy()}
    for name, more in (("denoise", extra), ("commit", {})):
        exact, int8 = (ort.InferenceSession(folder / f"{name}{x}.onnx").run(None, feeds | more) for x in ("", "-int8"))
        for a, b in zip(exact, int8, strict=True):
            assert 35 < psnr(a, b) < 90


@torch.no_grad()
def test_rounding_of_a_token_does_not_depend_on_those_beside_it(package):
    """Chunks committed together and one by one leave the same state: there is one scale a row, not one a pass."""
    folder, model, clip = package
    size, config = model.config.frames_per_chunk, model.config
    session = ort.InferenceSession(folder / "commit-int8.onnx")
    names = [output.name for output in session.get_outputs()]
    together = dict(zip(names, session.run(None, feeds_of(clip.cut(0, 2 * size), None, config)), strict=True))
    first = dict(zip(names, session.run(None, feeds_of(clip.cut(0, size), None, config)), strict=True))
    feeds = feeds_of(clip.cut(size, 2 * size), None, config)
    feeds["cache_bias"][0] = 0
    after = {name.removeprefix("next."): value for name, value in first.items()}
    second = dict(zip(names, session.run(None, feeds | after), strict=True))
    for name in names:
        np.testing.assert_allclose(second[name], together[name], atol=1e-4 * max(1, np.abs(together[name]).max()))


def test_int8_products_do_not_leave_16_bits(package):
    """Processors without VNNI add products in pairs of 16 bits: activations keep within 1 ... 127, zero at 64."""
    for name in ("denoise-int8.onnx", "commit-int8.onnx"):
        graph = onnx.load(package[0] / name, load_external_data=False).graph
        constants = {x.name: numpy_helper.to_array(x) for x in graph.initializer if x.data_location == 0}
        rounding = [node for node in graph.node if node.op_type == "QuantizeLinear"]
        products = [node for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
        assert rounding and products
        for node in rounding:
            step, zero = (constants[x] for x in node.input[1:])
            assert zero == 64 and round(1 / float(step)) == 63
        assert {node.output[0] for node in rounding} >= {node.input[0] for node in products}


def test_graphs_hold_no_weights(package):
    folder = package[0]
    for name in ("denoise.onnx", "commit.onnx", "denoise-int8.onnx", "commit-int8.onnx"):
        path = folder / name
        model = onnx.load(path, load_external_data=False)
        inside = [x for x in model.graph.initializer if x.data_location != TensorProto.EXTERNAL]
        assert sum(len(x.raw_data) for x in inside) < 20_000
        assert any(x.name == "layers.0.mlp.up" and x.data_type == TensorProto.INT8 for x in model.graph.initializer)
