"""What each epoch of a debiasing run found, in its run folder: written as it goes, read while it goes on.

``epochs/0003.json`` holds the numbers (rule, effective sample size, each group's share before and after),
``epochs/0003.npz`` each face's row, probability, logit and latent. Both are there whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.whole_file import whole_file, write_whole

EPOCHS = "epochs"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Histogram:
    """One latent entry over the faces: edges ``[bins + 1]``, shares of faces and of draws ``[bins]``."""

    edges: Floats
    share: Floats
    drawn: Floats


@dataclass(frozen=True)
class Epoch:
    """How faces are drawn in one epoch.

    Parameters
    ----------
    number, step
        Which epoch it is, and its first step.
    rule, smoothing
        How the probabilities were found (`latentlab.training.resampling`).
    effective_size
        1 / sum(p^2), to be compared with the number of faces.
    groups
        Each group's share of the faces and of the draws.
    p, logit, mu
        Of each face: its probability ``[n]``, its logit ``[n]``, its latent mean ``[n, D]``.
    rows
        Rows of the faces in their set ``[n]``.
    """

    number: int
    step: int
    rule: str
    smoothing: float
    effective_size: float
    groups: Mapping[str, tuple[float, float]]
    p: Floats
    logit: Floats
    mu: Floats
    rows: NDArray[np.int64]

    def most_likely(self, count: int = 20) -> NDArray[np.int64]:
        """Return the positions of the faces that are drawn most often, the first one first."""
        return np.argsort(-self.p, kind="stable")[:count]

    def least_likely(self, count: int = 20) -> NDArray[np.int64]:
        """Return the positions of the faces that are drawn most rarely, the rarest first."""
        return np.argsort(self.p, kind="stable")[:count]

    def histogram(self, entry: int, bins: int = 10) -> Histogram:
        """Return one latent entry's histogram over the faces as they are, and as they are drawn."""
        values = self.mu[:, entry]
        edges = np.histogram_bin_edges(values, bins)
        share, _ = np.histogram(values, edges)
        drawn, _ = np.histogram(values, edges, weights=self.p)
        return Histogram(edges, share / len(values), drawn)


def write_epoch(run: Path, epoch: Epoch) -> None:
    """Write an epoch; raises `SettingsError` if the run folder cannot be written."""
    (run / EPOCHS).mkdir(parents=True, exist_ok=True)
    with whole_file(_place(run, epoch.number, ".npz")) as part, part.open("wb") as file:
        np.savez(file, p=epoch.p, logit=epoch.logit, mu=epoch.mu.astype(np.float32), rows=epoch.rows)
    numbers = {
        "number": epoch.number,
        "step": epoch.step,
        "rule": epoch.rule,
        "smoothing": epoch.smoothing,
        "effective_size": epoch.effective_size,
        "faces": len(epoch.p),
        "groups": {name: list(shares) for name, shares in epoch.groups.items()},
    }
    write_whole(_place(run, epoch.number, ".json"), json.dumps(numbers, indent=1))


def read_epoch(run: Path, number: int) -> Epoch | None:
    """Return an epoch of a run, None where it is not there (yet) or cannot be read."""
    try:
        said = json.loads(_place(run, number, ".json").read_text(encoding="utf-8"))
        with np.load(_place(run, number, ".npz"), allow_pickle=False) as arrays:
            return Epoch(
                number=int(said["number"]),
                step=int(said["step"]),
                rule=str(said["rule"]),
                smoothing=float(said["smoothing"]),
                effective_size=float(said["effective_size"]),
                groups={name: (float(a), float(b)) for name, (a, b) in said["groups"].items()},
                p=arrays["p"],
                logit=arrays["logit"],
                mu=arrays["mu"].astype(np.float64),
                rows=arrays["rows"],
            )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def last_epoch(run: Path) -> Epoch | None:
    """Return the newest epoch of a run that can be read."""
    numbers = sorted((int(path.stem) for path in (run / EPOCHS).glob("[0-9]*.json")), reverse=True)
    return next((epoch for number in numbers if (epoch := read_epoch(run, number)) is not None), None)


def _place(run: Path, number: int, suffix: str) -> Path:
    return run / EPOCHS / f"{number:04d}{suffix}"
