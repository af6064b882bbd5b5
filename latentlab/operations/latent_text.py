"""A latent as text (JSON), to copy from a window and paste into another or use in a script. No torch here."""

from __future__ import annotations

import json
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from latentlab.conditions import as_condition
from latentlab.errors import SettingsError
from latentlab.operations.latents import as_latent
from latentlab.spec import ModelSpec, Record


class LatentText(Record):
    """What the text holds.

    Parameters
    ----------
    model, sha256
        The model's name and the SHA-256 of its weights.
    latent
        Its numbers, flattened; float32 numbers come back to the bit.
    condition
        The condition's numbers, None for an unconditional model.
    """

    format: Literal["latentlab-latent"] = "latentlab-latent"
    version: Literal[1] = 1
    model: str
    sha256: str
    latent: tuple[float, ...]
    condition: tuple[float, ...] | None = None


def latent_text(
    model: str, sha256: str, latent: NDArray[np.float32], condition: NDArray[np.float32] | None = None
) -> str:
    """Return one latent (and condition) as JSON text."""
    numbers = tuple(float(value) for value in np.asarray(latent, dtype=np.float32).reshape(-1))
    given = None if condition is None else tuple(float(value) for value in condition)
    return LatentText(model=model, sha256=sha256, latent=numbers, condition=given).model_dump_json() + "\n"


def is_latent_text(text: str) -> bool:
    """Whether a text says that it is a latent (it may still be damaged)."""
    return text.lstrip()[:1] == "{" and '"latentlab-latent"' in text[:200]


def read_latent_text(text: str, spec: ModelSpec, sha256: str = "") -> tuple[NDArray[np.float32], str]:
    """Read a latent of a model.

    Parameters
    ----------
    sha256
        The SHA-256 of the model's weights, if it is to be compared.

    Returns
    -------
    tuple
        Float32 of the model's latent shape; and a note where it was copied from another model, else "".

    Raises
    ------
    SettingsError
        If the text is damaged or the latent does not fit the model.
    """
    found = _read(text)
    if len(found.latent) != spec.latent_size:
        raise SettingsError(
            f"The latent was copied from {found.model}, which has {len(found.latent)} dimensions; the open "
            f"model has {spec.latent_size}. Open {found.model} first."
        )
    other = bool(sha256) and found.sha256 != sha256
    note = f"The latent was copied from {found.model}, whose weights are others: it means another picture."
    return as_latent(found.latent, spec), note if other else ""


def read_condition_text(text: str, spec: ModelSpec) -> NDArray[np.float32] | None:
    """Return the condition that was copied with a latent, float32 ``[C]``; None for an unconditional model.

    None, too, where the text has none.

    Raises
    ------
    SettingsError
        If the text is damaged or the condition does not fit the model.
    """
    condition = _read(text).condition
    return None if condition is None or not spec.condition.size else as_condition(condition, spec.condition)


def _read(text: str) -> LatentText:
    try:
        return LatentText.model_validate(json.loads(text))
    except json.JSONDecodeError:
        raise SettingsError("The text is no latent: it is not JSON.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise SettingsError(f"The text is no latent: {where}: {first['msg']}.") from None
