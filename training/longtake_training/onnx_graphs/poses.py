"""Features of camera poses: rays, and points along them at several depths."""

from .layout import Layout


def ray_features(layout: Layout) -> str:
    """[T, 2R]; zero where the pose is unknown. Made once a graph."""
    graph = layout.graph
    if "rays" in layout.shared:
        return layout.shared["rays"]
    angles = graph.linear("rays", "ray.frequencies")
    features = graph.op("Concat", graph.op("Cos", angles), graph.op("Sin", angles), axis=1)
    layout.shared["rays"] = graph.op("Mul", features, "known")
    return layout.shared["rays"]


def point_waves(layout: Layout) -> tuple[str, str]:
    """cos and sin of the point frequencies at every depth, [T, D, Q], in raster order; zero where unknown."""
    graph, spec = layout.graph, layout.spec
    at = graph.linear(graph.part("rays", 1, 0, 3), "point.frequencies")
    along = graph.linear(graph.part("rays", 1, 3, 6), "point.frequencies")
    depths = graph.tensor("point.depths", [1, spec["depths"], 1])
    along = graph.op("Mul", depths, graph.op("Unsqueeze", along, graph.ints(1)))
    angles = graph.op("Add", graph.op("Unsqueeze", at, graph.ints(1)), along)
    known = graph.op("Unsqueeze", "known", graph.ints(2))
    return graph.op("Mul", graph.op("Cos", angles), known), graph.op("Mul", graph.op("Sin", angles), known)


def pose_features(layout: Layout, a: str, prefix: str, layer: dict, block: tuple[int, int]) -> str | None:
    """φ of every token in block order; `a` is in block order too."""
    graph, spec = layout.graph, layout.spec
    if layer["key"] == "none":
        return None
    key = (layer["key"], block)
    if layer["key"] == "ray":
        if key not in layout.shared:
            layout.shared[key] = layout.to_blocks(ray_features(layout), block, 2 * spec["rayFrequencies"])
        return layout.shared[key]
    depths, points = spec["depths"], spec["pointFrequencies"]
    if key not in layout.shared:
        if "waves" not in layout.shared:
            waves = graph.op("Concat", *point_waves(layout), axis=2)
            layout.shared["waves"] = graph.reshape(waves, -1, depths * 2 * points)
        layout.shared[key] = graph.reshape(
            layout.to_blocks(layout.shared["waves"], block, depths * 2 * points), -1, depths, 2 * points
        )
    logits = graph.linear(a, f"{prefix}scan.depth", f"{prefix}scan.depth_bias")
    weights = graph.op("Unsqueeze", graph.op("Softmax", logits, axis=-1), graph.ints(1))
    return graph.reshape(graph.op("MatMul", weights, layout.shared[key]), -1, 2 * points)
