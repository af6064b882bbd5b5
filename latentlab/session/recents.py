"""What was open lately, as the start page shows it: what each is, when, how it looked, and what is gone."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from latentlab.session.bundled_cards import FIRST_CROP, FIRST_PICTURE, Crop
from latentlab.session.kinds import Kind, kind_of

RecentKind = Kind | Literal["last", "gone"]
"""What it is; ``last`` is the session that was closed last, ``gone`` what is no longer there."""
PREVIEW = "preview"
"""Under what name the window notes a session's small picture, as the base64 text of a PNG."""
MOST_PREVIEW_BYTES = 200_000
MOST_SESSION_BYTES = 2**26
"""Larger sessions are not read for their preview alone."""

_TITLES: Mapping[RecentKind, str] = {
    "last": "Session",
    "session": "Session",
    "checkpoint": "Model",
    "picture": "Picture",
    "study": "Audit",
    "directions": "Directions",
    "latent": "Latent",
    "lesson": "Lesson",
}


@dataclass(frozen=True)
class Recent:
    """One thing that was open lately.

    Parameters
    ----------
    path
        Where it lies, or lay.
    title, about
        What it is called, and what it is.
    when
        When it was last written, in seconds since the epoch; None where it is gone.
    preview
        A picture file's content; empty where there is none, or ``picture`` is one.
    picture, crop
        A file to show (a part of).
    """

    path: Path
    kind: RecentKind
    title: str
    about: str
    when: float | None = None
    preview: bytes = b""
    picture: Path | None = None
    crop: Crop | None = None


def look(paths: Sequence[str], last: Path | None = None) -> tuple[Recent, ...]:
    """Look at what was open lately: the session that was closed last before all, what is gone after all.

    Nothing is raised. It reads files, so it belongs on a thread of its own.
    """
    found = [] if last is None or not last.is_file() else [_session(last, "last", "Last session")]
    found += [_recent(Path(text)) for text in paths]
    return tuple(sorted(found, key=lambda recent: recent.kind == "gone"))


def _recent(path: Path) -> Recent:
    name = path.name or str(path)
    try:
        if not path.exists():
            return Recent(path, "gone", name, f"No longer in {path.parent}")
        kind = kind_of(path)
        if kind == "session":
            return _session(path, kind, path.stem)
        when = path.stat().st_mtime
    except (OSError, ValueError):
        return Recent(path, "gone", name, f"{path.parent} cannot be read")
    picture, crop = None, None
    if kind == "picture":
        picture = path
    elif kind == "checkpoint":
        folder = path if path.is_dir() else path.parent
        sheet = folder / FIRST_PICTURE
        if sheet.is_file() and (folder / "config.json").is_file():
            picture, crop = sheet, FIRST_CROP
    return Recent(path, kind, name, _TITLES[kind], when, picture=picture, crop=crop)


def _session(path: Path, kind: RecentKind, title: str) -> Recent:
    try:
        when, size = path.stat().st_mtime, path.stat().st_size
        read = json.loads(path.read_bytes()) if size <= MOST_SESSION_BYTES else {}
    except (OSError, ValueError, RecursionError):
        return Recent(path, kind, title, "Session that cannot be read")
    model = _text(read, "checkpoint", "name")
    about = _TITLES[kind] + (f" · {model}" if model else "")
    return Recent(path, kind, title, about, when, preview=_preview(read))


def _preview(session: object) -> bytes:
    """Return the small picture that the window noted; the session's own picture where it noted none."""
    for places in (("window", PREVIEW), ("explore", "source", "picture")):
        text = _text(session, *places)
        if 0 < len(text) <= MOST_PREVIEW_BYTES * 4 // 3:
            try:
                return base64.b64decode(text, validate=True)
            except (ValueError, binascii.Error):
                continue
    return b""


def _text(value: Any, *names: str) -> str:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return re.sub(r"\s+", " ", value) if isinstance(value, str) else ""
