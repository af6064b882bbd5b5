"""The words that move the latent, and put latents aside."""

from __future__ import annotations

from dataclasses import replace

from latentlab.errors import SettingsError
from latentlab.session.explore import start_in_the_middle
from latentlab.session.lesson_words.arguments import FARTHEST, LARGEST_SEED, Argument, Given, text
from latentlab.session.lesson_words.foresight import check_axis, check_dimension, check_pin
from latentlab.session.lesson_words.word import Foreseen, Stage, Word


def _randomise(stage: Stage, given: Given) -> None:
    stage.intents.explore.randomise(stage.spec, given["seed"], given.get("truncation", 1.0))


def _foresee_randomise(foreseen: Foreseen, _given: Given) -> None:
    if "sample" in foreseen.open_spec.cannot:
        why = foreseen.open_spec.cannot["sample"]
        raise SettingsError(f"a model that draws samples is expected; {foreseen.model} cannot: {why}")
    foreseen.picture = False


def _middle(stage: Stage, _given: Given) -> None:
    session = stage.workspace.session
    explore = start_in_the_middle(stage.spec)
    session.change("Set out from the middle", replace(session.document, explore=explore))


def _foresee_middle(foreseen: Foreseen, _given: Given) -> None:
    foreseen.picture = False


def _slide(stage: Stage, given: Given) -> None:
    stage.intents.explore.move(given["dimension"], given["to"])


def _foresee_slide(foreseen: Foreseen, given: Given) -> None:
    check_dimension(foreseen.open_spec, given["dimension"])


def _along(stage: Stage, given: Given) -> None:
    stage.intents.along.move(given["direction"], given["to"])


def _foresee_along(foreseen: Foreseen, given: Given) -> None:
    check_axis(foreseen, given["direction"])


def _reset(stage: Stage, _given: Given) -> None:
    stage.intents.explore.reset_all()


def _lock(stage: Stage, given: Given) -> None:
    stage.intents.shelf.lock(given["dimensions"], given.get("locked", True))


def _foresee_lock(foreseen: Foreseen, given: Given) -> None:
    for dimension in given["dimensions"]:
        check_dimension(foreseen.open_spec, dimension)


def _pin(stage: Stage, given: Given) -> None:
    stage.intents.shelf.pin(name=given["name"])


def _foresee_pin(foreseen: Foreseen, given: Given) -> None:
    if given["name"] in foreseen.pins:
        raise SettingsError(f"another name is expected; there is a pin {given['name']!r} already")
    foreseen.pins.add(given["name"])


def _go_to(stage: Stage, given: Given) -> None:
    stage.intents.shelf.go_to_pin(given["pin"])


def _foresee_a_pin(foreseen: Foreseen, given: Given) -> None:
    check_pin(foreseen, given["pin"])


def _compare(stage: Stage, given: Given) -> None:
    stage.intents.shelf.compare_with(given["pin"])


def _direction(stage: Stage, given: Given) -> None:
    shelf = stage.intents.shelf
    first, second = shelf.shelf.pin(given["from"]), shelf.shelf.pin(given["to"])
    if first is None or second is None:
        raise SettingsError("A pin of the direction is gone.")
    shelf.add_difference(stage.spec, first, second, given.get("name", ""))


def _foresee_direction(foreseen: Foreseen, given: Given) -> None:
    check_pin(foreseen, given["from"])
    check_pin(foreseen, given["to"])
    foreseen.directions.add(given.get("name", f"{given['from']} to {given['to']}"))


_PIN = text("pin", "a pin's name", required=True)

WORDS = (
    Word(
        "randomise",
        "explore",
        "Sets out from a random draw; the condition stays.",
        (
            Argument("seed", "whole", "of the draw", True, 0, LARGEST_SEED),
            Argument("truncation", "number", "what the draw is multiplied by", least=0.0, most=1.0),
        ),
        _randomise,
        _foresee_randomise,
    ),
    Word("middle", "explore", "Sets out from the middle of the prior.", (), _middle, _foresee_middle),
    Word(
        "slide",
        "explore",
        "Moves the slider of one dimension.",
        (
            Argument("dimension", "whole", "counted from 0", True, 0),
            Argument("to", "number", "its value", True, -FARTHEST, FARTHEST),
        ),
        _slide,
        _foresee_slide,
    ),
    Word(
        "along",
        "explore",
        "Moves the latent along a direction that was made before.",
        (
            text("direction", "its name", required=True),
            Argument("to", "number", "how many sigma from the start", True, -FARTHEST, FARTHEST),
        ),
        _along,
        _foresee_along,
    ),
    Word("reset", "explore", "Returns to the start and its condition.", (), _reset),
    Word(
        "lock",
        "explore",
        "Keeps dimensions as they are, or lets them change again.",
        (
            Argument("dimensions", "wholes", "counted from 0", True, 0),
            Argument("locked", "flag", "true without it"),
        ),
        _lock,
        _foresee_lock,
    ),
    Word(
        "pin",
        "explore",
        "Puts the latent aside under a name.",
        (text("name", "of the pin", required=True),),
        _pin,
        _foresee_pin,
    ),
    Word("go_to", "explore", "Goes to a pin.", (_PIN,), _go_to, _foresee_a_pin),
    Word("compare", "explore", "Compares with a pin.", (_PIN,), _compare, _foresee_a_pin),
    Word(
        "direction",
        "explore",
        "Makes a direction from one pin to another.",
        (
            text("from", "a pin's name", required=True),
            text("to", "another's", required=True),
            text("name", "of the direction"),
        ),
        _direction,
        _foresee_direction,
    ),
)
