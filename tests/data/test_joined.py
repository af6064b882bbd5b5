"""Sets joined into one: which each image is of, what all know, and the triple of face sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.cli.main import run
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.joined import join_in_memory, join_sets
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import DataError


def test_images_labels_and_splits_are_those_of_the_parts(tiny_faces: ImageSet, tmp_path: Path) -> None:
    male = tiny_faces.select(np.asarray(tiny_faces.codes("gender")) == 1)
    few = tiny_faces.split("test").select(np.arange(5))
    found = join_sets(tmp_path / "both", [("men", male), ("few", few)])
    assert len(found) == len(male) + 5
    dataset = found.attribute("dataset")
    assert dataset.classes == ("men", "few")
    codes = np.asarray(found.codes("dataset"))
    assert codes.tolist() == [0] * len(male) + [1] * 5
    rows = found.select(codes == 1)
    np.testing.assert_array_equal(rows.pixels(slice(None)), few.pixels(slice(None)))
    np.testing.assert_array_equal(rows.codes("race"), few.codes("race"))
    assert set(found.splits[:].tolist()) == {0, 1, 2}
    assert rows.names[rows.rows][0] == f"few:{few.names[few.rows][0]}"
    assert found.info.name == "both"
    assert found.info.licence == tiny_faces.info.licence


def test_joined_in_memory_it_is_the_same(tiny_faces: ImageSet, tmp_path: Path) -> None:
    parts = [("men", tiny_faces.select(np.arange(3, 300, 7))), ("few", tiny_faces.split("test"))]
    there, here = join_sets(tmp_path / "both", parts), join_in_memory(parts, "both")
    np.testing.assert_array_equal(here.pixels(slice(None)), there.pixels(slice(None)))
    assert here.info == there.info
    for name in ("names", "splits", "rows"):
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name))
    for name, codes in there.labels.items():
        np.testing.assert_array_equal(here.labels[name], codes)


def test_only_what_all_parts_know_stays(tiny_faces: ImageSet, tmp_path: Path) -> None:
    info = tiny_faces.info
    less = info.model_copy(update={"attributes": info.attributes[:1]})
    other = ImageSet(
        less, tiny_faces.images, tiny_faces.labels, tiny_faces.names, tiny_faces.splits, tiny_faces.rows[:3]
    )
    found = join_sets(tmp_path / "x", [("a", tiny_faces.select(np.arange(4))), ("b", other)])
    assert [attribute.name for attribute in found.info.attributes] == ["dataset", info.attributes[0].name]


def test_what_cannot_be_joined_is_refused(tiny_faces: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two names or more"):
        join_sets(tmp_path / "x", [("a", tiny_faces), ("a", tiny_faces)])
    with pytest.raises(DataError, match="a 32 px, b 64 px"):
        join_sets(tmp_path / "x", [("a", tiny_faces), ("b", open_set("faces:test", 64))])
    assert not (tmp_path / "x").exists()


def test_the_triple_opens_by_its_name() -> None:
    found = open_set("faces-triple:train", 32)
    codes = np.asarray(found.codes("dataset"))
    assert found.attribute("dataset").classes == ("broad", "narrow", "low")
    assert np.bincount(codes).tolist() == [4000, 2000, 2000]
    narrow, low = found.select(codes == 1), found.select(codes == 2)
    np.testing.assert_array_equal(narrow.codes("race"), low.codes("race"))
    white = found.attribute("race").index("white")
    asian = found.attribute("race").index("asian")
    assert np.isin(narrow.codes("race"), [white, asian]).mean() == 0.9
    assert not (narrow.pixels(slice(0, 4)) == low.pixels(slice(0, 4))).all()
    test = open_set("faces-triple:test", 32)
    assert np.bincount(np.asarray(test.codes("dataset"))).tolist() == [2048, 1024, 1024]
    assert set(np.unique(open_set("faces-triple:validation", 32).codes("dataset"))) == {0, 1, 2}


def test_the_command(tiny_faces: ImageSet, tmp_path: Path, capfd) -> None:
    for name, rows in (("one", slice(0, 6)), ("two", slice(6, 9))):
        copy_image_set(tmp_path / name, tiny_faces.select(np.arange(9)[rows]))
    parts = [f"a={tmp_path / 'one'}", f"b={tmp_path / 'two'}"]
    assert run(["data", "make", "joined", str(tmp_path / "both"), *parts, "--size", "32"]) == 0
    assert np.bincount(open_set(tmp_path / "both", 32).codes("dataset")).tolist() == [6, 3]
    capfd.readouterr()
    assert run(["data", "make", "joined", str(tmp_path / "other"), str(tmp_path / "one")]) == 2
    assert "NAME=SET" in capfd.readouterr().err
