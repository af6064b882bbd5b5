"""The probes find what a latent tells, along a line or not, and nothing where it tells nothing."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.metrics.condition_probe import probe_points


def halves(z: np.ndarray, codes: np.ndarray) -> tuple:
    n = len(z) // 2
    return z[:n].astype(np.float32), codes[:n], z[n:].astype(np.float32), codes[n:]


def drawn(n: int = 1200, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(n, 4)), generator.integers(0, classes, n)


def test_noise_tells_nothing() -> None:
    found = probe_points(*halves(*drawn()), classes=2)
    assert set(found) == {"linear", "network"}
    assert all(abs(one.value) < 8.0 for one in found.values())
    assert all(one.low < one.value < one.high for one in found.values())
    assert found["linear"].n == 600


@pytest.mark.parametrize(("classes", "most"), [(2, 50.0), (4, 75.0)])
def test_what_lies_on_a_line_is_read_up_to_certainty(classes: int, most: float) -> None:
    z, codes = drawn(classes=classes)
    z[:, :classes] += 20.0 * np.eye(classes)[codes][:, :4]
    found = probe_points(*halves(z, codes), classes=classes)
    assert found["linear"].value == pytest.approx(most, abs=1.0)
    assert found["network"].value == pytest.approx(most, abs=3.0)


def test_what_no_line_separates_is_found_by_the_network() -> None:
    z, _ = drawn(2400)
    codes = ((z[:, 0] > 0) ^ (z[:, 1] > 0)).astype(np.int64)
    found = probe_points(*halves(z, codes), classes=2)
    assert found["linear"].value < 8.0
    assert found["network"].value > 25.0


def test_chance_does_not_depend_on_the_shares() -> None:
    z, _ = drawn(2400)
    codes = (np.random.default_rng(1).random(2400) < 0.05).astype(np.int64)
    found = probe_points(*halves(z, codes), classes=2)
    assert all(abs(one.value) < 12.0 for one in found.values()), "a rare class is no advantage"


def test_unknown_rows_are_left_out() -> None:
    z, codes = drawn()
    z[:, 0] += 20.0 * codes
    unknown = np.arange(len(z)) % 3 == 0
    z[unknown, 0] *= -1.0
    found = probe_points(*halves(z, np.where(unknown, -1, codes)), classes=2)
    assert found["linear"].value == pytest.approx(50.0, abs=1.0)
    assert found["linear"].n == 400


def test_one_class_alone_cannot_be_probed() -> None:
    z, codes = drawn()
    assert probe_points(*halves(z, 0 * codes), classes=2) == {}
