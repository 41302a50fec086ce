"""Frame-local attention: a chunk sees itself and the chunk before."""

import math

import numpy as np

from .graph import CONTRIB, EPS
from .layout import Layout


def rotation(layout: Layout) -> tuple[str, str, str]:
    """cos and sin of every token's rotation angles, [T, d_a/2], and the tokens' positions in these tables."""
    graph = layout.graph
    if "rotation" in layout.shared:
        return layout.shared["rotation"]
    rope = layout.spec["attention"]["rope"]
    time = graph.op("Mul", graph.reshape("times", -1, 1, 1), graph.constant([[rope["time"]]]))
    row = np.arange(layout.rows)[:, None, None] * np.asarray(rope["row"])
    column = np.arange(layout.columns)[None, :, None] * np.asarray(rope["column"])
    place = np.concatenate(
        [
            np.broadcast_to(row, (layout.rows, layout.columns, len(rope["row"]))),
            np.broadcast_to(column, (layout.rows, layout.columns, len(rope["column"]))),
        ],
        axis=2,
    ).reshape(1, layout.frame_tokens, -1)
    frames = graph.op("Shape", "times")
    shape_time = graph.op("Concat", frames, graph.ints(layout.frame_tokens, len(rope["time"])), axis=0)
    shape_place = graph.op("Concat", frames, graph.ints(layout.frame_tokens, place.shape[2]), axis=0)
    angles = graph.op(
        "Concat",
        graph.op("Expand", time, shape_time),
        graph.op("Expand", graph.constant(place), shape_place),
        axis=2,
    )
    pairs = len(rope["time"]) + place.shape[2]
    angles = graph.reshape(angles, -1, pairs)
    count = graph.op("Squeeze", graph.part(graph.op("Shape", "z"), 0, 0, 1), graph.ints(0))
    positions = graph.op("Range", graph.constant(0, np.int64), count, graph.constant(1, np.int64))
    positions = graph.op("Unsqueeze", positions, graph.ints(0))
    layout.shared["rotation"] = graph.op("Cos", angles), graph.op("Sin", angles), positions
    return layout.shared["rotation"]


def attention(layout: Layout, a: str, index: int, ends_here: bool) -> str | None:
    """A layer's attention over a [T, d]: the residual's update; declares keys and values of the state. ends_here: only
    the state is wanted."""
    graph = layout.graph
    prefix = f"layers.{index}.attention."
    heads = layout.spec["attention"]["heads"]
    length = layout.width // heads
    chunk = layout.chunk_tokens
    past_keys = layout.input(f"keys.{index}", [chunk, layout.width])
    past_values = layout.input(f"values.{index}", [chunk, layout.width])
    query, key, value = graph.op("Split", graph.linear(a, f"{prefix}qkv"), axis=1, outputs=3, num_outputs=3)

    def turned(x: str, gain: str) -> str:
        x = graph.rms(graph.reshape(x, -1, heads, length), length, EPS, graph.tensor(f"{prefix}{gain}"))
        x = graph.reshape(x, 1, -1, layout.width)
        cos, sin, positions = rotation(layout)
        x = graph.op(
            "RotaryEmbedding",
            x,
            positions,
            cos,
            sin,
            domain=CONTRIB,
            interleaved=1,
            num_heads=heads,
            rotary_embedding_dim=length,
        )
        return graph.reshape(x, -1, layout.width)

    key = turned(key, "key_gain")
    if layout.commit:
        for name, x in (("keys", key), ("values", value)):
            layout.output(last_chunk(layout, x), f"next.{name}.{index}", [chunk, layout.width])
    if ends_here:
        return None
    query = turned(query, "query_gain")

    def by_chunk(x: str) -> str:
        return graph.reshape(x, -1, chunk, layout.width)

    def with_previous(x: str, past: str) -> str:
        """[n, 2·F·S, d]: every chunk's tokens behind those of the chunk before."""
        own = by_chunk(x)
        before = by_chunk(past)
        if layout.commit:
            before = graph.op("Concat", before, graph.part(own, 0, 0, -1), axis=0)
        return graph.op("Concat", before, own, axis=1)

    def by_head(x: str, tokens: int, perm: list[int]) -> str:
        return graph.op("Transpose", graph.reshape(x, -1, tokens, heads, length), perm=perm)

    query = by_head(graph.op("Mul", query, graph.constant(1 / math.sqrt(length))), chunk, [0, 2, 1, 3])
    keys = by_head(with_previous(key, past_keys), 2 * chunk, [0, 2, 3, 1])
    values = by_head(with_previous(value, past_values), 2 * chunk, [0, 2, 1, 3])
    scores = graph.op("Add", graph.op("MatMul", query, keys), attention_bias(layout))
    mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), values)
    mixed = graph.reshape(graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), -1, layout.width)
    return graph.linear(mixed, f"{prefix}out")


def last_chunk(layout: Layout, x: str) -> str:
    return layout.graph.part(x, 0, -layout.chunk_tokens, np.iinfo(np.int64).max)


def attention_bias(layout: Layout) -> str:
    """[n, 1, 1, 2·F·S]: cache_bias on the keys of the chunk before, 0 on a chunk's own."""
    if "bias" not in layout.shared:
        graph = layout.graph
        before = np.concatenate([np.ones(layout.chunk_tokens), np.zeros(layout.chunk_tokens)])
        bias = graph.reshape("cache_bias", -1, 1, 1, 1)
        layout.shared["bias"] = graph.op("Mul", bias, graph.constant(before[None, None, None]))
    return layout.shared["bias"]
