"""The sets that go with a model: the one it was trained on, and what of it was held out. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentlab.errors import LatentLabError


def usual_data(model: Path) -> str:
    """Return the set on which a model was trained, as its configuration says; empty where it does not."""
    data = _record(model).get("data", "")
    return data if isinstance(data, str) else ""


def held_out_sets(model: Path) -> list[str]:
    """Return the held-out splits of the set that a model was trained on; of avatars in its own style."""
    styles, body = _record(model).get("styles"), usual_data(model).removesuffix(":train")
    if isinstance(styles, list) and len(styles) == 1:
        body = f"avatars:{styles[0]}"
    return [f"{body}:{split}" for split in ("validation", "test")] if body else []


def _record(model: Path) -> Mapping[str, Any]:
    """Return what a checkpoint's configuration says of its training; nothing where it cannot be read."""
    from latentlab.checkpoints import locate

    try:
        return locate(model).config.training
    except LatentLabError:
        return {}
