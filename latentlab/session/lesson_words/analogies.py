"""The words that set counterfactuals and analogies."""

from __future__ import annotations

from dataclasses import replace

from latentlab.errors import SettingsError
from latentlab.operations.sample_plan import MOST_ROWS
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
    attribute_of,
    check_class,
    check_dataset,
    check_set,
    place_of_set,
)
from latentlab.session.lesson_words.word import Foreseen, Stage, Word


def _counterfactuals(stage: Stage, given: Given) -> None:
    shelf, changes = stage.intents.shelf, dict(given)
    if changes.get("data") == "picture":
        changes["data"] = ""
    elif "data" in changes:
        changes["data"] = place_of_set(stage.folder, changes["data"])
    shelf.set_counterfactual(replace(shelf.shelf.counterfactual, **changes))


def _foresee_counterfactuals(foreseen: Foreseen, given: Given) -> None:
    spec = foreseen.open_spec
    for name in ("attribute", "second"):
        if name in given:
            attribute_of(spec, given[name])
    if given.get("data", "picture") != "picture":
        check_set(foreseen, given["data"])
    if "attribute" in given and given.get("target", "other") != "other":
        check_class(spec, given["attribute"], given["target"])


def _project(stage: Stage, given: Given) -> None:
    shelf = stage.intents.shelf
    shelf.set_projection(replace(shelf.shelf.projection, **given))


def _foresee_project(foreseen: Foreseen, given: Given) -> None:
    if "dataset" in given:
        check_dataset(foreseen, given["dataset"])
    if given.get("keep") and not foreseen.open_spec.condition.has_mode:
        raise SettingsError(f"a model with the mode keep is expected; {foreseen.model} only follows")


def _samples(stage: Stage, given: Given) -> None:
    samples = stage.intents.samples
    if "rows" in given:
        samples.set_rows(given["rows"])
    if "seed" in given:
        samples.draw(given["seed"])
    changes = {name: given[name] for name in ("truncation", "with_input") if name in given}
    samples.set(replace(samples.view, **changes))


def _blend(stage: Stage, given: Given) -> None:
    samples = stage.intents.samples
    samples.set_strip(replace(samples.view.strip, kind="blend", **given), "Set the blend")


def _foresee_blend(foreseen: Foreseen, given: Given) -> None:
    for name in ("first", "second"):
        if name in given:
            check_dataset(foreseen, given[name])


def _many(stage: Stage, given: Given) -> None:
    shelf, changes = stage.intents.shelf, dict(given)
    changes["data"] = place_of_set(stage.folder, changes["data"])
    shelf.set_many(replace(shelf.shelf.many, pictures=(), **changes))


def _foresee_many(foreseen: Foreseen, given: Given) -> None:
    check_set(foreseen, given["data"])
    for name in (*given.get("onto", ()), *(given[one] for one in ("source", "target") if given.get(one))):
        check_dataset(foreseen, name)


WORDS = (
    Word(
        "counterfactuals",
        "counterfactuals",
        "Sets the counterfactuals, of the open picture or of a set.",
        (
            text("attribute", "whose classes are gone through"),
            text("second", "another, for a table of both"),
            text("data", "a set; 'picture' for the open picture"),
            text("target", "the class that a set is drawn as; 'other' for the one after each picture's own"),
            number("scale", "what the class is multiplied by", -10.0, 10.0),
            choice("side", "who is told", "decoder", "encoder", "both"),
            number("threshold", "from which difference on a pixel counts as changed", 0.0, 255.0),
            whole("count", "pictures of the set", 1, 512),
            whole("seed", "which pictures", 0, LARGEST_SEED),
            choice("sort", "their order", "set", "effect", "leakage"),
        ),
        _counterfactuals,
        _foresee_counterfactuals,
        needs="condition",
    ),
    Word(
        "project",
        "analogies",
        "Sets the projections of the picture.",
        (
            number("keep", "1 keeps who it is, 0 follows the dataset's composition", 0.0, 1.0),
            text("dataset", "the picture's own"),
        ),
        _project,
        _foresee_project,
        needs="projection",
    ),
    Word(
        "samples",
        "analogies",
        "Sets the samples: rows of one z on every dataset.",
        (
            whole("rows", "how many", 1, MOST_ROWS),
            whole("seed", "of the first", 0, LARGEST_SEED),
            number("truncation", "what every z is multiplied by", 0.0, 1.0),
            Argument("with_input", "flag", "whether the open picture is the first row"),
        ),
        _samples,
        needs="projection",
    ),
    Word(
        "blend",
        "analogies",
        "Sets the strip below the samples: one z between two datasets.",
        (
            text("first", "a dataset"),
            text("second", "another"),
            number("share", "of the second", 0.0, 1.0),
        ),
        _blend,
        _foresee_blend,
        needs="projection",
    ),
    Word(
        "many",
        "analogies",
        "Sets which pictures are projected together.",
        (
            text("data", "a set", required=True),
            text("source", "the dataset that they are of"),
            Argument("onto", "texts", "datasets; all without"),
            choice("mode", "follow, keep, or both", "keep", "follow", "both"),
            whole("count", "at most", 1, 100_000),
            whole("seed", "which", 0, LARGEST_SEED),
            choice("shown", "whose shifts", "keep", "follow", "bias"),
            text("target", "the dataset that is shown"),
            choice("sort", "the order", "attribute", "shift"),
        ),
        _many,
        _foresee_many,
        needs="projection",
    ),
)
