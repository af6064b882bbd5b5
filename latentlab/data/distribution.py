"""What a set shall be made of, said in a line: shares of classes, and correlations between attributes.

In text, as on the command line::

    gender=female:0.52,male:0.48            shares of an attribute's classes
    race=asian+white:0.9,black+brown:0.1    classes taken together keep their own proportion
    glasses=yes:0.1                         the classes left out share the rest as they do in the set
    glasses=yes,facial_hair=yes:0.5         a correlation: the phi coefficient of the two, -1 to 1

Attributes that are named are independent of one another unless a correlation says otherwise; everything
that is not named stays, within each cell, as it is in the set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.spec import Attribute, Record

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Ratio(Record):
    """Shares of one attribute's classes; a key may join several classes: ``asian+white``."""

    attribute: str
    shares: Mapping[str, Share] = Field(min_length=1)

    @classmethod
    def parse(cls, text: str) -> Ratio:
        """Read ``ATTRIBUTE=CLASS:SHARE,CLASS+CLASS:SHARE``; raise `SettingsError` where it is not one."""
        attribute, _, rest = text.partition("=")
        shares: dict[str, float] = {}
        for part in rest.split(","):
            label, _, share = part.rpartition(":")
            if not (attribute.strip() and label.strip()) or label.strip() in shares:
                raise SettingsError(f"The ratio {text!r} should look like gender=female:0.52,male:0.48.")
            shares[label.strip()] = _number(share, 0.0, 1.0, f"In the ratio {text!r} the share of {label}")
        return cls(attribute=attribute.strip(), shares=shares)

    def __str__(self) -> str:
        return f"{self.attribute}=" + ",".join(f"{label}:{share:g}" for label, share in self.shares.items())


class Correlation(Record):
    """A correlation between two classes of two attributes: the phi coefficient of their indicators."""

    first: tuple[str, str]
    second: tuple[str, str]
    phi: Annotated[float, Field(ge=-1.0, le=1.0)]

    @classmethod
    def parse(cls, text: str) -> Correlation:
        """Read ``ATTRIBUTE=CLASS,ATTRIBUTE=CLASS:PHI``; raise `SettingsError` where it is not one."""
        pairs, _, phi = text.rpartition(":")
        events = [tuple(word.strip() for word in pair.split("=")) for pair in pairs.split(",")]
        if [len(event) for event in events] != [2, 2] or not all(word for event in events for word in event):
            raise SettingsError(f"The correlation {text!r} should look like glasses=yes,facial_hair=yes:0.5.")
        if events[0][0] == events[1][0]:
            raise SettingsError(f"The correlation {text!r} needs two different attributes.")
        number = _number(phi, -1.0, 1.0, f"In the correlation {text!r} the coefficient")
        return cls(first=events[0], second=events[1], phi=number)

    def __str__(self) -> str:
        return f"{'='.join(self.first)},{'='.join(self.second)}:{self.phi:g}"


