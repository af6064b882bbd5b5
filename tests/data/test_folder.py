"""Any folder of pictures opens as a set; nothing unreadable is fatal, and nothing is dropped in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.data.catalog import open_set
from latentlab.data.folder import list_folder
from latentlab.data.image_set import UNKNOWN
from latentlab.data.picture_list import import_pictures
from latentlab.errors import Cancelled, DataError
from latentlab.progress import Progress, Reporter


def _paint(
    path: Path, colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (20, 16)
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    for k in range(12):
        _paint(tmp_path / "pictures" / f"{k:02d}.png", (20 * k, 0, 0))
    return tmp_path / "pictures"


def _table(folder: Path, text: str, encoding: str = "utf-8") -> None:
    (folder / "attributes.csv").write_text(text, encoding=encoding)


def test_a_plain_folder_is_split_always_in_the_same_way(plain: Path) -> None:
    images = open_set(plain, 8)
    assert images.names.tolist() == [f"{k:02d}.png" for k in range(12)]
    assert images.images[:, 4, 4, 0].tolist() == [20 * k for k in range(12)]
    assert images.info.attributes == ()
    assert [int((images.splits == split).sum()) for split in range(3)] == [10, 1, 1]
    np.testing.assert_array_equal(images.splits, list_folder(plain).splits)


def test_other_files_and_hidden_ones_are_no_pictures(plain: Path) -> None:
    (plain / "notes.txt").write_text("mine")
    _paint(plain / ".thumbnails" / "00.png")
    _paint(plain / "__MACOSX" / "00.png")
    (plain / "._00.png").touch()
    assert len(list_folder(plain).names) == 12


def test_folders_of_pictures_are_datasets(tmp_path: Path) -> None:
    for k in range(3):
        _paint(tmp_path / "photos" / f"{k}.png")
        _paint(tmp_path / "toons" / "more" / f"{k}.JPG")
    images = open_set(tmp_path, 8)
    assert images.attribute("dataset").classes == ("photos", "toons")
    assert images.codes("dataset").tolist() == [0, 0, 0, 1, 1, 1]
    assert images.names[3] == "toons/more/0.JPG"
    assert (images.splits == 0).all()


def test_folders_called_after_splits_are_splits(tmp_path: Path) -> None:
    for split, label in (("train", "cat"), ("train", "dog"), ("val", "cat"), ("test", "dog")):
        _paint(tmp_path / split / label / "1.png")
    images = open_set(tmp_path, 8)
    assert images.attribute("dataset").classes == ("cat", "dog")
    assert sorted(zip(images.names.tolist(), images.splits.tolist(), strict=True)) == [
        ("test/dog/1.png", 2),
        ("train/cat/1.png", 0),
        ("train/dog/1.png", 0),
        ("val/cat/1.png", 1),
    ]


def test_a_table_gives_attributes_splits_and_unknown_labels(plain: Path) -> None:
    ages = [20.5 + k for k in range(12)]
    rows = [
        f"{k:02d}.png,{'test' if k > 9 else 'train'},{['yes', 'no', ''][k % 3]},{k % 2},{ages[k]}"
        for k in range(12)
    ]
    _table(plain, "name,split,hat,grade,age\n" + "\n".join(rows) + "\n")
    images = open_set(plain, 8)
    assert [attribute.name for attribute in images.info.attributes] == ["hat", "grade", "age"]
    assert images.attribute("hat").classes == ("no", "yes")
    assert images.codes("hat").tolist()[:4] == [1, 0, UNKNOWN, 1]
    assert images.attribute("grade").classes == ("0", "1")
    assert images.attribute("hat").origin == "perceived"
    assert int((images.splits == 2).sum()) == 2


def test_a_column_of_many_numbers_is_continuous_and_a_text_is_left_out(tmp_path: Path) -> None:
    for k in range(120):
        _paint(tmp_path / f"{k}.png", size=(8, 8))
    rows = [f"{k}.png,{'' if k == 3 else k / 7},person {k},same" for k in range(120)]
    _table(tmp_path, "name,age,who,where\n" + "\n".join(rows))
    listed = list_folder(tmp_path)
    assert [(attribute.name, attribute.kind) for attribute in listed.info.attributes] == [
        ("age", "continuous")
    ]
    assert np.isnan(listed.labels["age"][3])
    assert listed.labels["age"][7] == 1.0
    assert listed.info.source["columns left out"] == ["who", "where"]


def test_spreadsheets_tables_are_read(plain: Path) -> None:
    rows = "\r\n".join(f'"{k:02d}.png";{"ja" if k % 2 else "nein"}' for k in range(12))
    _table(plain, "name;hut\r\n" + rows + "\r\n", "utf-8-sig")
    assert open_set(plain, 8).attribute("hut").classes == ("ja", "nein")


def test_what_cannot_be_read_is_listed_and_skipped(plain: Path) -> None:
    (plain / "03.png").write_text("no picture at all")
    (plain / "05.png").write_bytes((plain / "05.png").read_bytes()[:40])
    _table(
        plain,
        "name,hat\n"
        + "".join(f"{k:02d}.png,{'yes' if k % 2 else 'no'}\n" for k in range(11))
        + "gone.png,no\n",
    )
    images = open_set(plain, 8)
    assert images.names.tolist() == [f"{k:02d}.png" for k in range(11) if k not in (3, 5)]
    assert images.codes("hat").tolist() == [0, 1, 0, 0, 0, 1, 0, 1, 0]
    reasons = dict(entry.split(": ", 1) for entry in images.info.unreadable)
    assert set(reasons) == {"03.png", "05.png", "11.png", "gone.png"}
    assert "holds text" in reasons["03.png"]
    assert "truncated" in reasons["05.png"]
    assert "no line for it in attributes.csv" in reasons["11.png"]
    assert "no such picture" in reasons["gone.png"]


def test_the_centre_square_is_used(tmp_path: Path) -> None:
    pixels = np.zeros((16, 40, 3), np.uint8)
    pixels[:, 12:28] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    assert (open_set(tmp_path, 8).images == 255).all()


def test_an_imported_folder_is_kept_until_it_changes(plain: Path, isolated_cache: Path) -> None:
    first = np.array(open_set(plain, 8).images)
    made = {path.name for path in (isolated_cache / "imported").iterdir()}
    open_set(plain, 8)
    assert {path.name for path in (isolated_cache / "imported").iterdir()} == made
    _paint(plain / "00.png", (255, 255, 255), (21, 21))
    assert not np.array_equal(first, open_set(plain, 8).images)


def test_an_import_reports_counts_and_can_be_cancelled(plain: Path, tmp_path: Path) -> None:
    (plain / "03.png").write_bytes(b"")
    heard: list[Progress] = []
    import_pictures(list_folder(plain), tmp_path / "out", 8, reporter=Reporter(heard.append))
    assert (heard[-1].done, heard[-1].total, heard[-1].values["unreadable"]) == (12, 12, 1)
    reporter = Reporter()
    reporter.cancel()
    with pytest.raises(Cancelled):
        import_pictures(list_folder(plain), tmp_path / "second", 8, reporter=reporter)
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it has 0 lines"),
        ("name,hat\n", "it has 1 lines"),
        ("file,hat\n00.png,no\n", "should have a column called name .*; it has file, hat"),
        ("name,hat,hat\n00.png,no,no\n", "title of its own"),
        ("name,hat\n00.png,no\n00.png,yes\n", r"line 3: 00\.png is listed twice"),
        ("name,hat\n00.png\n", "line 2: 2 cells are expected, found 1"),
        ("name,split\n00.png,exam\n", "line 2: split 'exam' should be one of train, validation, test"),
        ("name,hat\nother.png,no\n", "names none of the 12 pictures .* 'other.png' where there is '00.png'"),
    ],
)
def test_a_table_that_does_not_fit_is_named(plain: Path, text: str, words: str) -> None:
    _table(plain, text)
    with pytest.raises(DataError, match=words):
        open_set(plain, 8)


def test_a_table_in_another_encoding_is_named(plain: Path) -> None:
    _table(plain, "name,hut\n00.png,größer\n", "latin-1")
    with pytest.raises(DataError, match="not UTF-8"):
        list_folder(plain)


def test_a_folder_without_a_readable_picture_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no pictures \(\.png"):
        open_set(tmp_path, 8)
    (tmp_path / "broken.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"No picture of .* can be read. The first: broken\.png: .*0 bytes"):
        open_set(tmp_path, 8)
