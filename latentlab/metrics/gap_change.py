"""How much a gap between groups changes from one treatment of the same images to another.

A gap is the highest rate of the groups minus the lowest. Both treatments are of the same images, so what they
have in common does not count as chance: the images are drawn again with what became of them under both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics.intervals import RESAMPLES, Estimate, Floats, percentile_limits

LEVEL = 0.95
"""Confidence of the interval."""


def gap_change(
    joint: ArrayLike, generator: np.random.Generator, resamples: int = RESAMPLES
) -> Estimate | None:
    """Return gap under the second treatment - gap under the first, with its bootstrapped interval.

    The images of each group are drawn with replacement, as often as it has images: one multinomial draw of
    how many fare how under both. They are drawn with (count + 1/4) / (n + 1), for with count / n nothing
    varies where a group never succeeds, and the interval collapses.

    Of two groups either limit is the wider one of the percentile and the basic bootstrap, with both gaps'
    signs as measured, so that chance does not add to a gap in every resample. Of more groups, which two are
    furthest apart is a matter of chance too: then the interval is the change -+ the 95% quantile of the sum
    of the ranges of the groups' deviations under either treatment, which bounds its error whichever groups
    were picked. In simulations of two groups of 50 to 800 images it held the truth in 93% to 100% of cases,
    of four groups in 96% to 100%: it is wide rather than wrong.

    Parameters
    ----------
    joint
        How many images of each group succeed (1) or not (0) under the first treatment and under the second,
        ``[G, 2, 2]``; groups without images are left out.
    generator
        Of the bootstrap.

    Returns
    -------
    Estimate or None
        In [-1, 1]; None where fewer than two groups have images.

    Raises
    ------
    ValueError
        If the counts are none of groups.
    """
    counts = np.asarray(joint, dtype=np.int64)
    if counts.ndim != 3 or counts.shape[1:] != (2, 2) or (counts < 0).any():
        raise ValueError(f"groups need counts [G, 2, 2], none negative; found {counts.shape}")
    counts = counts[counts.sum(axis=(1, 2)) > 0]
    if len(counts) < 2:
        return None
    n = counts.sum(axis=(1, 2))
    rates = _rates(counts, n)
    value = float(np.ptp(rates[1]) - np.ptp(rates[0]))
    smoothed = (counts.reshape(-1, 4) + 0.25) / (n + 1.0)[:, None]
    drawn = generator.multinomial(n, smoothed, (resamples, len(n))).reshape(resamples, -1, 2, 2)
    deviations = _rates(drawn, n) - _rates(smoothed.reshape(-1, 2, 2), np.ones(len(n)))[:, None]
    if len(counts) > 2:
        half = float(np.quantile(np.ptp(deviations, axis=-1).sum(axis=0), LEVEL))
        low, high = value - half, value + half
    else:
        signs = np.where(rates[:, 0] >= rates[:, 1], 1.0, -1.0)
        first, second = signs[:, None] * (deviations[..., 0] - deviations[..., 1])
        under, above = percentile_limits(second - first, LEVEL)
        low, high = value + min(under, -above), value + max(above, -under)
    return Estimate(value, max(-1.0, low), min(1.0, high), int(n.sum()))


def _rates(counts: NDArray[Any], n: NDArray[Any]) -> Floats:
    """Return the rates under both treatments, ``[2, ..., G]``, of counts ``[..., G, 2, 2]``."""
    found: Floats = np.stack([counts[..., 1, :].sum(axis=-1), counts[..., :, 1].sum(axis=-1)]) / n
    return found
