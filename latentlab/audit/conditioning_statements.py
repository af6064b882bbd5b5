"""What the conditioning study is asked to find, tested: five statements on conditional models and bias.

They are those of the seed's experiment (Majumdar 2020: VAE and conditional VAE of faces), for each attribute:

- D1: the gap between the error rates of its classes is larger in a VAE's reconstructions than in originals,
- D2: in a conditional VAE's it is smaller than in the VAE's,
- D3: with the condition scaled up it is smaller still,
- D4: a flip at the encoder changes at most 3% of predictions,
- D5: a flip at the decoder gives the other class in at least 95%.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from latentlab.audit.conditioning import Conditioning
from latentlab.audit.conditioning_plan import Setting
from latentlab.audit.conditioning_table import Change, Results
from latentlab.audit.report import DOES_NOT, HOLDS, PERCEIVED, UNSURE, between, percent, words
from latentlab.metrics.intervals import Estimate

MOST_CHANGED, LEAST_FLIPPED = 0.03, 0.95
"""How many predictions a flip at the encoder may change, and a flip at the decoder has to."""


@dataclass(frozen=True)
class Statement:
    """A statement on one attribute with the figure that it is judged by.

    Parameters
    ----------
    number
        ``D1`` to ``D5``.
    text, of_each
        What is stated, of this attribute and of any.
    models
        The models that it is about, the one that it is mostly about first.
    figure
        What the value is, such as ``gap.gender: faces-cvae minus faces-vae``.
    value
        With its 95% interval.
    bound, above
        It holds where the value is above the bound, or below it.
    lead, told
        What the numbers behind it are, such as ``the gap is``, and these numbers, in words.
    """

    number: str
    attribute: str
    text: str
    of_each: str
    models: tuple[str, ...]
    figure: str
    value: Estimate
    bound: float
    above: bool
    lead: str
    told: str

    @property
    def verdict(self) -> str:
        """Whether it holds, by the interval alone."""
        low, high, bound = self.value.low, self.value.high, self.bound
        if low is None or high is None:
            return UNSURE
        if not self.above:  # seen from the other side it is one of more than
            low, high, bound = -high, -low, -bound
        enough = low >= bound if bound else low > 0.0  # a gap that is as large is not larger
        return HOLDS if enough else DOES_NOT if high < bound else UNSURE

    def row(self) -> dict[str, Any]:
        """Return it as a row of the table of statements."""
        return {
            "number": self.number,
            "attribute": self.attribute,
            "statement": self.text,
            "figure": self.figure,
            "value": self.value.value,
            "low": self.value.low,
            "high": self.value.high,
            "n": self.value.n,
            "bound": self.bound,
            "verdict": self.verdict,
        }


def statements_of(found: Results, study: Conditioning) -> tuple[Statement, ...]:
    """Return the statements that the given models allow, in order."""
    names = [one.name for one in study.chosen.attributes]
    made = [one for name in names for one in _of_attribute(name, found, study)]
    return tuple(sorted(made, key=lambda one: one.number))


def sentences(found: Results, statements: Sequence[Statement], study: Conditioning) -> tuple[str, ...]:
    """Say how often each attribute is read wrongly, which statements hold, and what cannot be said."""
    lines = [_errors(one.name, found, study) for one in study.chosen.attributes]
    alike: dict[tuple[str, str], list[Statement]] = {}
    for one in statements:
        alike.setdefault((one.number, one.of_each), []).append(one)
    lines += [_together(found) for found in alike.values()]
    lines += _missing(study)
    lines.append(
        "An interval that holds no difference does not show that there is none, only none larger than it "
        "reaches. Each verdict is by its own 95% interval: one false statement in twenty may pass by chance."
    )
    lines.append(
        "No rate is corrected for the predictor's own mistakes: what it gets wrong in the originals stands "
        "beside, and is not the models' doing."
    )
    if study.several_images_of_one:
        lines.append(
            "Some images show the same identity; intervals take them for independent, and may be too narrow."
        )
    return (*(line for line in lines if line), PERCEIVED)


def _together(alike: Sequence[Statement]) -> str:
    """Say one statement on several attributes: the statement once, then for which it holds and why."""
    first = alike[0]
    if len(alike) == 1:
        return f"{first.number}. {first.text}: {first.lead} {first.told}. This {first.verdict}."
    parts = [f"{first.number}. {first.of_each}."]
    for verdict in (HOLDS, DOES_NOT, UNSURE):
        said = [f"for {words(one.attribute)}: {one.told}" for one in alike if one.verdict == verdict]
        if said:
            parts.append(f"This {verdict} {'; '.join(said)}.")
    return " ".join(parts)


def _of_attribute(name: str, found: Results, study: Conditioning) -> Iterator[Statement]:
    conditional = study.conditional
    for model in study.models:
        own = Setting("reconstruction", model)
        if model not in conditional:
            yield from _changed(
                "D1",
                found.change(name, own, study.originals(model)),
                f"is larger in {model}'s reconstructions than in originals",
                (model,),
                True,
            )
            continue
        for other in study.models:
            if other not in conditional:
                yield from _changed(
                    "D2",
                    found.change(name, own, Setting("reconstruction", other)),
                    f"is smaller in {model}'s reconstructions than in {other}'s",
                    (model, other),
                    False,
                )
        for setting in study.settings:
            if setting.kind == "scale" and setting.model == model and setting.scale > 1.0:
                yield from _changed(
                    "D3",
                    found.change(name, setting, own),
                    f"is smaller in {model} at scale {setting.scale:g} of the condition than at scale 1",
                    (model,),
                    False,
                )
        if name in study.targets[model]:
            yield from _flips(name, model, found)


def _changed(
    number: str, change: Change | None, claim: str, models: tuple[str, ...], above: bool
) -> Iterator[Statement]:
    """Give the statement on the gap between an attribute's classes, of which something is claimed."""
    if change is None:
        return
    gap = "The gap between the error rates of"
    value = change.change
    told = (
        f"{_points(change.gap)} against {_points(change.other)} points, {_more(value.value)} "
        f"(95%: {between(value.low, value.high)}, n = {value.n:,})"
    )
    figure = f"gap.{change.attribute}: {change.setting.name} minus {change.against.name}"
    yield Statement(
        number,
        change.attribute,
        f"{gap} the classes of {words(change.attribute)} {claim}",
        f"{gap} an attribute's classes {claim}",
        models,
        figure,
        value,
        0.0,
        above,
        "the gap is",
        told,
    )


