"""The two penalties on what a latent tells: they are 0 where it tells nothing, and know unknown labels."""

from __future__ import annotations

import math

import pytest
import torch

from latentlab.spec import Attribute, ConditionSchema
from latentlab.training.independence import REMEMBERED, Reader, dependence, errors_of, reading_error, shares

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
    places = [(attribute, SCHEMA.slice(attribute.name)) for attribute in SCHEMA.attributes]
    hat, age = (errors_of(attribute, read[:, where], c[:, where]) for attribute, where in places)
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


def test_a_reader_forgets_the_oldest() -> None:
    reader, generator = Reader(4, 3, hidden=16), torch.Generator().manual_seed(2)
    for _ in range(REMEMBERED // 512 + 1):
        z = torch.randn(512, 4, generator=generator)
        c = torch.cat([torch.eye(2)[(z[:, 0] > 0).long()], z[:, 1:2]], dim=1)
        reader.remember(z, c)
    assert int(reader.seen) == REMEMBERED + 512
    assert torch.equal(reader.latents[:512], z), "the newest stand in the place of the oldest"
    rows, told = reader.recall(64, generator)
    assert torch.equal((rows[:, 0] > 0).long(), told[:, :2].argmax(1))


def test_the_line_measures_canonical_correlations_and_shows_the_way_down() -> None:
    reader, generator = Reader(4, 3, hidden=16), torch.Generator().manual_seed(2)
    assert float(reader.told_by_a_line(torch.randn(4, 4), torch.eye(3)[[0, 1, 2, 0]])) == 0, "not known yet"
    own = torch.randn(REMEMBERED, 4, generator=generator)
    hat = (torch.rand(REMEMBERED, generator=generator) > 0.5).float()
    age = torch.randn(REMEMBERED, generator=generator)
    c = torch.stack([1.0 - hat, hat, age], dim=1)
    z = own.clone()
    z[:, 0] = (z[:, 0] + 2.0 * hat) * 5.0  # 4 / 4 of noise and half of a class: r^2 = 1 / 2
    z[:, 1] = age  # r^2 = 1
    z.requires_grad_(True)
    reader.remember(z, c)
    found = reader.told_by_a_line(z, c)
    assert float(found.detach()) == pytest.approx(1.5, abs=0.05)
    found.backward()
    assert z.grad is not None
    with torch.no_grad():
        nearer = z - 300.0 * z.grad
    other = Reader(4, 3, hidden=16)
    other.remember(nearer, c)
    assert float(other.told_by_a_line(nearer, c)) < float(found.detach())


def test_a_condition_told_quietly_is_read_as_well() -> None:
    reader, z = Reader(4, 3, hidden=16), torch.randn(64, 4, generator=torch.Generator().manual_seed(3))
    reader.remember(z, torch.zeros(64, 3))
    loud = reader(z)
    reader.remember(0.01 * z.repeat(REMEMBERED // 64, 1), torch.zeros(REMEMBERED, 3))
    torch.testing.assert_close(reader(0.01 * z), loud, atol=1e-4, rtol=1e-4)
