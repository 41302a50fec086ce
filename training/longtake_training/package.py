"""A world-model package's weights: int8 rows with float32 scales, tensors aligned for direct upload."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

ALIGNMENT = 256
# Two-dimensional tensors that are no matrices of a product, or too small and too delicate to be worth a byte a weight.
KEPT_FLOAT = ("ray.frequencies", "point.frequencies", "embed.row", "embed.column")
KEPT_FLOAT_ENDINGS = ("scan.write", "scan.decay", "scan.depth")


def is_quantised(name: str, tensor: torch.Tensor) -> bool:
    """Whether a tensor is stored as int8 rows."""
    return tensor.ndim == 2 and name not in KEPT_FLOAT and not name.endswith(KEPT_FLOAT_ENDINGS)


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """float [rows, columns] to int8 of the same shape and a float32 scale a row: weight ~ int8 * scale."""
    scale = weight.abs().amax(1).clamp_min(1e-12).float() / 127
    return (weight / scale[:, None]).round().clamp(-127, 127).to(torch.int8), scale


def package_tensors(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """A model's state_dict to the tensors of weights.safetensors."""
    tensors = {}
    for name, tensor in state.items():
        tensor = tensor.detach().float().cpu()
        if is_quantised(name, tensor):
            integers, scale = quantise(tensor)
            tensors[name], tensors[f"{name}.scale"] = integers.numpy(), scale.numpy()
        else:
            tensors[name] = tensor.numpy()
    return tensors


def dequantised_state(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What a reader of the package gets back: every tensor in float32, rounded as stored."""
    result = {}
    for name, tensor in state.items():
        tensor = tensor.detach().float().cpu()
        if is_quantised(name, tensor):
            integers, scale = quantise(tensor)
            tensor = integers.float() * scale[:, None]
        result[name] = tensor
    return result


def half_tensors(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """A model's state_dict as a run stores averages: in half precision, but what makes angles of positions as it is
    (an angle is a frequency times a dozen cells or more, and half precision would turn it by a degree)."""
    tensors = {name: tensor.detach().float().cpu() for name, tensor in state.items()}
    exact = ("ray.", "point.")
    return {name: (x if name.startswith(exact) else x.half()).numpy() for name, x in tensors.items()}


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Writes a safetensors file whose tensors all begin at multiples of 256 bytes of the file.

    The format allows no holes, so the bytes between tensors are tensors of their own, named `pad.0`, `pad.1`, ...
    """
    names = {
        np.dtype(k): v
        for k, v in (("f4", "F32"), ("f2", "F16"), ("i1", "I8"), ("u1", "U8"), ("i4", "I32"), ("u4", "U32"))
    }
    header, pieces, offset = {}, [], 0
    for name, array in tensors.items():
        data = np.ascontiguousarray(array).tobytes()
        header[name] = {
            "dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]
        }  # fmt: skip
        pieces.append(data)
        offset += len(data)
        if gap := -offset % ALIGNMENT:
            pad = f"pad.{sum(x.startswith('pad.') for x in header)}"
            header[pad] = {"dtype": "U8", "shape": [gap], "data_offsets": [offset, offset + gap]}
            pieces.append(bytes(gap))
            offset += gap
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    temporary = path.with_suffix(".part")
    with open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for piece in pieces:
            file.write(piece)
    temporary.rename(path)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Reads weights.safetensors back to a float32 state_dict."""
    stored = load_file(path)
    result = {}
    for name, tensor in stored.items():
        if name.startswith("pad.") or name.endswith(".scale"):
            continue
        scale = stored.get(f"{name}.scale")
        result[name] = tensor if scale is None else tensor.float() * scale[:, None]
    return result


def file_entries(folder: Path) -> list[dict]:
    """The lines of model.json on the files beside it."""
    entries = []
    for path in sorted(p for p in folder.iterdir() if p.is_file() and p.name != "model.json"):
        data = path.read_bytes()
        entries.append({"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    return entries


def write_model_json(folder: Path, model, about: dict, sampler: dict, tasks: list[str]) -> None:
    """Writes model.json for the files in the folder. about: name, title, licence, rate, unit."""
    config = model.config
    height, width = config.frame_size
    content = {
        "formatVersion": 1,
        "name": about["name"],
        "title": about["title"],
        "licence": about["licence"],
        "frame": {"width": width, "height": height},
        "rate": about["rate"],
        "codec": {"kind": "patch", "patch": config.codec.patch},
        "camera": {"verticalFov": config.vertical_fov, "unit": about["unit"]},
        "world": config.to_world_spec(),
        "sampler": sampler,
        "tasks": tasks,
        "files": file_entries(folder),
    }
    replace_model_json(folder, content)


def replace_model_json(folder: Path, content: dict) -> None:
    """Writes model.json whole or not at all."""
    temporary = folder / "model.json.part"
    temporary.write_text(json.dumps(content, indent=2) + "\n")
    temporary.rename(folder / "model.json")