def _flips(name: str, model: str, found: Results) -> Iterator[Statement]:
    said = words(name)
    encoder = found.rate(Setting("encoder", model), name)
    if encoder is not None:
        claim = f"at {model}'s encoder changes at most {MOST_CHANGED:.0%} of predictions"
        yield Statement(
            "D4",
            name,
            f"Flipping {said} {claim}",
            f"Flipping an attribute {claim}",
            (model,),
            f"encoder_flip_effect.{name}: {model}",
            encoder.value,
            MOST_CHANGED,
            False,
            "it changes",
            _of(encoder.k, encoder.value),
        )
    decoder = found.rate(Setting("decoder", model), name)
    if decoder is not None:
        claim = f"at {model}'s decoder gives the other class in at least {LEAST_FLIPPED:.0%}"
        yield Statement(
            "D5",
            name,
            f"Flipping {said} {claim}",
            f"Flipping an attribute {claim}",
            (model,),
            f"effectiveness.{name}: {model}",
            decoder.value,
            LEAST_FLIPPED,
            True,
            "it gives it in",
            _of(decoder.k, decoder.value),
        )


def _errors(name: str, found: Results, study: Conditioning) -> str:
    said = []
    for setting in study.settings_of(name):
        rate = None if setting.flips else found.rate(setting, name)
        if rate is not None:
            said.append(f"{percent(rate.value.value)} {_where(setting)}")
    return f"{words(name).capitalize()}, read wrongly: {', '.join(said)}." if said else ""


def _where(setting: Setting) -> str:
    if setting.kind == "original":
        return f"in originals at {setting.size} px" if setting.size else "in originals"
    return f"in {setting.model}" + (f" at scale {setting.scale:g}" if setting.kind == "scale" else "")


def _missing(study: Conditioning) -> list[str]:
    """Say which statements could not be tested, and what for."""
    lines = []
    if len(study.conditional) == len(study.models):
        lines.append("There is no unconditional model among them: D1 and D2 were not tested.")
    if not study.conditional:
        lines.append(
            "There is no conditional model among them: what a condition does (D2 to D5) was not tested."
        )
    elif not any(one.kind == "scale" and one.scale > 1.0 for one in study.settings):
        lines.append("No scale above 1 was asked for: D3 was not tested.")
    for name in study.conditional:
        untold = [one.name for one in study.chosen.attributes if one.name not in study.targets[name]]
        if untold:
            lines.append(
                f"{name} is not conditioned on {', '.join(untold)} in the predictor's classes: D4 and D5 "
                "were not tested there."
            )
    return lines


def _of(k: int, value: Estimate) -> str:
    return f"{k:,} of {value.n:,}, {percent(value.value)} (95%: {between(value.low, value.high)})"


def _points(gap: float) -> str:
    return f"{100.0 * gap:.1f}"


def _more(change: float) -> str:
    points = f"{100.0 * abs(change):.1f} points"
    return f"{points} more" if change > 0 else f"{points} less" if change < 0 else "no difference"
