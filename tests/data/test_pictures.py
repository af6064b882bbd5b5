"""Every picture a user may bring in is read rightly, or refused with a message that says why."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.data.pictures import (
    MAX_PIXELS,
    MAX_SIDE,
    read_picture,
    read_picture_bytes,
    square_picture,
)
from latentlab.errors import ImageError

GRADIENT = np.stack(np.meshgrid(np.arange(0, 240, 10), np.arange(0, 200, 10), indexing="xy"), axis=-1)
RGB = np.concatenate([GRADIENT, np.full((20, 24, 1), 90)], axis=-1).astype(np.uint8)


def _bytes(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _png16(values: np.ndarray, extra: bytes = b"") -> bytes:
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return _png(width, height, 16, {1: 0, 3: 2, 4: 6}[channels], rows, extra)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_a_lossless_picture_comes_back_to_the_bit(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"picture.{kind.lower()}"
    path.write_bytes(_bytes(Image.fromarray(RGB), kind))
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert picture.notes == ()
    assert picture.name == path.name


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_lossy_picture_comes_back_nearly(kind: str) -> None:
    picture = read_picture_bytes(_bytes(Image.fromarray(RGB), kind, quality=95))
    assert picture.pixels.shape == RGB.shape
    assert np.abs(picture.pixels.astype(int) - RGB).mean() < 6


def test_missing_folder_and_empty_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no picture .*absent\.png"):
        read_picture(tmp_path / "absent.png")
    with pytest.raises(ImageError, match="is a folder"):
        read_picture(tmp_path)
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match=r"empty\.png is empty \(0 bytes\)"):
        read_picture(tmp_path / "empty.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="device or pipe"):
        read_picture(tmp_path / "pipe.png")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"just some words\n", "holds text, not a picture"),
        ("größer und kürzer, ".encode() * 60, "holds text, not a picture"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "vector drawing"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (bytes(range(256)) * 4, "no known picture format"),
        (b"\x89PNG\r\n", "truncated"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "called.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=words) as caught:
        read_picture(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_never_shown_half(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = _bytes(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match=r"truncated|damaged"):
        read_picture_bytes(data[: int(len(data) * share)], "cut")


@pytest.mark.parametrize("side", [20_001, 30_000])
def test_an_absurd_size_is_refused_before_decoding(side: int) -> None:
    """The files hold no pixels at all: only a check of the header can tell this from damage."""
    with pytest.raises(ImageError, match=f"limit of {MAX_PIXELS:,} pixels and {MAX_SIDE:,} a side"):
        read_picture_bytes(_png(side, side, 8, 2, b""), "huge")
    with pytest.raises(ImageError, match=f"{side:,} x 2 pixels"):
        read_picture_bytes(_png(side, 2, 8, 2, b""), "wide")


def test_the_limit_itself_is_about_pixels() -> None:
    with pytest.raises(ImageError, match=r"9,500 x 9,000 pixels"):
        read_picture_bytes(_png(9_500, 9_000, 8, 2, b""), "just over")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_used_and_said(kind: str) -> None:
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "green", "blue")]
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
    picture = read_picture_bytes(_bytes(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert (picture.pixels == (255, 0, 0)).all()
    assert "It has 3 frames; the first is used." in picture.notes


def test_of_a_document_the_first_page_is_used_and_said() -> None:
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    picture = read_picture_bytes(_bytes(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert (picture.pixels == (255, 0, 0)).all()
    assert "It has 2 pages; the first is used." in picture.notes


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_put_on_white_and_said(mode: str) -> None:
    layer = np.zeros((8, 8, 4), dtype=np.uint8)
    layer[:, 4:, 3] = 255
    source = Image.fromarray(layer)
    if mode == "P":
        source = source.quantize(4)
    data = _bytes(source.convert(mode) if mode != "P" else source, "PNG")
    picture = read_picture_bytes(data)
    assert (picture.pixels[:, :4] == 255).all()
    assert (picture.pixels[:, 4:] == 0).all()
    assert picture.notes == ("Transparent parts were put on white.",)


def test_half_transparent_red_on_white_is_pink() -> None:
    data = _bytes(Image.new("RGBA", (4, 4), (255, 0, 0, 128)), "PNG")
    assert np.abs(read_picture_bytes(data).pixels[0, 0].astype(int) - (255, 127, 127)).max() <= 1


def test_an_opaque_alpha_channel_needs_no_note() -> None:
    assert read_picture_bytes(_bytes(Image.fromarray(RGB).convert("RGBA"), "PNG")).notes == ()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_scaled_and_not_clipped(channels: int) -> None:
    values = np.tile(np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None], (4, 1, channels))
    if channels == 4:
        values[..., 3] = 65535
    picture = read_picture_bytes(_png16(values))
    expected = np.rint(values[..., :3] / 257.0) * np.ones(3)
    assert np.abs(picture.pixels - expected).max() <= 1
    assert picture.notes == ("It has more than 8 bits a channel; they were reduced to 8.",)


def test_16_bit_tiff_and_transparent_16_bit_grey() -> None:
    values = np.array([[0, 257, 30000, 65535]], dtype=np.uint16)
    picture = read_picture_bytes(_bytes(Image.fromarray(values), "TIFF"))
    assert picture.pixels[0, :, 0].tolist() == [0, 1, 117, 255]
    clear = read_picture_bytes(_png16(values[..., None], _chunk(b"tRNS", struct.pack(">H", 30000))))
    assert clear.pixels[0, :, 0].tolist() == [0, 1, 255, 255]
    assert "Transparent parts were put on white." in clear.notes


def test_floating_point_pixels_are_zero_to_one_or_refused() -> None:
    values = np.array([[0.0, 0.5, 1.0]], dtype=np.float32)
    assert read_picture_bytes(_bytes(Image.fromarray(values), "TIFF")).pixels[0, :, 1].tolist() == [
        0,
        128,
        255,
    ]
    with pytest.raises(ImageError, match="values from 0 to 90"):
        read_picture_bytes(_bytes(Image.fromarray(values * 90), "TIFF"))


def test_cmyk_palette_grey_and_bilevel_become_rgb() -> None:
    cmyk = read_picture_bytes(_bytes(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"))
    assert (cmyk.pixels == (255, 0, 0)).all()
    assert any("CMYK" in note for note in cmyk.notes)
    jpeg = read_picture_bytes(_bytes(Image.new("CMYK", (8, 8), (255, 0, 255, 0)), "JPEG"))
    assert np.abs(jpeg.pixels[0, 0].astype(int) - (0, 255, 0)).max() < 12
    palette = read_picture_bytes(_bytes(Image.new("RGB", (8, 8), (10, 200, 30)).quantize(4), "PNG"))
    assert (palette.pixels == (10, 200, 30)).all()
    grey = read_picture_bytes(_bytes(Image.new("L", (8, 8), 77), "PNG"))
    assert (grey.pixels == 77).all()
    bilevel = read_picture_bytes(_bytes(Image.new("1", (8, 8), 1), "PNG"))
    assert (bilevel.pixels == 255).all()
    assert palette.notes == grey.notes == bilevel.notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_orientation_is_applied(orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = Image.fromarray(RGB)
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_picture_bytes(_bytes(stored, "PNG", exif=exif.tobytes()))
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert ("It was turned upright as its camera noted." in picture.notes) == (orientation > 1)


def test_odd_metadata_does_no_harm() -> None:
    """Pillow warns of such EXIF data, and a warning is an error in these tests."""
    data = _bytes(Image.fromarray(RGB), "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01\x12")
    np.testing.assert_array_equal(read_picture_bytes(data).pixels, RGB)


def test_an_icon_gives_its_largest_picture() -> None:
    data = _bytes(Image.new("RGB", (64, 64), "blue"), "ICO", sizes=[(16, 16), (64, 64)])
    assert read_picture_bytes(data).pixels.shape == (64, 64, 3)


def test_a_picture_of_one_pixel_is_a_picture() -> None:
    assert read_picture_bytes(_bytes(Image.new("RGB", (1, 1), "red"), "PNG")).pixels.tolist() == [
        [[255, 0, 0]]
    ]


def test_the_centre_square_is_cut_and_areas_averaged() -> None:
    wide = np.zeros((64, 100, 3), dtype=np.uint8)
    wide[:, 18:82] = np.random.default_rng(1).integers(0, 256, (64, 64, 3))
    square = square_picture(wide, 32)
    mean = wide[:, 18:82].reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    assert square.shape == (32, 32, 3)
    assert np.abs(square - mean).max() <= 1
    np.testing.assert_array_equal(square_picture(wide, 64), wide[:, 18:82])
    np.testing.assert_array_equal(square_picture(wide, 20, crop=20), wide[22:42, 40:60])


def test_resizing_fine_stripes_does_not_alias() -> None:
    stripes = np.zeros((150, 150, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(square_picture(stripes, 64)[:, 2:-2]) < 40
    assert square_picture(stripes[:5, :5], 64).shape == (64, 64, 3)
