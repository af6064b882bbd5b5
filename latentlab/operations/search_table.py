"""Searches as a table: one row a restart, with its distance, how it ended, and what the predictor sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from latentlab.operations.search_plan import DRAWN, NOTE
from latentlab.spec import PredictorSpec


def search_rows(
    records: Iterable[Mapping[str, Any]], predictor: PredictorSpec | None
) -> list[dict[str, Any]]:
    """Return one table row a restart, of records of `latentlab.operations.search_result`.

    ``NAME`` is the predicted class of an attribute, ``NAME_probability`` how probable it is; ``note`` says
    what the pictures are, in every row. A posterior's draws have no eps.
    """
    attributes = [one for one in (() if predictor is None else predictor.attributes) if one.classes]
    rows = []
    for record in records:
        drawn = record["settings"]["posterior"]
        for place, restart in enumerate(record["restarts"]):
            row: dict[str, Any] = {
                "picture": record["data"]["path"],
                "restart": place,
                "seed": restart["seed"],
                "status": DRAWN if drawn else restart["status"],
                "distance": f"{restart['distance']:.8g}",
                "rounded_distance": f"{restart['rounded_distance']:.8g}",
                "eps": "" if drawn else f"{record['settings']['eps']:.8g}",
                "steps": restart["steps"],
                "exposure": "" if restart["exposure"] is None else f"{restart['exposure']:.6g}",
            }
            for attribute in attributes:
                said: Sequence[float] = restart["attributes"].get(attribute.name, ())
                row[attribute.name] = attribute.classes[int(np.argmax(said))] if len(said) else ""
                row[f"{attribute.name}_probability"] = f"{max(said):.4f}" if len(said) else ""
            rows.append({**row, "note": NOTE})
    return rows
