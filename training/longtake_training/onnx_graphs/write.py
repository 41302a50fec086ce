"""Writes a package's graphs."""

import json
import os
from pathlib import Path

from .graph import Weights
from .world import build_graph


def export_onnx(package_dir: str | os.PathLike) -> list[Path]:
    """Writes all graphs of a package from its model.json (`world`) and weights.safetensors.

    Returns the paths written. Run it before the package's hashes are taken.
    """
    folder = Path(package_dir)
    spec = json.loads((folder / "model.json").read_text())["world"]
    weights = Weights(folder / spec["weights"])
    pairs = [(spec["graphs"], False), (spec["graphs"].get("int8", {}), True)]
    written = []
    for names, int8 in pairs:
        for kind in ("denoise", "commit"):
            if kind not in names:
                continue
            model = build_graph(spec, weights, kind == "commit", int8)
            path = folder / names[kind]
            partial = path.with_suffix(".partial")
            partial.write_bytes(model.SerializeToString())
            partial.replace(path)
            written.append(path)
    return written
