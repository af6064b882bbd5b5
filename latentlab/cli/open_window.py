"""``latentlab [PATH]``: opens the window; with ``--screenshot`` takes its picture instead."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.options import Predictor
from latentlab.errors import LatentLabError, SettingsError

PACKAGES = "libegl1 libgl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon0"
"""Debian packages with the libraries that Qt needs and Python packages cannot bring."""
X11_PACKAGES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What Qt needs besides to show a window under X11, by library: without them it aborts the process."""


def register(app: typer.Typer) -> None:
    """Add the command ``open``, which is also what runs without a command."""
    app.command("open")(open_window)


def open_window(
    path: Annotated[
        str | None,
        typer.Argument(
            help="A checkpoint (path or bundled name), a picture, a saved session, a study's folder or a "
            "lesson's file.",
            show_default=False,
        ),
    ] = None,
    predictor: Predictor = None,
    screenshot: Annotated[
        Path | None, typer.Option(help="Save a picture of the window here, without a display, and end.")
    ] = None,
    screen: Annotated[
        str | None,
        typer.Option(
            help="The screen to show; without it and without PATH the start page, Explore for --screenshot.",
            show_default=False,
        ),
    ] = None,
    lesson: Annotated[
        str | None,
        typer.Option(help="A lesson to hold: a bundled one's name, or its file.", show_default=False),
    ] = None,
    step: Annotated[int, typer.Option(min=1, help="At which of its steps, counted from 1.")] = 1,
    presenter: Annotated[
        bool, typer.Option("--presenter", help="Show it to a class: large type, and what is needed only.")
    ] = False,
    theme: Annotated[
        str | None, typer.Option(help="light or dark; as the system has it without this.")
    ] = None,
    size: Annotated[str | None, typer.Option(help="The window's size, e.g. 1280x800.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="Precision of live frames: float32, bfloat16, float16 or int8.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of live frames on the CPU.")] = None,
) -> None:
    """Open the window on a checkpoint or a picture, or on the start page.

    Example: latentlab my-model --theme dark

    Example: latentlab --lesson composition-bias --presenter

    Example: latentlab --screenshot window.png --size 1920x1080
    """
    from latentlab.checkpoints import locate
    from latentlab.live.frames import DeviceOverride
    from latentlab.session.kinds import kind_of

    if theme not in (None, "light", "dark", "system"):
        raise SettingsError(f"Theme {theme!r} is unknown; choose light, dark or system.")
    dimensions = _size(size)
    if path is not None:
        place = Path(path)
        kind, there = kind_of(place), place.exists()
        if place.suffix and not there and kind in ("picture", "lesson"):
            raise SettingsError(f"There is no file {path}.")
        if lesson is None and there and kind == "lesson":
            lesson, path = path, None
        elif not (there and kind in ("picture", "session", "study", "lesson")):
            locate(path)
    if predictor not in (None, "none"):
        locate(predictor)
    if lesson is not None:
        _check_lesson(lesson, step, path)
    missing = missing_x11_packages(os.environ) if screenshot is None else []
    if missing:
        raise LatentLabError(
            f"Qt needs libraries that this system lacks. On Debian and Ubuntu install {' '.join(missing)}."
        )
    try:
        from latentlab.ui.app import SCREENS, WindowOptions, run
    except ImportError as error:
        raise LatentLabError(
            f"The window's libraries cannot be loaded ({error}). On Debian and Ubuntu install {PACKAGES}."
        ) from None
    if screen is not None and screen not in SCREENS:
        raise SettingsError(f"Screen {screen!r} is unknown; choose one of {', '.join(SCREENS)}.")
    options = WindowOptions(
        path=path,
        predictor="" if predictor == "none" else predictor,
        override=DeviceOverride(None if device == "auto" else device, precision, threads),
        screenshot=screenshot,
        screen=screen,
        scheme=next((scheme for scheme in ("light", "dark", "system") if scheme == theme), None),
        size=dimensions,
        lesson=lesson,
        step=step - 1,
        presenter=presenter,
    )
    status = run(options)
    if status:
        raise typer.Exit(status)


def missing_x11_packages(environment: Mapping[str, str]) -> list[str]:
    """Return the Debian packages that a window under X11 needs and that are not there; none elsewhere."""
    x11 = "DISPLAY" in environment and "WAYLAND_DISPLAY" not in environment
    if not sys.platform.startswith("linux") or not x11 or "QT_QPA_PLATFORM" in environment:
        return []
    return [package for library, package in X11_PACKAGES.items() if not _loads(library)]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _check_lesson(name: str, step: int, path: str | None) -> None:
    """Make sure that a lesson can be held before there is a window."""
    from latentlab.session.lesson_check import read_lesson
    from latentlab.session.lesson_list import find_lesson

    if path is not None:
        raise SettingsError(f"A lesson opens what it needs itself; leave out {path}, or --lesson {name}.")
    count = len(read_lesson(find_lesson(name)).steps)
    if step > count:
        raise SettingsError(f"The lesson {name} has {count} steps; --step is 1 to {count}, not {step}.")


def _size(text: str | None) -> tuple[int, int] | None:
    """Read a size written as WIDTHxHEIGHT, in pixels."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{3,5})x(\d{3,5})", text.strip().lower())
    if match is None:
        raise SettingsError(f"{text!r} is no size; write WIDTHxHEIGHT in pixels, for example 1280x800.")
    return int(match[1]), int(match[2])
