"""A map leaves the program as a table and as a picture."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_made_map import COUNT, hand_made_map
from PIL import Image, ImageColor

from latentlab.errors import SettingsError
from latentlab.operations.map_table import COLOURS, SIDE, UNKNOWN, save_map_picture, save_map_table


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))[: SIDE - 40]  # without the line of text below


def _count(pixels: np.ndarray, colour: str) -> int:
    """Pixels that are nearly so: dots are small, and their rims are mixed with the white around them."""
    away = np.abs(pixels.astype(np.int64) - ImageColor.getrgb(colour)).max(axis=2)
    return int((away < 25).sum())


@pytest.mark.parametrize("layout", ["pca", "tsne"])
def test_the_table_tells_where_each_image_lies_and_what_is_known_of_it(tmp_path: Path, layout) -> None:
    hand = hand_made_map()
    save_map_table(tmp_path / "map.csv", hand, layout)
    with (tmp_path / "map.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["name", "row", "x", "y", "glasses", "age"]
    assert [line[0] for line in lines] == hand.names.tolist()
    assert [int(line[1]) for line in lines] == hand.rows.tolist()
    places = np.array([[float(line[2]), float(line[3])] for line in lines])
    np.testing.assert_allclose(places, hand.places[layout], rtol=1e-5)
    assert [line[4] for line in lines[:3]] == ["", "no", "yes"]
    assert lines[3][5] == "", "a number that is not known"
    assert float(lines[4][5]) == pytest.approx(hand.labels["age"][4], rel=1e-5)


def test_the_picture_shows_every_class_in_its_colour(tmp_path: Path) -> None:
    hand = hand_made_map()
    save_map_picture(tmp_path / "map.png", hand, "tsne", "glasses")
    pixels = _pixels(tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        assert image.size == (SIDE, SIDE)
    assert min(_count(pixels, colour) for colour in (*COLOURS[:2], UNKNOWN)) > 20
    assert _count(pixels, COLOURS[2]) == 0
    save_map_picture(tmp_path / "plain.png", hand, "tsne")
    plain = _pixels(tmp_path / "plain.png")
    assert _count(plain, COLOURS[1]) == _count(plain, UNKNOWN) == 0
    assert _count(plain, COLOURS[0]) > 200


def test_in_the_picture_up_is_up(tmp_path: Path) -> None:
    places = np.zeros((COUNT, 2), dtype=np.float32)
    places[0], places[1] = (-1, -1), (1, 1)
    hand = hand_made_map()
    hand = replace(
        hand,
        places={"pca": places},
        labels={**hand.labels, "glasses": np.array([1, 0, *[-1] * (COUNT - 2)])},
    )
    save_map_picture(tmp_path / "map.png", hand, "pca", "glasses")
    pixels = _pixels(tmp_path / "map.png")
    upper_right, lower_left = pixels[:450, 450:], pixels[450:, :450]
    assert _count(upper_right, COLOURS[0]) > 5
    assert _count(upper_right, COLOURS[1]) == 0
    assert _count(lower_left, COLOURS[1]) > 5
    assert _count(lower_left, COLOURS[0]) == 0


def test_a_map_of_one_place_can_be_painted(tmp_path: Path) -> None:
    hand = replace(hand_made_map(), places={"pca": np.full((COUNT, 2), 5.0, np.float32)})
    save_map_picture(tmp_path / "map.png", hand, "pca")
    assert _count(_pixels(tmp_path / "map.png")[430:470, 430:470], COLOURS[0]) > 3


@pytest.mark.parametrize(
    ("layout", "colour", "message"),
    [
        ("tsne", "", "no layout 'tsne'; it has pca"),
        ("pca", "hat", "no attribute 'hat'; they have glasses, age"),
        ("pca", "age", "age has no classes to colour by"),
    ],
)
def test_what_the_map_lacks_is_said(tmp_path: Path, layout, colour: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        save_map_picture(tmp_path / "map.png", hand_made_map(tsne=False), layout, colour)
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    hand = hand_made_map(tsne=False)
    with pytest.raises(SettingsError, match="no layout 'tsne'"):
        save_map_table(tmp_path / "map.csv", hand, "tsne")
    with pytest.raises(SettingsError, match=r"map\.csv cannot be written"):
        save_map_table(tmp_path / "missing" / "map.csv", hand, "pca")
    with pytest.raises(SettingsError, match=r"map\.png cannot be written"):
        save_map_picture(tmp_path / "missing" / "map.png", hand, "pca")
    with pytest.raises(SettingsError, match="no known picture suffix"):
        save_map_picture(tmp_path / "map.xyz", hand, "pca")
    assert list(tmp_path.iterdir()) == []
