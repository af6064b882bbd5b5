"""The same z on every dataset: plans, settled grids, blends, ways, figure and table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.errors import SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.latents import draw
from latentlab.operations.project import condition_on, project
from latentlab.operations.sample_figure import sample_figure, sample_rows
from latentlab.operations.sample_grid import (
    blend_series,
    chosen_pair,
    input_sample,
    sample_grid,
    way_series,
)
from latentlab.operations.sample_plan import (
    Blend,
    Sample,
    blend_condition,
    blend_conditions,
    draw_samples,
    sample_plan,
    way,
)

STYLES = ("ink", "clay", "tiles")


@pytest.fixture(scope="module")
def explorer(tiny_cinn_folder: Path, tiny_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, tiny_judge_folder)


@pytest.fixture(scope="module")
def alone(tiny_cinn_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, "")


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8)


def test_every_cell_is_what_explore_draws_of_that_z_on_that_dataset(explorer: Explorer) -> None:
    samples = draw_samples(explorer.spec, [4, 9], truncation=0.7)
    grid = sample_grid(explorer, samples, keep=0.25)
    assert [one.name for one in grid.plan.columns] == list(STYLES)
    assert [one.name for one in grid.plan.samples] == ["seed 4", "seed 9"]
    for row, seed in enumerate((4, 9)):
        latent = explorer.draw(seed, 0.7)
        for column, style in enumerate(STYLES):
            expected = explorer.picture(latent, condition_on(explorer, style, 0.25))
            np.testing.assert_array_equal(grid.picture(row, column), expected)
            np.testing.assert_array_equal(
                grid.said(row, column)["hair"], explorer.attributes(expected)["hair"]
            )
    assert not np.array_equal(grid.picture(0, 0), grid.picture(1, 0))
    assert not np.array_equal(grid.picture(0, 0), grid.picture(0, 1))


def test_truncation_0_makes_all_rows_equal(explorer: Explorer) -> None:
    grid = sample_grid(explorer, draw_samples(explorer.spec, [0, 1, 2], truncation=0.0))
    for column in range(3):
        for row in (1, 2):
            np.testing.assert_array_equal(grid.picture(row, column), grid.picture(0, column))
    assert {sample.norm for sample in grid.plan.samples} == {0.0}


def test_datasets_are_chosen_and_a_blend_is_a_further_column(explorer: Explorer) -> None:
    samples = draw_samples(explorer.spec, [1])
    grid = sample_grid(explorer, samples, onto=["tiles", "ink"], blend=Blend("ink", "tiles", 0.25))
    assert [one.name for one in grid.plan.columns] == ["tiles", "ink", "75% ink + 25% tiles"]
    condition = grid.plan.columns[2].condition
    np.testing.assert_allclose(condition, [0.75, 0.0, 0.25, 0.0, 1.0])
    np.testing.assert_array_equal(grid.picture(0, 2), explorer.picture(samples[0].latent, condition))
    ends = [sample_grid(explorer, samples, blend=Blend("ink", "tiles", share)) for share in (0.0, 1.0)]
    np.testing.assert_array_equal(ends[0].picture(0, 3), ends[0].picture(0, 0))
    np.testing.assert_array_equal(ends[1].picture(0, 3), ends[1].picture(0, 2))


def test_an_input_has_the_z_with_which_it_is_projected(explorer: Explorer) -> None:
    for source in ("clay", "auto"):
        sample = input_sample(explorer, picture(), source=source, keep=0.5, name="me.png")
        found = project(explorer, picture(), source=source, keep=0.5)
        np.testing.assert_array_equal(sample.latent, found.latent)
        assert (sample.name, sample.seed) == ("me.png", None)
    grid = sample_grid(explorer, [sample], keep=0.5)
    for column, item in enumerate(found.items):
        np.testing.assert_array_equal(grid.picture(0, column), item.picture)


def test_a_strip_of_blends_goes_evenly_from_one_dataset_to_the_other(explorer: Explorer) -> None:
    sample = draw_samples(explorer.spec, [3])[0]
    strip = blend_series(explorer, sample, "clay", "ink", keep=0.0)
    assert len(strip.pictures) == 9
    for place, style in ((0, "clay"), (8, "ink")):
        expected = explorer.picture(sample.latent, condition_on(explorer, style, 0.0))
        np.testing.assert_array_equal(strip.pictures[place], expected)
    halfway = blend_condition(explorer.spec.condition, "clay", "ink", 0.5, 0.0)
    np.testing.assert_array_equal(strip.pictures[4], explorer.picture(sample.latent, halfway))
    assert strip.names[4] == "50% ink"
    assert strip.rows, "they are judged"


@pytest.mark.parametrize("kind", ["spherical", "linear"])
def test_a_way_has_both_ends_and_stays_on_its_dataset(explorer: Explorer, kind) -> None:
    first, second = draw_samples(explorer.spec, [0, 1])
    strip = way_series(explorer, first, second, "tiles", steps=5, kind=kind)
    assert len(strip.pictures) == 5
    np.testing.assert_array_equal(strip.latents[0], first.latent)
    np.testing.assert_array_equal(strip.latents[-1], second.latent)
    middle = 0.5 * (first.latent + second.latent)
    assert np.allclose(strip.latents[2], middle, atol=1e-6) == (kind == "linear")
    told = condition_on(explorer, "tiles")
    for latent, shown in zip(strip.latents, strip.pictures, strict=True):
        np.testing.assert_array_equal(shown, explorer.picture(latent, told))


def test_the_table_has_a_row_for_every_cell(explorer: Explorer, alone: Explorer) -> None:
    samples = (
        input_sample(explorer, picture(), source="ink"),
        *draw_samples(explorer.spec, [5], truncation=0.5),
    )
    grid = sample_grid(explorer, samples, blend=Blend("ink", "clay", 0.3))
    rows = sample_rows(grid)
    assert [(one["row"], one["dataset"]) for one in rows[:4]] == [
        (1, "ink"),
        (1, "clay"),
        (1, "tiles"),
        (1, "70% ink + 30% clay"),
    ]
    assert (rows[0]["seed"], rows[0]["truncation"]) == ("", "")
    assert (rows[4]["seed"], rows[4]["truncation"]) == (5, "0.5")
    assert (rows[7]["blend_first"], rows[7]["blend_second"], rows[7]["blend_share"]) == ("ink", "clay", "0.3")
    assert rows[4]["z_norm"] == f"{np.linalg.norm(draw(explorer.spec, 5, 0.5)) / np.sqrt(6):.4f}"
    for row in range(2):
        for column in range(4):
            said = grid.said(row, column)["hair"]
            found = rows[4 * row + column]
            assert found["hair"] == ("short", "long")[int(np.argmax(said))]
            assert found["hair_first"] == rows[4 * row]["hair"]
            assert found["hair_probability"] == f"{float(said.max()):.4f}"
    plain = sample_rows(sample_grid(alone, samples))
    assert "hair" not in plain[0]
    assert len(plain) == 6


def test_the_figure_shows_every_cell_with_its_dataset(explorer: Explorer, alone: Explorer) -> None:
    samples = draw_samples(explorer.spec, [5, 6])
    figure = np.array(sample_figure(sample_grid(explorer, samples)))
    shown = sample_grid(explorer, samples)
    cell = np.kron(shown.picture(1, 2), np.ones((6, 6, 1), dtype=np.uint8))
    found = [
        (y, x)
        for y in range(figure.shape[0] - cell.shape[0])
        for x in np.flatnonzero((figure[y, : -cell.shape[1]] == cell[0, 0]).all(-1)).tolist()
        if np.array_equal(figure[y : y + 192, x : x + 192], cell)
    ]
    assert len(found) == 1
    assert sample_figure(sample_grid(alone, samples)).width == figure.shape[1]


def test_what_cannot_be_is_said(explorer: Explorer, tiny_cvae_folder: Path) -> None:
    schema = explorer.spec.condition
    samples = draw_samples(explorer.spec, [0])
    with pytest.raises(SettingsError, match="row and a dataset"):
        sample_plan(schema, [])
    with pytest.raises(SettingsError, match="no dataset 'wool'"):
        sample_grid(explorer, samples, onto=["wool"])
    with pytest.raises(SettingsError, match="between 0 and 1"):
        sample_grid(explorer, samples, blend=Blend("ink", "clay", 1.5))
    with pytest.raises(SettingsError, match="needs two datasets"):
        blend_condition(schema, "ink", "ink", 0.5)
    with pytest.raises(SettingsError, match="2 pictures at least"):
        blend_conditions(schema, "ink", "clay", 1)
    with pytest.raises(SettingsError, match="its two ends"):
        way(samples[0].latent, samples[0].latent, 1)
    with pytest.raises(SettingsError, match="truncation"):
        draw_samples(explorer.spec, [0], 1.5)
    for text, said in (("ink", "names no two"), ("ink:wool", "names no two"), ("ink:clay:x", "no share")):
        with pytest.raises(SettingsError, match=said):
            chosen_pair(explorer, text)
    assert chosen_pair(explorer, "ink:clay") == ("ink", "clay", None)
    assert chosen_pair(explorer, "ink:clay:0.25") == ("ink", "clay", 0.25)
    other = Explorer.open(tiny_cvae_folder, "")
    with pytest.raises(SettingsError, match="does not project"):
        sample_grid(other, [Sample("z", other.draw(0))])
    with pytest.raises(SettingsError, match="does not project"):
        input_sample(other, picture())
