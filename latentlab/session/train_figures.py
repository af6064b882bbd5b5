"""What is shown of trainings: bars of groups by arm and seed, and the figures that runs compare by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.session.train_folder import MemberFound, TrainFound
from latentlab.session.train_plan import title_of
from latentlab.training.debiasing_record import Epoch, Histogram

VARIANCE, WORST = "recall_variance_points2", "worst_group_miss_rate"
# As in `latentlab.metrics.detection`, which imports scipy: not before the window is there.
VALIDATION, TEST = "validation rows", "test rows"
FIGURES: tuple[tuple[str, str, float, str], ...] = (
    ("recall", "Recall", 100.0, "%"),
    ("precision", "Precision", 100.0, "%"),
    ("accuracy", "Accuracy", 100.0, "%"),
    ("false_positive_rate", "False positives", 100.0, "%"),
    (WORST, "Worst group missed", 100.0, "%"),
    (VARIANCE, "Variance over groups", 1.0, ""),
)


@dataclass(frozen=True)
class Bars:
    """Bars of one arm: by group a height, and a dot for each seed."""

    name: str
    heights: Mapping[str, float]
    dots: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class BarsShown:
    """Bars beside one another, all in percent, and what they are of."""

    title: str
    groups: tuple[str, ...]
    arms: tuple[Bars, ...]


def arm_names(found: TrainFound, letter: str = "") -> dict[str, str]:
    """Return what the arms of a training are called, by arm; a letter tells two trainings apart."""
    names = {one.member.arm: one.member.arm or title_of(found.settings) for one in found.members}
    return {arm: f"{letter}: {name}" if letter else name for arm, name in names.items()}


def recall_bars(found: TrainFound, letter: str = "") -> tuple[list[Bars], str]:
    """Return each arm's recall by group in percent, and on which rows: the test where that was judged."""
    names = arm_names(found, letter)
    if found.judged is not None:
        arms = []
        for arm, one in found.judged["arms"].items():
            groups = _finest(one["groups"])
            heights = {name: 100.0 * one["groups"][name]["value"] for name in groups}
            dots = {name: tuple(100.0 * seed[f"recall.{name}"] for seed in one["seeds"]) for name in groups}
            arms.append(Bars(names.get(arm, arm), heights, dots))
        return arms, TEST
    arms = []
    for arm, name in names.items():
        seeds = [one.recalls for one in found.members if one.member.arm == arm and one.recalls]
        if not seeds:
            continue
        groups = list(seeds[0])
        dots = {group: tuple(100.0 * one[group] for one in seeds if group in one) for group in groups}
        heights = {group: float(np.mean(values)) for group, values in dots.items()}
        arms.append(Bars(name, heights, dots))
    return arms, VALIDATION


def share_bars(epoch: Epoch) -> BarsShown:
    """Return each group's share of the faces, and of the draws, in percent."""
    before = {name: 100.0 * share for name, (share, _) in epoch.groups.items()}
    after = {name: 100.0 * share for name, (_, share) in epoch.groups.items()}
    title = f"Share of each group, epoch {epoch.number + 1}"
    return BarsShown(title, tuple(epoch.groups), (Bars("in the set", before), Bars("as drawn", after)))


def shown_recalls(found: TrainFound | None, beside: TrainFound | None = None) -> BarsShown | None:
    """Return the recall of all arms of one training, or of two; None where nothing is known yet."""
    if found is None:
        return None
    found, beside = alike(found, beside)
    both = beside is not None
    arms, rows = recall_bars(found, "A" if both else "")
    arms += recall_bars(beside, "B")[0] if beside is not None else []
    if not arms:
        return None
    groups = tuple(dict.fromkeys(group for one in arms for group in one.heights))
    return BarsShown(f"Recall of each group, {rows}", groups, tuple(arms))


def alike(found: TrainFound, beside: TrainFound | None) -> tuple[TrainFound, TrainFound | None]:
    """Return two trainings compared on the same rows: on the test only where both were judged there."""
    if beside is None or (found.judged is None) == (beside.judged is None):
        return found, beside
    return replace(found, judged=None), replace(beside, judged=None)


def figures_of(found: TrainFound) -> dict[str, dict[str, float]]:
    """Return each arm's figures as they are shown (rates in percent): of the test, else of validation."""
    names = arm_names(found)
    if found.judged is not None:
        return {
            names.get(arm, arm): {
                key: scale * one["metrics"][key]["value"]
                for key, _, scale, _ in FIGURES
                if key in one["metrics"]
            }
            for arm, one in found.judged["arms"].items()
        }
    arms: dict[str, dict[str, float]] = {}
    for arm, name in names.items():
        members = [one for one in found.members if one.member.arm == arm and one.held_out]
        if not members:
            continue
        figures = {
            key: scale * float(np.mean([one.held_out[key].last for one in members]))
            for key, _, scale, _ in FIGURES
            if all(key in one.held_out for one in members)
        }
        worst = [1.0 - min(one.recalls.values()) for one in members if one.recalls]
        if worst:
            figures[WORST] = 100.0 * float(np.mean(worst))
        for key, label in (("mae_255", "mae_255"), ("nll", "nll")):
            if all(key in one.held_out for one in members):
                figures[label] = float(np.mean([one.held_out[key].last for one in members]))
        arms[name] = figures
    return arms


def changed_most(epoch: Epoch) -> NDArray[np.int64]:
    """Return the latent entries, those first whose histogram the draws change most."""
    if not epoch.mu.shape[1]:
        return np.empty(0, dtype=np.int64)
    changes = [np.abs(_histogram(epoch, k)).sum() for k in range(epoch.mu.shape[1])]
    return np.argsort(-np.asarray(changes), kind="stable")


def histograms(epoch: Epoch, entries: Sequence[int]) -> list[tuple[int, Histogram]]:
    """Return the histograms of some latent entries, over the faces and as they are drawn."""
    return [(int(entry), epoch.histogram(int(entry))) for entry in entries]


def size_words(found: MemberFound) -> str:
    """Say how many faces the draws are worth."""
    epoch = found.epoch
    if epoch is None:
        return ""
    n = len(epoch.p)
    share = epoch.effective_size / max(1, n)
    even = " So far they are drawn evenly." if share > 0.9999 else ""
    return (
        f"{found.member.title}, epoch {epoch.number + 1}, {epoch.rule} rule, α {epoch.smoothing:g}: draws "
        f"of {n:,} faces are worth {epoch.effective_size:,.0f} even ones ({share:.0%}, effective sample "
        f"size).{even}"
    )


def loss_names(found: Sequence[TrainFound]) -> list[str]:
    """Return the figures that can be shown over the steps, losses first."""
    names: dict[str, None] = {}
    for kind in ("losses", "held_out"):
        for one in found:
            for member in one.members:
                names.update(dict.fromkeys(getattr(member, kind)))
    return [name for name in names if not name.startswith("recall.")]


def words_of_group(name: str) -> str:
    """Return a group's name as a person reads it."""
    return ", ".join(part.partition("=")[2] or part for part in name.split(",")).replace("_", " ")


def _histogram(epoch: Epoch, entry: int) -> NDArray[np.float64]:
    found = epoch.histogram(entry)
    return np.asarray(found.drawn - found.share)


def _finest(groups: Mapping[str, Any]) -> list[str]:
    most = max((name.count(",") for name in groups), default=0)
    return [name for name in groups if name.count(",") == most]
