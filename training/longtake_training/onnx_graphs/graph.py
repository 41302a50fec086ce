"""Nodes and initialisers of an ONNX graph whose weights lie in a safetensors file."""

import json
import math
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

EPS = 1e-6
TINY = 1e-9
CONTRIB = "com.microsoft"


class Weights:
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


class Graph:
    """Collects nodes and initialisers; every method that adds a node returns the name of its output."""

    def __init__(self, weights: Weights, int8: bool = False):
        self.weights = weights
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self.matrices: dict[str, str] = {}
        self.rounded: dict[str, tuple[str, str]] = {}
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
        if name not in self.matrices:
            scale = f"{name}.scale"
            rows = self.weights.tensors[name]["shape"][0]
            self.initializers[scale] = self.weights.initializer(scale, [rows])
            self.matrices[name] = self.op("DequantizeLinear", name, scale, axis=0)
        return self.matrices[name]

    def linear(self, x: str, name: str, bias: str | None = None) -> str:
        """x [rows, in] times the weight [out, in] transposed, plus a bias."""
        if self.int8 and self.weights.dtype(name) == "I8" and name.startswith("layers.") and "modulation" not in name:
            return self._integer_linear(x, name, bias)
        inputs = [x, self.tensor(name)] + ([self.tensor(bias)] if bias else [])
        return self.op("Gemm", *inputs, transB=1)

    def _integer_linear(self, x: str, name: str, bias: str | None) -> str:
        """As `linear`, with the weight as it is stored and x in 7 bits and one scale a row.

        A scale a row makes a token's numbers independent of the tokens beside it. 7 bits and not 8: processors without
        VNNI add products in pairs of 16 bits, and 2·127·127 is the most that fits. Embedding, modulation and output
        stay float32: they are small, and the output's rounding would be seen in the picture.
        """
        if name not in self.initializers:
            self.initializers[name] = self.weights.initializer(name)
            scale = f"{name}.scale"
            self.initializers[scale] = self.weights.initializer(scale)
            self.matrices[name] = self.op("Transpose", name, perm=[1, 0])
        step, zero = self.constant(1 / 63), self.constant(64, np.uint8)
        if x not in self.rounded:
            largest = self.op("ReduceMax", self.op("Abs", x), self.ints(-1), keepdims=1)
            largest = self.op("Add", largest, self.constant(TINY))
            self.rounded[x] = self.op("QuantizeLinear", self.op("Div", x, largest), step, zero), largest
        integers, largest = self.rounded[x]
        y = self.op("MatMulIntegerToFloat", integers, self.matrices[name], step, f"{name}.scale", zero, domain=CONTRIB)
        y = self.op("Mul", y, largest)
        return self.op("Add", y, self.tensor(bias)) if bias else y

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
