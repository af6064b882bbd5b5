"""Rates that are resampled together: Wilson where nothing is repeated, and differences of the same images."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.metrics.intervals import wilson
from latentlab.metrics.resampled_rates import ResampledRates, absolute, estimate


def test_a_rate_of_different_images_has_wilsons_interval() -> None:
    rates: ResampledRates[str] = ResampledRates(40, 0)
    rates.add("a", np.arange(40)[:, None] < 10, np.arange(40))
    found = rates.rate("a", 0)
    assert (found.value, found.n) == (0.25, 40)
    assert (found.low, found.high) == pytest.approx([float(one) for one in wilson(10, 40)])


def test_images_that_stand_twice_count_once() -> None:
    twice: ResampledRates[str] = ResampledRates(40, 0)
    hits = np.arange(40)[:, None] < 10
    twice.add("a", np.concatenate([hits, hits]), np.tile(np.arange(40), 2))
    twice.add("none", np.zeros((80, 1)), np.tile(np.arange(40), 2))
    found = twice.rate("a", 0)
    assert found.n == 80
    low, high = wilson(10, 40)
    assert (found.low, found.high) == pytest.approx([float(low), float(high)], abs=0.04), (
        "as of 40, not of 80"
    )
    assert twice.rate("none", 0).high == pytest.approx(float(wilson(0, 40)[1]))


def test_the_difference_of_two_bodies_of_the_same_images_is_paired() -> None:
    rates: ResampledRates[str] = ResampledRates(200, 0)
    hits = np.random.default_rng(0).random((200, 1)) < 0.5
    rates.add("one", hits, np.arange(200))
    rates.add("other", hits, np.arange(200))
    rates.add("apart", ~hits, np.arange(200))
    same = estimate(rates.means("one")[:, 0] - rates.means("other")[:, 0], 200)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    apart = estimate(rates.means("one")[:, 0] - rates.means("apart")[:, 0], 200)
    assert apart.high - apart.low > 0.2
    both = rates.average(lambda key: rates.means(key)[:, 0], ["one", "apart"])
    assert both.value == both.low == both.high == 0.5


def test_absolute_values_vary_around_what_was_measured() -> None:
    generator = np.random.default_rng(0)
    drawn = np.concatenate([[[0.02, -0.02]], [0.02, -0.02] + 0.1 * generator.normal(size=(2000, 2))])
    found = estimate(absolute(drawn).sum(axis=1), 10)
    assert found.value == pytest.approx(0.04)
    assert found.low < found.value < found.high
    assert (absolute(drawn)[0] >= 0.0).all()
    plainly = estimate(np.abs(drawn).sum(axis=1), 10)
    assert plainly.value < np.median(np.abs(drawn[1:]).sum(axis=1)) - 0.05, "what chance makes of them"
