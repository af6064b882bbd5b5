"""``latentlab data`` makes sets in any mixture and shows them; bad input is one line and status 2."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.cli.main import run
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet

Captured = pytest.CaptureFixture[str]


def test_make_faces_in_a_mixture_and_show_it(tiny_faces: ImageSet, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "light"
    arguments = ["--size", "32", "--preset", "light90", "--ratio", "glasses=yes:0.2", "--n", "500"]
    assert run(["data", "make", "faces", str(out), *arguments, "--seed", "3", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["command"] == "data make faces"
    assert record["data"] == {"path": str(out), "n": 500 + 2048 + 2048}
    assert record["settings"]["splits"]["train"] == 500
    assert run(["data", "show", f"{out}:train", "--size", "32", "--by", "gender,race", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    light = shown["metrics"]["share.race=asian"]["value"] + shown["metrics"]["share.race=white"]["value"]
    assert light == pytest.approx(0.9)
    assert shown["metrics"]["share.glasses=yes"]["value"] == pytest.approx(0.2)
    assert len(shown["groups"]) == 8
    assert shown["seed"] == 0
    np.testing.assert_array_equal(
        open_set(f"{out}:test", 32).pixels(slice(0, 9)), open_set("faces:test", 32).pixels(slice(0, 9))
    )


def test_the_same_seed_makes_the_same_set(tiny_faces: ImageSet, tmp_path: Path, capsys: Captured) -> None:
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        command = ["data", "make", "faces", str(tmp_path / name), "--size", "32", "--n", "40", "--seed", seed]
        assert run(command) == 0
    files = {name: (tmp_path / name / "images.npy").read_bytes() for name in "abc"}
    assert files["a"] == files["b"] != files["c"]


def test_make_avatars(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "people"
    options = ["--styles", "lorelei, pixel-art", "--identities", "20,2,2", "--size", "16"]
    assert run(["data", "make", "avatars", str(out), *options, "--ratio", "beard=yes:0.5", "--n", "6"]) == 0
    printed = capsys.readouterr().out
    assert f"Written to {out}" in printed
    assert "Lisa Wischofsky" in printed
    assert len(open_set(f"{out}:train", 16)) == 6
    assert len(open_set(f"{out}:test", 16)) == 4


def test_make_robots(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "robots"
    options = ["--identities", "20,2,2", "--size", "24", "--ratio", "quality=low:0.25", "--n", "8", "--json"]
    assert run(["data", "make", "robots", str(out), *options]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["command"] == "data make robots"
    assert record["settings"]["splits"] == {"train": 8, "validation": 4, "test": 4}
    assert open_set(f"{out}:train", 24).codes("quality").sum() == 2


def test_make_folder_skips_and_says_what_it_cannot_read(tmp_path: Path, capsys: Captured) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for k in range(4):
        Image.new("RGB", (12, 12), (50 * k, 0, 0)).save(pictures / f"{k}.png")
    (pictures / "3.png").write_bytes(b"")
    assert run(["data", "make", "folder", str(pictures), str(tmp_path / "set"), "--size", "8"]) == 0
    printed = capsys.readouterr().out
    assert "1 pictures were skipped: 3.png:" in printed
    assert run(["data", "make", "folder", str(pictures), str(pictures / "set")]) == 2
    assert "would lie among the pictures" in capsys.readouterr().err


def test_show_writes_a_contact_sheet(tiny_faces: ImageSet, tmp_path: Path, capsys: Captured) -> None:
    sheet = tmp_path / "sheet.png"
    command = [
        "data",
        "show",
        "faces:test",
        "--size",
        "32",
        "--out",
        str(sheet),
        "--by",
        "race",
        "--columns",
        "4",
    ]
    assert run(command) == 0
    assert f"Contact sheet written to {sheet}" in capsys.readouterr().out
    with Image.open(sheet) as picture:
        assert picture.height == 4 * 50 + 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "fases"], "no image set 'fases'"),
        (["show", "faces:test", "--size", "32", "--by", "hat"], "no attribute 'hat'"),
        (["make", "faces", "{out}", "--size", "32", "--preset", "half"], "no preset 'half'"),
        (["make", "faces", "{out}", "--size", "32", "--ratio", "gender"], "should look like"),
        (
            ["make", "faces", "{out}", "--size", "32", "--preset", "narrow", "--n", "8000"],
            "too few for 8,000",
        ),
        (["make", "faces", "{out}", "--size", "32", "--split", "exam", "--n", "5"], "not 'exam'"),
        (["make", "faces", "{out}", "--size", "300"], "ask for 8 to 128"),
        (["make", "avatars", "{out}", "--identities", "many"], "three numbers"),
        (["make", "avatars", "{out}", "--styles", "cubism"], "no avatar style 'cubism'"),
        (["make", "robots", "{out}", "--size", "16"], "drawn at 24 to 512 px, not 16"),
        (["make", "robots", "{out}", "--preset", "light90"], "race"),
        (["make", "celeba", "{out}", "{out}"], "There is no folder"),
        (["make", "folder", "{tmp}", "{out}"], "holds no pictures"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tiny_faces: ImageSet, tmp_path: Path, capsys: Captured, arguments: list[str], words: str
) -> None:
    filled = [part.format(out=tmp_path / "out", tmp=tmp_path) for part in arguments]
    assert run(["data", *filled]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_persons_own_folder_is_never_replaced(
    tiny_faces: ImageSet, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    assert run(["data", "make", "faces", str(tmp_path), "--size", "32"]) == 2
    assert "holds other things (letter.txt)" in capsys.readouterr().err
    assert (tmp_path / "letter.txt").read_text() == "dear"
