"""Where things lie: bundled resources and models, and the user's cache.

Bundled files are found by one function in a checkout and in an installed wheel alike: a wheel carries
them inside the package (``latentlab/_bundled``), a checkout has them beside it.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from latentlab.errors import LatentLabError

_PACKAGE = Path(__file__).resolve().parent


def bundled(*parts: str) -> Path:
    """Return the path of a bundled file or folder, e.g. ``bundled("models", "faces-vae")``.

    Raises
    ------
    LatentLabError
        If the installation lacks it.
    """
    for root in (_PACKAGE / "_bundled", _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise LatentLabError(
        f"The installation lacks its bundled file {'/'.join(parts)}. Install LatentLab again with pip."
    )


def bundled_models() -> dict[str, Path]:
    """Return the bundled checkpoints by name, in alphabetical order."""
    for root in (_PACKAGE / "_bundled", _PACKAGE.parent):
        if (root / "models").is_dir():
            return {
                folder.name: folder
                for folder in sorted((root / "models").iterdir())
                if (folder / "config.json").is_file()
            }
    return {}


def cache_directory() -> Path:
    """Return the folder for files that can be made again (``LATENTLAB_CACHE`` overrides it)."""
    override = os.environ.get("LATENTLAB_CACHE")
    path = Path(override) if override else platformdirs.user_cache_path("latentlab", appauthor=False)
    path.mkdir(parents=True, exist_ok=True)
    return path


def runs_directory() -> Path:
    """Return the folder of the runs that go on in the background (``LATENTLAB_RUNS`` overrides it)."""
    override = os.environ.get("LATENTLAB_RUNS")
    path = Path(override) if override else platformdirs.user_data_path("latentlab", appauthor=False) / "runs"
    path.mkdir(parents=True, exist_ok=True)
    return path
