"""Adaptive resampling: how likely each face is drawn, from what its latent says of how rare it is.

Every rule gives probabilities p ``[n]`` of sum 1 over the faces of the training set, from their latent
means mu ``[n, D]``. Q_i is the histogram of one latent entry over the faces, as shares of its bins, and
alpha the smoothing factor: the smaller, the stronger the resampling; where it is large p is even.

``max`` (the rule of the MIT laboratory 6.S191)
    p(x) ~ max_i 1 / (Q_i(mu_i(x)) + alpha): as likely as the rarest of its latent entries makes it.
``product`` (Amini et al. 2019, eq. 3)
    p(x) ~ prod_i 1 / (Q_i(mu_i(x)) + alpha), computed on the log scale.
``informative`` (ours)
    p(x) ~ 1 / (Q(t(x)) + alpha) along the one direction t of the latent along which the decision changes.

The max rule dilutes with many entries: among a hundred, nearly every face is rare in one. The product has
an effective sample size near 1: some faces are drawn again and again. Both spread their weight over entries
that have nothing to do with the decision. The third looks for the latent feature along which the decision on
faces changes most, which is the laboratory's own definition of bias (a decision that changes with a feature
that should not matter), and draws faces evenly along that. The decision is the probability of being a face,
not its logit: how much more certain a detector is of one face than of another does not matter where it finds
both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError

Rule = Literal["none", "max", "product", "informative"]
RULES: tuple[Rule, ...] = get_args(Rule)
BINS = 10
"""Bins of a histogram, as in the laboratory."""
TAIL = 0.01
"""Share of the faces beyond either end of the informative direction's bins: they count to the last ones."""
RIDGE = 1e-2
"""Ridge of the regression of the decision on the standardised latent."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Resampling:
    """Which rule is used, how strongly, and from which epoch on.

    Parameters
    ----------
    rule
        See the module's text; ``none`` draws evenly.
    smoothing
        alpha, more than 0.
    keep
        Share of the last epoch's probabilities that stays in the new ones, from 0 to below 1.
    """

    rule: Rule = "informative"
    smoothing: float = 0.001
    keep: float = 0.0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise SettingsError(f"There is no resampling rule {self.rule!r}; there are {', '.join(RULES)}.")
        if not 0.0 < self.smoothing < float("inf"):
            raise SettingsError(f"The smoothing factor is more than 0, not {self.smoothing}.")
        if not 0.0 <= self.keep < 1.0:
            raise SettingsError(f"The share that stays is from 0 to below 1, not {self.keep}.")

    def probabilities(self, mu: Floats, decision: Floats, before: Floats | None = None) -> Floats:
        """Return the probabilities ``[n]`` of faces with means ``[n, D]``.

        ``decision`` is how probably each is taken for a face ``[n]``, as bad as the pictures are.
        ``before`` are the probabilities of the last epoch, of which `keep` stays.
        """
        if self.rule == "none" or len(mu) < 2:
            found = np.full(len(mu), 1.0 / len(mu))
        elif self.rule == "max":
            found = max_rule(mu, self.smoothing)
        elif self.rule == "product":
            found = product_rule(mu, self.smoothing)
        else:
            found = informative_rule(mu, decision, self.smoothing)
        return found if before is None else self.keep * before + (1.0 - self.keep) * found


def rarity(values: Floats, alpha: float, low: float | None = None, high: float | None = None) -> Floats:
    """Return 1 / (Q + alpha) for the bin of each value ``[n]``, Q being the bins' shares smoothed to sum 1.

    Shares, not densities, so that alpha means the same whatever the latent's scale. The outer bins are open.
    """
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    edges = np.linspace(low, high, BINS + 1)[1:-1]
    bins = np.searchsorted(edges, values, side="right")
    share = np.bincount(bins, minlength=BINS) / len(values)
    smooth = (share + alpha) / (share + alpha).sum()
    return np.asarray(1.0 / smooth[bins])


def max_rule(mu: Floats, alpha: float) -> Floats:
    """Return max over the entries of 1 / (Q_i + alpha), each entry's normalised first, as in the lab."""
    found = np.zeros(len(mu))
    for entry in mu.T:
        p = rarity(entry, alpha)
        found = np.maximum(found, p / p.sum())
    return np.asarray(found / found.sum())


def product_rule(mu: Floats, alpha: float) -> Floats:
    """Return the product over the entries of 1 / (Q_i + alpha), on the log scale so that it is finite."""
    log = sum((np.log(rarity(entry, alpha)) for entry in mu.T), np.zeros(len(mu)))
    found = np.exp(log - log.max())
    return np.asarray(found / found.sum())


def informative_rule(mu: Floats, decision: Floats, alpha: float) -> Floats:
    """Return 1 / (Q + alpha) along the informative direction, evenly between its 1st and 99th percentile."""
    t = informative_direction(mu, decision)
    low, high = np.quantile(t, [TAIL, 1.0 - TAIL])
    p = rarity(t, alpha, float(low), float(high))
    return np.asarray(p / p.sum())


def informative_direction(mu: Floats, decision: Floats) -> Floats:
    """Return what a ridge regression of the decision on the standardised latent says of each face ``[n]``."""
    x = (mu - mu.mean(axis=0)) / (mu.std(axis=0) + 1e-6)
    covariance = x.T @ x / len(x) + RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(covariance, x.T @ (decision - decision.mean()) / len(x))
    return np.asarray(x @ weights)


def effective_size(p: Floats) -> float:
    """Return 1 / sum(p^2), Kish's effective sample size: n where p is even, near 1 where one face rules."""
    return float(1.0 / np.square(p).sum())


def group_shares(p: Floats, groups: dict[str, NDArray[np.int64]]) -> dict[str, tuple[float, float]]:
    """Return each group's share of the faces before and after: of the rows, and of the draws."""
    return {name: (len(rows) / len(p), float(p[rows].sum())) for name, rows in groups.items()}
