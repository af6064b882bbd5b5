"""Projections as a figure: the picture, its reconstruction, and what it becomes on each dataset."""

from __future__ import annotations

from PIL import Image

from latentlab.operations.captioned_sheet import Line, captioned_sheet
from latentlab.operations.project import Projected
from latentlab.operations.projection_plan import (
    NOTE,
    changes_of_all,
    comparable,
    judged_classes,
    mode_words,
    shortened,
)
from latentlab.spec import PredictorSpec

_MOST_WORDS, _CELL = 4, 256


def projection_figure(found: Projected, predictor: PredictorSpec | None, domain: str = "") -> Image.Image:
    """Paint one picture's projections, with what the predictor sees changed below each.

    Parameters
    ----------
    domain
        The name of the dataset's own attribute, whose change is no news.
    """
    classes = judged_classes(predictor, domain)
    own = next((k for k, item in enumerate(found.items) if item.dataset == found.source_dataset), None)
    base = found.attributes if own is not None else found.base
    told = [comparable(classes, found.cannot_show, found.source_dataset, one.dataset) for one in found.items]
    words = changes_of_all(base, [item.attributes for item in found.items], own, told)
    pictures = [] if found.drawn else [found.source]
    captions = [] if found.drawn else [["input", f"as {found.source_dataset}"]]
    for k, (item, changed) in enumerate(zip(found.items, words, strict=True)):
        is_reconstruction = k == own and not found.drawn
        title = f"{item.dataset}: reconstruction" if is_reconstruction else item.dataset
        pictures.append(item.picture)
        lines = shortened(changed, _MOST_WORDS) or (["nothing else changes"] if classes else [])
        if k == own and found.drawn:
            lines = ["reference"] if classes else []
        captions.append([title, *lines])
    title = f"{found.name or 'Projections'}: {mode_words(found.keep)}"
    guessed = " (guessed)" if found.guessed else ""
    began = "Drawn from a latent" if found.drawn else f"Encoded as {found.source_dataset}{guessed}"
    note = (
        f"{began}; |z| / sqrt(D) is {found.norm:.2f} (about 1 for what "
        f"the model knows); round trip within {found.round_trip:.1e}. {NOTE}"
    )
    return captioned_sheet([Line("", pictures, captions)], title, note, _CELL)
