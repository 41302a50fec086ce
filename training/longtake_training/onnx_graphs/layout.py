"""What all parts of a graph share: the network's numbers, the graph under construction, the order of tokens."""

import onnx
from onnx import TensorProto, helper

from .graph import EPS, Graph, Weights


class Layout:
    """One of the two graphs while it is laid out. shared: outputs that several layers use, by what they are."""

    def __init__(self, spec: dict, weights: Weights, commit: bool, int8: bool):
        self.spec = spec
        self.commit = commit
        self.graph = Graph(weights, int8)
        self.rows, self.columns = spec["grid"]["rows"], spec["grid"]["columns"]
        self.frame_tokens = self.rows * self.columns
        self.chunk_tokens = spec["framesPerChunk"] * self.frame_tokens
        self.width = spec["width"]
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.shared: dict[tuple, str] = {}

    def input(self, name: str, shape: list, dtype=TensorProto.FLOAT) -> str:
        """Declares an input of the graph."""
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value: str, name: str, shape: list) -> None:
        """Gives a value out of the graph under a name."""
        self.graph.op("Identity", value, name=name)
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def modulate(self, x: str, shift: str, scale: str) -> str:
        """norm(x)·(1 + scale) + shift."""
        graph = self.graph
        normed = graph.rms(x, self.width, EPS)
        return graph.op("Add", graph.op("Mul", normed, graph.op("Add", scale, graph.constant(1.0))), shift)

    def to_blocks(self, x: str, block: tuple[int, int], length: int) -> str:
        """[T, length] in raster order → the same rows block by block, each block frame by frame."""
        if block == (self.rows, self.columns):
            return x
        graph = self.graph
        (bh, bw), (rows, columns) = block, (self.rows, self.columns)
        x = graph.reshape(x, -1, rows // bh, bh, columns // bw, bw, length)
        return graph.reshape(graph.op("Transpose", x, perm=[1, 3, 0, 2, 4, 5]), -1, length)

    def from_blocks(self, x: str, block: tuple[int, int], length: int) -> str:
        """The way back."""
        if block == (self.rows, self.columns):
            return x
        graph = self.graph
        (bh, bw), (rows, columns) = block, (self.rows, self.columns)
        x = graph.reshape(x, rows // bh, columns // bw, -1, bh, bw, length)
        return graph.reshape(graph.op("Transpose", x, perm=[2, 0, 3, 1, 4, 5]), -1, length)
