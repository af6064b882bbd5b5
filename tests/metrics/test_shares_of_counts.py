"""Distances of counted shares: the same as of the rows that were counted, whatever their number."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.metrics.shares import against, against_counts, uniform


@pytest.mark.parametrize("counts", [[120, 80], [3, 0, 27], [40, 30, 20, 10], [500, 1, 499]], ids=str)
def test_counts_give_what_their_rows_give(counts: list[int]) -> None:
    width = len(counts)
    rows = np.repeat(np.eye(width), counts, axis=0)
    of_rows = against(rows, uniform(width), np.random.default_rng(0), resamples=20_000)
    of_counts = against_counts(counts, uniform(width), np.random.default_rng(1), resamples=20_000)
    assert of_rows.keys() == of_counts.keys()
    for name, one in of_rows.items():
        other = of_counts[name]
        assert other.value == pytest.approx(one.value)
        assert other.n == one.n == sum(counts)
        near = 0.04 * (one.high - one.low) + 1.0 / one.n  # shares of few images are steps
        assert other.low == pytest.approx(one.low, abs=near)
        assert other.high == pytest.approx(one.high, abs=near)


def test_a_thousand_million_images_are_as_quick_as_ten() -> None:
    found = against_counts([500_000_000, 500_000_000], [0.5, 0.5], np.random.default_rng(0))
    assert found["total_variation"].value == 0.0
    assert found["total_variation"].high < 1e-4
    assert found["total_variation"].n == 10**9


@pytest.mark.parametrize("counts", [[], [0, 0], [-1, 2], [[1, 2]]], ids=str)
def test_what_is_no_count_is_refused(counts: list) -> None:
    with pytest.raises(ValueError, match="counts"):
        against_counts(counts, [0.5, 0.5], np.random.default_rng(0))
    with pytest.raises(ValueError, match="as many"):
        against_counts([1, 2], uniform(3), np.random.default_rng(0))
