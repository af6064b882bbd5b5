"""The bundled sample pictures, and what each is called."""

from __future__ import annotations

from pathlib import Path

from latentlab.errors import LatentLabError
from latentlab.paths import bundled


def sample_pictures() -> list[Path]:
    """Return the bundled sample pictures, in the order of their names."""
    try:
        return sorted(bundled("resources", "samples").glob("*.png"))
    except LatentLabError:
        return []


def sample_title(path: Path) -> str:
    """Return what a sample is called: ``face-0020.png`` is "Face 20"."""
    name, _, number = path.stem.partition("-")
    return f"{name.capitalize()} {int(number)}" if number.isdigit() else path.stem
