"""A search as a sheet of all its restarts, and as a loop that plays it back; both say what they are."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latentlab.errors import SettingsError
from latentlab.operations.captioned_sheet import Line, captioned_sheet
from latentlab.operations.search_events import SearchStep
from latentlab.operations.search_plan import NOTE, STATUSES, UNDER
from latentlab.operations.search_result import PictureSearch, Restart
from latentlab.operations.search_target import small_picture
from latentlab.operations.sheet import LOOPS, check_fps, save_loop
from latentlab.paths import bundled
from latentlab.whole_file import whole_file

ROW = 4
"""Restarts beside one another on a sheet."""
FRAMES = 60
"""Pictures of a loop, about."""
_CELL, _CAPTION, _LETTERS, _HOLD = 160, 20, 12, 12
_LEAST = 96  # of a restart's picture in a loop, in pixels

Picture = NDArray[np.uint8]


def search_figure(found: PictureSearch) -> Image.Image:
    """Paint the target, and every restart or draw: its picture, that reduced, its distance, how it ended."""
    size = found.restarts[0].pixels.shape[0]
    target = enlarged(found.target.shown(), size)
    source = found.target.source
    begin = [target] if source is None else [target, source]
    names = [["searched for"]] if source is None else [["searched for"], ["the picture reduced"]]
    lines = [Line("", begin, names)]
    for start in range(0, len(found.restarts), ROW):
        part = found.restarts[start : start + ROW]
        pictures = [one.pixels for one in part]
        words = [_words(found, one) for one in part]
        reduced = [enlarged(small_picture(one.found.observed), size) for one in part]
        lines.append(Line("", pictures, words))
        lines.append(Line("reduced", reduced))
    settings = found.settings
    count = len(found.restarts)
    if found.sampling is None:
        said = (
            f"{len(found.under)} of {count} restarts under eps = {found.eps.value:.3g} ({found.eps.source})"
        )
    else:
        said = f"{count} draws of a posterior are shown. {found.sampling.text()}"
    note = (
        f"{said}. Mean squared errors of the reduced pictures; observed: "
        f"{settings.observation.words(size)}. Nothing of an original is recovered: what is not in the small "
        f"picture is invented by the model."
    )
    title = f"{found.target.name or 'Latent search'}: {NOTE}"
    return captioned_sheet(lines, title, note, _CELL)


def _words(found: PictureSearch, one: Restart) -> list[str]:
    ended = one.status if found.sampling is None else f"proposal {one.found.steps}"
    words = [f"seed {one.seed}: {one.distance:.2e}", ended]
    for attribute in () if found.predictor is None else found.predictor.attributes:
        if attribute.classes and attribute.name in one.attributes:
            label = attribute.classes[int(np.argmax(one.attributes[attribute.name]))]
            words.append(f"{attribute.name}: {label}".replace("_", " "))
    return words


def enlarged(small: Picture, size: int) -> Picture:
    """Return a small picture at another size, its pixels as squares."""
    return np.array(Image.fromarray(small).resize((size, size), Image.Resampling.NEAREST))


def save_picture(path: Path, picture: Picture) -> None:
    """Save a picture uint8 ``[H, W, 3]`` as PNG with the line of `NOTE` in its description.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_text("Description", NOTE)
    with whole_file(path) as part:
        Image.fromarray(picture).save(part, "PNG", pnginfo=told)


class SearchLoop:
    """Collects the frames of a search while it goes on: all restarts of one target side by side.

    Parameters
    ----------
    target
        The small picture, uint8 ``[side, side, 3]``.
    steps
        How many steps there will be at most, for how often a frame is taken.
    eps
        The distance to reach; None for a posterior's chains, which reach none.
    """

    def __init__(self, target: Picture, steps: int, eps: float | None) -> None:
        self._target, self._eps = target, eps
        self.every = max(1, steps // FRAMES)
        """How often pictures are needed: `show_every` of the search."""
        self._frames: list[Picture] = []
        self._font = ImageFont.truetype(bundled("resources", "fonts", "Inter-Regular.otf"), _LETTERS)

    def add(self, step: SearchStep) -> None:
        """Take a frame of a step that has pictures."""
        if step.pictures is not None:
            self._frames.append(self._frame(step))

    def save(self, path: Path, fps: float = 12.0) -> None:
        """Write the loop (`latentlab.operations.sheet.save_loop`), its end held for a moment.

        Raises
        ------
        SettingsError
            If nothing was collected, or it cannot be written.
        """
        if not self._frames:
            raise SettingsError("There is no search to play back: it made no step.")
        frames = [*self._frames, *[self._frames[-1]] * _HOLD]
        save_loop(path, frames, fps, 1, NOTE)

    def _frame(self, step: SearchStep) -> Picture:
        assert step.pictures is not None
        n, size = len(step.pictures), step.pictures.shape[1]
        cell = size * -(-_LEAST // size)
        columns = int(np.ceil(np.sqrt(n + 1)))
        rows = -(-(n + 1) // columns)
        height = rows * (cell + _CAPTION)
        side = max(columns * cell, height + 2 * _CAPTION, int(self._font.getlength(NOTE)) + 8)
        side += side % 2
        canvas = Image.new("RGB", (side, side), "white")
        draw = ImageDraw.Draw(canvas)
        shown = [enlarged(self._target, size), *step.pictures]
        words = ["searched for"]
        for distance, status in zip(step.best, step.statuses, strict=True):
            words.append(f"{distance:.1e}" + (" ✓" if status == UNDER else ""))
        for place, (picture, said) in enumerate(zip(shown, words, strict=True)):
            x, y = (place % columns) * cell, (place // columns) * (cell + _CAPTION)
            canvas.paste(Image.fromarray(enlarged(picture, cell)), (x, y))
            where = (x + cell / 2, y + cell + _CAPTION / 2)
            draw.text(where, said, fill="black", font=self._font, anchor="mm")
        under = int((step.statuses == UNDER).sum())
        told = f"step {step.step} of a posterior's {n} chains"
        if self._eps is not None:
            told = f"step {step.step}: {under} of {n} {STATUSES[UNDER]} = {self._eps:.3g}"
        draw.text((4, height + _CAPTION / 2), told, fill="black", font=self._font, anchor="lm")
        draw.text((4, height + 1.5 * _CAPTION), NOTE, fill="black", font=self._font, anchor="lm")
        return np.array(canvas)


def check_loop(path: Path | None, count: int, fps: float = 12.0) -> None:
    """Make sure before long work that a loop can be saved; None stands for no loop.

    Raises
    ------
    SettingsError
        If its suffix or the pictures a second cannot be, the extra for films is missing, its folder does not
        exist, or there is no picture to search for.
    """
    if path is None:
        return
    if path.suffix.lower() not in LOOPS:
        raise SettingsError(f"A loop is saved as {', '.join(LOOPS)}; {path} ends in none of these.")
    check_fps(LOOPS[path.suffix.lower()], fps)
    if path.suffix.lower() == ".mp4" and find_spec("av") is None:
        raise SettingsError(
            f"{path} cannot be saved: films need the extra “video”. Install it with pip install "
            "'latentlab-desktop[video]', or save the loop as .webp or .gif."
        )
    if not path.parent.is_dir():
        raise SettingsError(f"The loop {path} cannot be written: its folder does not exist.")
    if not count:
        raise SettingsError("There is no search whose loop could be saved.")


def loop_of(path: Path, name: str, count: int) -> Path:
    """Return where a picture's loop goes: to the path itself, with its name where there are several."""
    return path if count == 1 else path.with_name(f"{path.stem}-{name}{path.suffix}")
