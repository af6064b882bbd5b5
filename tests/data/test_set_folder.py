"""A set's folder appears whole or not at all, and a damaged one is refused in words."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from latentlab.data.image_set import UNKNOWN, ImageSet, SetInfo
from latentlab.data.set_folder import SetWriter, copy_image_set, open_image_set, write_image_set
from latentlab.errors import Cancelled, DataError
from latentlab.progress import Reporter
from latentlab.spec import Attribute

INFO = SetInfo(
    name="dots",
    image_size=8,
    attributes=(
        Attribute(name="colour", classes=("red", "blue, pale"), origin="constructed"),
        Attribute(name="age", kind="continuous"),
    ),
    licence="CC0-1.0",
    credit="nobody",
)
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
LABELS = {"colour": [0, 1, UNKNOWN, 1, 0], "age": [0.1, 2.5, np.nan, 1e-7, 40]}
NAMES = ["a", "b, with comma", 'c "quoted"', "d", "ä"]
SPLITS = [0, 0, 0, 1, 2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_image_set(tmp_path / "set", INFO, [PIXELS[:2], PIXELS[2:]], LABELS, NAMES, SPLITS)


def test_what_is_written_comes_back(folder: Path) -> None:
    images = open_image_set(folder)
    assert images.info == INFO
    np.testing.assert_array_equal(images.images, PIXELS)
    np.testing.assert_array_equal(images.labels["colour"], LABELS["colour"])
    np.testing.assert_array_equal(images.labels["age"], np.float32(LABELS["age"]))
    assert images.names.tolist() == NAMES
    assert images.splits.tolist() == SPLITS
    assert isinstance(images.images, np.memmap)


def test_a_selection_with_repeats_becomes_a_set_of_its_own(folder: Path, tmp_path: Path) -> None:
    chosen = open_image_set(folder).select(np.array([4, 1, 1]))
    copy = open_image_set(copy_image_set(tmp_path / "copy", chosen))
    np.testing.assert_array_equal(copy.images, PIXELS[[4, 1, 1]])
    assert copy.names.tolist() == [NAMES[4], NAMES[1], NAMES[1]]
    assert copy.codes("colour").tolist() == [0, 1, 1]
    assert copy.splits.tolist() == [2, 0, 0]


def test_an_interrupted_set_leaves_nothing_behind(tmp_path: Path) -> None:
    def breaks_off() -> Iterator[np.ndarray]:
        yield PIXELS
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_image_set(tmp_path / "set", INFO, breaks_off(), LABELS, NAMES, SPLITS)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_a_day_later(tmp_path: Path) -> None:
    for name, hours, file in (
        (".set-old", 30, "images.npy"),
        (".set-new", 1, "images.npy"),
        (".set-x", 30, "mine"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
        moment = time.time() - 3600 * hours
        os.utime(tmp_path / name, (moment, moment))
    write_image_set(tmp_path / "set", INFO, [PIXELS], LABELS, NAMES, SPLITS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".set-new", ".set-x", "set"]


def test_a_cancelled_copy_leaves_the_older_set(folder: Path) -> None:
    reporter = Reporter()
    reporter.cancel()
    other = open_image_set(folder).select(np.array([0]))
    with pytest.raises(Cancelled):
        copy_image_set(folder, other, reporter=reporter)
    assert len(open_image_set(folder)) == 5


def test_only_a_set_is_ever_replaced(folder: Path, tmp_path: Path) -> None:
    smaller = open_image_set(folder).select(np.array([0, 1]))
    pixels = ImageSet(
        smaller.info, np.array(smaller.images), smaller.labels, smaller.names, smaller.splits, smaller.rows
    )
    copy_image_set(folder, pixels)
    assert len(open_image_set(folder)) == 2
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match=r"holds other things \(thesis\.txt\)"):
        copy_image_set(tmp_path / "home", pixels)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="is a file"):
        SetWriter(tmp_path / "file", 8)


def test_counts_and_shapes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="should have 5 images, but 4 were made"):
        write_image_set(tmp_path / "set", INFO, [PIXELS[:4]], LABELS, NAMES, SPLITS)
    with pytest.raises(DataError, match="would have no images"):
        write_image_set(tmp_path / "set", INFO, [], {"colour": [], "age": []}, [], [])
    with pytest.raises(DataError, match=r"uint8 \[B, 8, 8, 3\]; found uint8 \[5, 4, 4, 3\]"):
        write_image_set(tmp_path / "set", INFO, [PIXELS[:, :4, :4]], LABELS, NAMES, SPLITS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["set.json", "images.npy", "attributes.csv"])
def test_a_missing_part_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"lacks its file {name}"):
        open_image_set(folder)


def test_damaged_parts_are_named(folder: Path) -> None:
    table = (folder / "attributes.csv").read_text(encoding="utf-8")
    whole = (folder / "images.npy").read_bytes()

    def attempt(words: str, cells: str | None = None, info: str | None = None, size: int = -1) -> None:
        before = (folder / "set.json").read_text()
        (folder / "attributes.csv").write_text(table if cells is None else cells, encoding="utf-8")
        (folder / "set.json").write_text(before if info is None else info)
        (folder / "images.npy").write_bytes(whole if size < 0 else whole[:size])
        with pytest.raises(DataError, match=words):
            open_image_set(folder)
        (folder / "set.json").write_text(before)

    attempt("is damaged", size=len(whole) - 10)
    attempt("is damaged", size=20)
    attempt(r"should hold uint8 \[4, 8, 8, 3\]", cells="".join(table.splitlines(keepends=True)[:-1]))
    attempt(
        r"line 2: column colour holds 'green', where one of red, blue, pale", table.replace("red", "green", 1)
    )
    attempt(r"line 2: column age holds 'old', where a number", table.replace("0.1", "old"))
    attempt(r"column split holds 'exam', where one of train, validation, test", table.replace("test", "exam"))
    attempt(r"should have the columns name, split, colour, age; it has none", cells="")
    attempt(r"line 2: 4 cells are expected, found 1", table.replace("a,train,red,0.1", "a"))
    attempt(r"field set: Invalid JSON", info="{")
    attempt(r"field image_size", info='{"name": "dots"}')


def test_groups_of_an_intersection_leave_out_what_is_not_known(folder: Path) -> None:
    groups = open_image_set(folder).groups(["colour"])
    assert {key: rows.tolist() for key, rows in groups.items()} == {
        "colour=red": [0, 4],
        "colour=blue, pale": [1, 3],
    }


def test_asking_for_what_is_not_there_says_what_is(folder: Path) -> None:
    images = open_image_set(folder)
    with pytest.raises(DataError, match="no attribute 'hat'; it has colour, age"):
        images.codes("hat")
    with pytest.raises(DataError, match="choose one of train, validation, test"):
        images.split("exam")
    with pytest.raises(DataError, match="no images in its split 'test'"):
        images.select(np.array([0, 1])).split("test")
