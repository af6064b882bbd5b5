"""What a study can be asked: which models fit, which attributes are judged; and what is wrong with a wish.

All of it is read from configurations, without torch; what only the pictures tell (whether a group is empty)
the study finds itself, before any work starts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from latentlab.audit.study_plan import STUDIES, Study, StudyRequest
from latentlab.errors import LatentLabError
from latentlab.spec import CheckpointConfig

MOST_IMAGES = 1_000_000
"""Samples of each model, or images of each group, at most."""
MOST_NUMBERS = 12
"""Seeds, truncations, scales or ratios at most."""
LARGEST_SEED = 2**31 - 1
LARGEST_SCALE = 10.0


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model without opening it; ``wrong`` says why it cannot be opened."""

    name: str
    cannot: Mapping[str, str] = field(default_factory=dict)
    conditional: bool = False
    datasets: tuple[str, ...] = ()
    has_mode: bool = False
    trained_on: str = ""
    wrong: str = ""

    def misfit(self, kind: Study) -> str:
        """Say why a study cannot be of this model; empty where it can."""
        if self.wrong:
            return self.wrong
        if kind.projects and not self.datasets:
            return f"{self.name} is no conditional INN."
        if kind.projects and not self.has_mode:
            return f"{self.name} only follows the dataset: style and composition cannot be told apart."
        for need in kind.needs:
            if need in self.cannot:
                return f"{self.name} cannot {need}: {self.cannot[need]}"
        return ""


@dataclass(frozen=True)
class Choices:
    """What there is to choose from, for one request.

    Parameters
    ----------
    models
        By name or path, in the order in which they are offered.
    sets
        Sets of pictures, those that were held out from the model first.
    attributes
        The classes of what is judged, by attribute; of several models what all judges know.
    groups
        The attributes whose intersections can be groups.
    datasets
        Those that a conditional INN projects onto.
    predictors
        Bundled predictors.
    judge
        Who judges, in words; empty where nobody does.
    """

    models: Mapping[str, ModelFacts] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    predictors: tuple[str, ...] = ()
    judge: str = ""


def choices_of(request: StudyRequest) -> Choices:
    """Return what there is to choose from for a request, whose models are named.

    Reads the configurations of the bundled checkpoints and of those that the request names.
    """
    from latentlab.checkpoints import locate
    from latentlab.checkpoints.companion import fitting_predictor, usual_predictor
    from latentlab.data.catalog import known_sets
    from latentlab.operations.training_sets import held_out_sets
    from latentlab.paths import bundled_models

    kind = STUDIES[request.study]
    models: dict[str, ModelFacts] = {}
    configs: dict[str, CheckpointConfig] = {}
    predictors = []
    for name in dict.fromkeys([*bundled_models(), *request.models]):
        try:
            config = locate(name).config
        except LatentLabError as error:
            if name in request.models:
                models[name] = ModelFacts(Path(name).name or name, wrong=str(error))
            continue
        if config.kind == "predictor" and name in bundled_models():
            predictors.append(name)
        if config.kind == "predictor" and name not in request.models:
            continue
        configs[name] = config
        models[name] = _facts(name, config)
    chosen = [configs[name] for name in request.models if name in configs]
    sets: list[str] = []
    for name in request.models:
        sets += held_out_sets(Path(name)) if name in configs else []
    sets += [f"{name}:test" for name in known_sets()]
    judges = [request.predictor or fitting_predictor(config) for config in chosen]
    if "models" not in kind.fields:
        judges = [request.predictor or usual_predictor(request.data)]
        sets = [f"{name}:train" for name in known_sets()]
    attributes, judge = _judged(judges)
    groups = dict.fromkeys([*attributes, *_labelled(request.data)])
    datasets = next((models[name].datasets for name in request.models if name in models), ())
    return Choices(
        models, tuple(dict.fromkeys(sets)), attributes, tuple(groups), datasets, tuple(predictors), judge
    )


