from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.cli.main import run
from latentlab.errors import SettingsError
from latentlab.operations.direction import Directions, save_directions, unit_direction
from latentlab.operations.explore import Explorer
from latentlab.operations.grid_plan import plane
from latentlab.operations.interpolate import between, path
from latentlab.operations.latent_text import latent_text
from latentlab.operations.series import interpolation, render_series, start_from, traversal
from latentlab.operations.sheet import save_loop
from latentlab.operations.traverse import Axis, line
from latentlab.progress import Reporter


@pytest.fixture
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


def test_a_line_changes_one_dimension_and_nothing_else(explorer: Explorer) -> None:
    latent = explorer.draw(3)
    axis = Axis.over(explorer.spec, 5, -2.0, 2.0, steps=4)
    rows = line(latent, axis)
    assert rows.shape == (4, 8)
    np.testing.assert_allclose(rows[:, 5], [-2.0, -2 / 3, 2 / 3, 2.0], rtol=1e-6)
    np.testing.assert_array_equal(np.delete(rows, 5, 1), np.repeat(np.delete(latent, 5)[None], 4, 0))


def test_a_plane_has_the_first_across_and_the_second_down(explorer: Explorer) -> None:
    found = plane(explorer.spec, explorer.draw(0), 1, 2, steps=3, low=0, high=1)
    assert (found.rows, found.columns) == (3, 3)
    latents = found.latents.reshape(3, 3, 8)
    np.testing.assert_array_equal(latents[:, :, 1], [[0, 0.5, 1]] * 3)
    np.testing.assert_array_equal(latents[:, :, 2], [[0] * 3, [0.5] * 3, [1] * 3])
    with pytest.raises(SettingsError, match="given twice"):
        plane(explorer.spec, explorer.draw(0), 1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dimension": 8}, "no dimension 8"),
        ({"dimension": -1}, "no dimension -1"),
        ({"dimension": 0, "steps": 1}, "2 to 1000 steps"),
        ({"dimension": 0, "high": float("inf")}, "finite"),
    ],
)
def test_an_axis_that_cannot_be_says_why(explorer: Explorer, arguments, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Axis.over(explorer.spec, **arguments)


def test_a_spherical_path_keeps_to_the_sphere_and_a_straight_one_does_not() -> None:
    a, b = np.zeros(64), np.zeros(64)
    a[0] = b[1] = 8.0
    share = np.linspace(0, 1, 9)
    np.testing.assert_allclose(np.linalg.norm(between(a, b, share), axis=1), 8.0, rtol=1e-6)
    assert np.linalg.norm(between(a, b, share, "linear"), axis=1).min() == pytest.approx(8 / np.sqrt(2))
    turned = between(a, b, share)
    np.testing.assert_allclose(turned[:, 1] / 8, np.sin(share * np.pi / 2), atol=1e-6)


def test_where_a_sphere_has_no_way_the_path_is_straight() -> None:
    a = np.array([1.0, 2.0, 2.0])
    for b in (2 * a, -a, np.zeros(3)):
        found = between(a, b, [0.0, 0.25, 1.0])
        np.testing.assert_allclose(found, [a, 0.75 * a + 0.25 * b, b], atol=1e-6)


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_a_path_passes_its_pins_exactly(kind, explorer: Explorer) -> None:
    pins = [explorer.draw(seed) for seed in range(3)]
    opened, closed = path(pins, 4, kind), path(pins, 4, kind, closed=True)
    assert (len(opened), len(closed)) == (9, 12)
    for k, pin in enumerate(pins):
        np.testing.assert_array_equal(opened[4 * k], pin)
        np.testing.assert_array_equal(closed[4 * k], pin)
    step = np.linalg.norm(closed[0] - closed[-1])
    assert step < np.linalg.norm(pins[0] - pins[2]) / 2, "the last leads back to the first"


def test_a_path_that_cannot_be_says_why() -> None:
    with pytest.raises(SettingsError, match="two or more"):
        path([np.zeros(3)])
    with pytest.raises(SettingsError, match="same shape"):
        path([np.zeros(3), np.zeros(4)])
    with pytest.raises(SettingsError, match="spherical or linear"):
        path([np.zeros(3), np.ones(3)], kind="cubic")
    with pytest.raises(SettingsError, match="steps between"):
        path([np.zeros(3), np.ones(3)], steps=0)


def test_a_traversals_pictures_are_the_settled_ones(explorer: Explorer, tmp_path: Path) -> None:
    latent = explorer.draw(1)
    found = traversal(explorer, latent, [2, 4], -1.0, 1.0, steps=3)
    assert found.names[1] == "z4=-1 z2=0"
    assert len(found.pictures) == 9
    np.testing.assert_array_equal(found.pictures[1], explorer.picture(explorer.change(latent, {2: 0, 4: -1})))
    found.save_sheet(tmp_path / "plane.png")
    with Image.open(tmp_path / "plane.png") as sheet:
        pixels = np.array(sheet)
        left, top = sheet.width - (3 * 34 - 2), sheet.height - (3 * 34 - 2)
        np.testing.assert_array_equal(pixels[top : top + 32, left + 34 : left + 66], found.pictures[1])
        assert (pixels[:top, left : left + 32] < 128).any(), "the values across stand above"
        assert (pixels[top : top + 32, :left] < 128).any(), "the values down stand beside"
    assert found.row_labels == ("z4 -1.00", "z4 0.00", "z4 1.00")
    assert found.column_labels == ("z2 -1.00", "0.00", "1.00")
    assert {row.picture for row in found.rows} == set(found.names)


def test_without_dimensions_there_is_a_strip_of_each_of_the_eight(explorer: Explorer) -> None:
    seen = []
    found = traversal(explorer, explorer.draw(0), steps=2, reporter=Reporter(seen.append))
    assert len(found.pictures) == 16
    assert found.columns == 2
    assert (seen[-1].done, seen[-1].total) == (16, 16)


def test_a_path_has_one_condition_or_one_a_pin(tiny_cvae_folder: Path) -> None:
    told = Explorer.open(tiny_cvae_folder, "")
    pins, first = [told.draw(0), told.draw(1)], told.first_condition()
    other = told.condition({"gender": "male"}, first)
    found = interpolation(told, pins, steps=2, condition=first)
    np.testing.assert_array_equal(found.conditions, [first] * 3)
    found = interpolation(told, pins, steps=2, condition=np.stack([first, other]))
    np.testing.assert_array_equal(found.conditions, [first, (first + other) / 2, other])
    for latent, condition, picture in zip(found.latents, found.conditions, found.pictures, strict=True):
        np.testing.assert_array_equal(picture, told.picture(latent, condition))
    with pytest.raises(SettingsError, match="one condition for all 2, or 2; 3 were given"):
        interpolation(told, pins, steps=2, condition=np.stack([first] * 3))
    with pytest.raises(SettingsError, match="one condition for all 2, or 2; 1 were given"):
        render_series(told, ["a", "b"], np.stack(pins), 2, first[None])


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_a_loop_plays_for_ever_at_its_speed(suffix: str, explorer: Explorer, tmp_path: Path) -> None:
    found = interpolation(explorer, [explorer.draw(0), explorer.draw(1)], steps=3)
    place = tmp_path / f"loop{suffix}"
    found.save_loop(place, fps=10.0, enlarge=2, back=True)
    with Image.open(place) as loop:
        assert loop.n_frames == 4 + 2  # there, and back without the two ends
        assert loop.size == (64, 64)
        assert loop.info["loop"] == 0
        loop.seek(1)
        loop.load()
        assert loop.info["duration"] == 100
        pixels = np.array(loop.convert("RGB"))[::2, ::2].astype(int)
    if suffix != ".gif":
        np.testing.assert_array_equal(pixels, found.pictures[1])
    else:
        assert np.abs(pixels - found.pictures[1]).mean() < 4.0


def test_a_loop_that_cannot_be_saved_says_why(explorer: Explorer, tmp_path: Path) -> None:
    pictures = [np.zeros((4, 4, 3), np.uint8)]
    for place, more, message in (
        (tmp_path / "loop.avi", {}, "ends in none"),
        (tmp_path / "loop.gif", {"fps": 0.0}, "1 to 50 pictures"),
        (tmp_path / "loop.gif", {"enlarge": 0}, "enlarged 1 to 16"),
        (tmp_path / "no" / "loop.gif", {}, "cannot be written"),
    ):
        with pytest.raises(SettingsError, match=message):
            save_loop(place, pictures, **more)


def test_a_start_is_a_picture_or_a_seed(explorer: Explorer, tmp_path: Path) -> None:
    np.testing.assert_array_equal(start_from(explorer, "seed:4"), explorer.draw(4))
    np.testing.assert_array_equal(start_from(explorer, "middle"), np.zeros(8))
    picture = explorer.picture(explorer.draw(2))
    Image.fromarray(picture).save(tmp_path / "face.png")
    np.testing.assert_array_equal(
        start_from(explorer, tmp_path / "face.png"), explorer.encode(picture).latent
    )
    latent = explorer.draw(5)
    text = latent_text("tiny", explorer.located.sha256(), latent)
    (tmp_path / "latent.json").write_text(text, encoding="utf-8")
    np.testing.assert_array_equal(start_from(explorer, tmp_path / "latent.json"), latent)
    (tmp_path / "other.json").write_text(latent_text("b", "0" * 64, latent), encoding="utf-8")
    with pytest.raises(
        SettingsError, match=r"other\.json: The latent was copied from b, whose weights are ot"
    ):
        start_from(explorer, tmp_path / "other.json")
    with pytest.raises(SettingsError, match="cannot be read"):
        start_from(explorer, tmp_path / "no.json")
    with pytest.raises(SettingsError, match="has no seed"):
        start_from(explorer, "seed:x")


def test_the_command_makes_a_plane_of_a_direction_as_the_window_does(
    tiny_model_folder: Path, explorer: Explorer, tmp_path: Path, capfd
) -> None:
    way = unit_direction("smile", np.arange(8.0) - 3, 0.5)
    sha256 = explorer.located.sha256()
    save_directions(tmp_path / "d.json", Directions(model="tiny", sha256=sha256, directions=(way,)))
    asked = ["seed:1", "--axis", f"{tmp_path / 'd.json'}:smile", "--axis", "2", "--steps", "3"]
    more = ["--reach", "1.5", "--lock", "7", "--json", "--predictor", "none"]
    assert run(["traverse", *asked, *more, "--model", str(tiny_model_folder)]) == 0
    record = json.loads(capfd.readouterr().out)
    expected = plane(explorer.spec, explorer.draw(1), way, 2, 3, reach=1.5, locked=[7])
    found = np.array(record["settings"]["latents"], np.float32)
    np.testing.assert_array_equal(found, expected.latents)
    assert (found[:, 7] == explorer.draw(1)[7]).all()


def test_the_commands_do_what_the_functions_do(
    tiny_model_folder: Path, tiny_predictor_folder: Path, explorer: Explorer, tmp_path: Path, capfd
) -> None:
    common = ["--model", str(tiny_model_folder), "--predictor", str(tiny_predictor_folder), "--json"]
    out, table, loop = (str(tmp_path / name) for name in ("strip.png", "strip.csv", "loop.gif"))
    asked = ["seed:1", "--dimension", "3", "--from", "-1", "--to", "1", "--steps", "3"]
    assert run(["traverse", *asked, *common, "--out", out, "--table", table, "--loop", loop]) == 0
    record = json.loads(capfd.readouterr().out)
    found = traversal(explorer, explorer.draw(1), [3], -1.0, 1.0, 3)
    np.testing.assert_array_equal(np.array(record["settings"]["latents"], np.float32), found.latents)
    with Image.open(out) as sheet:
        left, top = sheet.width - (3 * 34 - 2), sheet.height - 32
        np.testing.assert_array_equal(np.array(sheet)[top:, left : left + 32], found.pictures[0])
    with Path(table).open(newline="", encoding="utf-8") as file:
        assert {row["picture"] for row in csv.DictReader(file)} == {"z3=-1", "z3=0", "z3=1"}
    assert run(["interpolate", "seed:1", "seed:2", *common, "--steps", "2", "--closed", "--out", out]) == 0
    record = json.loads(capfd.readouterr().out)
    expected = path([explorer.draw(1), explorer.draw(2)], 2, closed=True)
    np.testing.assert_array_equal(np.array(record["settings"]["latents"], np.float32), expected)
    assert run(["interpolate", "seed:1", *common]) == 2
    assert "two or more latents" in capfd.readouterr().err
