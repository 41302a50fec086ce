"""The whole network as a graph: embedding, layers, output."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from .attention import attention, rotation
from .graph import CONTRIB, Weights
from .layout import Layout
from .poses import ray_features
from .scan import scan

OPSET = 21


def build_graph(spec: dict, weights: Weights, commit: bool, int8: bool) -> onnx.ModelProto:
    """One of a package's graphs from `world` of its model.json."""
    layout = Layout(spec, weights, commit, int8)
    graph = layout.graph
    tokens = "T" if commit else layout.chunk_tokens
    layout.input("z", [tokens, spec["latentChannels"]])
    layout.input("rays", [tokens, 6])
    layout.input("known", [tokens, 1])
    layout.input("times", ["frames" if commit else spec["framesPerChunk"]])
    layout.input("cache_bias", ["chunks" if commit else 1])
    if not commit:
        layout.input("level", [])
        layout.input("noised", [tokens, 1], TensorProto.BOOL)
    levels = level_features(layout)
    if spec["rayFrequencies"]:
        ray_features(layout)
    rotation(layout)
    x = embed(layout)
    last = len(spec["layers"]) - 1
    for index, one in enumerate(spec["layers"]):
        x = layer(layout, x, levels, index, one, ends_here=commit and index == last)
    if not commit:
        shift, scale = modulation(layout, levels, "final.", 2)
        x = graph.linear(layout.modulate(x, shift, scale), "final.proj", "final.proj_bias")
        layout.output(x, "clean", [tokens, spec["latentChannels"]])
    name = "commit" if commit else "denoise"
    proto = helper.make_graph(graph.nodes, name, layout.inputs, layout.outputs, list(graph.initializers.values()))
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(proto, opset_imports=opsets, ir_version=10, producer_name="longtake")


def embed(layout: Layout) -> str:
    """Tokens [T, d] from latents, place in the grid and camera ray."""
    graph = layout.graph
    u = graph.linear(graph.linear("z", "embed.in_proj"), "embed.up", "embed.up_bias")
    row = graph.reshape(graph.tensor("embed.row"), layout.rows, 1, layout.width)
    column = graph.reshape(graph.tensor("embed.column"), 1, layout.columns, layout.width)
    place = graph.reshape(graph.op("Add", row, column), 1, layout.frame_tokens, layout.width)
    u = graph.op("Add", graph.reshape(u, -1, layout.frame_tokens, layout.width), place)
    u = graph.reshape(u, -1, layout.width)
    if layout.spec["rayFrequencies"]:
        u = graph.op("Add", u, graph.linear(ray_features(layout), "embed.ray"))
    unknown = graph.op("Sub", graph.constant(1.0), "known")
    return graph.op("Add", u, graph.op("Mul", unknown, graph.tensor("embed.camera_unknown")))


def level_features(layout: Layout) -> str:
    """silu(fc2(silu(fc1(τ)))) for level 0 and, when denoising, the present level: [levels, m]."""
    graph = layout.graph
    levels = graph.constant([[0.0]])
    if not layout.commit:
        levels = graph.op("Concat", graph.reshape("level", 1, 1), levels, axis=0)
    frequencies = 10000.0 ** (-np.arange(32, dtype=np.float64) / 32)
    angles = graph.op("Mul", levels, graph.constant(1000 * frequencies[None]))
    tau = graph.op("Concat", graph.op("Cos", angles), graph.op("Sin", angles), axis=1)
    hidden = graph.silu(graph.linear(tau, "level.fc1", "level.fc1_bias"))
    return graph.silu(graph.linear(hidden, "level.fc2", "level.fc2_bias"))


def modulation(layout: Layout, levels: str, prefix: str, count: int) -> list[str]:
    """levels: `level_features`. `count` vectors of a layer, [1, d] each, or [T, d] where tokens differ in level."""
    graph = layout.graph
    vectors = graph.linear(levels, f"{prefix}modulation", f"{prefix}modulation_bias")
    split = graph.op("Split", vectors, axis=1, outputs=count, num_outputs=count)
    if layout.commit:
        return split
    picked = []
    for vector in split:
        noisy, clean = graph.part(vector, 0, 0, 1), graph.part(vector, 0, 1, 2)
        picked.append(graph.op("Where", "noised", noisy, clean))
    return picked


def layer(layout: Layout, x: str, levels: str, index: int, spec: dict, ends_here: bool) -> str | None:
    """One layer. With `ends_here`, stops once the state is written: nothing after it is needed."""
    graph = layout.graph
    prefix = f"layers.{index}."
    vectors = modulation(layout, levels, prefix, 9)
    a = layout.modulate(x, vectors[0], vectors[1])
    x = graph.op("Add", x, graph.op("Mul", vectors[2], scan(layout, a, index, spec)))
    a = layout.modulate(x, vectors[3], vectors[4])
    attended = attention(layout, a, index, ends_here)
    if ends_here:
        return None
    x = graph.op("Add", x, graph.op("Mul", vectors[5], attended))
    a = layout.modulate(x, vectors[6], vectors[7])
    hidden = graph.op("Gelu", graph.linear(a, f"{prefix}mlp.up", f"{prefix}mlp.up_bias"), approximate="tanh")
    out = graph.linear(hidden, f"{prefix}mlp.down", f"{prefix}mlp.down_bias")
    return graph.op("Add", x, graph.op("Mul", vectors[8], out))
