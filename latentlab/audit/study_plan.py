"""Which studies there are and what each is asked, without torch: what forms, jobs and saved sessions hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from latentlab.errors import SettingsError

OUTSIDE = (
    "predictions",
    "predictions_confusion",
    "source",
    "steps",
    "image_size",
    "latent",
    "restarts",
    "eps",
)
"""The fields that no form asks for, and only some studies know of."""


@dataclass(frozen=True)
class StudyRequest:
    """One study with all it is asked; what a study does not know of (`STUDIES`) it leaves alone.

    Parameters
    ----------
    study
        One of `STUDIES`.
    models
        Checkpoints by name or path.
    data
        The labelled set that is reconstructed, conditioned or projected; for the training-ratio study the one
        trained on.
    reference
        What shares are compared with (`latentlab.audit.reference.reference_of`).
    attributes
        What is counted; empty for all that is judged.
    groups
        The attributes whose intersections are the groups; empty for those usual for the set.
    n
        Samples of each model and seed, or images of each group at most.
    seeds
        Of samples, trainings, or the choice of images.
    condition
        What a conditional model is told, in words.
    truncation
        What every drawn z is multiplied by.
    truncations
        Those that the truncation study compares.
    scales
        Those of the condition that the conditioning study compares.
    ratio_attribute, ratios
        The attribute of two classes whose share in training is varied, and the shares of its first class.
    steps, image_size, latent
        Of each training: optimiser steps, the pictures' size in pixels, and entries of the latent; 0 for the
        usual ones. Of a search: steps of each restart.
    onto
        The datasets projected onto; empty for all.
    source
        The dataset that the projected images are of; empty for what their labels say, or a guess.
    predictor
        The judging attribute predictor; empty for the model's own.
    predictions, predictions_confusion
        Tables of what somebody else says of the study's images, in the predictor's place, and of how often
        they err (`latentlab.audit.own_predictions`); empty for none.
    restarts, eps
        Of the search study: restarts of each search, and the distance to reach; 0 for the usual ones.
    """

    study: str
    models: tuple[str, ...] = ()
    data: str = ""
    reference: str = "uniform"
    attributes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    n: int = 0
    seeds: tuple[int, ...] = (0,)
    condition: str = ""
    truncation: float = 1.0
    truncations: tuple[float, ...] = (1.0, 0.7, 0.5)
    scales: tuple[float, ...] = (1.0, 2.0, 3.0)
    ratio_attribute: str = "gender"
    ratios: tuple[float, ...] = (0.52, 0.5, 0.4)
    onto: tuple[str, ...] = ()
    source: str = ""
    steps: int = 0
    image_size: int = 0
    latent: int = 0
    predictor: str = ""
    predictions: str = ""
    predictions_confusion: str = ""
    restarts: int = 0
    eps: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return it as JSON takes it: the study's name and the fields that the study knows of."""
        kind = study_of(self.study)
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if name == "study" or name in kind.fields or (name in OUTSIDE and value)
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> StudyRequest:
        """Return what `plain` gave.

        Raises
        ------
        SettingsError
            If something is not known or not of its type.
        """
        known = {one.name for one in fields(cls)}
        strange = [name for name in plain if name not in known]
        if strange:
            raise SettingsError(f"A study has no setting {strange[0]!r}.")
        try:
            return TypeAdapter(cls).validate_python(dict(plain))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            raise SettingsError(f"A study's {name} cannot be {first['input']!r}: {first['msg']}.") from None

    def digest(self) -> str:
        """Return what tells this request from others."""
        return hashlib.sha256(json.dumps(self.plain(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Study:
    """One kind of study.

    Parameters
    ----------
    title, purpose
        As people read them: a word, and one sentence.
    fields
        The fields of `StudyRequest` that it knows of, in the order in which a form asks for them.
    several_models
        Whether it takes more than one model.
    n_means
        What ``n`` is, such as ``samples of each model and seed``; and ``n`` without being asked.
    needs
        What a model must be able to do, as `latentlab.spec.ModelSpec.cannot` names it.
    projects
        Whether a model must project onto datasets, in the modes *keep* and *follow*.
    seeds
        Those that a form begins with: of one training nobody can tell chance from what its set did.
    """

    title: str
    purpose: str
    fields: tuple[str, ...]
    several_models: bool
    n_means: str
    n: int
    needs: tuple[str, ...] = ()
    projects: bool = False
    seeds: tuple[int, ...] = (0,)


STUDIES: Mapping[str, Study] = {
    "generation": Study(
        "Generation",
        "Which attributes random samples show, beside what they ought to show.",
        (
            "models",
            "reference",
            "n",
            "seeds",
            "attributes",
            "truncation",
            "condition",
            "predictor",
        ),
        True,
        "samples of each model and seed",
        2000,
        ("sample",),
    ),
    "reconstruction": Study(
        "Reconstruction",
        "Whose attributes survive reconstruction, and what they become.",
        ("models", "data", "n", "groups", "attributes", "seeds", "predictor"),
        False,
        "images of each group at most",
        200,
        ("encode",),
    ),
    "conditioning": Study(
        "Conditioning",
        "How often a group is read wrongly: in originals, reconstructions, and under each condition.",
        ("models", "data", "n", "groups", "attributes", "scales", "seeds", "predictor"),
        True,
        "images of each group at most",
        200,
        ("encode",),
    ),
    "projection": Study(
        "Projection",
        "What a dataset does to people who are projected onto it: its composition, and its style.",
        ("models", "data", "onto", "n", "groups", "attributes", "seeds", "predictor"),
        False,
        "images at most",
        512,
        ("encode",),
        True,
    ),
    "search": Study(
        "Search",
        "Whose group survives where a model finds a picture for a few pixels, by search and by sampling.",
        ("models", "data", "n", "groups", "seeds", "predictor"),
        True,
        "images of each group at most",
        6,
        ("sample",),
    ),
    "truncation": Study(
        "Truncation",
        "What becomes of minorities where samples are drawn nearer to the mean.",
        ("models", "truncations", "reference", "n", "seeds", "attributes", "condition", "predictor"),
        False,
        "samples of each truncation and seed",
        2000,
        ("sample",),
    ),
    "training-ratio": Study(
        "Training ratio",
        "What the samples of models show that were trained on different shares of a class.",
        ("data", "ratio_attribute", "ratios", "n", "seeds", "attributes", "predictor"),
        False,
        "samples of each model",
        2000,
        seeds=(0, 1, 2),
    ),
}
"""By name. The commands are ``latentlab audit NAME``."""


def study_of(name: str) -> Study:
    """Return a study by its name.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    if name not in STUDIES:
        raise SettingsError(f"There is no study {name!r}; there is {', '.join(STUDIES)}.")
    return STUDIES[name]
