"""The figures of the debiasing study and its lesson, as matplotlib figures and what they are drawn from.

What is measured is kept apart from what is drawn: a window that shows the same can take the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latentlab.audit.chart_figure import INK, LINE, MUTED, SERIES
from latentlab.families.dbvae import DBVAE
from latentlab.metrics.detection import WORST, finest
from latentlab.metrics.report import group_words
from latentlab.training.debiasing import look_at_faces
from latentlab.training.detection_evaluation import TrainedDetector
from latentlab.training.detection_task import Detection
from latentlab.training.resampling import rarity

DECILES = 10
SHOWN = 6
"""Latent entries whose logits are drawn: those along which a decision changes most."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """A split's faces as a DB-VAE and detectors see them.

    Parameters
    ----------
    mu
        Their latent means ``[n, D]``, undegraded.
    over
        For each detector's name, their logits over its threshold ``[n]``, degraded as when it is judged.
    """

    mu: Floats
    over: Mapping[str, Floats]


@dataclass(frozen=True)
class Deciles:
    """Faces by how dense the latent is where they lie, the rarest tenth first.

    Parameters
    ----------
    recall
        For each detector's name, the share found in each tenth ``[10]``.
    mean_faces
        Mean picture of each tenth, uint8 ``[10, S, S, 3]``.
    share, shown
        Share of the first group attribute's first class in each tenth, and that class; empty without groups.
    """

    recall: Mapping[str, Floats]
    mean_faces: NDArray[np.uint8]
    share: Floats
    shown: str


@dataclass(frozen=True)
class LogitCurve:
    """The mean logit of faces along one latent entry, over the threshold, by detector.

    ``places`` are the bins' mean values ``[K]``, ``logits`` each detector's means ``[K]``; ``slope`` is the
    change of the detector's logit per standard deviation of the entry.
    """

    entry: int
    places: Floats
    logits: Mapping[str, Floats]
    slope: Mapping[str, float]


def look(model: TrainedDetector, detectors: Mapping[str, TrainedDetector], task: Detection) -> Seen:
    """Look at a split's faces with a DB-VAE and with detectors."""
    assert isinstance(model.network, DBVAE)
    _, mu = look_at_faces(model.network, task)
    return Seen(
        mu, {name: one.logits(task)[0] - one.network.config.threshold for name, one in detectors.items()}
    )


def density_deciles(seen: Seen, task: Detection) -> Deciles:
    """Order a split's faces by the product of their latent entries' histograms (on the log scale)."""
    mu = seen.mu
    log_density = -sum((np.log(rarity(entry, 1e-3)) for entry in mu.T), np.zeros(len(mu)))
    tenths = np.array_split(np.argsort(log_density, kind="stable"), DECILES)
    recall = {
        name: np.array([(over[rows] > 0.0).mean() for rows in tenths]) for name, over in seen.over.items()
    }
    pictures = [task.faces.pixels(rows).mean(axis=0).round().astype(np.uint8) for rows in tenths]
    share, shown = np.empty(0), ""
    if task.groups:
        codes = task.faces.codes(task.groups[0])
        share = np.array([(codes[rows] == 0).mean() for rows in tenths])
        shown = task.faces.attribute(task.groups[0]).classes[0]
    return Deciles(recall, np.stack(pictures), share, shown)


def logit_curves(seen: Seen, bins: int = 8) -> list[LogitCurve]:
    """Return how each detector's logit changes along each latent entry of a DB-VAE, the steepest first.

    The decision should be the same along all of them: every picture is a face.
    """
    curves = []
    for entry, x in enumerate(seen.mu.T):
        order = np.array_split(np.argsort(x, kind="stable"), bins)
        curves.append(
            LogitCurve(
                entry,
                np.array([x[rows].mean() for rows in order]),
                {name: np.array([y[rows].mean() for rows in order]) for name, y in seen.over.items()},
                {
                    name: float(np.cov(x, y)[0, 1] / max(float(x.std(ddof=1)), 1e-9))
                    for name, y in seen.over.items()
                },
            )
        )
    return sorted(curves, key=lambda curve: -max(abs(one) for one in curve.slope.values()))


