"""Sheets and loops: where each picture stands, what is written beside it, what players read back."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.errors import SettingsError
from latentlab.operations.sheet import FILM, GAP, LOOPS, labelled, save_loop, sheet


@pytest.fixture
def pictures() -> list[np.ndarray]:
    """Five plain pictures of 16 pixels, each of another brightness."""
    return [np.full((16, 16, 3), 40 * k, dtype=np.uint8) for k in range(1, 6)]


def test_each_picture_stands_in_its_place_on_white(pictures) -> None:
    found = np.array(sheet(pictures, 3))
    assert found.shape == (2 * 16 + GAP, 3 * 16 + 2 * GAP, 3)
    for k, picture in enumerate(pictures):
        y, x = (k // 3) * (16 + GAP), (k % 3) * (16 + GAP)
        np.testing.assert_array_equal(found[y : y + 16, x : x + 16], picture)
    assert (found[18:, 36:] == 255).all(), "the place of the sixth is empty"
    assert (found[:, 16 : 16 + GAP] == 255).all()


def test_labels_make_room_and_leave_the_pictures_as_they_are(pictures) -> None:
    plain = sheet(pictures, 3)
    assert labelled(plain, 16) is plain
    found = labelled(plain, 16, ["low: 1.0", "a name\nof two lines"], ["a", "b", ""])
    left, top = found.width - plain.width, found.height - plain.height
    assert left > 8
    assert top > 8
    np.testing.assert_array_equal(np.array(found)[top:, left:], np.array(plain))
    assert (np.array(found)[top:, :left] < 128).any(), "the rows' names are written"
    assert (np.array(found)[:top] < 128).any()


@pytest.mark.parametrize("suffix", [suffix for suffix in LOOPS if suffix != ".mp4"])
@pytest.mark.parametrize("enlarge", [1, 3])
def test_a_loop_is_read_back_picture_by_picture(pictures, suffix: str, enlarge: int, tmp_path: Path) -> None:
    path = tmp_path / f"loop{suffix}"
    save_loop(path, pictures, fps=20, enlarge=enlarge)
    with Image.open(path) as loop:
        assert loop.n_frames == 5
        for k, picture in enumerate(pictures):
            loop.seek(k)
            found = np.array(loop.convert("RGB"))
            assert found.shape == (16 * enlarge, 16 * enlarge, 3)
            assert np.abs(found[::enlarge, ::enlarge].astype(int) - picture).max() <= 1
        assert loop.info["duration"] == pytest.approx(50)
        assert loop.info.get("loop", 0) == 0


@pytest.mark.parametrize(("side", "expected"), [(16, 256), (64, 256), (100, 300), (300, 300), (8, 128)])
def test_a_loop_is_large_enough_to_be_seen_where_nobody_says_how_large(
    side: int, expected: int, tmp_path: Path
) -> None:
    frames = [np.full((side, side, 3), 90 * k, dtype=np.uint8) for k in range(2)]
    save_loop(tmp_path / "loop.gif", frames)
    with Image.open(tmp_path / "loop.gif") as loop:
        assert loop.size == (expected, expected)


@pytest.mark.parametrize(
    ("side", "enlarge", "expected"), [(16, 1, FILM), (17, 1, 528), (600, 1, 600), (32, 32, 0)]
)
def test_a_film_is_large_enough_even_and_as_fast_as_asked(
    side: int, enlarge: int, expected: int, tmp_path: Path
) -> None:
    import av

    path = tmp_path / "film.mp4"
    frames = [np.full((side, side, 3), 40 * k, dtype=np.uint8) for k in range(1, 5)]
    if not expected:
        with pytest.raises(SettingsError, match="1 to 16 times"):
            save_loop(path, frames, fps=8, enlarge=enlarge)
        return
    save_loop(path, frames, fps=8, enlarge=enlarge)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == 8
        found = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(found) == 4
    for frame, picture in zip(found, frames, strict=True):
        assert frame.shape[0] == frame.shape[1] == expected
        assert frame.shape[0] % 2 == 0
        assert abs(int(frame[8, 8, 0]) - int(picture[0, 0, 0])) <= 6


def test_a_film_without_its_extra_says_what_to_install(pictures, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SettingsError, match=r"latentlab-desktop\[video\]"):
        save_loop(tmp_path / "film.mp4", pictures)
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize("suffix", LOOPS)
def test_a_loop_that_cannot_be_written_says_where(pictures, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "no folder" / f"loop{suffix}"
    with pytest.raises(SettingsError, match="cannot be written"):
        save_loop(path, pictures)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("loop.avi", {}, ".gif, .webp, .png, .mp4"),
        ("loop.gif", {"fps": 51}, "1 to 50 pictures a second as GIF"),
        ("loop.webp", {"fps": 61}, "1 to 60 pictures a second as WEBP"),
        ("loop.mp4", {"fps": 0.5}, "1 to 60 pictures a second as MP4"),
        ("loop.png", {"enlarge": 0}, "1 to 16 times"),
    ],
)
def test_numbers_and_formats_that_cannot_be_are_refused(
    pictures, name: str, settings: dict[str, float], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=message):
        save_loop(tmp_path / name, pictures, **settings)
    assert not (tmp_path / name).exists()
