"""What a conditional model's counterfactuals are worth: effectiveness, leakage, and error to the truth.

After the axioms of Monteiro et al. (2023): *composition* (a counterfactual under the image's own condition
is the image), *reversibility* (back and forth is the image) and *effectiveness* (a classifier sees the class
asked for); and *leakage*, what changes that should not have.

For every image and attribute one other class is drawn at random, the target. A *flip* gives the target to
the decoder, unless the encoder or both are said; the latent is the posterior's mean. Changes are counted
against what the predictor says of the original, and reconstruction alone changes things too, so leakage is
what a flip changes beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.conditions import with_codes
from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.data.true_counterfactuals import can_be_drawn_again, true_counterfactuals
from latentlab.errors import SettingsError
from latentlab.families.resized import resized
from latentlab.metrics.condition_probe import probe_figures, probe_points
from latentlab.metrics.intervals import (
    Estimate,
    bootstrap_mean,
    bootstrap_totals,
    mean_of_rates,
    percentile_limits,
)
from latentlab.metrics.labels import conditions, group_attributes, identities, translate
from latentlab.metrics.passes import batches, check_size, evaluation
from latentlab.metrics.report import Evaluation, group_notes
from latentlab.model import AttributePredictor, LatentModel
from latentlab.progress import Reporter
from latentlab.spec import ModelSpec, PredictorSpec

SCALES = (1.0, 1.5, 2.0, 3.0)
"""Scales of the target at which flips are judged; at the first one nothing stands after a figure's name."""
CURVE = tuple(0.25 * step for step in range(9))
"""Scales of the curve of ``monotone_share`` and ``scale_rise``."""
DIP = 0.01
"""By how much a probability may fall from one scale to the next and still count as monotone."""

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class _Setting:
    """Who is told the target, and at which scale."""

    side: Literal["decoder", "encoder", "both"]
    scale: float = 1.0

    @property
    def suffix(self) -> str:
        """What stands after the names of its figures."""
        side = "" if self.side == "decoder" else f"@{self.side}"
        return side if self.scale == 1.0 else f"{side}@{self.scale:g}"


@dataclass
class _Flips:
    """What is gathered of one attribute's flips, image by image.

    ``said`` holds, by setting, what the predictor says: codes ``[n]`` by attribute. ``reversed_255`` is not a
    number where an image has no target.
    """

    own: Codes
    target: Codes
    curve_class: Codes
    said: dict[_Setting, dict[str, Codes]] = field(default_factory=dict)
    curve: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    reversed_255: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    truth_errors: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))


def evaluate_counterfactual(
    model: LatentModel,
    predictor: AttributePredictor,
    data: ImageSet,
    *,
    probe_data: ImageSet | None = None,
    why_no_probe: str = "no other images were given to fit probes on",
    scales: Sequence[float] = SCALES,
    device: torch.device | str = "cpu",
    seed: int = 0,
    groups: Sequence[str] | None = None,
    reporter: Reporter | None = None,
) -> Evaluation:
    """Flip every attribute of the condition on labelled images, and judge what comes out.

    Metrics, for each categorical attribute ATTR of the condition that the predictor judges, by group too:

    - ``effectiveness.ATTR``: share of flips that are predicted as the target.
    - ``leakage_points.ATTR``: share of images whose predicted *other* attributes change under the flip,
      minus the share that plain reconstruction changes, in points, averaged over the other attributes.
    - ``encoder_flip_effect.ATTR``: share of images whose predicted ATTR changes, against the plain
      reconstruction's, when only the encoder is told the target.
    - ``monotone_share.ATTR``, ``scale_rise.ATTR``: with s x one-hot of a class drawn at random, s over
      `CURVE`: share of images whose probability of the class never falls by more than `DIP` from one s to
      the next; and how much higher it is at the last s than at the first, on average.
    - ``true_counterfactual_ratio.ATTR``, where the set can be drawn again: mean absolute error to the true
      counterfactual over the pixels that truly change, divided by the unflipped reconstruction's there.

    The first two stand again with ``@S`` (the target at scale S), ``@both`` (encoder and decoder are told the
    target) and ``@both@S`` after their names, leakage also with ``@encoder`` (the encoder alone is told).
    Then ``composition_mae_255`` and ``reversibility_mae_255`` (mean over the attributes of which an image's
    own class is known; an image without any is left out), and ``condition_probe_points``: what a linear probe
    reads of the condition from z (the worst of the attributes), and ``@network`` what a network with a hidden
    layer does (`condition_probe`).

    Parameters
    ----------
    model, predictor
        On ``device`` already, in float32.
    data
        Labelled images at the model's image size.
    probe_data
        Images on whose latents the probes are fitted, disjoint from ``data``; no probe without them.
    why_no_probe
        What a note gives as the reason then.
    scales
        Scales of the target to judge flips at; 1 is always among them. Composition, reversibility, flips of
        the encoder alone and the error to the truth are judged at scale 1 only.

    Raises
    ------
    LatentLabError
        If the model has no encoder or no condition that the predictor judges, or the set does not fit;
        `Cancelled` if the reporter asked for it.
    """
    reporter, where = reporter or Reporter(), torch.device(device)
    if "encode" in model.spec.cannot:
        raise SettingsError(f"The model cannot encode images: {model.spec.cannot['encode']}")
    check_size(data, model.spec.image_size, "model")
    c = conditions(model.spec.condition, data)
    if c is None:
        raise SettingsError("The model is unconditional: there is no condition to flip. Choose a CVAE.")
    names, notes = _judged(model.spec, predictor.spec)
    wanted = tuple(dict.fromkeys([1.0, *scales]))
    if not all(np.isfinite(wanted)):
        raise SettingsError("Scales are finite numbers.")
    chosen = group_attributes(data, groups)
    run = _Run(model, predictor, data, c, names, wanted, where, seed, reporter)
    run.gather()
    members = data.groups(chosen) if chosen else {}
    metrics = run.measure(np.arange(len(data)), 0)
    by_group = {
        group: run.measure(rows, stream)
        for stream, (group, rows) in enumerate(members.items(), start=1)
        if len(rows)
    }
    if probe_data is not None:
        found, said = run.probe(probe_data)
        metrics |= found
        notes += said
    else:
        notes.append(f"condition_probe_points was not measured: {why_no_probe}.")
    notes += group_notes({group: len(rows) for group, rows in members.items()})
    settings = {"latent": "posterior mean", "scales": list(wanted), "groups": list(chosen), "dip": DIP}
    return Evaluation(metrics, by_group, settings, tuple(notes))