def group_figure(arms: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """Draw the share missed of each group as bars, an arm beside the other, with the seeds as dots."""
    figure, axes = _figure(3.1)
    groups = finest(arms[names[0]]["test"]["groups"])
    width = 0.8 / len(names)
    for k, name in enumerate(names):
        test = arms[name]["test"]
        x = np.arange(len(groups)) + (k - (len(names) - 1) / 2) * width
        heights = [100 * (1.0 - test["groups"][group]["recall"]["value"]) for group in groups]
        axes.bar(x, heights, width * 0.9, color=SERIES[k % len(SERIES)], label=name)
        for place, group in zip(x, groups, strict=True):
            dots = [100 * (1.0 - seed[f"recall.{group}"]) for seed in test["seeds"]]
            if len(dots) > 1:
                axes.plot([place] * len(dots), dots, ".", color=INK, markersize=4)
    axes.set_xticks(np.arange(len(groups)), [group_words(group) for group in groups])
    axes.set_ylabel("faces missed, %")
    axes.legend(frameon=False, fontsize=8, ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def alpha_figure(arms: Mapping[str, Any], rules: Sequence[Sequence[Any]], baseline: str) -> Figure:
    """Draw accuracy and the worst group's recall against the smoothing factor, by rule."""
    figure = Figure(figsize=(7.0, 2.9), layout="constrained")
    for place, (key, label, of) in enumerate(
        (("accuracy", "accuracy, %", 1.0), (WORST, "recall of the worst group, %", -1.0))
    ):
        axes = figure.add_subplot(1, 2, place + 1)
        _plain(axes)

        def height(name: str, key: str = key, of: float = of) -> float:
            value = float(arms[name]["test"]["metrics"][key]["value"])
            return 100 * (value if of > 0 else 1.0 - value)

        for k, rule in enumerate(dict.fromkeys(str(rule) for rule, _ in rules)):
            alphas = sorted(float(alpha) for one, alpha in rules if one == rule)
            y = [height(f"{rule}-{alpha:g}") for alpha in alphas]
            axes.plot(alphas, y, "o-", color=SERIES[(k + 1) % len(SERIES)], label=rule, markersize=4)
        axes.axhline(height(baseline), color=SERIES[0], linestyle="--", label=baseline)
        every = sorted({float(alpha) for _, alpha in rules})
        axes.set_xscale("log")
        axes.set_xlim(every[-1] * 2.0, every[0] / 2.0)
        axes.set_xticks(every, [f"{alpha:g}" for alpha in every])
        axes.minorticks_off()
        axes.set_xlabel("smoothing factor α (stronger to the right)")
        axes.set_ylabel(label)
        if not place:
            figure.legend(frameon=False, fontsize=8, ncols=4, loc="outside upper center")
    return figure


def threshold_figure(arms: Mapping[str, Any], names: Sequence[str], sets: Mapping[str, str]) -> Figure:
    """Draw what is missed of the worst group against the share that the threshold lets pass, a panel a set.

    ``sets`` has what each set is called, by its name in the results.
    """
    figure = Figure(figsize=(7.0, 2.9), layout="constrained")
    first = None
    for place, (of, words) in enumerate(sets.items()):
        axes = figure.add_subplot(1, len(sets), place + 1, sharey=first)
        first = first or axes
        _plain(axes)
        for k, name in enumerate(names):
            points = [one for one in arms[name][of]["thresholds"] if WORST in one]
            x, y = [100 * one["passing"] for one in points], [100 * one[WORST] for one in points]
            axes.plot(x, y, "o-", color=SERIES[k % len(SERIES)], label=name, markersize=4)
        axes.set_title(words, fontsize=8)
        axes.set_xlabel("others that pass on validation, %")
        axes.set_ylim(bottom=0.0)
        if not place:
            axes.set_ylabel("missed of the worst group, %")
            figure.legend(frameon=False, fontsize=8, ncols=4, loc="outside upper center")
    return figure


def decile_figure(found: Deciles) -> Figure:
    """Draw recall by tenth of density, with the mean face of each below."""
    figure = Figure(figsize=(7.0, 3.5), layout="constrained")
    grid = figure.add_gridspec(2, DECILES, height_ratios=(3.2, 1.0))
    axes = figure.add_subplot(grid[0, :])
    _plain(axes)
    x = np.arange(DECILES)
    for k, (name, recall) in enumerate(found.recall.items()):
        axes.plot(x, 100 * recall, "o-", color=SERIES[k % len(SERIES)], label=name, markersize=4)
    axes.set_xlim(-0.5, DECILES - 0.5)
    axes.set_xticks(
        x, [f"{share:.0%}" for share in found.share] if len(found.share) else [str(k + 1) for k in x]
    )
    of = f": share of {found.shown} faces in each" if len(found.share) else ""
    axes.set_xlabel(f"tenths of the faces, from the rarest in the latent to the densest{of}")
    axes.set_ylabel("recall, %")
    axes.legend(
        frameon=False, fontsize=8, ncols=len(found.recall), loc="lower right", bbox_to_anchor=(1.0, 1.0)
    )
    for k, face in enumerate(found.mean_faces):
        below = figure.add_subplot(grid[1, k])
        below.imshow(face)
        below.axis("off")
    return figure


def logit_figure(curves: Sequence[LogitCurve]) -> Figure:
    """Draw each detector's mean logit along the first latent entries, one panel each."""
    curves, columns = curves[:SHOWN], 3
    rows = -(-len(curves) // columns)
    figure = Figure(figsize=(7.0, 1.9 * rows + 0.4), layout="constrained")
    for place, curve in enumerate(curves):
        axes = figure.add_subplot(rows, columns, place + 1)
        _plain(axes)
        for k, (name, logits) in enumerate(curve.logits.items()):
            axes.plot(curve.places, logits, "o-", color=SERIES[k % len(SERIES)], label=name, markersize=3)
        axes.axhline(0.0, color=MUTED, linewidth=0.8)
        axes.set_title(f"latent {curve.entry}", fontsize=8)
        axes.locator_params(axis="x", nbins=4)
        if place % columns == 0:
            axes.set_ylabel("logit over threshold")
        if place == 0:
            figure.legend(frameon=False, fontsize=8, ncols=4, loc="outside upper center")
    return figure


def samples(model: TrainedDetector, count: int = 24) -> NDArray[np.uint8]:
    """Return pictures of latents drawn from the prior, uint8 ``[n, S, S, 3]``."""
    assert isinstance(model.network, DBVAE)
    with torch.inference_mode():
        drawn = model.network.decode(model.network.sample(count, None, torch.Generator().manual_seed(0)))
    return drawn.mul(255.0).round().byte().permute(0, 2, 3, 1).numpy()


def _figure(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(7.0, height), layout="constrained")
    axes = figure.add_subplot()
    _plain(axes)
    return figure, axes


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    axes.tick_params(colors=MUTED, labelsize=8)
    axes.xaxis.label.set_size(8)
    axes.yaxis.label.set_size(8)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
