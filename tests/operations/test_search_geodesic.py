from __future__ import annotations

import math

import pytest
import torch

from latentlab.operations.search_geodesic import geocross


def test_it_is_the_mean_squared_angle_between_the_rows():
    angle = 0.7
    rows = torch.tensor([[[2.0, 0.0], [2.0 * math.cos(angle), 2.0 * math.sin(angle)]]])
    # of the four ordered pairs two are of a row with itself
    assert float(geocross(rows)) == pytest.approx(2 * (2 * angle**2 / 4) / 8.0, rel=1e-5)


def test_one_row_costs_nothing_and_neither_do_equal_ones():
    assert geocross(torch.randn(3, 1, 8)).tolist() == [0.0, 0.0, 0.0]
    same = torch.ones(1, 4, 8, requires_grad=True)
    found = geocross(same)
    found.sum().backward()
    assert found.tolist() == [pytest.approx(0.0, abs=1e-6)]
    assert same.grad is not None
    assert bool(same.grad.isfinite().all())


def test_following_it_brings_the_rows_together():
    v = torch.randn(1, 6, 16, generator=torch.Generator().manual_seed(0), requires_grad=True)
    before = geocross(v)
    (gradient,) = torch.autograd.grad(before.sum(), v)
    assert float((geocross(v - 0.1 * gradient) - before).detach()) < 0.0