class Distribution(Record):
    """What a set shall be made of: ratios of some attributes and correlations between some."""

    ratios: tuple[Ratio, ...] = ()
    correlations: tuple[Correlation, ...] = ()

    @classmethod
    def parse(cls, ratios: Sequence[str] = (), correlations: Sequence[str] = ()) -> Distribution:
        """Read the text forms above; raise `SettingsError` for a malformed one."""
        found = tuple(Ratio.parse(text) for text in ratios)
        names = [ratio.attribute for ratio in found]
        if len(set(names)) < len(names):
            raise SettingsError(f"An attribute has two ratios; give one each: {', '.join(ratios)}.")
        return cls(ratios=found, correlations=tuple(Correlation.parse(text) for text in correlations))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that are named, in the order in which they are."""
        names = [ratio.attribute for ratio in self.ratios]
        for correlation in self.correlations:
            names += [correlation.first[0], correlation.second[0]]
        return tuple(dict.fromkeys(names))

    def __str__(self) -> str:
        return " ".join(map(str, (*self.ratios, *self.correlations))) or "as in the set"

    def shares(self, images: ImageSet) -> NDArray[np.float64]:
        """Return the share of every cell of the attributes named, float64 ``[classes, classes, ...]``, sum 1.

        The joint distribution is the one of greatest entropy with these shares and correlations, found by
        iterative proportional fitting (Deming and Stephan 1940).

        Raises
        ------
        DataError, SettingsError
            If the set lacks an attribute or class, or no distribution is like that.
        """
        margins = [self._margin(images, images.attribute(name)) for name in self.attributes]
        joint = np.ones(())
        for margin in margins:
            joint = np.multiply.outer(joint, margin)
        tables = [self._table(images, correlation, margins) for correlation in self.correlations]
        for _ in range(2000):
            before = joint
            for indicator, wanted in tables:
                for cell, target in enumerate(wanted):
                    found = joint[indicator == cell].sum()
                    joint = np.where(indicator == cell, joint * (target / found if found else 0.0), joint)
            for axis, margin in enumerate(margins):
                found = joint.sum(axis=tuple(k for k in range(joint.ndim) if k != axis))
                factor = np.divide(margin, found, out=np.zeros_like(margin), where=found > 0)
                joint = joint * factor.reshape([-1 if k == axis else 1 for k in range(joint.ndim)])
            if np.abs(joint - before).max() < 1e-13:
                break
        for indicator, wanted in tables:
            if np.abs(np.bincount(indicator.ravel(), joint.ravel(), 4) - wanted).max() > 1e-6:
                raise SettingsError(f"No set is like this, its parts contradict one another: {self}.")
        return joint

    def _margin(self, images: ImageSet, attribute: Attribute) -> NDArray[np.float64]:
        if attribute.kind == "continuous":
            raise SettingsError(f"Attribute {attribute.name!r} is continuous; ratios need classes.")
        codes = images.codes(attribute.name)
        present = np.bincount(codes[codes >= 0], minlength=len(attribute.classes)).astype(np.float64)
        ratio = next((ratio for ratio in self.ratios if ratio.attribute == attribute.name), None)
        if ratio is None:
            if not present.sum():
                raise SettingsError(f"No image of the set has a known {attribute.name}.")
            return np.asarray(present / present.sum())
        blocks = [[attribute.index(label) for label in key.split("+")] for key in ratio.shares]
        wanted = list(ratio.shares.values())
        named = [code for block in blocks for code in block]
        if len(set(named)) < len(named):
            raise SettingsError(f"The ratio {ratio} names a class twice.")
        if others := [code for code in range(len(present)) if code not in named]:
            blocks.append(others)
            wanted.append(1.0 - sum(wanted))
        if wanted[-1] < -1e-9 or abs(sum(wanted) - 1.0) > 1e-6:
            total = sum(ratio.shares.values())
            raise SettingsError(f"The shares of {ratio} should sum to 1; they sum to {total:g}.")
        margin = np.zeros_like(present)
        for block, share in zip(blocks, wanted, strict=True):
            inside = present[block]
            margin[block] = max(share, 0.0) * (inside / inside.sum() if inside.sum() else 1.0 / len(block))
        return np.asarray(margin / margin.sum())

    def _table(
        self, images: ImageSet, correlation: Correlation, margins: Sequence[NDArray[np.float64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return which of four events each cell is in (neither, second, first, both), and their shares."""
        shape = tuple(len(margin) for margin in margins)
        indicator, p = np.zeros(shape, dtype=np.int64), []
        for weight, (name, label) in ((2, correlation.first), (1, correlation.second)):
            axis, code = self.attributes.index(name), images.attribute(name).index(label)
            indicator += weight * (np.indices(shape)[axis] == code)
            p.append(float(margins[axis][code]))
        spread = float(np.sqrt(p[0] * (1 - p[0]) * p[1] * (1 - p[1])))
        if not spread:
            raise SettingsError(
                f"The correlation {correlation} needs both classes in some images, not in all."
            )
        low = (max(0.0, p[0] + p[1] - 1.0) - p[0] * p[1]) / spread
        high = (min(p) - p[0] * p[1]) / spread
        if not low - 1e-9 <= correlation.phi <= high + 1e-9:
            raise SettingsError(
                f"The correlation {correlation} is out of reach: with shares of {p[0]:.3g} and {p[1]:.3g} "
                f"it lies between {low:.3f} and {high:.3f}."
            )
        both = p[0] * p[1] + correlation.phi * spread
        table = np.array([1 - p[0] - p[1] + both, p[1] - both, p[0] - both, both])
        return indicator, np.clip(table, 0.0, 1.0)


PRESETS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "original": ("52% female, as in CelebA's sample of Majumdar 2020", ("gender=female:0.52,male:0.48",)),
        "equal": ("as many female as male", ("gender=female:0.5,male:0.5",)),
        "male60": ("60% male", ("gender=female:0.4,male:0.6",)),
        "light90": ("90% light (asian, white), 10% dark", ("race=asian+white:0.9,black+brown:0.1",)),
        "balanced": (
            "every group of gender and race alike",
            ("gender=female:0.5,male:0.5", "race=asian:0.25,black:0.25,brown:0.25,white:0.25"),
        ),
        "narrow": (
            "90% light, 65% female, 10% with glasses",
            (
                "race=asian+white:0.9,black+brown:0.1",
                "gender=female:0.65,male:0.35",
                "glasses=no:0.9,yes:0.1",
            ),
        ),
    }
)
"""The named distributions: what each is in words, and its ratios."""


def chosen_distribution(
    images: ImageSet,
    preset: str | None = None,
    ratios: Sequence[str] = (),
    correlations: Sequence[str] = (),
) -> Distribution:
    """Return what a preset, ratios and correlations ask for together; a ratio wins over the preset's.

    A set without ``gender`` but with CelebA's ``Male`` gets the preset's ratio of gender as one of that.

    Raises
    ------
    SettingsError
        If the preset is unknown or a text is malformed.
    """
    given = Distribution.parse(ratios, correlations)
    if preset is None:
        return given
    if preset not in PRESETS:
        raise SettingsError(f"There is no preset {preset!r}; there are {', '.join(PRESETS)}.")
    texts = PRESETS[preset][1]
    known = {attribute.name for attribute in images.info.attributes}
    if "gender" not in known and "Male" in known:
        texts = tuple(
            text.replace("gender=female:", "Male=no:").replace(",male:", ",yes:")
            if text.startswith("gender")
            else text
            for text in texts
        )
    own = {ratio.attribute for ratio in given.ratios}
    kept = tuple(ratio for ratio in map(Ratio.parse, texts) if ratio.attribute not in own)
    return Distribution(ratios=kept + given.ratios, correlations=given.correlations)


def _number(text: str, low: float, high: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise SettingsError(f"{what} should be a number from {low:g} to {high:g}, not {text!r}.")
    return value
