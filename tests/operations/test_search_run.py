"""The search itself: what it promises of every restart, on real small models."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from latentlab.errors import Cancelled, SettingsError
from latentlab.model import Posterior
from latentlab.operations.downscale import Downscale
from latentlab.operations.explore import Explorer
from latentlab.operations.latents import draw
from latentlab.operations.search import LatentSearch
from latentlab.operations.search_eps import Eps
from latentlab.operations.search_events import SearchStep
from latentlab.operations.search_plan import (
    MISSED,
    SEARCHING,
    UNDER,
    Observation,
    SearchSettings,
    rate_at,
)
from latentlab.operations.search_precision import resolve_precision
from latentlab.operations.search_run import Search
from latentlab.operations.search_step import LBFGSStepper
from latentlab.operations.search_target import SearchTarget
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import Progress, Reporter
from latentlab.spec import ModelSpec

OBSERVED = Observation(4)
EPS = 1e-5


@pytest.fixture(scope="module")
def explorer(tiny_model_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, predictor="")


@pytest.fixture(scope="module")
def unknowns(explorer: Explorer) -> Unknowns:
    return Unknowns(explorer.network, Observer(OBSERVED, 32))


@pytest.fixture(scope="module")
def targets(unknowns: Unknowns) -> torch.Tensor:
    """What the model's own samples look like when they are reduced: every one can be found."""
    rows = np.stack([unknowns.start(1000 + k) for k in range(2)])
    with torch.no_grad():
        return unknowns.draw(torch.from_numpy(rows)).observed


def settings(**more: object) -> SearchSettings:
    usual = {"observation": OBSERVED, "restarts": 4, "steps": 120, "precision": "float32"}
    return SearchSettings(**{**usual, **more})  # type: ignore[arg-type]


