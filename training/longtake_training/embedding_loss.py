"""How much of a picture gets through the patch embedding: what the network can know of it at most, by linear means.

python -m longtake_training.embedding_loss --weights FILE --data FOLDER-OF-CLIPS [--clips 4] [--every 16]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .evaluate import load_weights


def through(pictures: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """Pictures [N, h*p, w*p, 3] as their patches' embedding `down` [e, 3*p*p] tells of them (least squares)."""
    patch = round((down.shape[1] / 3) ** 0.5)
    n, height, width, _ = pictures.shape
    cut = pictures.unflatten(1, (height // patch, patch)).unflatten(3, (width // patch, patch)).transpose(2, 3)
    seen = cut.flatten(3) @ (torch.linalg.pinv(down) @ down).T
    return seen.view(cut.shape).transpose(2, 3).reshape(pictures.shape)


def roughness(pictures: torch.Tensor) -> float:
    """Mean difference of neighbouring pixels, both ways."""
    return (pictures.diff(dim=1).abs().mean() + pictures.diff(dim=2).abs().mean()).item() / 2


def main(argv: list[str] | None = None) -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description="What the patch embedding loses.")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--every", type=int, default=16, help="take every so many frames")
    a = parser.parse_args(argv)
    folders = sorted(path for path in a.data.iterdir() if path.is_dir())[: a.clips]
    files = [file for folder in folders for file in sorted(folder.glob("*.png"))[:: a.every]]
    pictures = torch.stack([torch.tensor(np.asarray(Image.open(file).convert("RGB"))).double() for file in files])
    down = load_weights(a.weights)["embed.in_proj"].double()
    lost = through(pictures, down) - pictures
    decibels = -10 * torch.log10(lost.square().flatten(1).mean(1) / 255**2)
    print(f"{len(files)} frames, embedding {down.shape[0]} of {down.shape[1]} numbers a patch")
    print(f"PSNR {decibels.mean():.2f} dB, worst twentieth below {decibels.quantile(0.05):.2f} dB")
    print(f"differences of neighbouring pixels: {roughness(lost) / roughness(pictures):.2f} of the pictures' own lost")


if __name__ == "__main__":
    main()
