"""Brings what is dropped, pasted or opened into the workspace: a checkpoint, a picture, a lesson, ..."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData
from PySide6.QtGui import QImage, QImageWriter

from latentlab.errors import SettingsError
from latentlab.operations.direction import load_directions
from latentlab.operations.latent_text import is_latent_text
from latentlab.session.intents import Intents
from latentlab.session.kinds import kind_of
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

PICTURE_FORMATS = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff")


def accepts(data: QMimeData) -> bool:
    """Whether dropped or pasted data may hold a checkpoint, a picture or a latent."""
    files = any(url.isLocalFile() for url in data.urls())
    return data.hasImage() or files or _encoded(data) is not None or is_latent_text(data.text())


def take(data: QMimeData, workspace: Workspace, intents: Intents, origin: str) -> str | None:
    """Bring dropped or pasted data into the workspace.

    Parameters
    ----------
    origin
        What a picture without a file is called: "pasted picture" or "dropped picture".

    Returns
    -------
    str or None
        The path that was taken, the empty string for what has none, None if there was nothing.
    """
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    if paths:
        take_path(Path(paths[0]), workspace, intents)
        return paths[0]
    encoded = _encoded(data)
    if encoded is not None:
        workspace.bring_bytes(encoded, origin)
        return ""
    if data.hasImage():
        image = data.imageData()
        if isinstance(image, QImage) and not image.isNull():
            workspace.bring_bytes(png_of(image), origin)
            return ""
    if is_latent_text(data.text()):
        workspace.bring_latent(data.text())
        return ""
    return None


def take_path(path: Path, workspace: Workspace, intents: Intents) -> None:
    """Bring a path into the workspace, as what it is taken for."""
    kind = kind_of(path)
    if kind == "checkpoint":
        workspace.open_checkpoint(str(path))
    elif kind == "session":
        workspace.open_session(path)
    elif kind == "study":
        intents.audit.folder_brought.emit(path)
    elif kind == "lesson":
        intents.lesson_brought.emit(path)
    elif kind == "directions":
        _take_directions(path, workspace, intents)
    elif kind == "latent":
        _take_latent(path, workspace)
    else:
        workspace.bring_file(path)


def _take_directions(path: Path, workspace: Workspace, intents: Intents) -> None:
    """Add a file's directions, if they fit the open model; those of other weights with a note."""
    opened = workspace.opened
    try:
        if opened is None or not workspace.in_step:
            raise SettingsError(f"{path} holds directions, but no model is open. Open their model first.")
        found = load_directions(path)
        fitting = [one for one in found.directions if len(one.vector) == opened.spec.latent_size]
        if not fitting:
            size = opened.spec.latent_size
            raise SettingsError(
                f"{path} holds directions of {found.model}; none has the {size} numbers of a latent of the "
                "open model. Open their model first."
            )
        intents.shelf.add_directions(fitting, f"Load directions of {path.name}")
    except SettingsError as error:
        workspace.session.message.emit(Message("error", str(error)))
        return
    if found.sha256 != opened.sha256:
        text = f"{path.name} holds directions of {found.model} with other weights: they mean other things."
        workspace.session.message.emit(Message("note", text))


def _take_latent(path: Path, workspace: Workspace) -> None:
    try:
        workspace.bring_latent(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        workspace.session.message.emit(Message("error", f"{path} cannot be read: {error}."))


def _encoded(data: QMimeData) -> bytes | None:
    """Return a picture's own file where the data holds it: nothing is lost on the way then."""
    for name in PICTURE_FORMATS:
        if data.hasFormat(name):
            content = data.data(name).data()
            if content:
                return bytes(content)
    return None


def png_of(image: QImage) -> bytes:
    """Return a picture as the content of a PNG file."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"PNG")).write(image)
    return bytes(content.data())
