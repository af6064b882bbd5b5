"""The file of a map: one safetensors file whose metadata say what it is of; and where maps are kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from latentlab.errors import LatentLabError, SettingsError
from latentlab.operations.latent_map import LatentMap
from latentlab.operations.map_info import LAYOUTS, MapInfo
from latentlab.paths import cache_directory

_PLACE, _LABEL = "place.", "label."


def save_map(path: Path, found: LatentMap) -> None:
    """Write a map; a file that is there stays until the new one is whole.

    Raises
    ------
    SettingsError
        If the file cannot be written.
    """
    tensors: dict[str, NDArray[Any]] = {
        "rows": found.rows,
        "latents": found.latents,
        "mean": found.mean,
        "components": found.components,
        "shares": found.shares,
    }
    tensors |= {_PLACE + layout: places for layout, places in found.places.items()}
    tensors |= {_LABEL + name: codes for name, codes in found.labels.items()}
    metadata = {"info": found.info.model_dump_json(), "names": json.dumps(found.names.tolist())}
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, part, metadata)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SettingsError(f"{path} cannot be written: {why}.") from None


def load_map(path: Path) -> LatentMap:
    """Read what `save_map` wrote.

    Raises
    ------
    SettingsError
        If it is no map, or a damaged one; the message says what is wrong with it.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if "info" not in metadata:
                raise SettingsError(f"{path} is no map: it lacks info. Make the map again.")
            # Copied: a map that grows replaces its file, which must not be mapped meanwhile.
            tensors = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise SettingsError(f"There is no map {path}; check the name and the folder.") from None
    except (OSError, SafetensorError) as error:
        raise SettingsError(f"{path} is no map, or a damaged one: {error}. Make the map again.") from None
    try:
        info = MapInfo.model_validate_json(metadata["info"])
        names = np.array(json.loads(metadata["names"]))
        found = LatentMap(
            info=info,
            rows=tensors["rows"],
            names=names,
            latents=tensors["latents"],
            labels={one.name: tensors[_LABEL + one.name] for one in info.attributes},
            places={layout: tensors[_PLACE + layout] for layout in LAYOUTS if _PLACE + layout in tensors},
            mean=tensors["mean"],
            components=tensors["components"],
            shares=tensors["shares"],
        )
    except KeyError as error:
        raise SettingsError(f"{path} is no map: it lacks {error.args[0]}. Make the map again.") from None
    except (ValidationError, json.JSONDecodeError) as error:
        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "its names are damaged"
        raise SettingsError(f"{path} is no map that can be read: {what}. Make the map again.") from None
    _check(path, found)
    return found


def _check(path: Path, found: LatentMap) -> None:
    n, size = found.latents.shape if found.latents.ndim == 2 else (-1, -1)
    fits = (
        n > 0
        and size == int(np.prod(found.info.latent_shape))
        and found.rows.shape == (n,) == found.names.shape
        and all(codes.shape == (n,) for codes in found.labels.values())
        and all(places.shape == (n, 2) for places in found.places.values())
        and "pca" in found.places
        and found.mean.shape == (size,)
        and found.components.ndim == 2
        and found.components.shape[1] == size
        and found.shares.shape == found.components.shape[:1]
        and len(found.shares) >= 2
        and all(
            np.isfinite(numbers).all()
            for numbers in (
                found.latents,
                found.mean,
                found.components,
                found.shares,
                *found.places.values(),
            )
        )
        and all(
            one.kind == "continuous" or found.labels[one.name].max() < len(one.classes)
            for one in found.info.attributes
        )
    )
    if not fits:
        raise SettingsError(f"{path} is a damaged map: its parts do not fit together. Make the map again.")


def map_path(sha256: str, data: str, count: int, seed: int) -> Path:
    """Return where the map of that model, set, number of rows and seed is kept in the cache."""
    key = hashlib.sha256(json.dumps([sha256, data, count, seed]).encode()).hexdigest()
    return cache_directory() / "maps" / f"{key[:24]}.safetensors"


def find_map(sha256: str, data: str, count: int, seed: int) -> Path | None:
    """Return the map of that model, set, number of rows and seed from the cache; None where there is none.

    A damaged one counts as none: it can be made again.
    """
    path = map_path(sha256, data, count, seed)
    try:
        return path if path.is_file() and load_map(path).info.fits(sha256, data, count, seed) else None
    except LatentLabError:
        return None
