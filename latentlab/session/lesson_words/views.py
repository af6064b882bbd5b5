"""The words that set the views of the Explore screen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from latentlab.errors import SettingsError
from latentlab.session.lesson_words.arguments import FARTHEST, Argument, Given, text
from latentlab.session.lesson_words.foresight import axis_of, check_axis, check_set, place_of_set
from latentlab.session.lesson_words.word import Foreseen, Stage, Word


def _grid(stage: Stage, given: Given) -> None:
    shelf = stage.intents.shelf
    changes: dict[str, Any] = {name: given[name] for name in ("kind", "steps", "reach") if name in given}
    if "axes" in given:
        changes["axes"] = tuple(map(axis_of, given["axes"]))
    shelf.set_grid(replace(shelf.shelf.grid, **changes))


def _foresee_grid(foreseen: Foreseen, given: Given) -> None:
    for axis in given.get("axes", ()):
        check_axis(foreseen, axis)
    if given.get("kind") == "plane" and "axes" in given and len(given["axes"]) != 2:
        raise SettingsError(f"two axes are expected for a plane; found {len(given['axes'])}")


def _probe(stage: Stage, given: Given) -> None:
    shelf = stage.intents.shelf
    changes: dict[str, Any] = {"attribute": given["attribute"]} if "attribute" in given else {}
    if "axis" in given:
        changes["axis"] = axis_of(given["axis"][0])
    shelf.set_probe(replace(shelf.shelf.probe, **changes))


def _foresee_probe(foreseen: Foreseen, given: Given) -> None:
    for axis in given.get("axis", ()):
        check_axis(foreseen, axis)


def _map(stage: Stage, given: Given) -> None:
    shelf, changes = stage.intents.shelf, dict(given)
    if "data" in changes:
        changes["data"] = place_of_set(stage.folder, changes["data"])
    shelf.set_map(replace(shelf.shelf.map, **changes))


def _foresee_map(foreseen: Foreseen, given: Given) -> None:
    if "data" in given:
        check_set(foreseen, given["data"])


def _path(stage: Stage, given: Given) -> None:
    shelf = stage.intents.shelf
    shelf.set_path(replace(shelf.shelf.path, **given))


def _foresee_path(foreseen: Foreseen, _given: Given) -> None:
    if len(foreseen.pins) < 2:
        raise SettingsError("two pins at least are expected for a path; give 'pin' before")


WORDS = (
    Word(
        "grid",
        "explore",
        "Sets the grid.",
        (
            Argument("kind", "choice", "strips, or the plane of two axes", choices=("strips", "plane")),
            Argument("axes", "axes", "those it goes along", least=0),
            Argument("steps", "whole", "pictures along each", least=3, most=21),
            Argument("reach", "number", "of a direction, in sigma", least=0.0, most=FARTHEST),
        ),
        _grid,
        _foresee_grid,
    ),
    Word(
        "probe",
        "explore",
        "Sets the probe.",
        (
            Argument("axis", "axes", "which it goes along", least=0),
            text("attribute", "whose probability is shown"),
        ),
        _probe,
        _foresee_probe,
    ),
    Word(
        "map",
        "explore",
        "Sets the map.",
        (
            text("data", "the set"),
            Argument("count", "whole", "rows at most", least=50, most=100_000),
            Argument("layout", "choice", "how it is laid out", choices=("pca", "tsne")),
            text("colour", "an attribute"),
            Argument("density", "flag", "whether it is shown"),
        ),
        _map,
        _foresee_map,
    ),
    Word(
        "path",
        "explore",
        "Sets the path through the pins.",
        (
            Argument("kind", "choice", "how it goes", choices=("linear", "spherical")),
            Argument("steps", "whole", "from pin to pin", least=2, most=240),
            Argument("closed", "flag", "whether it returns to the first"),
        ),
        _path,
        _foresee_path,
    ),
)
