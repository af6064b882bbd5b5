"""CelebA's official files open as they are downloaded; what does not fit is named, file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from latentlab.data.catalog import open_set
from latentlab.data.celeba import is_celeba, list_celeba
from latentlab.data.distribution import chosen_distribution
from latentlab.data.picture_list import import_pictures
from latentlab.data.resample import resample
from latentlab.data.set_folder import open_image_set
from latentlab.errors import DataError

ATTRIBUTES = ("5_o_Clock_Shadow", "Eyeglasses", "Male")
COUNT = 24


def _drawn(number: int, male: bool) -> Image.Image:
    """An aligned face of CelebA's size: a disc in the middle, with a frame that the crop cuts off."""
    picture = Image.new("RGB", (178, 218), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 177, 217), outline="red", width=14)
    draw.ellipse((49, 69, 129, 149), fill=(0, 0, 200) if male else (0, 200, 0))
    draw.line((80, 100, 80 + number, 100), fill="black", width=3)
    return picture


@pytest.fixture
def root(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).choice([-1, 1], (COUNT, len(ATTRIBUTES)))
    values[:, 2] = [-1, 1] * (COUNT // 2)
    (tmp_path / "img_align_celeba").mkdir()
    lines, partition = [str(COUNT), " ".join(ATTRIBUTES)], []
    for k in range(COUNT):
        name = f"{k + 1:06d}.jpg"
        _drawn(k, values[k, 2] == 1).save(tmp_path / "img_align_celeba" / name, quality=95)
        lines.append(name + " " + " ".join(f"{value:2d}" for value in values[k]))
        partition.append(f"{name} {0 if k < 16 else 1 if k < 20 else 2}")
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "list_eval_partition.txt").write_text("\n".join(partition) + "\n")
    return tmp_path


def test_the_official_layout_opens_with_attributes_and_splits(root: Path) -> None:
    celeba = open_set(root, 32)
    assert len(celeba) == COUNT
    assert [attribute.name for attribute in celeba.info.attributes] == list(ATTRIBUTES)
    assert celeba.attribute("Male").classes == ("no", "yes")
    assert celeba.attribute("Male").origin == "perceived"
    assert celeba.codes("Male").tolist() == [0, 1] * (COUNT // 2)
    assert [len(open_set(f"{root}:{split}", 32)) for split in ("train", "validation", "test")] == [16, 4, 4]
    assert "ICCV 2015" in celeba.info.credit


def test_the_usual_square_is_cut_out(root: Path) -> None:
    celeba = open_set(root, 148)
    picture = np.asarray(_drawn(0, male=False))[35:183, 15:163]
    assert np.abs(celeba.images[0].astype(int) - picture).mean() < 3
    red = (celeba.images[..., 0] > 150) & (celeba.images[..., 1] < 100)
    assert not red.any()


def test_the_authors_folders_and_the_common_copy_are_found(root: Path) -> None:
    for folder, name in (("Anno", "list_attr_celeba.txt"), ("Eval", "list_eval_partition.txt")):
        (root / folder).mkdir()
        (root / name).rename(root / folder / name)
    (root / "Img").mkdir()
    (root / "img_align_celeba").rename(root / "Img" / "img_align_celeba")
    assert len(list_celeba(root).names) == COUNT
    count, header, *lines = (root / "Anno" / "list_attr_celeba.txt").read_text().splitlines()
    rows = [",".join(line.split()) for line in lines]
    (root / "Anno" / "list_attr_celeba.txt").unlink()
    (root / "list_attr_celeba.csv").write_text("\n".join([",".join(["image_id", *header.split()]), *rows]))
    assert count == str(COUNT)
    assert list_celeba(root).labels["Male"].tolist() == [0, 1] * (COUNT // 2)


def test_rows_are_chosen_before_any_picture_is_read(root: Path, tmp_path: Path) -> None:
    listed = list_celeba(root)
    candidates = listed.as_set().split("train")
    chosen = resample(candidates, chosen_distribution(candidates, "male60"), 10, seed=1)
    for path in (root / "img_align_celeba").iterdir():
        if f"img_align_celeba/{path.name}" not in set(chosen.names[chosen.rows].tolist()):
            path.unlink()
    made = open_image_set(import_pictures(listed, tmp_path / "out", 16, chosen))
    assert made.info.unreadable == ()
    assert len(made) == 10
    assert made.codes("Male").sum() == 6
    assert made.info.source["resampled"]["distribution"] == "Male=no:0.4,yes:0.6"


def test_missing_and_damaged_pictures_are_listed_and_skipped(root: Path) -> None:
    (root / "img_align_celeba" / "000003.jpg").unlink()
    (root / "img_align_celeba" / "000005.jpg").write_bytes(b"")
    celeba = open_set(root, 16)
    assert len(celeba) == COUNT - 2
    missing, empty = celeba.info.unreadable
    assert missing.startswith("img_align_celeba/000003.jpg: There is no picture")
    assert "0 bytes" in empty
    assert celeba.names[2] == "img_align_celeba/000004.jpg"
    assert celeba.codes("Male")[2] == 1


def _replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new, 1))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda root: (root / "list_eval_partition.txt").unlink(),
            r"lacks CelebA's file list_eval_partition",
        ),
        (lambda root: (root / "list_attr_celeba.txt").write_text(""), r"list_attr_celeba\.txt is empty"),
        (lambda root: (root / "list_attr_celeba.txt").write_bytes(b"\xff\xfe\0"), "cannot be read"),
        (_replace("list_attr_celeba.txt", "24\n", "202599\n"), "states 202599 images but lists 24"),
        (_replace("list_attr_celeba.txt", "000002.jpg", "000001.jpg"), "lists 000001.jpg 2 times"),
        (
            _replace("list_attr_celeba.txt", "Eyeglasses Male", "Eyeglasses"),
            "should have 2 values of -1 or 1",
        ),
        (
            _replace("list_attr_celeba.txt", "000002.jpg", "000002.jpg 7"),
            "line of '000002.jpg' should have 3",
        ),
        (
            _replace("list_eval_partition.txt", "000002.jpg 0\n", ""),
            "lacks 1 of the 24 .* such as 000002.jpg",
        ),
        (_replace("list_eval_partition.txt", "000002.jpg 0", "000002.jpg 5"), "a name and 0, 1 or 2"),
        (lambda root: (root / "img_align_celeba").rename(root / "pictures"), "not the images they name"),
    ],
)
def test_what_does_not_fit_is_named(root: Path, change: Callable[[Path], None], words: str) -> None:
    assert is_celeba(root)
    change(root)
    with pytest.raises(DataError, match=words):
        open_set(root, 16)


def test_a_packed_archive_is_noticed(root: Path) -> None:
    (root / "img_align_celeba").rename(root / "other")
    (root / "img_align_celeba.zip").touch()
    with pytest.raises(DataError, match="still packed"):
        list_celeba(root)
