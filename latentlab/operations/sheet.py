"""Pictures laid out on one sheet, and pictures in a row as a loop that plays."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from latentlab.errors import SettingsError
from latentlab.paths import bundled
from latentlab.whole_file import whole_file

GAP = 2
LOOP = 256
"""The least height and width of a loop, in pixels, where nobody says how large it should be."""
FILM = 512
"""The least height and width of a film, in pixels."""
LETTERS = 12
"""Height of the labels in pixels."""
LOOPS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".mp4": "MP4"}
"""What a loop can be saved as, by suffix; PNG is animated too, MP4 is a film that plays once."""


def sheet(pictures: Sequence[NDArray[np.uint8]], columns: int) -> Image.Image:
    """Lay pictures uint8 ``[S, S, 3]`` out row by row on white, with a small gap."""
    size = pictures[0].shape[0]
    cell, rows = size + GAP, -(-len(pictures) // columns)
    canvas = np.full((rows * cell - GAP, columns * cell - GAP, 3), 255, dtype=np.uint8)
    for k, picture in enumerate(pictures):
        y, x = (k // columns) * cell, (k % columns) * cell
        canvas[y : y + size, x : x + size] = picture
    return Image.fromarray(canvas)


def labelled(
    image: Image.Image, size: int, rows: Sequence[str] = (), columns: Sequence[str] = ()
) -> Image.Image:
    """Write labels beside the rows and above the columns of a `sheet` of pictures of that size."""
    if not rows and not columns:
        return image
    rows, columns = ([" ".join(label.split()) for label in labels] for labels in (rows, columns))  # one line
    font = ImageFont.truetype(bundled("resources", "fonts", "Inter-Regular.otf"), LETTERS)
    left = max((int(font.getlength(label)) for label in rows), default=0) + (8 if rows else 0)
    top = LETTERS + 8 if columns else 0
    canvas = Image.new("RGB", (left + image.width, top + image.height), "white")
    canvas.paste(image, (left, top))
    draw = ImageDraw.Draw(canvas)
    for k, label in enumerate(rows):
        draw.text((4, top + k * (size + GAP) + size / 2), label, fill="black", font=font, anchor="lm")
    for k, label in enumerate(columns):
        where = (left + k * (size + GAP) + size / 2, top / 2)
        draw.text(where, label, fill="black", font=font, anchor="mm")
    return canvas


def check_fps(kind: str, fps: float) -> None:
    """Make sure that a kind of `LOOPS` can show so many pictures a second; `SettingsError` if it cannot."""
    most = 50.0 if kind == "GIF" else 60.0
    if not 1.0 <= fps <= most:
        raise SettingsError(f"A loop shows 1 to {most:g} pictures a second as {kind}, not {fps:g}.")


def save_loop(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    fps: float = 12.0,
    enlarge: int | None = None,
    note: str = "",
) -> None:
    """Write pictures uint8 ``[S, S, 3]`` as a loop that plays for ever.

    Parameters
    ----------
    path
        Ends in ``.gif`` (256 colours), ``.webp`` (lossless), ``.png`` (animated PNG) or ``.mp4`` (H.264,
        which needs the extra ``video``; small pictures are enlarged to 512 pixels at least).
    fps
        Pictures a second, 1 to 60; GIF players show 50 at most.
    enlarge
        How many times larger the pictures become, their pixels as squares; without it, so many that they
        have `LOOP` pixels at least.
    note
        What the file says of itself, where players and viewers show such words.

    Raises
    ------
    SettingsError
        If the suffix is another, a number is out of range, the extra for films is not installed, or the
        file cannot be written.
    """
    kind = LOOPS.get(path.suffix.lower())
    if kind is None:
        raise SettingsError(f"A loop is saved as {', '.join(LOOPS)}; {path} ends in none of these.")
    check_fps(kind, fps)
    if enlarge is None:
        enlarge = min(16, -(-LOOP // pictures[0].shape[0]))
    if not 1 <= enlarge <= 16:
        raise SettingsError(f"Pictures are enlarged 1 to 16 times, not {enlarge}.")
    if kind == "MP4":
        _save_film(path, pictures, fps, enlarge, note)
        return
    frames = [Image.fromarray(np.kron(p, np.ones((enlarge, enlarge, 1), dtype=np.uint8))) for p in pictures]
    how = {"GIF": {"optimize": False}, "WEBP": {"lossless": True}, "PNG": {}}[kind]
    more = {**how, **(_told(kind, note) if note else {})}
    with whole_file(path) as part:
        frames[0].save(
            part,
            format=kind,
            save_all=True,
            append_images=frames[1:],
            duration=round(1000.0 / fps),
            loop=0,
            **more,
        )


def _told(kind: str, note: str) -> dict[str, Any]:
    """Return how a kind of `LOOPS` is told what it says of itself."""
    if kind == "GIF":
        return {"comment": note.encode()}
    if kind == "PNG":
        told = PngInfo()
        told.add_text("Description", note)
        return {"pnginfo": told}
    described = Image.Exif()
    described[ExifTags.Base.ImageDescription] = note
    return {"exif": described.tobytes()}


def _save_film(
    path: Path, pictures: Sequence[NDArray[np.uint8]], fps: float, enlarge: int, note: str
) -> None:
    """Write pictures as H.264, large enough and in even sizes, as players expect."""
    try:
        import av
    except ImportError:
        raise SettingsError(
            f"{path} was not saved: films need the extra “video”. Install it with pip install "
            "'latentlab-desktop[video]', or save the loop as .webp or .gif."
        ) from None
    size = pictures[0].shape[0]
    enlarge = max(enlarge, -(-FILM // size))
    side = size * enlarge + (size * enlarge) % 2
    with whole_file(path) as part, av.open(str(part), "w", format="mp4") as film:
        if note:
            film.metadata["comment"] = note
        stream = film.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "16", "preset": "medium"}
        for picture in pictures:
            large = Image.fromarray(picture).resize((side, side), Image.Resampling.NEAREST)
            frame = av.VideoFrame.from_ndarray(np.asarray(large), format="rgb24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
