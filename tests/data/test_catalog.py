"""Sets open by name at any image size, and an unknown name is answered with what is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import Cancelled, DataError
from latentlab.progress import Reporter


@pytest.fixture(scope="module")
def small_set(tiny_faces: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_image_set(tmp_path_factory.mktemp("sets") / "small", tiny_faces.select(np.arange(200, 360)))


def test_faces_have_their_three_splits(tiny_faces: ImageSet) -> None:
    counts = {split: len(open_set(f"faces:{split}", 32)) for split in ("train", "validation", "test")}
    assert counts == {"train": 8192, "validation": 2048, "test": 2048}
    faces = open_set("faces", 32)
    assert len(faces) == 12288
    assert len(set(faces.names.tolist())) == 12288


def test_the_test_faces_are_balanced_over_gender_and_race(tiny_faces: ImageSet) -> None:
    groups = open_set("faces:test", 32).groups(["gender", "race"])
    assert {len(rows) for rows in groups.values()} == {256}
    assert len(groups) == 8


def test_a_folder_opens_at_its_own_size_and_by_split(small_set: Path) -> None:
    assert open_set(small_set, 32).image_size == 32
    assert len(open_set(small_set, 32)) == 160
    assert len(open_set(f"{small_set}:train", 32)) == 56
    assert len(open_set(f"{small_set}:validation", 32)) == 64


def test_another_size_averages_areas_and_is_kept(small_set: Path, isolated_cache: Path) -> None:
    stored, resized = open_set(small_set, 32), open_set(small_set, 16)
    mean = stored.images[:20].reshape(20, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    assert np.abs(resized.images[:20] - mean).max() <= 1
    np.testing.assert_array_equal(resized.splits, stored.splits)
    np.testing.assert_array_equal(resized.codes("race"), stored.codes("race"))
    before = {path: path.stat().st_mtime_ns for path in (isolated_cache / "resized").rglob("*.npy")}
    open_set(small_set, 16)
    assert before == {path: path.stat().st_mtime_ns for path in (isolated_cache / "resized").rglob("*.npy")}


def test_a_set_that_has_changed_is_resized_again(tiny_faces: ImageSet, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    copy_image_set(folder, tiny_faces.select(np.arange(3)))
    first = np.array(open_set(folder, 16).images)
    copy_image_set(folder, tiny_faces.select(np.arange(3, 6)))
    assert not np.array_equal(first, open_set(folder, 16).images)


def test_resizing_can_be_cancelled_and_leaves_nothing(small_set: Path, isolated_cache: Path) -> None:
    reporter = Reporter()
    reporter.cancel()
    with pytest.raises(Cancelled):
        open_set(small_set, 24, reporter)
    assert not list((isolated_cache / "resized").glob("*-24"))


def test_what_is_unknown_is_answered_with_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"no image set 'fases', nor a folder of that name. Known are faces, faces-triple, .*:train",
    ):
        open_set("fases")
    with pytest.raises(DataError, match="no image set"):
        open_set("faces:exam")
    (tmp_path / "set.json").touch()
    with pytest.raises(DataError, match="8 to 1,024 px; 4 px"):
        open_set(tmp_path, 4)


def test_a_folder_whose_name_ends_like_a_split_is_found(small_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine:test"
    copy_image_set(folder, open_set(small_set, 32).select(np.arange(5)))
    assert len(open_set(folder, 32)) == 5
