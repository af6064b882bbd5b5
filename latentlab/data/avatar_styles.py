"""One illustrated face: an identity drawn in an artist's style, with every attribute set by us.

The styles are DiceBear's definitions (``dicebear-styles``), drawn by ``dicebear-core`` and rasterised by
``resvg_py``. ``resources/avatars/schema.json`` maps the attributes that they share to each style's own
options, and says where a style cannot show an attribute; there the label is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from latentlab.data.drawn_style import credit_of, definition, draw, shaded
from latentlab.errors import DataError
from latentlab.paths import bundled
from latentlab.spec import Attribute, Record


@dataclass(frozen=True)
class Identity:
    """One person who does not exist, in the same way in every style.

    Parameters
    ----------
    number
        Its number, which names it.
    classes
        Its class of every attribute, by the attribute's name.
    shade
        How light its skin and its hair are within their class, each from -1 to 1: so that no two
        identities look exactly alike even in a style that shows few attributes.
    variant
        Which of several drawings of a class is taken where variety is wanted.
    """

    number: int
    classes: Mapping[str, str]
    shade: tuple[float, float] = (0.0, 0.0)
    variant: int = 0


class Rule(Record):
    """An attribute does not show when the others have these classes."""

    attribute: str
    when: Mapping[str, tuple[str, ...]]


class Colours(Record):
    """The style's names of the colours, None where it has none."""

    skin: str
    hair: str | None
    beard: str | None
    clothes: str | None


class StyleMapping(Record):
    """How a style draws each attribute: options of ``dicebear-core``."""

    hair: Mapping[str, tuple[str, ...] | None]
    hair_component: str = "hair"
    rear: Mapping[str, str] = {}
    mouth: Mapping[str, str]
    mouth_component: str = "mouth"
    glasses: tuple[str, str] | None
    no_glasses: Mapping[str, str] = {}
    beard: tuple[str, str] | None
    colours: Colours
    fixed: Mapping[str, str | float]
    unknown: tuple[Rule, ...] = ()
    shippable: bool = True


class AvatarSchema(Record):
    """The whole of ``schema.json``."""

    about: str
    attributes: Mapping[str, tuple[str, ...] | Mapping[str, str]]
    silence_first: tuple[str, ...]
    unknown: tuple[Rule, ...]
    styles: Mapping[str, StyleMapping]

    def classes(self, attribute: str) -> tuple[str, ...]:
        """Return the classes of an attribute; skin's go from light to dark."""
        return tuple(self.attributes[attribute])

    def colour(self, attribute: str, label: str) -> str:
        """Return the colour of a class as ``#rrggbb``."""
        colours = self.attributes[attribute]
        assert isinstance(colours, Mapping)
        return colours[label]

    @property
    def shippable(self) -> tuple[str, ...]:
        """The styles whose licences allow their drawings to be handed on: the ones drawn by default."""
        return tuple(name for name, mapping in self.styles.items() if mapping.shippable)

    def of_sets(self, styles: tuple[str, ...]) -> tuple[Attribute, ...]:
        """Return the attributes of a set in these styles: the style first, then the shared ones."""
        shared = tuple(
            Attribute(name=name, classes=self.classes(name), origin="constructed") for name in self.attributes
        )
        if len(styles) < 2:
            return shared
        return (Attribute(name="style", classes=styles, origin="constructed"), *shared)


@lru_cache(maxsize=1)
def avatar_schema() -> AvatarSchema:
    """Return the schema that is bundled."""
    path = bundled("resources", "avatars", "schema.json")
    try:
        return AvatarSchema.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise DataError(f"{path} is damaged: {error.errors()[0]['msg']}. Install LatentLab again.") from None


def draw_avatar(
    style: str, identity: Identity, image_size: int = 64, variety: bool = False
) -> NDArray[np.uint8]:
    """Draw an identity in a style on white.

    Parameters
    ----------
    variety
        Draw the identity's own variant of its hair instead of the first one. Without it the drawing
        depends on classes and shades alone, so that the true counterfactual is unique.

    Returns
    -------
    numpy.ndarray
        Uint8 ``[image_size, image_size, 3]``, RGB.

    Raises
    ------
    DataError
        If the style is unknown.

    Examples
    --------
    >>> person = identities(1, seed=3)[0]
    >>> pictures = [draw_avatar(style, person) for style in avatar_schema().shippable]
    """
    mapping = _mapping(style)
    return draw(style, _options(style, mapping, identity, variety), image_size)


def shown_classes(style: str, identity: Identity) -> dict[str, str | None]:
    """Return what a drawing shows: the class of every attribute, None where this style does not show it."""
    schema, mapping = avatar_schema(), _mapping(style)
    shown: dict[str, str | None] = dict(identity.classes)
    if mapping.glasses is None:
        shown["glasses"] = None
    if mapping.beard is None:
        shown["beard"] = None
    if mapping.colours.hair is None:
        shown["hair_color"] = None
    if mapping.colours.clothes is None:
        shown["clothes"] = None
    for rule in (*schema.unknown, *mapping.unknown):
        if all(identity.classes[name] in labels for name, labels in rule.when.items()):
            shown[rule.attribute] = None
    return shown


def style_credit(style: str) -> dict[str, str]:
    """Return a style's title, artist, licence and where each is found, as its definition says."""
    _mapping(style)
    return credit_of(style)


def _options(style: str, mapping: StyleMapping, identity: Identity, variety: bool) -> dict[str, Any]:
    """Return the options of ``dicebear-core`` that draw an identity."""
    schema, classes, colours = avatar_schema(), identity.classes, mapping.colours
    components = definition(style)["components"]
    options: dict[str, Any] = {f"{name}Probability": 0 for name in schema.silence_first if name in components}
    options |= mapping.fixed
    parts = {mapping.mouth_component: mapping.mouth[classes["mouth"]]}
    if hair := mapping.hair[classes["hair"]]:
        parts[mapping.hair_component] = hair[identity.variant % len(hair) if variety else 0]
    else:
        options[f"{mapping.hair_component}Probability"] = 0
    if classes["hair"] in mapping.rear:
        parts["rearHair"] = mapping.rear[classes["hair"]]
    if classes["glasses"] == "no":
        options |= mapping.no_glasses
    for name, part in (("glasses", mapping.glasses), ("beard", mapping.beard)):
        if part and classes[name] == "yes":
            parts[part[0]] = part[1]
    for component, variant in parts.items():
        options |= {f"{component}Variant": variant, f"{component}Probability": 100}
    skin = shaded(schema.colour("skin", classes["skin"]), identity.shade[0])
    hair_colour = shaded(schema.colour("hair_color", classes["hair_color"]), identity.shade[1])
    for colour, value in (
        (colours.skin, skin),
        (colours.hair, hair_colour),
        (colours.beard, hair_colour),
        (colours.clothes, schema.colour("clothes", classes["clothes"])),
    ):
        if colour:
            options[f"{colour}Color"] = value
    return options


def _mapping(style: str) -> StyleMapping:
    schema = avatar_schema()
    if style not in schema.styles:
        raise DataError(f"There is no avatar style {style!r}; there are {', '.join(schema.shippable)}.")
    return schema.styles[style]
