"""Makes the README's pictures and its animation from the real window, without a display.

Run ``python docs/make_pictures.py`` to make all, or name some: ``python docs/make_pictures.py search
sliders``. Each picture is a list of words as lessons use them (``latentlab lessons steps`` lists them), done
in a window of its own; the study and the training that two of them show are small and made here, in a few
minutes. With ``--runs FOLDER`` the training is kept, and not made again.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from latentlab.session.lesson_words.vocabulary import word_of
from latentlab.session.lesson_words.word import Stage
from latentlab.ui.app import WindowOptions, application, create_window
from latentlab.ui.gui_thread import GuiThread
from latentlab.ui.main_window import MainWindow

HERE = Path(__file__).resolve().parent
SIZE = (1280, 800)
LONGEST = 1800.0
"""Seconds after which nothing is waited for any more."""
STILL = 1.0
"""Seconds in which nothing changes before a picture is taken."""
Words = list[dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Picture:
    """What a picture shows: a screen after some words, in a scheme, and what is begun there."""

    screen: str
    words: Words = field(default_factory=list)
    view: str = ""
    scheme: str = "light"
    begin: Callable[[MainWindow], None] | None = None
    still: Callable[[MainWindow], bool] = lambda _window: True


FACE = {"sample": {"name": "face-0020"}}
MODEL = {"open": {"model": "faces-vae"}}
PAIR = {"train": {"recipe": "pair", "count": 2000, "image_size": 32, "epochs": 6, "seeds": 1}}


def _hold(window: MainWindow, lesson: str, step: int) -> None:
    window.guide.open(lesson, step)


def _train(window: MainWindow) -> None:
    if window.train.work.phase != "ready":
        window.train.start()
    window.train.results.show_view("Groups")


SCREENS = {
    "start": Picture("start", [MODEL]),
    "explore": Picture("explore", [MODEL, FACE], scheme="dark"),
    "grid": Picture("explore", [MODEL, FACE, {"grid": {"kind": "strips"}}], "grid"),
    "counterfactuals": Picture(
        "counterfactuals",
        [
            {"open": {"model": "faces-cvae"}},
            {"sample": {"name": "face-0012"}},
            {"counterfactuals": {"attribute": "gender", "second": "race"}},
        ],
    ),
    "analogies": Picture(
        "analogies",
        [{"open": {"model": "styles-cinn"}}, {"sample": {"name": "avatar-3507"}}],
        "projections",
    ),
    "audit": Picture(
        "audit",
        [MODEL, {"show_study": {"folder": "study"}}],
        still=lambda window: window.audit.study is not None,
    ),
    "search": Picture(
        "search",
        [
            MODEL,
            {"sample": {"name": "face-0012"}},
            {"search": {"factor": 8, "restarts": 12, "steps": 300}},
        ],
        begin=lambda window: window.search.start(),
        still=lambda window: window.search.found is not None,
    ),
    "train": Picture(
        "train",
        [MODEL, PAIR],
        begin=lambda window: _train(window),
        still=lambda window: window.train.work.phase == "ready",
    ),
    "lessons": Picture("lessons", begin=lambda window: _hold(window, "female-equals-two", 1)),
}


class Studio:
    """A window, in a folder of its own, that is set by words and photographed."""

    def __init__(self, app: QApplication, folder: Path, scheme: str) -> None:
        options = WindowOptions(
            path="faces-vae",
            screenshot=folder / "unused.png",
            scheme=scheme,  # type: ignore[arg-type]
            size=SIZE,
        )
        self._app, self._folder = app, folder
        self.window = create_window(app, GuiThread(), options)
        self.window.show()
        self.wait(lambda: self.window.begun and self.window.at_rest)

    def do(self, words: Words) -> None:
        """Do words one after the other, each when the one before is done."""
        stage = Stage(self.window.workspace, self.window.explore.intents, self._folder)
        for word in words:
            for name, arguments in word.items():
                act = word_of(name).do
                assert act is not None
                act(stage, arguments)
                self.wait(lambda: self.window.workspace.at_rest)

    def show(self, screen: str, view: str = "") -> None:
        """Show a screen and one of its views."""
        self.window.show_screen(screen)
        if view and screen == "explore":
            self.window.explore.show_view(view)
        elif view and screen == "analogies":
            self.window.analogies.show_view(view)
        self.wait(lambda: self.window.at_rest)

    def wait(self, until: Callable[[], bool]) -> None:
        """Let the window go on until something is so, and what it changed is painted."""
        end = time.monotonic() + LONGEST
        while not until():
            if time.monotonic() > end:
                raise SystemExit("the window did not come to rest")
            self._app.processEvents()
            time.sleep(0.01)
        for _ in range(5):
            self._app.processEvents()

    def photograph(self) -> Image.Image:
        """Return a picture of the window."""
        image = self.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        lines = bytes(image.constBits())
        size = image.width(), image.height()
        return Image.frombuffer("RGB", size, lines, "raw", "RGB", image.bytesPerLine(), 1).copy()

    def photograph_still(self) -> Image.Image:
        """Return a picture of the window when nothing in it changes any more."""
        before, after = None, self.photograph()
        while before != after:
            self.wait(partial(_is_over, time.monotonic() + STILL))
            before, after = after, self.photograph()
        return after

    def close(self) -> None:
        """Close the window."""
        self.window.workspace.close()
        self.window.close()
        self.window.deleteLater()
        self._app.processEvents()


def _is_over(end: float) -> bool:
    return time.monotonic() > end


def take(app: QApplication, name: str, folder: Path, out: Path) -> Path:
    """Make one picture in a folder; ``folder`` is for what it takes."""
    wanted = SCREENS[name]
    studio = Studio(app, folder, wanted.scheme)
    studio.do(wanted.words)
    studio.show(wanted.screen, wanted.view)
    if wanted.begin is not None:
        wanted.begin(studio.window)
    studio.wait(lambda: wanted.still(studio.window) and studio.window.at_rest)
    studio.window.status.write_times()
    studio.wait(lambda: True)
    file = out / f"{name}.png"
    studio.photograph_still().save(file, optimize=True)
    studio.close()
    return file


# The animation

MOVES = ((55, -2.6), (46, -2.2), (56, -2.0))
"""Which dimensions are moved one after the other, and how far; each returns."""
FRAMES, PAUSE, MILLISECONDS = 18, 4, 60


def film(app: QApplication, folder: Path, out: Path) -> Path:
    """Make the animation: sliders that move, with picture and chart as the window paints them."""
    studio = Studio(app, folder, "light")
    studio.do([MODEL, FACE])
    studio.show("explore", "picture")
    start = studio.window.workspace.session.document.explore.latent  # type: ignore[union-attr]
    frames = []
    for dimension, value in _values(start):
        studio.do([{"slide": {"dimension": dimension, "to": value}}])
        studio.wait(lambda: studio.window.at_rest)
        frames.append(studio.photograph())
    studio.close()
    file = out / "sliders.webp"
    frames[0].save(
        file, save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0, quality=80, method=4
    )
    return file


def _values(start: Any) -> Iterator[tuple[int, float]]:
    """Give the slider's values, frame by frame: out and back along a cosine, with rests between."""
    for dimension, far in MOVES:
        begin = float(start[dimension])
        for k in range(FRAMES):
            share = (1.0 - math.cos(2.0 * math.pi * k / FRAMES)) / 2.0
            yield dimension, round(begin + share * (far - begin), 2)
        for _ in range(PAUSE):
            yield dimension, begin


def main() -> None:
    """Make what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*SCREENS, "sliders"], metavar="NAME", help="all without")
    parser.add_argument("--out", type=Path, default=HERE / "pictures")
    parser.add_argument("--runs", type=Path, help="keep the training here, and find it again the next time")
    options = parser.parse_args()
    names = options.names or [*SCREENS, "sliders"]
    out = options.out.resolve()
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="latentlab-pictures-") as place:
        folder = Path(place)
        os.environ.update(
            LATENTLAB_RUNS=str((options.runs or folder / "runs").resolve()),
            LATENTLAB_STATE=str(folder / "state"),
            XDG_CONFIG_HOME=str(folder),
        )
        if "audit" in names:
            command = [
                sys.executable,
                "-m",
                "latentlab",
                "audit",
                "generation",
                "faces-weak-vae",
                "--n",
                "1000",
            ]
            asked = ("--reference", "training", "--out", str(folder / "study"))
            subprocess.run([*command, *asked], check=True, stdout=subprocess.DEVNULL)
        app = application()
        for name in names:
            file = film(app, folder, out) if name == "sliders" else take(app, name, folder, out)
            print(f"{file} ({file.stat().st_size / 1024:.0f} KiB)", flush=True)


if __name__ == "__main__":
    main()
