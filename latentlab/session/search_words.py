"""What the Search screen says: how the work stands, and what stands below a restart's picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.search_plan import NOTE, STATUSES
from latentlab.session.pace import time_words
from latentlab.session.search_film import SearchFrame
from latentlab.session.search_work import SearchFound, SearchWork
from latentlab.spec import PredictorSpec

if TYPE_CHECKING:
    from latentlab.operations.search_result import Restart

LINE = f"{NOTE[:1].upper()}{NOTE[1:]}. Nothing of an original is recovered: the rest is invented."
"""What always stands on the screen."""
YES, NO = "yes", "no"


@dataclass(frozen=True)
class RestartWords:
    """What is said of a restart in a frame: a line each, and all of it in full.

    ``state`` is a position in `latentlab.operations.search_plan.STATUSES`, None for a posterior's.
    """

    distance: str
    status: str
    attributes: str
    state: int | None
    best: bool
    tip: str


def work_words(work: SearchWork) -> str:
    """Say how the work stands."""
    done, total = work.steps
    if work.phase == "opening":
        return "Opening the model"
    if work.phase == "judging":
        return "Decoding and judging what was found"
    if work.phase == "failed":
        return work.message
    frame = None if work.moment is None else work.moment.frame
    if work.phase == "running":
        if frame is None:
            return "Beginning"
        if work.paused:
            return f"Held at step {done:,} of {total:,}."
        return _running(work, frame, done, total)
    found = work.found
    if found is None:
        return ""
    return found_words(found, stopped=work.phase == "stopped")


def _running(work: SearchWork, frame: SearchFrame, done: int, total: int) -> str:
    if frame.temperature is not None:
        what = f"Warming up at temperature {frame.temperature:.3g}" if frame.temperature > 1.0 else "Sampling"
        said = f"{what}: proposal {done:,} of {total:,}, acceptance {frame.acceptance or 0.0:.0%}"
    else:
        said = f"Step {done:,} of {total:,}: {frame.under} of {len(frame.statuses)} under eps"
    rate = work.pace.rate
    return f"{said}; about {time_words((total - done) / rate)} left." if rate else f"{said}."


def found_words(found: SearchFound, stopped: bool = False) -> str:
    """Say what was found."""
    made = sum(leg.made for leg in found.legs)
    begin = f"Stopped after {made:,} step{'s' if made != 1 else ''}. " if stopped and found.legs else ""
    if found.found is None:
        return "Stopped before there were enough draws; sample anew."
    if found.found.sampling is not None:
        text = found.found.sampling.text()
        return f"{text[:1].upper()}{text[1:]}."
    count, reached = len(found.found.restarts), len(found.found.under)
    eps = f"eps = {found.found.eps.value:.3g} ({found.found.eps.source})"
    if reached:
        return f"{begin}{reached} of {count} restarts under {eps}."
    nearest = found.found.best.distance
    return f"{begin}Not converged: none of {count} under {eps}; the nearest, {nearest:.3g}, is kept."


def step_words(frame: SearchFrame) -> str:
    """Say which step a frame is of."""
    return f"found, step {frame.step:,}" if frame.settled else f"step {frame.step:,}"


def restart_words(
    frame: SearchFrame, found: SearchFound | None, seed: int, first: str, judge: PredictorSpec | None = None
) -> list[RestartWords]:
    """Say what stands below each picture of a frame.

    Parameters
    ----------
    found
        What was found, where the frame shows it.
    seed
        The first restart's.
    first
        The attribute that is named first.
    judge
        The predictor.
    """
    classes = {} if judge is None else {one.name: one.classes for one in judge.attributes}
    shown = found.found if frame.settled and found is not None else None
    nearest = int(np.argmin(frame.distances)) if len(frame.distances) else -1
    drawn = frame.temperature is not None
    words = []
    for place, distance in enumerate(frame.distances):
        restart = None if shown is None else shown.restarts[place]
        state = None if drawn else int(frame.statuses[place])
        if restart is not None and drawn:
            status = f"chain {restart.seed - seed + 1} at {restart.found.steps:,}"
        elif drawn:
            status = f"chain {place + 1}"
        else:
            status = STATUSES[int(frame.statuses[place])]
        seen = {name: rows[place] for name, rows in frame.attributes.items() if name in classes}
        said = attribute_words(seen, classes, first)
        words.append(
            RestartWords(
                f"{distance:.2e}",
                status,
                said,
                state,
                place == nearest and not drawn,
                _tip(frame, place, status, seed, restart, seen, classes),
            )
        )
    return words


def attribute_words(said: Probabilities, classes: Mapping[str, tuple[str, ...]], first: str) -> str:
    """Name the predicted classes in a few words; of yes and no only what is there."""
    names = [name for name in (first, *(one for one in said if one != first)) if name in said]
    found = []
    for name in names:
        label = classes[name][int(np.argmax(said[name]))]
        if label == YES:
            found.append(name.replace("_", " "))
        elif label.isdecimal():
            found.append(f"{name} {label}".replace("_", " "))
        elif label != NO:
            found.append(label.replace("_", " "))
    return ", ".join(found)


def _tip(
    frame: SearchFrame,
    place: int,
    status: str,
    seed: int,
    restart: Restart | None,
    seen: Probabilities,
    classes: Mapping[str, tuple[str, ...]],
) -> str:
    own = seed + place if restart is None else restart.seed
    lines = [
        f"Seed {own}: {status}",
        f"Mean squared error {frame.distances[place]:.3e}, the best so far {frame.best[place]:.3e}",
    ]
    if restart is not None:
        lines[1] = f"Mean squared error {restart.distance:.3e}, rounded to 8 bits {restart.found.rounded:.3e}"
        if restart.found.exposure is not None:
            lines.append(f"Exposure {restart.found.exposure:.2f}")
    for name, p in seen.items():
        best = int(np.argmax(p))
        lines.append(f"{name}: {classes[name][best]} {100 * p[best]:.0f}%".replace("_", " "))
    return "\n".join([*lines, f"{NOTE}."])
