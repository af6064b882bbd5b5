"""The words that set the condition, at the decoder and at the encoder."""

from __future__ import annotations

from latentlab.errors import SettingsError
from latentlab.session.condition import HIGHEST, LOWEST
from latentlab.session.lesson_words.arguments import Argument, Given, attribute, text
from latentlab.session.lesson_words.foresight import attribute_of, check_class
from latentlab.session.lesson_words.word import Foreseen, Stage, Word


def _class(stage: Stage, given: Given) -> None:
    stage.intents.condition.choose(stage.spec, given["attribute"], given["to"])


def _foresee_class(foreseen: Foreseen, given: Given) -> None:
    check_class(foreseen.open_spec, given["attribute"], given["to"])


def _mix(stage: Stage, given: Given) -> None:
    stage.intents.condition.weigh(stage.spec, given["attribute"], given["class"], given["weight"])


def _foresee_mix(foreseen: Foreseen, given: Given) -> None:
    check_class(foreseen.open_spec, given["attribute"], given["class"])


def _scale(stage: Stage, given: Given) -> None:
    stage.intents.condition.scale(stage.spec, given["attribute"], given["to"])


def _foresee_attribute(foreseen: Foreseen, given: Given) -> None:
    attribute_of(foreseen.open_spec, given["attribute"])


def _flip(stage: Stage, given: Given) -> None:
    stage.intents.condition.flip(stage.spec, given["attribute"])


def _tell(stage: Stage, given: Given) -> None:
    if given["attribute"] == "seen":
        stage.intents.condition.tell_as_seen()
    else:
        stage.intents.condition.tell(stage.spec, given["attribute"], given.get("to", ""))


def _foresee_tell(foreseen: Foreseen, given: Given) -> None:
    if not foreseen.picture:
        raise SettingsError("a picture is expected, of which the encoder is told; give 'sample' before")
    if given["attribute"] == "seen":
        return
    if "to" in given:
        check_class(foreseen.open_spec, given["attribute"], given["to"])
    attribute_of(foreseen.open_spec, given["attribute"])


def _link(stage: Stage, given: Given) -> None:
    stage.intents.condition.link(given["linked"])


_TO_CLASS = text("to", "one of its classes", required=True)

WORDS = (
    Word(
        "class",
        "explore",
        "Chooses a class of the condition.",
        (attribute(), _TO_CLASS),
        _class,
        _foresee_class,
        needs="condition",
    ),
    Word(
        "mix",
        "explore",
        "Sets the weight of one class; the others stay.",
        (
            attribute(),
            text("class", "one of its classes", required=True),
            Argument("weight", "number", "1 as trained", True, LOWEST, HIGHEST),
        ),
        _mix,
        _foresee_mix,
        needs="condition",
    ),
    Word(
        "scale",
        "explore",
        "Multiplies an attribute of the condition.",
        (attribute(), Argument("to", "number", "1 as trained", True, LOWEST, HIGHEST)),
        _scale,
        _foresee_attribute,
        needs="condition",
    ),
    Word(
        "flip",
        "explore",
        "Hands an attribute's weights on to its next class.",
        (attribute(),),
        _flip,
        _foresee_attribute,
        needs="condition",
    ),
    Word(
        "tell",
        "explore",
        "Tells the encoder a class of the picture: nothing without it; 'tell: seen' tells what is seen.",
        (attribute(), text("to", "one of its classes")),
        _tell,
        _foresee_tell,
        needs="condition",
    ),
    Word(
        "link",
        "explore",
        "Tells the encoder what the decoder is told from now on, or leaves it.",
        (Argument("linked", "flag", "whether", True),),
        _link,
        needs="condition",
    ),
)
