"""One picture's search from Python, and its figure, loop and table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.errors import SettingsError
from latentlab.operations.downscale import Downscale
from latentlab.operations.explore import Explorer
from latentlab.operations.search import LatentSearch, sample_picture, search_picture
from latentlab.operations.search_eps import RECORD, Eps, known_eps
from latentlab.operations.search_figure import SearchLoop, search_figure
from latentlab.operations.search_plan import (
    NOTE,
    REFERENCE_EPS,
    Observation,
    PosteriorSettings,
    SearchSettings,
)
from latentlab.operations.search_result import PictureSearch
from latentlab.operations.search_table import search_rows
from latentlab.operations.search_target import search_target

OBSERVED = Observation(4)
EPS = Eps(1e-4, "for this test")


@pytest.fixture(scope="module")
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


@pytest.fixture(scope="module")
def pixels(explorer: Explorer) -> np.ndarray:
    return explorer.picture(explorer.draw(500))


@pytest.fixture(scope="module")
def found(explorer: Explorer, pixels: np.ndarray) -> PictureSearch:
    how = SearchSettings(observation=OBSERVED, restarts=3, steps=150, rate=1.0)
    return search_picture(explorer, pixels, how, eps=EPS, name="face.png")


def test_what_is_returned_reduces_to_what_is_reported(found: PictureSearch, pixels: np.ndarray):
    import torch

    assert [one.seed for one in found.restarts] == [0, 1, 2]
    assert found.best.distance == min(one.distance for one in found.restarts)
    for one in found.restarts:
        reduced = Downscale(32, 8)(torch.from_numpy(one.picture).permute(2, 0, 1)[None])[0]
        assert float(
            np.square(reduced.permute(1, 2, 0).numpy() - found.target.small).mean()
        ) == pytest.approx(one.distance, rel=1e-4)
        assert (one.status == "under eps") == (one.distance <= 1e-4)


def test_a_latent_draws_its_picture_to_the_bit(explorer: Explorer, found: PictureSearch):
    for one in found.restarts:
        assert np.array_equal(explorer.picture(one.latent), one.pixels)


def test_the_set_is_judged_and_counted(explorer: Explorer, found: PictureSearch):
    assert found.under
    assert sum(found.mix("gender").values()) == len(found.under)
    record = found.record()
    assert record["metrics"]["restarts_under_eps"]["value"] == len(found.under)
    assert record["notes"][0] == NOTE
    assert NOTE in found.text()
    rows = search_rows([record], found.predictor)
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert {row["note"] for row in rows} == {NOTE}
    assert rows[0]["gender"] in ("female", "male")
    with pytest.raises(SettingsError, match="knows no attribute"):
        found.mix("age")


def test_the_sheet_has_room_for_every_restart(found: PictureSearch):
    figure = search_figure(found)
    assert figure.width > 3 * 160
    assert figure.height > 4 * 160  # target, restarts, those reduced


def test_many_pictures_are_searched_for_together_and_gone_on_with(explorer: Explorer):
    pictures = [explorer.picture(explorer.draw(seed)) for seed in (600, 601)]
    targets = [search_target(one, OBSERVED, 32) for one in pictures]
    how = SearchSettings(observation=OBSERVED, restarts=2, steps=5, rate=1.0)
    search = LatentSearch(explorer, targets, how, eps=EPS)
    search.run()
    first = search.found(judged=False)
    assert [len(one.restarts) for one in first] == [2, 2]
    assert first[0].restarts[0].attributes == {}
    assert "Try more steps" in first[0].text()
    search.run(150)
    second = search.found()
    assert all(b.best.distance < a.best.distance for a, b in zip(first, second, strict=True))
    again = LatentSearch(
        explorer, targets, how, eps=EPS, starts=np.stack([r.found.v for one in first for r in one.restarts])
    )
    again.run(150)
    assert np.median([one.best.distance for one in again.found(judged=False)]) < first[0].best.distance


def test_a_posterior_is_told_with_its_worth(explorer: Explorer, pixels: np.ndarray):
    target = search_target(pixels, Observation(8, "luminance", 0.2), 32)
    how = SearchSettings(observation=Observation(8, "luminance", 0.2), restarts=3, sigma=0.05)
    found = sample_picture(explorer, target, how, PosteriorSettings(30, 30), eps=EPS, kept=2)
    assert [one.seed for one in found.restarts] == [0, 0, 1, 1, 2, 2]
    assert found.sampling is not None
    assert found.sampling.draws == 90
    assert 0.0 < found.sampling.effective[0] <= found.sampling.effective[1]
    assert "independent" in found.text()
    assert sum(found.mix("glasses").values()) == 6
    assert found.record()["metrics"]["acceptance"]["n"] == 90
    assert all(one.found.exposure is not None for one in found.restarts)
    assert search_figure(found).height > 100


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_search_is_played_back(explorer: Explorer, pixels: np.ndarray, tmp_path: Path, suffix: str):
    target = search_target(pixels, OBSERVED, 32)
    search = LatentSearch(
        explorer, [target], SearchSettings(observation=OBSERVED, restarts=4, steps=12), eps=EPS
    )
    loop = SearchLoop(target.shown(), 12, EPS.value)
    search.run(on_step=loop.add, show_every=3)
    path = tmp_path / f"loop{suffix}"
    loop.save(path)
    with Image.open(path) as film:
        assert film.n_frames >= 5
        assert film.width == film.height
    loop.save(tmp_path / "loop.mp4")
    assert (tmp_path / "loop.mp4").read_bytes()[4:8] == b"ftyp"
    with pytest.raises(SettingsError, match="made no step"):
        SearchLoop(target.shown(), 12, EPS.value).save(path)


def test_eps_is_the_one_asked_for_or_the_models_own_or_the_references(explorer: Explorer):
    config = explorer.located.config
    assert known_eps(config, OBSERVED).value == REFERENCE_EPS
    assert known_eps(config, OBSERVED, 0.5) == Eps(0.5, "as asked for")
    carded = config.model_copy(update={"training": {RECORD: {"4 colour": 3e-4}}})
    assert known_eps(carded, OBSERVED).value == 3e-4
    assert known_eps(carded, Observation(4, "luminance")).value == REFERENCE_EPS
