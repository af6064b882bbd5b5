"""Grids of pictures that a training writes as it goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor


def save_grid(path: Path, images: Tensor, columns: int = 8) -> None:
    """Write images ``[B, 3, S, S]`` in [0, 1] as one PNG, row by row."""
    pixels = images.float().mul(255.0).round().clamp(0.0, 255.0).byte().permute(0, 2, 3, 1).cpu().numpy()
    count, size = len(pixels), pixels.shape[1]
    rows = -(-count // columns)
    sheet = np.full((rows * columns, size, size, 3), 255, dtype=np.uint8)
    sheet[:count] = pixels
    grid = sheet.reshape(rows, columns, size, size, 3).transpose(0, 2, 1, 3, 4)
    Image.fromarray(grid.reshape(rows * size, columns * size, 3)).save(path)