def _judged(spec: ModelSpec, judge: PredictorSpec) -> tuple[list[str], list[str]]:
    """Return the attributes of the condition that can be flipped and judged, and notes on the others."""
    known = {attribute.name: attribute for attribute in judge.attributes}
    names, notes = [], []
    for attribute in spec.condition.attributes:
        if attribute.kind == "continuous":
            notes.append(f"{attribute.name} was not flipped: it is continuous and has no classes.")
        elif attribute.name not in known or set(attribute.classes) - set(known[attribute.name].classes):
            notes.append(f"{attribute.name} was not judged: the predictor does not know all its classes.")
        else:
            names.append(attribute.name)
    if not names:
        raise SettingsError(
            f"The predictor judges none of the condition's attributes "
            f"({', '.join(a.name for a in spec.condition.attributes)}). Name another with --predictor."
        )
    return names, notes


class _Run:
    """One evaluation: what is gathered image by image, and what is made of it."""

    def __init__(
        self,
        model: LatentModel,
        predictor: AttributePredictor,
        data: ImageSet,
        c: NDArray[np.float32],
        names: list[str],
        scales: tuple[float, ...],
        device: torch.device,
        seed: int,
        reporter: Reporter,
    ) -> None:
        self.model, self.predictor, self.data, self.c = model, predictor, data, c
        self.names, self.scales, self.device = names, scales, device
        self.seed, self.reporter = seed, reporter
        self.schema = model.spec.condition
        self.judged = [a.name for a in predictor.spec.attributes if a.kind == "categorical"]
        self.clusters = identities(data)
        self.latents = np.zeros((len(data), model.spec.latent_size), dtype=np.float32)
        self.composition_255 = np.zeros(len(data))
        self.originals = self._empty_codes()
        self.reconstructions = self._empty_codes()
        generator = np.random.default_rng([seed, 1 << 22])
        self.flips: dict[str, _Flips] = {}
        for name in names:
            attribute, k = self.schema.attribute(name), len(self.schema.attribute(name).classes)
            own = translate(data.attribute(name), attribute, data.codes(name))
            shift = generator.integers(1, k, len(data))
            # An image whose class is not known has no other class to be flipped to.
            target = np.where(own >= 0, (own + shift) % k, -1)
            self.flips[name] = _Flips(own, target, generator.integers(0, k, len(data)))
        self.truths = can_be_drawn_again(data)

    def gather(self) -> None:
        """Go through the set once, flipping everything."""
        for flips in self.flips.values():
            n = len(self.data)
            flips.said = {setting: self._empty_codes() for setting in self._settings()}
            flips.curve, flips.reversed_255 = np.zeros((n, len(CURVE))), np.full(n, np.nan)
        with evaluation():
            for rows, x in batches(self.data, self.device, self.reporter, "Flipping"):
                c = self.c[rows]
                given = self._tensor(c)
                z = self.model.encode(x, given).mean
                again = self.model.decode(z, given)
                self.latents[rows] = z.flatten(1).float().cpu().numpy()
                self.composition_255[rows] = _error(again, x)
                self._note(self.originals, rows, x)
                self._note(self.reconstructions, rows, again)
                for name in self.names:
                    self._flip(name, rows, x, z, c)
        if self.truths:
            for name in self.names:
                self._compare_with_truth(name)

    def _settings(self) -> list[_Setting]:
        decoder, both = ([_Setting(side, s) for s in self.scales] for side in ("decoder", "both"))
        return [*decoder, *both, _Setting("encoder")]

    def _flip(self, name: str, rows: slice, x: Tensor, z: Tensor, c: NDArray[np.float32]) -> None:
        flips = self.flips[name]
        target = np.maximum(flips.target[rows], 0)  # rows without a target are left out later
        given = self._tensor(c)
        for scale in self.scales:
            other = self._tensor(with_codes(self.schema, c, name, target, scale))
            told, flipped = self.model.encode(x, other).mean, self.model.decode(z, other)
            self._note(flips.said[_Setting("decoder", scale)], rows, flipped)
            self._note(flips.said[_Setting("both", scale)], rows, self.model.decode(told, other))
            if scale == 1.0:
                self._note(flips.said[_Setting("encoder")], rows, self.model.decode(told, given))
                back = self.model.decode(self.model.encode(flipped, other).mean, given)
                flips.reversed_255[rows] = np.where(flips.target[rows] >= 0, _error(back, x), np.nan)
        shown = flips.curve_class[rows]
        column = self._as_judged(name, shown)
        for place, scale in enumerate(CURVE):
            other = self._tensor(with_codes(self.schema, c, name, shown, scale))
            p = self._predict(self.model.decode(z, other))[name].float().cpu().numpy()
            flips.curve[rows, place] = p[np.arange(len(p)), column]

    def _compare_with_truth(self, name: str) -> None:
        """Decode the flips again, batch by batch, beside the avatars drawn anew."""
        flips = self.flips[name]
        classes = np.array([*self.schema.attribute(name).classes, ""])
        truths, known = true_counterfactuals(self.data, name, classes[flips.target], self.reporter)
        flips.truth_errors = np.zeros((len(self.data), 2))
        with evaluation():
            for rows, x in batches(self.data, self.device, self.reporter, f"Comparing {name} with the truth"):
                latents = self.latents[rows].reshape(-1, *self.model.spec.latent_shape)
                z = torch.from_numpy(latents).to(self.device)
                c = self.c[rows]
                other = with_codes(self.schema, c, name, np.maximum(flips.target[rows], 0))
                true = images_to_tensor(truths[rows]).to(self.device)
                changed = (true != x).any(dim=1, keepdim=True).float()
                for column, condition in enumerate((other, c)):
                    error = (self.model.decode(z, self._tensor(condition)) - true).abs() * changed
                    flips.truth_errors[rows, column] = error.sum(dim=(1, 2, 3)).cpu().numpy()
        flips.truth_errors[~known] = 0.0

    def measure(self, rows: Codes, stream: int) -> dict[str, Estimate]:
        """Return the figures of some rows."""
        generator = np.random.default_rng([self.seed, stream])
        found: dict[str, Estimate | None] = {}
        for name, flips in self.flips.items():
            used = rows[flips.target[rows] >= 0]
            if not len(used):
                continue
            for setting in self._settings():
                seen = flips.said[setting][name][used]
                if setting.side == "encoder":
                    moved = np.asarray(seen != self.reconstructions[name][used])
                    found[f"encoder_flip_effect.{name}"] = self._share(moved, used, generator)
                else:
                    hit = np.asarray(seen == self._as_judged(name, flips.target[used]))
                    found[f"effectiveness.{name}{setting.suffix}"] = self._share(hit, used, generator)
                points = self._leaked(name, flips.said[setting], used)
                if points is not None:
                    estimate = bootstrap_mean(points, generator, self._clusters(used))
                    found[f"leakage_points.{name}{setting.suffix}"] = estimate
            steps = np.diff(flips.curve[rows], axis=1)
            monotone = np.asarray((steps >= -DIP).all(axis=1))
            found[f"monotone_share.{name}"] = self._share(monotone, rows, generator)
            rise = flips.curve[rows, -1] - flips.curve[rows, 0]
            found[f"scale_rise.{name}"] = bootstrap_mean(rise, generator, self._clusters(rows))
            if self.truths:
                found[f"true_counterfactual_ratio.{name}"] = self._ratio(
                    flips.truth_errors[rows], rows, generator
                )
        clusters = self._clusters(rows)
        found["composition_mae_255"] = bootstrap_mean(self.composition_255[rows], generator, clusters)
        found["reversibility_mae_255"] = self._reversibility(rows, generator)
        return {name: estimate for name, estimate in found.items() if estimate is not None}

    def probe(self, others: ImageSet) -> tuple[dict[str, Estimate], list[str]]:
        """Fit probes on other images' latents and try them on the set's."""
        c = conditions(self.schema, others)
        assert c is not None
        parts = []
        with evaluation():
            for rows, x in batches(others, self.device, self.reporter, "Encoding for the probes"):
                z = self.model.encode(x, self._tensor(c[rows])).mean
                parts.append(z.flatten(1).float().cpu().numpy())
        train = np.concatenate(parts)
        found: dict[str, Estimate] = {}
        for name in self.names:
            attribute = self.schema.attribute(name)
            codes = translate(others.attribute(name), attribute, others.codes(name))
            own, classes = self.flips[name].own, len(attribute.classes)
            points = probe_points(train, codes, self.latents, own, classes, self.seed)
            found |= probe_figures(f"condition_probe_points.{name}", points)
        worst: dict[str, Estimate] = {}
        for variant in ("", "@network"):
            every = [e for n, e in found.items() if n.endswith("@network") == bool(variant)]
            if every:
                worst[f"condition_probe_points{variant}"] = max(every, key=lambda one: one.value)
        notes = [
            f"condition_probe_points: the worst of the attributes; probes fitted on {len(train)} images."
        ]
        return worst | found, notes if found else []

    def _reversibility(self, rows: Codes, generator: np.random.Generator) -> Estimate | None:
        """Return the error after a flip there and back, over images that have a target at all."""
        errors = np.stack([flips.reversed_255[rows] for flips in self.flips.values()])
        there = ~np.isnan(errors).all(axis=0)
        if not there.any():
            return None
        return bootstrap_mean(np.nanmean(errors[:, there], axis=0), generator, self._clusters(rows[there]))

    def _leaked(self, name: str, said: Mapping[str, Codes], rows: Codes) -> NDArray[np.float64] | None:
        """Return what a flip changes in the other attributes beyond reconstruction, points ``[n]``."""
        others = [other for other in self.judged if other != name]
        if not others:
            return None
        changes = [
            (said[other][rows] != self.originals[other][rows]).astype(np.float64)
            - (self.reconstructions[other][rows] != self.originals[other][rows])
            for other in others
        ]
        points: NDArray[np.float64] = 100.0 * np.mean(changes, axis=0)
        return points

    def _as_judged(self, name: str, codes: Codes) -> Codes:
        judge = self.predictor.spec.attribute(name)
        renumbered = np.array([judge.index(label) for label in self.schema.attribute(name).classes])
        return np.asarray(renumbered[codes], dtype=np.int64)

    def _share(self, hits: NDArray[np.bool_], rows: Codes, generator: np.random.Generator) -> Estimate | None:
        clusters = self._clusters(rows)
        if clusters is not None:
            return bootstrap_mean(hits.astype(np.float64), generator, clusters)
        return mean_of_rates([int(hits.sum())], [len(hits)])

    def _ratio(
        self, errors: NDArray[np.float64], rows: Codes, generator: np.random.Generator
    ) -> Estimate | None:
        """Return the ratio of summed errors, the flip's to the reconstruction's, over images with a truth."""
        there = errors[:, 1] > 0
        if not there.any():
            return None
        clusters = self._clusters(rows[there])
        totals = bootstrap_totals(errors[there], generator, clusters)
        value = float(errors[there, 0].sum() / errors[there, 1].sum())
        return Estimate(value, *percentile_limits(totals[:, 0] / totals[:, 1]), int(there.sum()))

    def _clusters(self, rows: Codes) -> Codes | None:
        return None if self.clusters is None else self.clusters[rows]

    def _note(self, where: dict[str, Codes], rows: slice, images: Tensor) -> None:
        for name, p in self._predict(images).items():
            if name in where:
                where[name][rows] = p.argmax(dim=1).cpu().numpy()

    def _predict(self, images: Tensor) -> dict[str, Tensor]:
        return self.predictor.predict(resized(images, self.predictor.spec.image_size))

    def _empty_codes(self) -> dict[str, Codes]:
        return {name: np.zeros(len(self.data), dtype=np.int64) for name in self.judged}

    def _tensor(self, c: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(c)).to(self.device)


def _error(pictures: Tensor, x: Tensor) -> NDArray[np.float64]:
    """Return each picture's mean absolute error, 0 to 255, ``[B]``."""
    found: NDArray[np.float64] = 255.0 * (pictures - x).abs().mean(dim=(1, 2, 3)).double().cpu().numpy()
    return found
