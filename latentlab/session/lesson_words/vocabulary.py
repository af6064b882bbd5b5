"""The vocabulary of a lesson's session blocks: every word with its arguments and what it does."""

from __future__ import annotations

from collections.abc import Mapping

from latentlab.errors import SettingsError
from latentlab.operations.projection_plan import no_projection
from latentlab.session.lesson_words import analogies, condition, latent, pictures, studies, views
from latentlab.session.lesson_words.word import Foreseen, Word

_MODULES = (pictures, latent, condition, views, analogies, studies)
VOCABULARY: Mapping[str, Word] = {word.name: word for module in _MODULES for word in module.WORDS}
"""By name, in the order in which they are listed."""


def word_of(name: str) -> Word:
    """Return a word by its name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    if name not in VOCABULARY:
        raise SettingsError(f"a session step is expected ({', '.join(VOCABULARY)}); found {name!r}")
    return VOCABULARY[name]


def check_need(foreseen: Foreseen, word: Word) -> None:
    """Raise `SettingsError` if what a word needs will not be open."""
    if word.needs == "nothing":
        return
    if foreseen.spec is None:
        raise SettingsError(f"a model is expected to be open for '{word.name}'; give 'open' before")
    spec = foreseen.spec
    if word.needs == "condition" and not spec.condition.size:
        raise SettingsError(
            f"a conditional model is expected for '{word.name}'; {foreseen.model} is unconditional"
        )
    if word.needs == "projection" and no_projection(spec, foreseen.model):
        raise SettingsError(no_projection(spec, foreseen.model))
    if word.needs == "picture" and not foreseen.picture:
        raise SettingsError(f"a picture is expected for '{word.name}'; give 'sample' before")