def problems(request: StudyRequest, choices: Choices) -> dict[str, str]:
    """Return what is wrong with a request, by field; nothing where it can be begun."""
    kind = STUDIES[request.study]
    wrong: dict[str, str] = {}
    for name in kind.fields:
        said = _PROBLEMS[name](request, choices, kind) if name in _PROBLEMS else ""
        if said:
            wrong[name] = said
    return wrong


def numbers_of(text: str, whole: bool) -> tuple[float, ...] | None:
    """Read numbers by commas or spaces; None where something is none (or not whole, where that is wanted)."""
    found = []
    for word in text.replace(";", ",").replace(",", " ").split():
        try:
            value = float(word)
        except ValueError:
            return None
        if not math.isfinite(value) or (whole and value != int(value)):
            return None
        found.append(int(value) if whole else value)
    return tuple(found)


def number_words(values: Sequence[float]) -> str:
    """Write numbers by commas."""
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def _facts(name: str, config: CheckpointConfig) -> ModelFacts:
    short = Path(name).name or name
    spec = config.model
    if spec is None:
        return ModelFacts(short, wrong=f"{short} is an attribute predictor, not a model.")
    data = config.training.get("data", "")
    return ModelFacts(
        short,
        {str(what): why for what, why in spec.cannot.items()},
        bool(spec.condition.size),
        spec.datasets,
        spec.condition.has_mode,
        data if isinstance(data, str) else "",
    )


def _judged(names: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], str]:
    """Return what all of some predictors judge, and who they are."""
    from latentlab.checkpoints import locate

    known: dict[str, tuple[str, ...]] | None = None
    said = []
    for name in dict.fromkeys(names):
        if not name:
            return {}, ""
        try:
            config = locate(name).config
        except LatentLabError:
            return {}, ""
        if config.predictor is None:
            return {}, ""
        own = {one.name: one.classes for one in config.predictor.attributes if one.classes}
        said.append(config.name or Path(name).name)
        known = own if known is None else {a: c for a, c in known.items() if own.get(a) == c}
    return known or {}, ", ".join(said)


def _labelled(data: str) -> list[str]:
    """Return the attributes of a folder that is a set already; nothing where that is not known so quickly."""
    source = data.rpartition(":")[0] if data.rpartition(":")[2] in ("train", "validation", "test") else data
    path = Path(source).expanduser() / "set.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(path.read_text(encoding="utf-8"))["attributes"]
        return [str(one["name"]) for one in found if one.get("kind", "categorical") == "categorical"]
    return []


# What is wrong, field by field


def _models(request: StudyRequest, choices: Choices, kind: Study) -> str:
    if not request.models:
        return "Choose a model."
    if not kind.several_models and len(request.models) > 1:
        return "This study takes one model."
    said = [choices.models[name].misfit(kind) for name in request.models if name in choices.models]
    return next(filter(None, said), "")


def _data(request: StudyRequest, _choices: Choices, _kind: Study) -> str:
    return _set_problem(request.data) if request.data.strip() else "Choose a set, or a folder."


def _reference(request: StudyRequest, choices: Choices, _kind: Study) -> str:
    if request.reference == "uniform":
        return ""
    if request.reference == "training":
        known = [choices.models[name] for name in request.models if name in choices.models]
        unsaid = [one.name for one in known if not one.trained_on and not one.wrong]
        return f"{unsaid[0]} does not say what it was trained on." if unsaid else ""
    return _set_problem(request.reference) if request.reference.strip() else "Choose a reference."


def _set_problem(name: str) -> str:
    from latentlab.data.catalog import known_sets

    source, _, split = name.strip().rpartition(":")
    source = source if source and split in ("train", "validation", "test") else name.strip()
    if source in known_sets() or Path(source).expanduser().is_dir():
        return ""
    return f"There is no set or folder {name.strip()!r}."


def _attributes(request: StudyRequest, choices: Choices, _kind: Study) -> str:
    unknown = [name for name in request.attributes if choices.attributes and name not in choices.attributes]
    return f"{unknown[0]} is not judged." if unknown else ""


