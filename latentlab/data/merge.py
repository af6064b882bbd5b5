"""Classes merged into one: CelebA-HQ and FFHQ as one dataset of faces, as Rombach, Esser and Ommer (2020) do.

    merges = parse_merges(["broad+narrow=faces"])
    attribute = merged(images.attribute("dataset"), merges)

The merged attribute says which labels count as which class (`latentlab.spec.Attribute.parts`): so a model
that was trained on it knows what the sets and the judges mean, which go on telling the parts apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from latentlab.errors import SettingsError
from latentlab.spec import Attribute

Merges = Mapping[str, tuple[str, ...]]
"""The parts of each merged class, by its name."""


def parse_merges(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read merges such as ``broad+narrow=faces``: two classes or more, and what they are called together.

    Raises
    ------
    SettingsError
        If something else stands there, or a name or a part is given twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for text in words:
        said, _, name = (piece.strip() for piece in text.partition("="))
        parts = tuple(part.strip() for part in said.split("+"))
        if not name or not all(parts) or len(parts) < 2:
            raise SettingsError(
                f"{text!r} merges nothing; write CLASS+CLASS=NAME, such as broad+narrow=faces."
            )
        if name in found:
            raise SettingsError(f"{name!r} is the name of two merges. Give each its own.")
        found[name] = parts
    every = [part for parts in found.values() for part in parts]
    for part in every:
        if every.count(part) > 1:
            raise SettingsError(f"{part!r} is merged twice. Name it once.")
    return found


def merged(attribute: Attribute, merges: Merges) -> Attribute:
    """Return an attribute with some classes merged; a merged one stands where its first part stood.

    Without merges it is the attribute itself.

    Raises
    ------
    SettingsError
        If a part is no class of it, a name is that of a class that stays, or fewer than two classes are left.
    """
    if not merges:
        return attribute
    into = {part: name for name, parts in merges.items() for part in parts}
    for part in into:
        attribute.index(part)
    left = [label for label in attribute.classes if label not in into]
    for name in merges:
        if name in left:
            raise SettingsError(f"{attribute.name} has a class {name!r} already. Choose another name.")
    classes = tuple(dict.fromkeys(into.get(label, label) for label in attribute.classes))
    if len(classes) < 2:
        raise SettingsError(
            f"With all classes of {attribute.name} merged into one, there is none to tell apart."
        )
    parts = tuple(
        tuple(label for label in attribute.classes if into.get(label, label) == name) for name in classes
    )
    default = into.get(attribute.default, attribute.default)
    return attribute.model_copy(update={"classes": classes, "parts": parts, "default": default})
