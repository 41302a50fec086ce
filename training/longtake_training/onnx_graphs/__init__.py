"""Builds the ONNX graphs of a world-model package (maths and tensor names: docs/model.md).

The graphs hold no weights: every initialiser that comes from training is external data pointing into the package's
weights.safetensors, so that the weights lie on disk once. The block-wise scans are com.microsoft::LinearAttention with
the blocks as its batch.

There are two pairs. In `graphs` int8 matrices pass through DequantizeLinear (one scale a row) and the rest is float32:
what PyTorch is compared with. In `graphs.int8` the layers' matrices stay int8 and meet activations of 7 bits
(`graph.py`).

Inputs of both graphs; n = chunks (1 in the denoise graph, any number in the commit graph), T = n·F·S tokens:
  z [T, c]           latents as they stand, frame by frame
  rays [T, 6]        camera position and unit direction of each token's ray
  known [T, 1]       1 where the frame's pose is known, else 0
  times [n·F]        time index of each frame
  cache_bias [n]     0 where the chunk before is there to be attended to, -1e30 where it is not
  scan.i [blocks, H, N, P], keys.i [F·S, d], values.i [F·S, d] for every layer i: the state
and of the denoise graph alone:
  level []           noise level of the noised tokens
  noised [T, 1]      bool: which tokens are at that level; the others are at level 0
Outputs: denoise: clean [T, c], the predicted clean latents. commit: next.scan.i, next.keys.i, next.values.i.

Command line: python -m longtake_training.onnx_graphs PACKAGE_DIR
"""

from .write import export_onnx

__all__ = ["export_onnx"]