def _groups(request: StudyRequest, choices: Choices, _kind: Study) -> str:
    unknown = [name for name in request.groups if choices.groups and name not in choices.groups]
    return f"Nothing is known of {unknown[0]}." if unknown else ""


def _n(request: StudyRequest, _choices: Choices, _kind: Study) -> str:
    return "" if 0 <= request.n <= MOST_IMAGES else f"From 1 to {MOST_IMAGES:,}."


def _seeds(request: StudyRequest, _choices: Choices, _kind: Study) -> str:
    fits = all(isinstance(seed, int) and 0 <= seed <= LARGEST_SEED for seed in request.seeds)
    return _listed(request.seeds, fits, "whole numbers from 0, such as 0, 1, 2")


def _truncation(request: StudyRequest, _choices: Choices, _kind: Study) -> str:
    return "" if 0.0 < request.truncation <= 1.0 else "A number above 0, up to 1."


def _truncations(request: StudyRequest, _choices: Choices, _kind: Study) -> str:
    fits = all(0.0 < value <= 1.0 for value in request.truncations)
    return _listed(request.truncations, fits, "numbers above 0 and up to 1, such as 1, 0.7, 0.5")


def _scales(request: StudyRequest, _choices: Choices, _kind: Study) -> str:
    fits = all(0.0 <= value <= LARGEST_SCALE for value in request.scales)
    return _listed(request.scales, fits, f"numbers from 0 to {LARGEST_SCALE:g}, such as 1, 2, 3")


def _ratios(request: StudyRequest, _choices: Choices, _kind: Study) -> str:
    fits = all(0.0 < value < 1.0 for value in request.ratios)
    return _listed(request.ratios, fits, "shares between 0 and 1, such as 0.52, 0.5, 0.4")


def _ratio_attribute(request: StudyRequest, choices: Choices, _kind: Study) -> str:
    classes = choices.attributes.get(request.ratio_attribute)
    if not request.ratio_attribute:
        return "Choose an attribute of two classes."
    if classes is not None and len(classes) != 2:
        return f"{request.ratio_attribute} has {len(classes)} classes, not two."
    return (
        "" if classes is not None or not choices.attributes else f"{request.ratio_attribute} is not judged."
    )


def _onto(request: StudyRequest, choices: Choices, _kind: Study) -> str:
    unknown = [name for name in request.onto if choices.datasets and name not in choices.datasets]
    return f"The model knows no dataset {unknown[0]}." if unknown else ""


def _condition(request: StudyRequest, choices: Choices, _kind: Study) -> str:
    if not request.condition.strip():
        return ""
    known = [choices.models[name] for name in request.models if name in choices.models]
    free = [one.name for one in known if not one.conditional and not one.wrong]
    if free:
        return f"{free[0]} knows no condition."
    words = [word.strip() for word in request.condition.split(",")]
    return "" if all("=" in word for word in words) else "Write attribute=class, such as gender=female."


def _predictor(request: StudyRequest, choices: Choices, _kind: Study) -> str:
    if choices.attributes or any(one.wrong for one in choices.models.values()):
        return ""
    if request.predictor:
        return f"{Path(request.predictor).name} is no attribute predictor, or cannot be read."
    several = len(request.models) > 1
    why = "The models' predictors have no attribute in common." if several else "No attribute predictor fits."
    return f"{why} Choose one."


def _listed(values: Sequence[float], fits: bool, what: str) -> str:
    if not values or not fits:
        return f"Write {what}."
    if len(values) > MOST_NUMBERS:
        return f"At most {MOST_NUMBERS} numbers."
    return "" if len(set(values)) == len(values) else "A number stands there twice."


_PROBLEMS = {
    "models": _models,
    "data": _data,
    "reference": _reference,
    "attributes": _attributes,
    "groups": _groups,
    "n": _n,
    "seeds": _seeds,
    "truncation": _truncation,
    "truncations": _truncations,
    "scales": _scales,
    "ratios": _ratios,
    "ratio_attribute": _ratio_attribute,
    "onto": _onto,
    "condition": _condition,
    "predictor": _predictor,
}
