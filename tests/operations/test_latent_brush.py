"""A brush on a latent that is a grid: where it goes, how much, strokes in words, the same from everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.cli.main import run
from latentlab.errors import SettingsError
from latentlab.operations.direction import Directions, save_directions, unit_direction
from latentlab.operations.directions import principal_directions
from latentlab.operations.explore import Explorer
from latentlab.operations.latent_brush import (
    Ink,
    LatentDrawing,
    LatentStroke,
    Strokes,
    channel_ink,
    direction_ink,
    grid_of,
    latent_ink,
    parse_strokes,
)
from latentlab.operations.reconstruct import reconstruct_picture
from latentlab.spec import ModelSpec

SIDE = 32
rng = np.random.default_rng(0)
LATENT = rng.standard_normal((3, 8, 8)).astype(np.float32)
OTHER = rng.standard_normal((3, 8, 8)).astype(np.float32)
DAB = LatentStroke(0, 1.0, radius=6.0, places=((10.0, 14.0),), hardness=1.0)


def drawn(ink: Ink, stroke: LatentStroke = DAB) -> np.ndarray:
    return Strokes(LATENT, SIDE, (ink,), (stroke,)).latent()


def test_only_cells_under_the_brush_change_and_the_middle_is_the_ink_to_the_bit() -> None:
    found = drawn(latent_ink("other", OTHER, LATENT))
    rows, columns = np.mgrid[:8, :8] + 0.5
    far = np.hypot(columns * 4 - 10.0, rows * 4 - 14.0)  # cells are patches of 4 px
    outside, inside = far > 6.0 + 4.0, far < 6.0 - 4.0
    assert outside.sum() > 30
    assert inside.any()
    np.testing.assert_array_equal(found[:, outside], LATENT[:, outside])
    np.testing.assert_array_equal(found[:, inside], OTHER[:, inside])
    assert not found.flags.writeable


def test_half_the_amount_goes_half_the_way() -> None:
    other = latent_ink("other", OTHER, LATENT)
    half = LatentStroke(0, 0.5, DAB.radius, DAB.places, DAB.hardness)
    np.testing.assert_allclose(drawn(other, half), (LATENT + drawn(other)) / 2, atol=1e-6)


def test_a_direction_under_a_brush_over_everything_is_the_direction_itself() -> None:
    direction = unit_direction("d", rng.standard_normal(192), 2.5)
    all_over = LatentStroke(0, -1.5, radius=500.0, places=((16.0, 16.0),), hardness=1.0)
    moved = LATENT.reshape(-1) - 1.5 * direction.sigma * direction.array()
    found = drawn(direction_ink(direction, LATENT), all_over)
    np.testing.assert_allclose(found.reshape(-1), moved, atol=1e-5)


def test_a_channel_leaves_the_others_as_they_are() -> None:
    found = drawn(channel_ink(1, LATENT))
    np.testing.assert_array_equal(found[[0, 2]], LATENT[[0, 2]])
    step = (found - LATENT)[1]
    assert step.max() == pytest.approx(LATENT[1].std(), rel=1e-5)
    with pytest.raises(SettingsError, match="no channel 3; the latent has 0 to 2"):
        channel_ink(3, LATENT)


@pytest.mark.parametrize("kind", ["direction", "channel", "latent"])
def test_locked_entries_stay(kind: str) -> None:
    locked = range(64, 128)  # the whole of channel 1
    ink = {
        "direction": lambda: direction_ink(unit_direction("d", np.ones(192), 1.0), LATENT, locked),
        "channel": lambda: channel_ink(1, LATENT, locked),
        "latent": lambda: latent_ink("other", OTHER, LATENT, locked),
    }[kind]()
    found = drawn(ink)
    np.testing.assert_array_equal(found[1], LATENT[1])
    assert (kind == "channel") == np.array_equal(found, LATENT)


def test_a_stroke_is_the_same_however_it_was_drawn_and_does_not_add_up() -> None:
    ink = channel_ink(0, LATENT)
    way = ((4.0, 4.0), (28.0, 4.0), (4.0, 4.0))
    live = LatentDrawing(LATENT, SIDE, ink, DAB)
    for place in way:
        seen = live.to(place)
    stroke = LatentStroke(0, 1.0, DAB.radius, way, DAB.hardness)
    np.testing.assert_array_equal(seen, drawn(ink, stroke))
    once = LatentStroke(0, 1.0, DAB.radius, way[:2], DAB.hardness)
    np.testing.assert_array_equal(drawn(ink, stroke), drawn(ink, once))
    twice = Strokes(LATENT, SIDE).with_stroke(ink, once).with_stroke(channel_ink(0, LATENT), once)
    assert len(twice.inks) == 1
    np.testing.assert_allclose(twice.latent() - LATENT, 2 * (drawn(ink, once) - LATENT), atol=1e-6)


def test_what_lies_outside_changes_nothing() -> None:
    far = LatentStroke(0, 3.0, 2.0, ((-50.0, 8.0), (-40.0, 90.0)))
    assert drawn(channel_ink(0, LATENT), far) is LATENT


@pytest.mark.parametrize(
    ("latent", "ink", "stroke", "why"),
    [
        (LATENT[0], channel_ink(0, LATENT), DAB, "a grid of as many is needed"),
        (LATENT, Ink("x", "move", np.zeros(5, np.float32)), DAB, "brush of 5 numbers"),
        (LATENT, latent_ink("o", OTHER, LATENT), LatentStroke(0, 1.5, 6.0, ()), "from 0 to 1; found 1.5"),
        (LATENT, channel_ink(0, LATENT), LatentStroke(0, np.inf, 6.0, ()), "a finite number"),
        (LATENT, channel_ink(0, LATENT), LatentStroke(0, 1.0, 0.0, ()), "radius above 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(latent, ink, stroke, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        LatentDrawing(latent, SIDE, ink, stroke)


def test_strokes_in_words() -> None:
    found = parse_strokes(
        ["pca.json:PC 1=-2.5 at 20,24 34.5,24 radius 8 hardness 0.25", "start=1  at  3,4"], 64
    )
    assert [one.ink for one in found] == ["pca.json:PC 1", "start"]
    assert found[0].stroke == LatentStroke(0, -2.5, 8.0, ((20.0, 24.0), (34.5, 24.0)), 0.25)
    assert (found[1].stroke.radius, found[1].stroke.hardness) == (8.0, 0.5)


@pytest.mark.parametrize(
    "text", ["PC 1", "start=1", "start=1 at 3", "start=x at 3,4", "=1 at 3,4", "a=1 at 3,4 5"]
)
def test_words_that_are_no_stroke(text: str) -> None:
    with pytest.raises(SettingsError, match="is no stroke; write INK=AMOUNT at X,Y"):
        parse_strokes([text], 64)


def test_a_grid_has_cells() -> None:
    def spec(*shape: int) -> ModelSpec:
        return ModelSpec(family="any", image_size=32, latent_shape=shape)

    assert grid_of(spec(4, 8, 8)) == (4, 8, 8)
    assert grid_of(spec(512)) is grid_of(spec(8, 512)) is grid_of(spec(512, 1, 1)) is None


def test_components_of_large_latents_are_those_of_all() -> None:
    rows = rng.standard_normal((600, 700)) * np.linspace(5, 1, 700)
    for latents in (rows.astype(np.float32), rows[:530].astype(np.float32), rows.T.astype(np.float32)):
        centred = latents - latents.mean(0, dtype=np.float64)
        _, scales, vectors = np.linalg.svd(centred, full_matrices=False)
        found = principal_directions(latents, 4)
        for k, one in enumerate(found):
            assert abs(one.array() @ vectors[k]) == pytest.approx(1.0, abs=1e-4)
            assert f"{100 * scales[k] ** 2 / (scales**2).sum():.1f}%" in one.origin


@pytest.fixture
def face(tiny_faces, tmp_path: Path) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(tiny_faces.pixels(np.array([3]))[0]).save(path)
    return path


def test_the_command_line_draws_what_python_draws(
    tiny_grid_folder: Path, face: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    explorer = Explorer.open(tiny_grid_folder)
    direction = unit_direction("up", rng.standard_normal(192), 4.0)
    known = Directions(model="m", sha256=explorer.located.sha256(), directions=(direction,))
    save_directions(tmp_path / "d.json", known)
    out = tmp_path / "out.png"
    brushes = [f"{tmp_path / 'd.json'}:up=3 at 8,8 20,12 radius 6", "channel:2=-2 at 25,25", "start=1 at 8,8"]
    call = ["reconstruct", str(face), "--model", str(tiny_grid_folder), "--out", str(out), "--json"]
    assert run([*call, *(word for one in brushes for word in ("--brush", one))]) == 0
    start = explorer.encode(np.asarray(Image.open(face))).latent
    strokes = Strokes(start, 32)
    for ink, stroke in (
        (direction_ink(direction, start), LatentStroke(0, 3.0, 6.0, ((8.0, 8.0), (20.0, 12.0)))),
        (channel_ink(2, start), LatentStroke(0, -2.0, 4.0, ((25.0, 25.0),))),
        (latent_ink("Start", start, start), LatentStroke(0, 1.0, 4.0, ((8.0, 8.0),))),
    ):
        strokes = strokes.with_stroke(ink, stroke)
    picture = explorer.picture(strokes.latent())
    np.testing.assert_array_equal(np.asarray(Image.open(out)), picture)
    assert json.loads(capfd.readouterr().out)["settings"]["brush"] == brushes
    assert (picture != explorer.picture(start)).any()


def test_a_model_without_a_grid_is_refused(tiny_model_folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"latents of shape \[8\]; a brush paints on grids"):
        reconstruct_picture(tiny_model_folder, "", seed=1, brush=["channel:0=1 at 3,4"])


def test_an_ink_that_is_none_is_refused(tiny_grid_folder: Path, face: Path) -> None:
    for ink, why in (
        ("channel:x", "names no channel"),
        ("channel:7", "no channel 7"),
        ("no.png", r"no\.png"),
    ):
        with pytest.raises(Exception, match=why):
            reconstruct_picture(tiny_grid_folder, "", image=face, brush=[f"{ink}=1 at 3,4"])
