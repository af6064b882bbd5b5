"""Projections as a figure: the picture, its reconstruction, and what it becomes on each dataset."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.captioned_sheet import Line, captioned_sheet
from latentlab.operations.project import Projected
from latentlab.spec import PredictorSpec

NOTE = (
    "The reconstruction (the projection onto the picture's own dataset) has the autoencoder's errors; "
    "likelihood pulls every projection towards what is usual; the set that all datasets make together has a "
    "bias of its own; and data are not the only source of bias."
)
"""What the paper itself says of such projections (Rombach, Esser and Ommer 2020)."""
_MOST_WORDS = 5


def mode_words(keep: float) -> str:
    """Say which projection a share of *keep* is."""
    if keep in (0.0, 1.0):
        return "keep the content" if keep else "follow the dataset"
    return f"{keep:.0%} keep the content, {1.0 - keep:.0%} follow the dataset"


def changes(before: Probabilities, after: Probabilities, classes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Say which attributes are predicted otherwise, such as ``hair: short to long (91%)``."""
    found = []
    for name, labels in classes.items():
        if name in before and name in after:
            one, other = int(np.argmax(before[name])), int(np.argmax(after[name]))
            if one != other:
                found.append(f"{name}: {labels[one]} to {labels[other]} ({float(after[name][other]):.0%})")
    return found


def projection_figure(found: Projected, predictor: PredictorSpec | None, domain: str = "") -> Image.Image:
    """Paint one picture's projections, with what the predictor sees changed below each.

    Parameters
    ----------
    domain
        The name of the dataset's own attribute, whose change is no news.
    """
    classes = {
        attribute.name: attribute.classes
        for attribute in (() if predictor is None else predictor.attributes)
        if attribute.kind == "categorical" and attribute.name != domain
    }
    own = next((item for item in found.items if item.dataset == found.source_dataset), None)
    base = found.attributes if own is None else own.attributes
    pictures, captions = [found.source], [["input", f"as {found.source_dataset}"]]
    for item in found.items:
        if item is own:
            title = f"{item.dataset}: reconstruction"
            words = changes(found.attributes, item.attributes, classes)
        else:
            title, words = item.dataset, changes(base, item.attributes, classes)
        more = [f"and {len(words) - _MOST_WORDS + 1} more"] if len(words) > _MOST_WORDS else []
        shown = words[: _MOST_WORDS - 1] if more else words
        pictures.append(item.picture)
        captions.append([title, *(shown + more or (["nothing else changes"] if classes else []))])
    title = f"{found.name or 'Projections'}: {mode_words(found.keep)}"
    guessed = " (guessed)" if found.guessed else ""
    note = (
        f"Encoded as {found.source_dataset}{guessed}; |z| / sqrt(D) is {found.norm:.2f} (about 1 for what "
        f"the model knows); round trip within {found.round_trip:.1e}. {NOTE}"
    )
    return captioned_sheet([Line("", pictures, captions)], title, note)
