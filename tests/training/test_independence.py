"""The two penalties on what a latent tells: they are 0 where it tells nothing, and know unknown labels."""

from __future__ import annotations

import math

import pytest
import torch

from latentlab.spec import Attribute, ConditionSchema
from latentlab.training.independence import Reader, dependence, errors_of, reading_error, shares

SCHEMA = ConditionSchema(
    attributes=(Attribute(name="hat", classes=("no", "yes")), Attribute(name="age", kind="continuous"))
)


def test_dependence_tells_dependent_from_independent_and_lies_between_0_and_1() -> None:
    generator = torch.Generator().manual_seed(0)
    c = torch.eye(2)[torch.randint(0, 2, (128,), generator=generator)]
    noise = torch.randn(128, 4, generator=generator)
    told = noise + 3.0 * c[:, :1]
    assert 0.0 <= float(dependence(noise, c)) < 0.1 < 0.3 < float(dependence(told, c)) <= 1.0
    assert float(dependence(c, c)) == pytest.approx(1.0, abs=0.05)


def test_dependence_of_what_never_varies_is_0_and_has_a_gradient() -> None:
    z = torch.randn(8, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    found = dependence(z, torch.ones(8, 2))
    found.backward()
    assert found.item() == pytest.approx(0.0, abs=1e-6)
    assert torch.isfinite(z.grad).all()


def test_shares_leave_unknown_rows_out() -> None:
    c = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 4.0], [0.0, 1.0, 6.0], [0.0, 0.0, 0.0]])
    found = shares(SCHEMA, c)
    torch.testing.assert_close(found, torch.tensor([1 / 3, 2 / 3, 3.0]))


def test_a_reading_is_judged_by_attribute_and_unknown_ones_not_at_all() -> None:
    read = torch.tensor([[0.0, 0.0, 1.5], [0.0, 0.0, 1.0]])
    c = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    hat, age = (errors_of(SCHEMA, attribute, read, c) for attribute in SCHEMA.attributes)
    torch.testing.assert_close(hat, torch.tensor([math.log(2.0), 0.0]))
    torch.testing.assert_close(age, torch.tensor([0.25, 0.0]))
    torch.testing.assert_close(reading_error(SCHEMA, read, c), hat.mean() + age.mean())


def test_a_reader_learns_what_is_told() -> None:
    torch.manual_seed(0)
    reader = Reader(4, 3, hidden=16)
    optimizer = torch.optim.Adam(reader.parameters(), lr=1e-2)
    z = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
    c = torch.cat([torch.eye(2)[(z[:, 0] > 0).long()], z[:, 1:2]], dim=1)
    first = reading_error(SCHEMA, reader(z), c).item()
    for _ in range(60):
        loss = reading_error(SCHEMA, reader(z), c)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3 * first
