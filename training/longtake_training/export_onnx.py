"""Builds denoise.onnx and commit.onnx of a world-model package (maths and tensor names: docs/model.md).

The graphs hold no weights: every initialiser that comes from training is external data pointing into the package's
weights.safetensors, so that the weights lie on disk once. int8 matrices pass through DequantizeLinear (one scale a
row). The block-wise scans are com.microsoft::LinearAttention with the blocks as its batch.

Inputs of both graphs; n = chunks (1 in denoise.onnx, any number in commit.onnx), T = n·F·S tokens:
  z [T, c]           latents as they stand, frame by frame
  rays [T, 6]        camera position and unit direction of each token's ray
  known [T, 1]       1 where the frame's pose is known, else 0
  times [n·F]        time index of each frame
  cache_bias [n]     0 where the chunk before is there to be attended to, -1e30 where it is not
  scan.i [blocks, H, N, P], keys.i [F·S, d], values.i [F·S, d] for every layer i: the state
and of denoise.onnx alone:
  level []           noise level of the noised tokens
  noised [T, 1]      bool: which tokens are at that level; the others are at level 0
Outputs: denoise.onnx: clean [T, c], the predicted clean latents. commit.onnx: next.scan.i, next.keys.i, next.values.i.

Command line: python -m longtake_training.export_onnx PACKAGE_DIR
"""

import json
import math
import os
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 21
EPS = 1e-6
RECALL_EPS = 0.1
CONTRIB = "com.microsoft"


class _Weights:
    """Header of a safetensors file: where each tensor lies."""

    TYPES = {"F32": TensorProto.FLOAT, "I8": TensorProto.INT8}

    def __init__(self, path: Path):
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        self.name = path.name
        self.start = 8 + length
        self.tensors = header

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def dtype(self, name: str) -> str:
        return self.tensors[name]["dtype"]

    def initializer(self, name: str, shape: list[int] | None = None) -> TensorProto:
        """External-data initialiser for one tensor, optionally under another shape."""
        entry = self.tensors[name]
        begin, end = entry["data_offsets"]
        tensor = TensorProto()
        tensor.name = name
        tensor.data_type = self.TYPES[entry["dtype"]]
        tensor.dims.extend(shape or entry["shape"])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", self.name), ("offset", self.start + begin), ("length", end - begin)):
            item = tensor.external_data.add()
            item.key, item.value = key, str(value)
        return tensor


