"""Reading one picture of a user's: any common format, and every bad input as a clear `ImageError`.

`read_picture` (a file) and `read_picture_bytes` (what was dropped or pasted) return a `Picture`: RGB
pixels, and *notes* that say in a sentence each what was done to get them (the first frame of an
animation was used, transparent parts were put on white, 16 bits were reduced to 8). A size is checked
against `MAX_PIXELS` and `MAX_SIDE` in the file's header, before anything is decoded. Embedded colour
profiles are not applied. `square_picture` cuts and resizes to what a model sees.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from latentlab.errors import ImageError

MAX_PIXELS = 80_000_000
"""Pictures of more pixels than this are refused."""
MAX_SIDE = 20_000
"""Pictures that are wider or higher than this are refused."""
MAX_BYTES = 512 * 2**20
"""Files larger than this are refused unread."""
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".avif")
"""What files of pictures are called; a folder's other files are not taken for pictures."""

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "AVIF", "ICO", "JPEG2000")
_LIMIT = f"the limit of {MAX_PIXELS:,} pixels and {MAX_SIDE:,} a side. Make it smaller first."
_READABLE = "PNG, JPEG, WebP, BMP, GIF, TIFF, PPM, ICO, AVIF or JPEG 2000"


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture as it was read.

    Parameters
    ----------
    pixels
        Uint8 ``[H, W, 3]``, RGB.
    notes
        What a person should know of how these pixels came about, one sentence each.
    name
        The file's name, or where the bytes came from.
    """

    pixels: NDArray[np.uint8]
    notes: tuple[str, ...] = ()
    name: str = ""


def read_picture(path: Path | str) -> Picture:
    """Read a picture file.

    Raises
    ------
    ImageError
        If the file is missing, a folder, empty, too large, truncated, damaged, or not a picture of a
        format that is read. The message names the file and what to do.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder; choose a picture in it.")
        if not path.exists():
            raise ImageError(f"There is no picture {path}; check the name and the folder.")
        if not path.is_file():
            raise ImageError(f"{path} is a device or pipe; choose a picture file.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ImageError(
                f"{path} is {size / 2**20:,.0f} MiB large; pictures up to {MAX_BYTES // 2**20} MiB are read."
            )
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}.") from None
    picture = read_picture_bytes(data, str(path))
    return Picture(picture.pixels, picture.notes, path.name)


