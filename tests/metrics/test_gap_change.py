"""What becomes of a gap between groups: the change itself, and that its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.metrics.gap_change import gap_change


def joint(first: float, second: float, correlation: float) -> np.ndarray:
    """Return the shares [2, 2] of two outcomes with these rates, as far as that correlation is possible."""
    together = first * second + correlation * np.sqrt(first * (1 - first) * second * (1 - second))
    both = min(max(together, first + second - 1.0, 0.0), first, second)
    return np.array([[1 - first - second + both, second - both], [first - both, both]])


def test_the_change_is_that_of_the_highest_less_the_lowest() -> None:
    counts = [[[80, 10], [5, 5]], [[60, 30], [2, 8]], [[0, 0], [0, 0]]]
    found = gap_change(counts, np.random.default_rng(0))
    assert found is not None
    assert found.value == pytest.approx((0.38 - 0.15) - (0.10 - 0.10))
    assert 0.0 < found.low < found.value < found.high < 0.45
    assert found.n == 200
    turned = gap_change(np.swapaxes(counts, 1, 2), np.random.default_rng(0))
    assert turned is not None
    assert turned.value == pytest.approx(-found.value)
    assert gap_change(counts[:1], np.random.default_rng(0)) is None
    with pytest.raises(ValueError, match="none negative"):
        gap_change([[[1, -1], [0, 0]]] * 2, np.random.default_rng(0))


def test_where_nothing_ever_happens_the_interval_does_not_collapse() -> None:
    found = gap_change([[[40, 0], [0, 0]]] * 2, np.random.default_rng(0))
    assert found is not None
    assert found.value == 0.0
    assert found.low < -0.02
    assert found.high > 0.02


@pytest.mark.parametrize("correlation", [0.0, 0.6])
@pytest.mark.parametrize("n", [60, 400])
@pytest.mark.parametrize(
    "rates",
    [
        ((0.005, 0.005), (0.01, 0.07)),
        ((0.0, 0.0), (0.1, 0.1)),
        ((0.02, 0.1), (0.02, 0.1)),
        ((0.3, 0.5), (0.45, 0.45)),
        ((0.0, 0.0, 0.0, 0.0), (0.2, 0.2, 0.2, 0.2)),
    ],
)
def test_the_interval_holds_the_truth(
    rates: tuple[tuple[float, ...], ...], n: int, correlation: float
) -> None:
    generator = np.random.default_rng(7)
    shares = [joint(first, second, correlation).ravel() for first, second in zip(*rates, strict=True)]
    truth = np.ptp(rates[1]) - np.ptp(rates[0])
    held = 0
    for _ in range(300):
        counts = np.stack([generator.multinomial(n, share).reshape(2, 2) for share in shares])
        found = gap_change(counts, generator, 400)
        assert found is not None
        held += found.low - 1e-12 <= truth <= found.high + 1e-12
    assert held >= 0.91 * 300
