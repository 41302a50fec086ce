"""Contact sheets: generated frames under the true ones."""

from io import BytesIO
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
    part = path.with_name(f".{path.name}.part")  # a reader finds a sheet whole or not at all
    picture.resize((picture.width * scale, picture.height * scale), Image.NEAREST).save(part, "PNG", optimize=True)
    part.rename(path)


def stack_sheets(paths: list[Path]) -> bytes:
    """PNG of several sheets, one under the other."""
    sheets = [Image.open(path).convert("RGB") for path in paths]
    gap = 16
    height = sum(x.height for x in sheets) + gap * (len(sheets) - 1)
    stacked = Image.new("RGB", (max(x.width for x in sheets), height), "white")
    top = 0
    for sheet in sheets:
        stacked.paste(sheet, (0, top))
        top += sheet.height + gap
    data = BytesIO()
    stacked.save(data, "PNG")
    return data.getvalue()