def read_picture_bytes(data: bytes, name: str = "the pasted picture") -> Picture:
    """Read a picture from the bytes of its file; ``name`` stands for it in messages.

    Raises
    ------
    ImageError
        As for `read_picture`.
    """
    if not data:
        raise ImageError(f"{name} is empty (0 bytes); save or copy the picture again.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"{name} is larger than {MAX_BYTES // 2**20} MiB, the most that is read.")
    # Pillow warns on the terminal; here a huge picture is an error and odd metadata does no harm.
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                _check_size(picture)
                pixels, notes = _decode(picture, data)
        except ImageError as error:
            raise ImageError(f"{name} {error}") from None
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise ImageError(f"{name} has more than {_LIMIT}") from None
        except UnidentifiedImageError:
            raise ImageError(f"{name} {_what_it_is(data)}") from None
        except Exception as error:  # a damaged file raises whatever its decoder stumbles over
            what = str(error) or type(error).__name__
            raise ImageError(f"{name} is truncated or damaged: {what}. Save or copy it again.") from None
    return Picture(pixels, tuple(notes), name)


def square_picture(pixels: NDArray[np.uint8], size: int, crop: int | None = None) -> NDArray[np.uint8]:
    """Cut the centre square out and resize it without aliasing.

    Parameters
    ----------
    pixels
        Uint8 ``[H, W, 3]`` of any size.
    size
        Height and width wanted, in pixels.
    crop
        Side of the square that is cut out, in pixels; the largest one without it.

    Returns
    -------
    numpy.ndarray
        Uint8 ``[size, size, 3]``. Where the square is a whole multiple of ``size`` areas are averaged,
        which is how the bundled faces were reduced; otherwise the filter is Lanczos'.
    """
    height, width = pixels.shape[:2]
    side = min(height, width, crop or height)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    if side == size:
        return square
    resampling = Image.Resampling.LANCZOS if side % size else Image.Resampling.BOX
    return np.array(Image.fromarray(square).resize((size, size), resampling))


def _check_size(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageError(f"has {width:,} x {height:,} pixels, which is more than {_LIMIT}")
    if not width * height:
        raise ImageError(f"has no pixels ({width} x {height}).")


def _decode(picture: Image.Image, data: bytes) -> tuple[NDArray[np.uint8], list[str]]:
    notes = []
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # an MPO is a photograph with its own preview
        kind = "pages" if picture.format == "TIFF" else "frames"
        notes.append(f"It has {frames} {kind}; the first is used.")
        picture.seek(0)
    if picture.format == "ICO":
        picture.size = max(picture.info.get("sizes", {picture.size}))  # type: ignore[misc]
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    if picture.getexif().get(0x0112, 1) in range(2, 9):
        notes.append("It was turned upright as its camera noted.")
    if _bits(picture, data) > 8:
        notes.append("It has more than 8 bits a channel; they were reduced to 8.")
    if upright.mode in ("F", "I") or upright.mode.startswith("I;"):
        return _from_deep_grey(upright, notes), notes
    if upright.mode == "CMYK":
        notes.append("It is in printing colours (CMYK), converted without a colour profile.")
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        if np.asarray(layer.getchannel("A")).min() < 255:
            notes.append("Transparent parts were put on white.")
        ground = Image.new("RGBA", layer.size, "white")
        upright = Image.alpha_composite(ground, layer)
    return np.array(upright.convert("RGB")), notes


def _from_deep_grey(picture: Image.Image, notes: list[str]) -> NDArray[np.uint8]:
    """Scale one channel of 16-bit or floating-point values to 0-255, uint8 ``[H, W, 3]``."""
    values = np.asarray(picture).astype(np.float64)
    full = 1.0 if picture.mode == "F" else 65535.0
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > full:
        raise ImageError(
            f"has values from {values.min():g} to {values.max():g}, where 0 to {full:g} is expected; "
            "save it as an 8-bit or 16-bit picture."
        )
    grey = np.rint(values / full * 255.0).astype(np.uint8)
    clear = picture.info.get("transparency")
    if isinstance(clear, int) and (values == clear).any():
        grey[values == clear] = 255
        notes.append("Transparent parts were put on white.")
    return np.repeat(grey[..., None], 3, axis=2)


def _bits(picture: Image.Image, data: bytes) -> int:
    """Return the bits a channel that the file stores; Pillow itself keeps only the high 8 of colours."""
    if picture.format == "PNG":
        return data[24]
    if picture.format == "TIFF":
        return max(int(bits) for bits in picture.tag_v2.get(258, (8,)))  # type: ignore[attr-defined]
    if picture.format == "PPM" and picture.mode.startswith("I"):
        return 16
    return 8


def _what_it_is(data: bytes) -> str:
    """Say what bytes that no decoder recognises are, and what to do."""
    start = data[:512].lstrip()
    advice = f"Choose a picture as {_READABLE}."
    if data.startswith((b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF", b"II*\0", b"MM\0*", b"BM")):
        return "is truncated or damaged: its header breaks off. Save or copy it again."
    if start.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the picture itself; fetch it with `git lfs pull`."
    if start[:200].lower().find(b"<svg") >= 0:
        return f"is a vector drawing (SVG), which is not read. {advice}"
    if start.startswith(b"<"):
        return "is a web page, not a picture; download the picture itself."
    if start.startswith(b"%PDF"):
        return f"is a PDF document, which is not read. {advice}"
    if data[4:8] == b"ftyp":
        return f"is a HEIC picture or a film, which is not read. {advice}"
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(start) - 4:
            return f"is of no known picture format. {advice}"
    return f"holds text, not a picture. {advice}" if b"\0" not in start else f"is no picture. {advice}"
