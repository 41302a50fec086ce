"""Block-wise scans."""

from .graph import CONTRIB
from .layout import Layout
from .poses import pose_features

RECALL_EPS = 0.1


def scan(layout: Layout, a: str, index: int, layer: dict) -> str:
    """A layer's scan of a [T, d]: the residual's update; declares the scan's state."""
    graph = layout.graph
    prefix, block = f"layers.{index}.", tuple(layer["block"])
    sizes = layout.spec["scan"]
    heads, key_length, value_length = sizes["heads"], sizes["keyLength"], sizes["valueLength"]
    blocks = layout.frame_tokens // (block[0] * block[1])
    state_shape = [blocks, heads, key_length, value_length]
    past = layout.input(f"scan.{index}", state_shape)
    a = layout.to_blocks(a, block, layout.width)
    pose = pose_features(layout, a, prefix, layer, block)

    def address(name: str) -> str:
        x = graph.linear(a, f"{prefix}scan.{name}")
        if pose:
            x = graph.op("Add", x, graph.linear(pose, f"{prefix}scan.{name}_pose"))
        x = graph.unit(graph.reshape(x, -1, heads, key_length), key_length)
        return graph.reshape(x, blocks, -1, heads * key_length)

    key, query = address("key"), address("query")
    value = graph.linear(a, f"{prefix}scan.value")
    write = graph.op("Sigmoid", graph.linear(a, f"{prefix}scan.write", f"{prefix}scan.write_bias"))
    decay = graph.linear(a, f"{prefix}scan.decay", f"{prefix}scan.decay_bias")
    decay = graph.reshape(graph.op("Neg", graph.op("Softplus", decay)), blocks, -1, heads)
    delta = layer["kind"] == "gated-delta"
    if not delta:
        # `gated` has no write strength of its own: S ← e^g S + k (β v)ᵀ.
        value = graph.op(
            "Mul",
            graph.reshape(value, -1, heads, value_length),
            graph.op("Unsqueeze", write, graph.ints(2)),
        )
    value = graph.reshape(value, blocks, -1, heads * value_length)
    inputs = [query, key, value, past, decay] + ([graph.reshape(write, blocks, -1, heads)] if delta else [])
    y, state = graph.op(
        "LinearAttention",
        *inputs,
        domain=CONTRIB,
        outputs=2,
        update_rule="gated_delta" if delta else "gated",
        q_num_heads=heads,
        kv_num_heads=heads,
        scale=1.0,
    )
    if layout.commit:
        layout.output(state, f"next.scan.{index}", state_shape)
    y = graph.rms(graph.reshape(y, -1, heads, value_length), value_length, RECALL_EPS)
    y = graph.reshape(y, -1, heads * value_length)
    y = graph.op("Mul", y, graph.silu(graph.linear(a, f"{prefix}scan.gate")))
    return layout.from_blocks(graph.linear(y, f"{prefix}scan.out"), block, layout.width)
