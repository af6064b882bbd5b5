"""The map of a model's latents, made in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentlab.jobs.job import Job, start_or_find
from latentlab.operations.map_file import map_path
from latentlab.paths import runs_directory
from latentlab.progress import Reporter


def map_job(model: str, sha256: str, data: str, count: int, seed: int, tsne: bool) -> tuple[Job, Path]:
    """Start the work, or find it where it is going on, and return it with the map's file.

    Parameters
    ----------
    model, sha256
        The checkpoint's path, and the SHA-256 of its weights.
    data, count, seed, tsne
        As in `latentlab.operations.make_map.make_map`.

    Raises
    ------
    SettingsError
        If the run's folder cannot be written.
    """
    out = map_path(sha256, data, count, seed)
    settings = {
        "model": model,
        "sha256": sha256,
        "data": data,
        "count": count,
        "seed": seed,
        "tsne": tsne,
        "out": str(out),
    }
    # One folder for both layouts: two processes must not write one map.
    folder = runs_directory() / f"map-{out.stem}"
    return start_or_find("map", settings, folder), out


def run(settings: Mapping[str, Any], reporter: Reporter) -> None:
    """Make the map that the settings ask for."""
    from latentlab.data.catalog import open_set
    from latentlab.operations.explore import Explorer
    from latentlab.operations.make_map import make_map

    explorer = Explorer.open(settings["model"], "", settings.get("sha256", ""))
    images = open_set(settings["data"], explorer.spec.image_size, reporter)
    make_map(
        explorer,
        images,
        settings["data"],
        settings["count"],
        settings["tsne"],
        settings["seed"],
        Path(settings["out"]),
        reporter=reporter,
    )
