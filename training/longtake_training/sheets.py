"""Contact sheets: generated frames under the true ones."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_sheet(path: Path, made: np.ndarray, true: np.ndarray, columns: int = 16, scale: int = 2) -> None:
    """Two rows a clip: true above, generated below, frames evenly spread from left to right.

    made, true: uint8 [clips, frames, height, width, 3].
    """
    picks = np.linspace(0, made.shape[1] - 1, columns).round().astype(int)
    rows = []
    for clip_made, clip_true in zip(made, true, strict=True):
        rows += [np.concatenate(list(clip_true[picks]), 1), np.concatenate(list(clip_made[picks]), 1)]
        rows.append(np.full((4, rows[-1].shape[1], 3), 255, np.uint8))
    sheet = np.concatenate(rows[:-1], 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(sheet)
    picture.resize((picture.width * scale, picture.height * scale), Image.NEAREST).save(path, optimize=True)
