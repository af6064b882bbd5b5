from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.errors import SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.search_plan import Observation, SearchSettings
from latentlab.operations.search_run import Search
from latentlab.operations.search_unknowns import Observer, Unknowns, free_attributes

OBSERVED = Observation(4)


def test_free_attributes_are_mixtures_and_the_fixed_ones_stay(tiny_cvae_folder: Path):
    explorer = Explorer.open(tiny_cvae_folder, predictor="")
    told = explorer.condition({"race": "brown"}, explorer.first_condition())
    free = free_attributes(explorer.spec, ["race"])
    assert free == ("gender", "glasses")
    unknowns = Unknowns(explorer.network, Observer(OBSERVED, 32), told, free)
    assert unknowns.size == 8 + 2 + 2
    rows = torch.from_numpy(np.stack([unknowns.start(seed) for seed in range(5)]))
    drawn = unknowns.draw(rows)
    assert drawn.conditions is not None
    assert torch.allclose(drawn.conditions[:, 0:2].sum(1), torch.ones(5))
    assert torch.allclose(drawn.conditions[:, 6:8].sum(1), torch.ones(5))
    assert drawn.conditions[:, 2:6].tolist() == [[0.0, 0.0, 1.0, 0.0]] * 5
    assert not torch.allclose(drawn.conditions[0], drawn.conditions[1])


def test_the_class_behind_a_small_picture_is_searched_for(tiny_cvae_folder: Path):
    explorer = Explorer.open(tiny_cvae_folder, predictor="")
    observer = Observer(OBSERVED, 32)
    male = explorer.condition({"gender": "male"}, explorer.first_condition())
    told = Unknowns(explorer.network, observer, male)
    with torch.no_grad():
        y = told.draw(torch.from_numpy(told.start(77)[None])).observed
    settings = SearchSettings(observation=OBSERVED, restarts=6, steps=150, rate=1.0, constraint="none")
    nearest = {}
    for name, unknowns in (
        ("free", Unknowns(explorer.network, observer, free=["gender"])),
        ("wrong", Unknowns(explorer.network, observer)),
    ):
        search = Search(unknowns, y, settings, 1e-12)
        search.run()
        nearest[name] = min(search.found(), key=lambda one: one.distance)
    assert nearest["free"].distance < 0.1 * nearest["wrong"].distance
    assert nearest["free"].condition is not None
    assert nearest["free"].condition[1] > 0.9
    assert nearest["wrong"].condition is not None
    assert nearest["wrong"].condition[:2].tolist() == [1.0, 0.0]


def test_a_cinn_is_searched_on_its_dataset(tiny_cinn_folder: Path):
    explorer = Explorer.open(tiny_cinn_folder, predictor="")
    assert free_attributes(explorer.spec) == ()
    clay = explorer.condition({"style": "clay"}, explorer.first_condition())
    unknowns = Unknowns(explorer.network, Observer(OBSERVED, 32), clay)
    with torch.no_grad():
        y = unknowns.draw(torch.from_numpy(unknowns.start(9)[None])).observed
    how = SearchSettings(observation=OBSERVED, restarts=4, steps=150, rate=1.0, constraint="none")
    search = Search(unknowns, y, how, 1e-6)
    seen = []
    search.run(on_step=seen.append)
    best = min(search.found(), key=lambda one: one.distance)
    assert best.distance < 0.02 * float(seen[0].distances.min())
    assert best.condition is not None
    assert best.condition.tolist() == clay.tolist()
    with pytest.raises(SettingsError, match="mode"):
        Unknowns(explorer.network, Observer(OBSERVED, 32), clay, ["mode"])


def test_an_unknown_exposure_is_searched_for_too(tiny_model_folder: Path):
    explorer = Explorer.open(tiny_model_folder, predictor="")
    known = Unknowns(explorer.network, Observer(Observation(8, "luminance"), 32))
    with torch.no_grad():
        y = 0.7 * known.draw(torch.from_numpy(known.start(5)[None])).observed
    assert y.shape == (1, 1, 4, 4)
    found = {}
    for spread in (0.0, 0.3):
        observation = Observation(8, "luminance", spread)
        unknowns = Unknowns(explorer.network, Observer(observation, 32))
        how = SearchSettings(observation=observation, restarts=4, steps=200, rate=1.0, constraint="none")
        search = Search(unknowns, y, how, 1e-6)
        search.run()
        found[spread] = min(search.found(), key=lambda one: one.distance)
    assert found[0.3].distance < 0.2 * found[0.0].distance
    assert found[0.3].exposure == pytest.approx(0.7, abs=0.15)
    assert found[0.0].exposure is None


def test_luminance_is_pillows(tiny_model_folder: Path):
    from PIL import Image

    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    theirs = np.asarray(Image.fromarray(picture).resize((8, 8), Image.Resampling.BICUBIC).convert("L"))
    images = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255.0
    ours = Observer(Observation(4, "luminance"), 32)(images)[0, 0].numpy() * 255.0
    assert np.abs(ours - theirs).max() < 2.0


def test_what_cannot_be_searched_says_why(tiny_model_folder: Path, tiny_cvae_folder: Path):
    plain = Explorer.open(tiny_model_folder, predictor="")
    with pytest.raises(SettingsError, match="unconditional"):
        Unknowns(plain.network, Observer(OBSERVED, 32), free=["gender"])
    told = Explorer.open(tiny_cvae_folder, predictor="")
    with pytest.raises(SettingsError, match="age"):
        Unknowns(told.network, Observer(OBSERVED, 32), free=["age"])
