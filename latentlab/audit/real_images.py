"""How a predictor reads real images of the size that a study's models draw at.

A predictor errs otherwise on pictures that were enlarged or reduced to its size than on its own validation
images; what corrects shares in such pictures has to be counted on such pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from latentlab.audit.readable import Confidence
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.errors import NoSplitError
from latentlab.metrics.classification import confusion_matrix
from latentlab.metrics.labels import translate
from latentlab.metrics.passes import judge_set
from latentlab.model import AttributePredictor
from latentlab.progress import Reporter
from latentlab.spec import Attribute, Confusion

MOST = 2048
"""Real images that are looked at, at most."""


@dataclass(frozen=True)
class RealImages:
    """What a predictor says of real images.

    Parameters
    ----------
    confidence
        How sure it is.
    confusion
        How often it errs, by attribute: on these images where they were held out, else by its own record.
    source
        The set that the errors were counted on.
    note
        The same in words.
    """

    confidence: Confidence
    confusion: Mapping[str, Confusion]
    source: str
    note: str


def look_at_real(
    predictor: AttributePredictor,
    images: ImageSet,
    name: str,
    attributes: Sequence[Attribute],
    device: torch.device,
    reporter: Reporter,
) -> RealImages:
    """Judge real images: the held-out ones of a set, where it has any, else those of the set itself.

    Parameters
    ----------
    images, name
        The set, at the models' size, and its name.
    """
    held_out = _held_out(name, images.image_size, reporter)
    whole = images if held_out is None else held_out
    chosen = whole.select(np.sort(np.random.default_rng(0).permutation(len(whole))[:MOST]))
    network = cast(torch.nn.Module, predictor)
    try:
        network.to(device)
        said = judge_set(predictor, chosen, device, reporter, "Judging real images of the models' size")
    finally:
        network.to("cpu")
    confidence = Confidence(attributes)
    confidence.add(said.probabilities)
    if held_out is None:
        source = predictor.spec.confusion_source
        note = (
            f"{name} has no held-out images of its own: shares are corrected by the predictor's errors on "
            f"{source or 'images that it does not name'}, at its own picture size."
        )
        return RealImages(confidence, predictor.spec.confusion, source, note)
    known = {one.name: one for one in chosen.info.attributes if one.kind == "categorical"}
    confusion = {}
    for one in attributes:
        if one.name in known:
            truth = translate(known[one.name], one, chosen.codes(one.name))
            counts = confusion_matrix(truth, said.codes(one.name), len(one.classes))
            confusion[one.name] = Confusion(counts=tuple(tuple(row) for row in counts.tolist()))
    source = _validation(name)
    note = (
        f"Shares are corrected by the predictor's errors on {len(chosen):,} images of {source} at "
        f"{images.image_size} px, enlarged or reduced as the samples are."
    )
    return RealImages(confidence, confusion, source, note)


def _validation(name: str) -> str:
    return f"{name.removesuffix(':train')}:validation"


def _held_out(name: str, image_size: int, reporter: Reporter) -> ImageSet | None:
    if not name.endswith(":train"):
        return None
    try:
        return open_set(_validation(name), image_size, reporter)
    except NoSplitError:
        return None
