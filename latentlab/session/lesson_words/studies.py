"""The words that set studies, searches and trainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from latentlab.audit.study_plan import OUTSIDE, STUDIES, StudyRequest
from latentlab.errors import SettingsError
from latentlab.paths import bundled_models
from latentlab.session.document import AuditView, SearchView, TrainView
from latentlab.session.lesson_words.arguments import (
    LARGEST_SEED,
    Argument,
    Given,
    choice,
    number,
    text,
    whole,
)
from latentlab.session.lesson_words.foresight import (
    check_class,
    check_set,
    check_study,
    place_of_model,
    place_of_set,
    spec_of_model,
)
from latentlab.session.lesson_words.word import Foreseen, Stage, Word, path_beside
from latentlab.session.search_wanted import factors, no_search, settings_of
from latentlab.session.train_plan import RECIPES, TrainField, fits, key_of, problems

_MOST = 2**31 - 1
_STUDY_ARGUMENTS = {
    "models": Argument("models", "texts", "bundled ones, or paths beside the lesson; the open one without"),
    "data": text("data", "the set"),
    "reference": text("reference", "uniform, training, or a set"),
    "attributes": Argument("attributes", "texts", "what is counted"),
    "groups": Argument("groups", "texts", "attributes whose intersections are the groups"),
    "n": whole("n", "how many", 1, 1_000_000),
    "seeds": Argument("seeds", "wholes", "of samples, trainings, or the choice of images", least=0),
    "truncation": number("truncation", "of the samples", 0.01, 1.0),
    "truncations": Argument("truncations", "numbers", "that are compared", least=0.01, most=1.0),
    "condition": text("condition", "such as gender=female"),
    "scales": Argument("scales", "numbers", "of the condition", least=0.0, most=10.0),
    "ratio_attribute": text("ratio_attribute", "whose share is varied"),
    "ratios": Argument("ratios", "numbers", "shares of its first class", least=0.0, most=1.0),
    "onto": Argument("onto", "texts", "datasets projected onto"),
    "predictor": text("predictor", "who judges in place of the usual one"),
    "source": text("source", "the dataset that the images are of"),
    "steps": whole("steps", "of each training or search", 1, _MOST),
    "image_size": whole("image_size", "of each training, in pixels", 16, 256),
    "latent": whole("latent", "entries of each training's latent", 1, 4096),
    "restarts": whole("restarts", "of each search", 1, 256),
    "eps": number("eps", "the distance to reach", 0.0, 1.0),
}


def _study_arguments(given: Given) -> tuple[Argument, ...]:
    kind = STUDIES[given["name"]]
    return tuple(one for name, one in _STUDY_ARGUMENTS.items() if name in (*kind.fields, *OUTSIDE))


def _request(folder: Path, given: Given) -> StudyRequest:
    """Return the study that is asked for, with paths that lie beside the lesson."""
    study = given["name"]
    fields = {name: value for name, value in given.items() if name != "name"}
    models = fields.get("models", ())
    fields["models"] = tuple(
        name if name in bundled_models() else place_of_model(folder, name) for name in models
    )
    for name in ("data", "reference"):
        if name in fields:
            fields[name] = place_of_set(folder, fields[name])
    fields.setdefault("seeds", STUDIES[study].seeds)
    return StudyRequest.of({"study": study, **fields})


def _study(stage: Stage, given: Given) -> None:
    title = STUDIES[given["name"]].title.lower()
    stage.intents.audit.set(AuditView(_request(stage.folder, given)), f"Choose the {title} study")


def _foresee_study(foreseen: Foreseen, given: Given) -> None:
    from latentlab.session.audit_choices import choices_of
    from latentlab.session.audit_choices import problems as study_problems

    request = _request(foreseen.folder, given)
    asked = request
    if "models" in STUDIES[request.study].fields and not request.models:
        if foreseen.spec is None:
            raise SettingsError("a model is expected; give models, or open one before")
        models = (place_of_model(foreseen.folder, foreseen.model),)
        judge = foreseen.judge and place_of_model(foreseen.folder, foreseen.judge)
        asked = replace(request, models=models, predictor=request.predictor or judge)
    foreseen.used |= set(request.models) & set(bundled_models())
    for name in request.models:
        spec_of_model(foreseen.folder, name)
    for name in ("data", "reference"):
        if given.get(name, "uniform") not in ("uniform", "training"):
            check_set(foreseen, given[name])
    wrong = study_problems(asked, choices_of(asked))
    if not given.get("data"):
        wrong.pop("data", None)  # what goes with the model is taken
    for name, said in wrong.items():
        raise SettingsError(f"{name}: {said}")


def _show_study(stage: Stage, given: Given) -> None:
    from latentlab.session.audit_folder import read_study

    folder = stage.path_of(given["folder"])
    stage.intents.audit.show(folder, read_study(Path(folder)).request)


def _foresee_show_study(foreseen: Foreseen, given: Given) -> None:
    check_study(path_beside(foreseen.folder, given["folder"]))


def _search(stage: Stage, given: Given) -> None:
    search = stage.intents.search
    search.set(_searching(search.view, given))


def _searching(view: SearchView, given: Given) -> SearchView:
    return replace(view, **given)


def _foresee_search(foreseen: Foreseen, given: Given) -> None:
    spec = foreseen.open_spec
    why = no_search(spec, foreseen.model)
    if why:
        raise SettingsError(why)
    for name, label in given.get("fixed", ()):
        check_class(spec, name, label)
    if "factor" in given and given["factor"] not in factors(spec.image_size):
        known = ", ".join(map(str, factors(spec.image_size)))
        raise SettingsError(f"a factor that divides {spec.image_size} px is expected ({known})")
    settings_of(_searching(SearchView(), given), spec.image_size)


def _train_argument(one: TrainField) -> Argument:
    if one.kind == "whole":
        return whole(one.name, one.tip, int(one.least), int(one.most))
    if one.kind in ("number", "log"):
        return number(one.name, one.tip, one.least, one.most)
    if one.kind == "choice":
        return Argument(one.name, "choice", one.tip, choices=tuple(value for value, _ in one.choices))
    return Argument(one.name, "texts" if one.kind == "ratios" else "text", one.tip)


def _train_arguments(given: Given) -> tuple[Argument, ...]:
    return tuple(map(_train_argument, RECIPES[given["recipe"]].fields))


def _train(stage: Stage, given: Given) -> None:
    train = stage.intents.train
    train.choose_recipe(given["recipe"])
    for name, value in given.items():
        if name != "recipe":
            train.ask(name, value)


def _foresee_train(foreseen: Foreseen, given: Given) -> None:
    recipe = given["recipe"]
    values: dict[str, Any] = {key_of(recipe, name): given[name] for name in given if name != "recipe"}
    for key, value in values.items():
        if not fits(key, value):
            raise SettingsError(f"{key.rpartition('.')[2]} cannot be {value!r} of this recipe")
    wrong: Mapping[str, str] = problems(TrainView(recipe, values))
    for name, said in wrong.items():
        if name in given:
            raise SettingsError(f"{name}: {said}")
    if "ratios" in given:
        from latentlab.data.distribution import Distribution

        Distribution.parse(given["ratios"])
    if given.get("data"):
        check_set(foreseen, given["data"])


WORDS = (
    Word(
        "study",
        "audit",
        "Sets which study is asked for; what is left out is as usual.",
        (Argument("name", "choice", "the study", True, choices=tuple(STUDIES)),),
        _study,
        _foresee_study,
        needs="nothing",
        more=_study_arguments,
        more_named="and what that study is asked, such as n, seeds, models, as 'latentlab audit NAME' is",
    ),
    Word(
        "show_study",
        "audit",
        "Shows the results of a study that lie beside the lesson.",
        (text("folder", "its folder", required=True),),
        _show_study,
        _foresee_show_study,
        needs="nothing",
    ),
    Word(
        "search",
        "search",
        "Sets how is searched.",
        (
            whole("factor", "by which the picture is reduced", 2, 4096),
            choice("kind", "what of it is compared", "colour", "luminance"),
            number("exposure", "spread of an unknown exposure", 0.0, 2.0),
            Argument("posterior", "flag", "whether the posterior is sampled"),
            whole("restarts", "or chains", 1, 256),
            whole("steps", "of each", 1, 100_000),
            whole("seed", "of the first", 0, LARGEST_SEED - 256),
            number("eps", "the distance to reach; 0 for the model's own", 0.0, 1.0),
            number("sigma", "of the observation's noise; 0 for the root of eps", 0.0, 1.0),
            choice("loss", "what is made small", "l2", "l1", "map"),
            choice("optimiser", "how", "adam", "lbfgs"),
            number("rate", "of learning", 1e-6, 10.0),
            number("temperature", "of the posterior's warm-up", 1.0, 1e6),
            whole("leaps", "of a posterior's proposal", 1, 64),
            Argument("fixed", "pairs", "attributes that the model is told"),
            text("attribute", "whose mix is shown"),
            choice("beside", "what the mix is compared with", "input", "row", "assumed", "none"),
        ),
        _search,
        _foresee_search,
    ),
    Word(
        "train",
        "train",
        "Sets the form of a training, and begins none.",
        (Argument("recipe", "choice", "the recipe", True, choices=tuple(RECIPES)),),
        _train,
        _foresee_train,
        needs="nothing",
        more=_train_arguments,
        more_named="and that recipe's fields, such as ratios, smoothing, rule, seeds, epochs",
    ),
)
