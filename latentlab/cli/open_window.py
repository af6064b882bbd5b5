"""``latentlab [PATH]``: opens the window; with ``--screenshot`` takes its picture instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from latentlab.errors import LatentLabError, SettingsError

PACKAGES = "libegl1 libgl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon0 libxcb-cursor0"
"""Debian packages with the libraries that Qt needs and Python packages cannot bring."""


def register(app: typer.Typer) -> None:
    """Add the command ``open``, which is also what runs without a command."""
    app.command("open")(open_window)


def open_window(
    path: Annotated[
        str | None,
        typer.Argument(help="A checkpoint (path or bundled name) or a picture.", show_default=False),
    ] = None,
    screenshot: Annotated[
        Path | None, typer.Option(help="Save a picture of the window here, without a display, and end.")
    ] = None,
    screen: Annotated[str, typer.Option(help="The screen to show.")] = "explore",
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
    """Open the window on a checkpoint or a picture, or on the bundled faces.

    Example: latentlab models/faces-vae --theme dark

    Example: latentlab --screenshot window.png --size 1920x1080
    """
    from latentlab.checkpoints import locate
    from latentlab.live.frames import DeviceOverride
    from latentlab.session.kinds import kind_of

    if theme not in (None, "light", "dark", "system"):
        raise SettingsError(f"Theme {theme!r} is unknown; choose light, dark or system.")
    dimensions = _size(size)
    if path is not None and not (Path(path).exists() and kind_of(Path(path)) == "picture"):
        locate(path)
    try:
        from latentlab.ui.app import SCREENS, WindowOptions, run
    except ImportError as error:
        raise LatentLabError(
            f"The window's libraries cannot be loaded ({error}). On Debian and Ubuntu install {PACKAGES}."
        ) from None
    if screen not in SCREENS:
        raise SettingsError(f"Screen {screen!r} is unknown; choose one of {', '.join(SCREENS)}.")
    options = WindowOptions(
        path=path,
        override=DeviceOverride(None if device == "auto" else device, precision, threads),
        screenshot=screenshot,
        screen=screen,
        scheme=next((scheme for scheme in ("light", "dark", "system") if scheme == theme), None),
        size=dimensions,
    )
    status = run(options)
    if status:
        raise typer.Exit(status)


def _size(text: str | None) -> tuple[int, int] | None:
    """Read a size written as WIDTHxHEIGHT, in pixels."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{3,5})x(\d{3,5})", text.strip().lower())
    if match is None:
        raise SettingsError(f"{text!r} is no size; write WIDTHxHEIGHT in pixels, for example 1280x800.")
    return int(match[1]), int(match[2])