@contextmanager
def decoded(model: nn.Module) -> Iterator[list[int]]:
    """Count the rows of each batch that a model decodes."""
    counts: list[int] = []
    before = model.decode

    def counting(latents: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        counts.append(len(latents))
        return before(latents, condition)

    model.decode = counting  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        del model.decode


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_it_finds_what_the_model_can_draw(unknowns: Unknowns, targets: torch.Tensor, optimiser: str):
    search = Search(unknowns, targets, settings(optimiser=optimiser, rate=1.0, constraint="none"), EPS)
    search.run()
    found = search.found()
    for target in range(2):
        assert min(one.distance for one in found[4 * target : 4 * target + 4]) <= EPS
    assert {one.status for one in found} <= {UNDER, MISSED}
    assert all((one.distance <= EPS) == (one.status == UNDER) for one in found)


def test_picture_latent_and_distance_belong_together(unknowns: Unknowns, targets: torch.Tensor):
    search = Search(unknowns, targets, settings(steps=25), EPS)
    search.run()
    for place, one in enumerate(search.found()):
        with torch.no_grad():
            again = unknowns.model.decode(torch.from_numpy(one.latent[None]))
            picture = torch.from_numpy(one.picture).permute(2, 0, 1)[None]
            reduced = Downscale(32, 8)(picture)
        assert torch.equal(again, picture)
        y = targets[place // 4]
        assert float((reduced[0] - y).square().mean()) == pytest.approx(one.distance, rel=1e-4)
        assert np.allclose(reduced[0].permute(1, 2, 0).numpy(), one.observed, atol=1e-6)
        eight = torch.round(picture * 255.0) / 255.0
        rounded = float((Downscale(32, 8)(eight)[0] - y).square().mean())
        assert rounded == pytest.approx(one.rounded, rel=1e-2, abs=1e-7)


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_each_latent_keeps_the_norm_that_it_began_with(
    unknowns: Unknowns, targets: torch.Tensor, optimiser: str
):
    search = Search(unknowns, targets, settings(steps=20, optimiser=optimiser), 1e-12)
    search.run()
    for place, one in enumerate(search.found()):
        began = np.linalg.norm(draw(unknowns.spec, place % 4))
        assert np.linalg.norm(one.latent) == pytest.approx(began, rel=1e-5)


def test_the_best_is_kept_and_told_of(unknowns: Unknowns, targets: torch.Tensor):
    seen: list[SearchStep] = []
    search = Search(unknowns, targets, settings(steps=30, rate=8.0), 1e-12)  # a rate that leaps about
    search.run(on_step=seen.append)
    distances = np.stack([step.distances for step in seen])
    assert (np.diff(distances, axis=0) > 0.0).any()
    assert np.array_equal(np.minimum.accumulate(distances), np.stack([step.best for step in seen]))
    assert np.allclose([one.distance for one in search.found()], distances.min(0), rtol=1e-3)
    assert [step.step for step in seen] == list(range(1, 31))


def test_a_restart_that_is_under_eps_stops_and_costs_nothing_more(unknowns: Unknowns, targets: torch.Tensor):
    seen: list[SearchStep] = []
    search = Search(unknowns, targets, settings(optimiser="lbfgs", constraint="none"), 1e-3)
    with decoded(unknowns.model) as counts:  # type: ignore[arg-type]
        search.run(on_step=seen.append)
    assert (seen[-1].statuses == UNDER).any()
    for before, after, rows in zip(seen, seen[1:], counts[1:], strict=False):
        assert rows == int((before.statuses == SEARCHING).sum())
        stopped = before.statuses == UNDER
        assert np.array_equal(before.best[stopped], after.best[stopped])
    found = search.found()
    assert len({one.steps for one in found}) > 1
    assert sum(counts) == sum(one.steps for one in found)


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_a_restart_goes_the_same_way_whoever_is_beside_it(
    unknowns: Unknowns, targets: torch.Tensor, optimiser: str
):
    how = {"optimiser": optimiser, "steps": 12, "constraint": "none"}
    together = Search(unknowns, targets, settings(**how), 2e-3)
    together.run()
    both = together.found()
    alone = Search(unknowns, targets[1:], settings(**how, restarts=1, seed=2), 2e-3)
    alone.run()
    (one,) = alone.found()
    assert one.distance == pytest.approx(both[6].distance, rel=0.02)
    assert one.steps == both[6].steps


def test_it_goes_on_from_where_it_stood(unknowns: Unknowns, targets: torch.Tensor):
    search = Search(unknowns, targets, settings(steps=6), EPS)
    search.run()
    first = search.found()
    assert MISSED in search.statuses
    search.run(60)
    second = search.found()
    assert all(after.distance <= before.distance for before, after in zip(first, second, strict=True))
    assert (
        sum(after.distance < 0.5 * before.distance for before, after in zip(first, second, strict=True)) >= 4
    )
    assert search.made == 66


def test_cancelling_keeps_what_was_found(unknowns: Unknowns, targets: torch.Tensor):
    reporter: Reporter

    def listen(progress: Progress) -> None:
        if progress.done == 5:
            reporter.cancel()

    reporter = Reporter(listen)
    search = Search(unknowns, targets, settings(), 1e-12)
    with pytest.raises(Cancelled):
        search.run(reporter=reporter)
    assert search.made == 5
    assert all(math.isfinite(one.distance) and one.status == MISSED for one in search.found())
    search.run(3)
    assert search.made == 8


def test_pictures_are_told_when_asked_for(unknowns: Unknowns, targets: torch.Tensor):
    seen: list[SearchStep] = []
    search = Search(unknowns, targets, settings(steps=6), 1e-12)
    search.run(on_step=seen.append, show_every=3)
    assert [step.pictures is not None for step in seen] == [True, False, False, True, False, True]
    first, middle, last = (step.pictures for step in seen if step.pictures is not None)
    assert last.shape == (8, 32, 32, 3)
    assert not np.array_equal(first, middle)
    assert not np.array_equal(middle, last)  # the last step's own, not those that were shown before


def test_one_that_stopped_unseen_is_shown_as_it_was_found(unknowns: Unknowns, targets: torch.Tensor):
    search = Search(unknowns, targets, settings(steps=60, optimiser="lbfgs", constraint="none"), 1e-3)
    while not (search.statuses == UNDER).any():
        search.run(1)
    stopped = search.statuses == UNDER
    assert 0 < stopped.sum() < 8
    seen: list[SearchStep] = []
    search.run(1, seen.append, show_every=1)
    pictures = seen[0].pictures
    assert pictures is not None
    for place in np.flatnonzero(stopped):
        found = np.rint(255.0 * search.found()[place].picture)
        assert np.abs(pictures[place] - found).max() <= 1.0


@pytest.mark.parametrize("how", [{"stop": False}, {"loss": "map", "sigma": 0.02}])
def test_what_does_not_stop_at_eps_ends_as_it_is_found(
    unknowns: Unknowns, targets: torch.Tensor, how: dict[str, object]
):
    search = Search(unknowns, targets, settings(**how, rate=0.5, constraint="none"), 5e-3)
    search.run()
    assert UNDER in search.statuses
    assert [one.status for one in search.found()] == search.statuses.tolist()


def test_lbfgs_finds_its_way_however_steep_the_loss_is():
    steep = 1e6 * torch.logspace(0, 2, 6)
    stepper = LBFGSStepper(torch.full((1, 6), 1e-3))  # a valley far narrower than the first trial is long
    for _ in range(80):
        stepper.update(0.5 * (steep * stepper.v.square()).sum(1), steep * stepper.v, 4.0)
    assert float(stepper.v.detach().abs().max()) < 1e-4


def test_below_eps_a_restart_that_does_not_stop_is_not_drawn_further(
    unknowns: Unknowns, targets: torch.Tensor
):
    begun = Search(unknowns, targets, settings(steps=1, constraint="none"), 1e-12)
    begun.run()
    at = np.sort([one.distance for one in begun.found()])
    eps = float(at[3] + at[4]) / 2.0  # half of the restarts begin below it
    search = Search(unknowns, targets, settings(steps=2, stop=False, constraint="none", rate=0.5), eps)
    seen: list[SearchStep] = []
    search.run(on_step=seen.append)
    below = seen[0].distances < eps
    assert below.sum() == 4
    assert np.allclose(seen[0].distances[below], seen[1].distances[below], rtol=1e-5)
    assert (np.abs(seen[0].distances - seen[1].distances)[~below] > 1e-7).all()


@pytest.mark.parametrize("loss", ["l1", "map"])
def test_the_other_losses_come_nearer_too(unknowns: Unknowns, targets: torch.Tensor, loss: str):
    how = settings(
        loss=loss, constraint="none" if loss == "map" else "sphere", sigma=0.02, rate=0.5, steps=60
    )
    search, seen = Search(unknowns, targets, how, EPS), []
    search.run(on_step=seen.append)
    found = [one.distance for one in search.found()]
    assert np.median(found) < 0.3 * np.median(seen[0].distances)
    if loss == "map":  # the prior keeps the latents short
        assert np.mean([np.linalg.norm(one.latent) for one in search.found()]) < math.sqrt(8)


def test_a_lower_precision_searches_and_full_precision_answers(unknowns: Unknowns, targets: torch.Tensor):
    search = Search(unknowns, targets, settings(precision="bfloat16", rate=1.0, constraint="none"), 1e-3)
    search.run()
    found = search.found()
    assert any(one.status == UNDER for one in found)
    for one, status in zip(found, search.statuses, strict=True):
        assert (one.distance <= 1e-3) == (status == UNDER)


def test_the_faster_precision_is_taken_where_there_is_one_and_recorded(
    explorer: Explorer, unknowns: Unknowns, targets: torch.Tensor, monkeypatch: pytest.MonkeyPatch
):
    assert SearchSettings().precision == "auto"
    for known, wanted in (({"avx512_bf16": True}, "bfloat16"), ({"avx2": True}, "float32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known)
        assert resolve_precision("auto", "cpu") == wanted
        assert resolve_precision("auto", "cuda") == "float32"
        assert resolve_precision("float32", "cpu") == "float32"
        small = np.ascontiguousarray(targets[0].permute(1, 2, 0).numpy())
        how = settings(precision="auto", steps=3)
        search = LatentSearch(explorer, [SearchTarget(small, None, ())], how, eps=Eps(1e-3, "of this test"))
        search.run()
        (found,) = search.found(judged=False)
        assert found.record()["settings"]["precision"] == wanted
        as_wished = Search(unknowns, targets[:1], settings(precision=wanted, steps=3), 1e-3)
        as_wished.run()
        distances = [one.distance for one in found.restarts]
        assert distances == pytest.approx([one.distance for one in as_wished.found()], rel=1e-5)


def test_downscaling_the_returned_picture_gives_the_reported_distance(
    unknowns: Unknowns, targets: torch.Tensor
):
    search = Search(unknowns, targets, settings(precision="bfloat16", rate=1.0, constraint="none"), 1e-3)
    search.run()
    for row, one in enumerate(search.found()):
        picture = torch.from_numpy(one.picture.transpose(2, 0, 1).copy())[None]
        again = (unknowns.observer(picture)[0] - targets[row // 4]).square().mean()
        assert float(again) == pytest.approx(one.distance, rel=1e-6)


def test_seeds_count_from_zero_and_are_those_of_randomise(unknowns: Unknowns):
    assert np.array_equal(unknowns.start(0), draw(unknowns.spec, 0))
    with pytest.raises(SettingsError, match="seed"):
        SearchSettings(seed=-1)


class Rows(nn.Module):
    """A style generator in small: four rows of six numbers draw a picture of eight pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = ModelSpec(
            family="rows", image_size=8, latent_shape=(4, 6), cannot={"encode": "it only draws."}
        )
        weight = torch.randn(3 * 64, 24, generator=torch.Generator().manual_seed(0)) / 6.0
        self.weight = nn.Parameter(weight)

    def encode(self, images: torch.Tensor, condition: torch.Tensor | None = None) -> Posterior:
        raise NotImplementedError

    def decode(self, latents: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        return torch.sigmoid(latents.flatten(1) @ self.weight.T).reshape(-1, 3, 8, 8)

    def sample(self, n: int, condition: torch.Tensor | None, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(n, 4, 6, generator=generator)


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_rows_of_a_style_generator_keep_their_norms_and_geocross_holds_them_together(optimiser: str):
    observed = Observation(4)
    unknowns = Unknowns(Rows().eval(), Observer(observed, 8))
    y = torch.rand(1, 3, 2, 2, generator=torch.Generator().manual_seed(3))
    spread = {}
    for weight in (0.0, 5.0):
        how = SearchSettings(
            observation=observed, restarts=3, steps=60, optimiser=optimiser, geocross=weight, rate=0.4
        )
        search = Search(unknowns, y, how, 1e-12)
        search.run()
        found = search.found()
        spread[weight] = []
        for seed, one in enumerate(found):
            began = np.linalg.norm(draw(unknowns.spec, seed), axis=1)
            assert np.allclose(np.linalg.norm(one.latent, axis=1), began, rtol=1e-4)
            unit = one.latent / np.linalg.norm(one.latent, axis=1, keepdims=True)
            spread[weight].append(float((unit @ unit.T).mean()))
    assert np.mean(spread[5.0]) > np.mean(spread[0.0]) + 0.1


def test_no_gradient_of_the_network_is_taken_and_it_is_left_as_it_was():
    model = Rows()
    unknowns = Unknowns(model, Observer(Observation(4), 8))
    asked: list[bool] = []
    how = SearchSettings(observation=Observation(4), restarts=2, steps=2)
    search = Search(unknowns, torch.full((1, 3, 2, 2), 0.4), how, EPS)
    search.run(on_step=lambda step: asked.append(model.weight.requires_grad))
    assert asked == [False, False]
    assert model.weight.requires_grad
    assert model.weight.grad is None


def test_the_schedule_is_the_references():
    assert rate_at(0, 100, 0.4) == pytest.approx(0.04)
    assert rate_at(45, 100, 0.4) == pytest.approx(0.4)
    assert rate_at(90, 100, 0.4) == pytest.approx(0.04)
    assert rate_at(100, 100, 0.4) == pytest.approx(0.0004)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"restarts": 0}, "Restarts: 1 to 256"),
        ({"steps": 0}, "Steps"),
        ({"eps": 0.0}, "eps lies between"),
        ({"optimiser": "sgd"}, "adam or lbfgs"),
        ({"rate": float("nan")}, "rate"),
        ({"loss": "map"}, "constraint none"),
        ({"precision": "int8"}, "float32 or bfloat16"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object], said: str):
    with pytest.raises(SettingsError, match=said):
        SearchSettings(**wrong)  # type: ignore[arg-type]


def test_a_factor_that_does_not_divide_is_refused_with_those_that_do(explorer: Explorer):
    with pytest.raises(SettingsError, match="choose one of 2, 4, 8, 16, 32"):
        Observer(Observation(5), 32)
    with pytest.raises(SettingsError, match="spread"):
        Observation(4, "luminance", -1.0)


def test_targets_and_starts_must_fit(unknowns: Unknowns, targets: torch.Tensor):
    with pytest.raises(SettingsError, match="3 x 8 x 8"):
        Search(unknowns, targets[:, :1], settings(), EPS)
    with pytest.raises(SettingsError, match="8 starts of 8 numbers"):
        Search(unknowns, targets, settings(), EPS, np.zeros((2, 8), np.float32))
