"""Two averages of weights mixed into one: between an earlier state of a run and its end, sharpness can be had for dB.

python -m longtake_training.mix A B --share .6 --out C
"""

import argparse
from pathlib import Path

import torch

from .evaluate import load_weights
from .package import half_tensors, write_safetensors


def mixed(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """(1 - share) a + share b, tensor by tensor. Raises ValueError where they are of different networks."""
    if {k: v.shape for k, v in a.items()} != {k: v.shape for k, v in b.items()}:
        raise ValueError("the weights are of different networks")
    return {name: (1 - share) * a[name] + share * b[name] for name in a}


def mix(a: Path, b: Path, share: float, out: Path) -> None:
    """Mixes two files in float32 and writes the result as runs store averages."""
    write_safetensors(out, half_tensors(mixed(load_weights(a), load_weights(b), share)))


def main(argv: list[str] | None = None) -> None:
    """Mixes two files of weights."""
    parser = argparse.ArgumentParser(description="Mix two averages of one network's weights.")
    parser.add_argument("a", type=Path, help="weights (.safetensors) of a run or a package")
    parser.add_argument("b", type=Path, help="others of the same network")
    parser.add_argument("--share", type=float, required=True, help="of the second in the mix; 1: it alone")
    parser.add_argument("--out", type=Path, required=True, help="file to write, in half precision")
    arguments = parser.parse_args(argv)
    mix(arguments.a, arguments.b, arguments.share, arguments.out)


if __name__ == "__main__":
    main()