class _Graph:
    """Collects nodes and initialisers; every method that adds a node returns the name of its output."""

    def __init__(self, weights: _Weights):
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self.dequantized: dict[str, str] = {}
        self.constants: dict[tuple, str] = {}

    def op(
        self,
        kind: str,
        *inputs: str,
        domain: str = "",
        outputs: int = 1,
        name: str | None = None,
        **attributes,
    ):
        """Adds a node. Returns its output name, or a list of them when `outputs` is more than one."""
        index = len(self.nodes)
        names = [name or f"{kind}_{index}"] + [f"{kind}_{index}_{k}" for k in range(1, outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value, dtype=np.float32) -> str:
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            name = f"constant_{len(self.constants)}"
            self.initializers[name] = numpy_helper.from_array(array, name)
            self.constants[key] = name
        return self.constants[key]

    def ints(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def tensor(self, name: str, shape: list[int] | None = None) -> str:
        """A weight in float32, dequantised where it is stored in 8 bits."""
        if name not in self.initializers:
            self.initializers[name] = self.weights.initializer(name, shape)
        if self.weights.dtype(name) == "F32":
            return name
        if name not in self.dequantized:
            scale = f"{name}.scale"
            rows = self.weights.tensors[name]["shape"][0]
            self.initializers[scale] = self.weights.initializer(scale, [rows])
            self.dequantized[name] = self.op("DequantizeLinear", name, scale, axis=0)
        return self.dequantized[name]

    def linear(self, x: str, name: str, bias: str | None = None) -> str:
        """x [rows, in] times the weight [out, in] transposed, plus a bias."""
        inputs = [x, self.tensor(name)] + ([self.tensor(bias)] if bias else [])
        return self.op("Gemm", *inputs, transB=1)

    def rms(self, x: str, length: int, eps: float, scale: str | None = None) -> str:
        """x·rsqrt(mean(x²) + eps)·scale over the last axis."""
        scale = scale or self.constant(np.ones(length))
        return self.op("SimplifiedLayerNormalization", x, scale, axis=-1, epsilon=eps, stash_type=1)

    def unit(self, x: str, length: int) -> str:
        """x·rsqrt(sum(x²) + 1e-6) over the last axis, as an rms norm of mean instead of sum."""
        return self.rms(x, length, EPS / length, self.constant(np.full(length, 1 / math.sqrt(length))))

    def silu(self, x: str) -> str:
        return self.op("Mul", x, self.op("Sigmoid", x))

    def reshape(self, x: str, *shape: int) -> str:
        return self.op("Reshape", x, self.ints(*shape))

    def part(self, x: str, axis: int, start: int, end: int) -> str:
        return self.op("Slice", x, self.ints(start), self.ints(end), self.ints(axis))


class _World:
    """Lays out one of the two graphs."""

    def __init__(self, spec: dict, weights: _Weights, commit: bool):
        self.spec = spec
        self.commit = commit
        self.graph = _Graph(weights)
        self.rows, self.columns = spec["grid"]["rows"], spec["grid"]["columns"]
        self.frame_tokens = self.rows * self.columns
        self.chunk_tokens = spec["framesPerChunk"] * self.frame_tokens
        self.width = spec["width"]
        self.heads = spec["scan"]["heads"]
        self.key_length = spec["scan"]["keyLength"]
        self.value_length = spec["scan"]["valueLength"]
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.blocked: dict[tuple, str] = {}

    def build(self) -> onnx.ModelProto:
        graph, spec = self.graph, self.spec
        tokens = "T" if self.commit else self.chunk_tokens
        frames = "frames" if self.commit else spec["framesPerChunk"]
        chunks = "chunks" if self.commit else 1
        self._input("z", [tokens, spec["latentChannels"]])
        self._input("rays", [tokens, 6])
        self._input("known", [tokens, 1])
        self._input("times", [frames])
        self._input("cache_bias", [chunks])
        if not self.commit:
            self._input("level", [])
            self._input("noised", [tokens, 1], TensorProto.BOOL)
        self.level_features = self._level_features()
        self.ray_features = self._ray_features() if spec["rayFrequencies"] else None
        self.rotation = self._rotation()
        x = self._embed()
        last = len(spec["layers"]) - 1
        for index, layer in enumerate(spec["layers"]):
            x = self._layer(x, index, layer, ends_here=self.commit and index == last)
        if not self.commit:
            shift, scale = self._modulation("final.", 2)
            x = graph.linear(self._modulate(x, shift, scale), "final.proj", "final.proj_bias")
            graph.op("Identity", x, name="clean")
            self._output("clean", [tokens, spec["latentChannels"]])
        proto = helper.make_graph(
            graph.nodes,
            "commit" if self.commit else "denoise",
            self.inputs,
            self.outputs,
            list(graph.initializers.values()),
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(proto, opset_imports=opsets, ir_version=10, producer_name="longtake")

    def _input(self, name: str, shape: list, dtype=TensorProto.FLOAT) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def _output(self, name: str, shape: list) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def _embed(self) -> str:
        graph = self.graph
        u = graph.linear(graph.linear("z", "embed.in_proj"), "embed.up", "embed.up_bias")
        row = graph.reshape(graph.tensor("embed.row"), self.rows, 1, self.width)
        column = graph.reshape(graph.tensor("embed.column"), 1, self.columns, self.width)
        place = graph.reshape(graph.op("Add", row, column), 1, self.frame_tokens, self.width)
        u = graph.op("Add", graph.reshape(u, -1, self.frame_tokens, self.width), place)
        u = graph.reshape(u, -1, self.width)
        if self.ray_features:
            u = graph.op("Add", u, graph.linear(self.ray_features, "embed.ray"))
        unknown = graph.op("Sub", graph.constant(1.0), "known")
        return graph.op("Add", u, graph.op("Mul", unknown, graph.tensor("embed.camera_unknown")))

    def _ray_features(self) -> str:
        """[T, 2R]; zero where the pose is unknown."""
        graph = self.graph
        angles = graph.linear("rays", "ray.frequencies")
        features = graph.op("Concat", graph.op("Cos", angles), graph.op("Sin", angles), axis=1)
        return graph.op("Mul", features, "known")

    def _point_waves(self) -> tuple[str, str]:
        """cos and sin of the point frequencies at every depth, [T, D, Q], in raster order; zero where unknown."""
        graph, spec = self.graph, self.spec
        at = graph.linear(graph.part("rays", 1, 0, 3), "point.frequencies")
        along = graph.linear(graph.part("rays", 1, 3, 6), "point.frequencies")
        depths = graph.tensor("point.depths", [1, spec["depths"], 1])
        along = graph.op("Mul", depths, graph.op("Unsqueeze", along, graph.ints(1)))
        angles = graph.op("Add", graph.op("Unsqueeze", at, graph.ints(1)), along)
        known = graph.op("Unsqueeze", "known", graph.ints(2))
        return graph.op("Mul", graph.op("Cos", angles), known), graph.op("Mul", graph.op("Sin", angles), known)

    def _level_features(self) -> str:
        """silu(fc2(silu(fc1(τ)))) for level 0 and, when denoising, the present level: [levels, m]."""
        graph = self.graph
        levels = graph.constant([[0.0]])
        if not self.commit:
            levels = graph.op("Concat", graph.reshape("level", 1, 1), levels, axis=0)
        frequencies = 10000.0 ** (-np.arange(32, dtype=np.float64) / 32)
        angles = graph.op("Mul", levels, graph.constant(1000 * frequencies[None]))
        tau = graph.op("Concat", graph.op("Cos", angles), graph.op("Sin", angles), axis=1)
        hidden = graph.silu(graph.linear(tau, "level.fc1", "level.fc1_bias"))
        return graph.silu(graph.linear(hidden, "level.fc2", "level.fc2_bias"))

    def _modulation(self, prefix: str, count: int) -> list[str]:
        """`count` vectors of a layer, [1, d] each, or [T, d] where tokens differ in level."""
        graph = self.graph
        vectors = graph.linear(self.level_features, f"{prefix}modulation", f"{prefix}modulation_bias")
        split = graph.op("Split", vectors, axis=1, outputs=count, num_outputs=count)
        if self.commit:
            return split
        picked = []
        for vector in split:
            noisy, clean = graph.part(vector, 0, 0, 1), graph.part(vector, 0, 1, 2)
            picked.append(graph.op("Where", "noised", noisy, clean))
        return picked

    def _modulate(self, x: str, shift: str, scale: str) -> str:
        graph = self.graph
        normed = graph.rms(x, self.width, EPS)
        return graph.op("Add", graph.op("Mul", normed, graph.op("Add", scale, graph.constant(1.0))), shift)

    def _layer(self, x: str, index: int, layer: dict, ends_here: bool) -> str | None:
        """One layer. With `ends_here`, stops once the state is written: nothing after it is needed."""
        graph = self.graph
        prefix = f"layers.{index}."
        modulation = self._modulation(prefix, 9)
        a = self._modulate(x, modulation[0], modulation[1])
        x = graph.op("Add", x, graph.op("Mul", modulation[2], self._scan(a, index, layer)))
        a = self._modulate(x, modulation[3], modulation[4])
        attended = self._attention(a, index, ends_here)
        if ends_here:
            return None
        x = graph.op("Add", x, graph.op("Mul", modulation[5], attended))
        a = self._modulate(x, modulation[6], modulation[7])
        hidden = graph.op("Gelu", graph.linear(a, f"{prefix}mlp.up", f"{prefix}mlp.up_bias"), approximate="tanh")
        out = graph.linear(hidden, f"{prefix}mlp.down", f"{prefix}mlp.down_bias")
        return graph.op("Add", x, graph.op("Mul", modulation[8], out))

    def _to_blocks(self, x: str, block: tuple[int, int], length: int) -> str:
        """[T, length] in raster order → the same rows block by block, each block frame by frame."""
        if block == (self.rows, self.columns):
            return x
        graph = self.graph
        (bh, bw), (rows, columns) = block, (self.rows, self.columns)
        x = graph.reshape(x, -1, rows // bh, bh, columns // bw, bw, length)
        return graph.reshape(graph.op("Transpose", x, perm=[1, 3, 0, 2, 4, 5]), -1, length)

    def _from_blocks(self, x: str, block: tuple[int, int], length: int) -> str:
        if block == (self.rows, self.columns):
            return x
        graph = self.graph
        (bh, bw), (rows, columns) = block, (self.rows, self.columns)
        x = graph.reshape(x, rows // bh, columns // bw, -1, bh, bw, length)
        return graph.reshape(graph.op("Transpose", x, perm=[2, 0, 3, 1, 4, 5]), -1, length)

    def _pose_features(self, a: str, prefix: str, layer: dict, block: tuple[int, int]) -> str | None:
        """φ of every token in block order; `a` is in block order too."""
        graph, spec = self.graph, self.spec
        if layer["key"] == "none":
            return None
        key = (layer["key"], block)
        if layer["key"] == "ray":
            if key not in self.blocked:
                self.blocked[key] = self._to_blocks(self.ray_features, block, 2 * spec["rayFrequencies"])
            return self.blocked[key]
        depths, points = spec["depths"], spec["pointFrequencies"]
        if key not in self.blocked:
            if "waves" not in self.blocked:
                waves = graph.op("Concat", *self._point_waves(), axis=2)
                self.blocked["waves"] = graph.reshape(waves, -1, depths * 2 * points)
            self.blocked[key] = graph.reshape(
                self._to_blocks(self.blocked["waves"], block, depths * 2 * points), -1, depths, 2 * points
            )
        logits = graph.linear(a, f"{prefix}scan.depth", f"{prefix}scan.depth_bias")
        weights = graph.op("Unsqueeze", graph.op("Softmax", logits, axis=-1), graph.ints(1))
        return graph.reshape(graph.op("MatMul", weights, self.blocked[key]), -1, 2 * points)

    def _scan(self, a: str, index: int, layer: dict) -> str:
        graph = self.graph
        prefix, block = f"layers.{index}.", tuple(layer["block"])
        heads, key_length, value_length = self.heads, self.key_length, self.value_length
        blocks = self.frame_tokens // (block[0] * block[1])
        state_shape = [blocks, heads, key_length, value_length]
        past = self._input(f"scan.{index}", state_shape)
        a = self._to_blocks(a, block, self.width)
        pose = self._pose_features(a, prefix, layer, block)

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
        if self.commit:
            graph.op("Identity", state, name=f"next.scan.{index}")
            self._output(f"next.scan.{index}", state_shape)
        y = graph.rms(graph.reshape(y, -1, heads, value_length), value_length, RECALL_EPS)
        y = graph.reshape(y, -1, heads * value_length)
        y = graph.op("Mul", y, graph.silu(graph.linear(a, f"{prefix}scan.gate")))
        return self._from_blocks(graph.linear(y, f"{prefix}scan.out"), block, self.width)

    def _rotation(self) -> tuple[str, str, str]:
        """cos and sin of every token's rotation angles, [T, d_a/2], and the tokens' positions in these tables."""
        graph = self.graph
        rope = self.spec["attention"]["rope"]
        time = graph.op("Mul", graph.reshape("times", -1, 1, 1), graph.constant([[rope["time"]]]))
        row = np.arange(self.rows)[:, None, None] * np.asarray(rope["row"])
        column = np.arange(self.columns)[None, :, None] * np.asarray(rope["column"])
        place = np.concatenate(
            [
                np.broadcast_to(row, (self.rows, self.columns, len(rope["row"]))),
                np.broadcast_to(column, (self.rows, self.columns, len(rope["column"]))),
            ],
            axis=2,
        ).reshape(1, self.frame_tokens, -1)
        frames = graph.op("Shape", "times")
        shape_time = graph.op("Concat", frames, graph.ints(self.frame_tokens, len(rope["time"])), axis=0)
        shape_place = graph.op("Concat", frames, graph.ints(self.frame_tokens, place.shape[2]), axis=0)
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
        return graph.op("Cos", angles), graph.op("Sin", angles), positions

    def _attention(self, a: str, index: int, ends_here: bool) -> str | None:
        graph = self.graph
        prefix = f"layers.{index}.attention."
        heads = self.spec["attention"]["heads"]
        length = self.width // heads
        chunk = self.chunk_tokens
        past_keys = self._input(f"keys.{index}", [chunk, self.width])
        past_values = self._input(f"values.{index}", [chunk, self.width])
        query, key, value = graph.op("Split", graph.linear(a, f"{prefix}qkv"), axis=1, outputs=3, num_outputs=3)

        def turned(x: str, gain: str) -> str:
            x = graph.rms(graph.reshape(x, -1, heads, length), length, EPS, graph.tensor(f"{prefix}{gain}"))
            x = graph.reshape(x, 1, -1, self.width)
            cos, sin, positions = self.rotation
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
            return graph.reshape(x, -1, self.width)

        key = turned(key, "key_gain")
        if self.commit:
            for name, x in (("keys", key), ("values", value)):
                graph.op("Identity", self._last_chunk(x), name=f"next.{name}.{index}")
                self._output(f"next.{name}.{index}", [chunk, self.width])
        if ends_here:
            return None
        query = turned(query, "query_gain")

        def by_chunk(x: str) -> str:
            return graph.reshape(x, -1, chunk, self.width)

        def with_previous(x: str, past: str) -> str:
            """[n, 2·F·S, d]: every chunk's tokens behind those of the chunk before."""
            own = by_chunk(x)
            before = by_chunk(past)
            if self.commit:
                before = graph.op("Concat", before, graph.part(own, 0, 0, -1), axis=0)
            return graph.op("Concat", before, own, axis=1)

        def by_head(x: str, tokens: int, perm: list[int]) -> str:
            return graph.op("Transpose", graph.reshape(x, -1, tokens, heads, length), perm=perm)

        query = by_head(graph.op("Mul", query, graph.constant(1 / math.sqrt(length))), chunk, [0, 2, 1, 3])
        keys = by_head(with_previous(key, past_keys), 2 * chunk, [0, 2, 3, 1])
        values = by_head(with_previous(value, past_values), 2 * chunk, [0, 2, 1, 3])
        scores = graph.op("Add", graph.op("MatMul", query, keys), self._attention_bias())
        mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), values)
        mixed = graph.reshape(graph.op("Transpose", mixed, perm=[0, 2, 1, 3]), -1, self.width)
        return graph.linear(mixed, f"{prefix}out")

    def _last_chunk(self, x: str) -> str:
        return self.graph.part(x, 0, -self.chunk_tokens, np.iinfo(np.int64).max)

    def _attention_bias(self) -> str:
        """[n, 1, 1, 2·F·S]: cache_bias on the keys of the chunk before, 0 on a chunk's own."""
        if "bias" not in self.blocked:
            graph = self.graph
            before = np.concatenate([np.ones(self.chunk_tokens), np.zeros(self.chunk_tokens)])
            bias = graph.reshape("cache_bias", -1, 1, 1, 1)
            self.blocked["bias"] = graph.op("Mul", bias, graph.constant(before[None, None, None]))
        return self.blocked["bias"]


def export_onnx(package_dir: str | os.PathLike) -> list[Path]:
    """Writes both graphs of a package from its model.json (`world`) and weights.safetensors.

    Returns the paths written. Run it before the package's hashes are taken.
    """
    folder = Path(package_dir)
    spec = json.loads((folder / "model.json").read_text())["world"]
    weights = _Weights(folder / spec["weights"])
    written = []
    for kind in ("denoise", "commit"):
        model = _World(spec, weights, commit=kind == "commit").build()
        path = folder / spec["graphs"][kind]
        partial = path.with_suffix(".partial")
        partial.write_bytes(model.SerializeToString())
        partial.replace(path)
        written.append(path)
    return written


if __name__ == "__main__":
    for written_path in export_onnx(sys.argv[1]):
        print(f"{written_path} {written_path.stat().st_size} bytes")
