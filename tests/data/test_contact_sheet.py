"""A contact sheet shows the set's own pixels, group by group, and counts are what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.data.avatars import list_avatars, make_avatars
from latentlab.data.contact_sheet import contact_sheet, save_sheet
from latentlab.data.describe import describe_set
from latentlab.data.distribution import Distribution
from latentlab.data.image_set import UNKNOWN, ImageSet, SetInfo
from latentlab.data.resample import resample
from latentlab.data.set_folder import open_image_set
from latentlab.errors import DataError, SettingsError
from latentlab.spec import Attribute


def test_a_plain_sheet_is_a_grid_of_the_sets_images(tiny_faces: ImageSet) -> None:
    few = tiny_faces.select(np.arange(6))
    sheet = contact_sheet(few, columns=3, rows=2, seed=1)
    assert sheet.shape == (2 * 34 + 2, 3 * 34 + 2, 3)
    cells = [sheet[2 + 34 * r : 34 + 34 * r, 2 + 34 * c : 34 + 34 * c] for r in range(2) for c in range(3)]
    found = {cell.tobytes() for cell in cells}
    assert found == {picture.tobytes() for picture in few.pixels(slice(None))}
    np.testing.assert_array_equal(sheet, contact_sheet(few, columns=3, rows=2, seed=1))
    assert not np.array_equal(sheet, contact_sheet(few, columns=3, rows=2, seed=2))


def test_a_sheet_by_group_has_a_strip_of_each_group_with_images(tiny_faces: ImageSet) -> None:
    women = tiny_faces.select(tiny_faces.codes("gender") == 0)
    sheet = contact_sheet(women, by=("gender", "glasses"), columns=5)
    assert sheet.shape[0] == 2 * (34 + 16) + 2
    glasses = women.select(women.codes("glasses") == 1)
    cell = sheet[2 + 50 + 16 : 2 + 50 + 48, 2:34]
    assert cell.tobytes() in {picture.tobytes() for picture in glasses.pixels(slice(None))}
    label = sheet[2 + 50 : 2 + 50 + 16]
    assert (label < 128).any()


def test_styles_show_the_same_people(tmp_path: Path) -> None:
    listed = list_avatars({"train": 9}, styles=("lorelei", "pixel-art"))
    images = open_image_set(make_avatars(tmp_path / "set", listed, 16, workers=1))
    sheet = contact_sheet(images, by=("style",), columns=4, seed=3)
    of_picture = {
        pixels.tobytes(): str(name) for pixels, name in zip(images.images, images.names, strict=True)
    }
    strips = []
    for top in (18, 52):
        cells = [sheet[top : top + 16, left : left + 16].tobytes() for left in range(2, 2 + 4 * 18, 18)]
        strips.append([of_picture[cell].split(":")[0] for cell in cells])
    assert strips[0] == strips[1]
    assert len(set(strips[0])) == 4


def test_sheets_that_make_no_sense_are_refused(tiny_faces: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a sheet shows 1 to 48"):
        contact_sheet(tiny_faces, by=("hair", "skin"))
    with pytest.raises(SettingsError, match="0 by 8"):
        contact_sheet(tiny_faces, columns=0)
    with pytest.raises(DataError, match="no attribute 'hat'"):
        contact_sheet(tiny_faces, by=("hat",))
    sheet = contact_sheet(tiny_faces, columns=2, rows=1)
    save_sheet(tmp_path / "sheet.png", sheet)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), sheet)
    with pytest.raises(SettingsError, match="no known picture suffix"):
        save_sheet(tmp_path / "sheet.doc", sheet)
    with pytest.raises(SettingsError, match="cannot be written"):
        save_sheet(tmp_path / "absent" / "sheet.png", sheet)


def test_counts_by_split_class_and_group(tiny_faces: ImageSet) -> None:
    found = describe_set(tiny_faces, ("gender", "race"))
    assert found.n == found.distinct == 416
    assert found.splits == {"train": 256, "validation": 64, "test": 96}
    assert sum(found.classes["gender"].values()) == 416
    assert found.classes["gender"]["female"] == int((tiny_faces.codes("gender") == 0).sum())
    assert sum(found.groups.values()) == 416
    assert len(found.groups) == 8
    rows = {what: count for what, count, _ in found.rows()}
    assert rows["images"] == "416"
    assert rows["gender=female, race=black"] == str(found.groups["gender=female,race=black"])


def test_what_a_person_should_know_is_noted() -> None:
    info = SetInfo(
        name="seven",
        image_size=8,
        attributes=(Attribute(name="hat", classes=("no", "yes")), Attribute(name="age", kind="continuous")),
        unreadable=("x.png: is empty",),
    )
    images = ImageSet(
        info,
        np.zeros((7, 8, 8, 3), np.uint8),
        {"hat": np.array([0, 0, 0, 0, 0, UNKNOWN, 0]), "age": np.full(7, np.nan, np.float32)},
        np.arange(7).astype(str),
        np.zeros(7, np.int8),
        np.arange(7),
    )
    repeated = resample(images, Distribution(), 20, allow_repeats=True)
    found = describe_set(repeated, ("hat",))
    notes = "\n".join(found.notes)
    assert "1 pictures were skipped: x.png: is empty" in notes
    assert "13 of the 20 images are repeats" in notes
    assert "No images in: hat=yes" in notes
    assert "Fewer than 30 images in: hat=no" in notes
    assert "Labels are perceived; they are nobody's identity" in notes
    record = found.record("data show", "seven")
    assert record["metrics"]["share.hat=no"]["value"] == 1.0
    assert record["metrics"]["unknown.age"]["value"] == 1.0
    assert record["metrics"]["unknown.hat"]["n"] == 20
