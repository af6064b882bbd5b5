"""Brings what is dropped, pasted or opened into the workspace: a checkpoint, a picture or a latent."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData
from PySide6.QtGui import QImage, QImageWriter

from latentlab.operations.latent_text import is_latent_text
from latentlab.session.kinds import kind_of
from latentlab.session.workspace import Workspace

PICTURE_FORMATS = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff")


def accepts(data: QMimeData) -> bool:
    """Whether dropped or pasted data may hold a checkpoint, a picture or a latent."""
    files = any(url.isLocalFile() for url in data.urls())
    return data.hasImage() or files or _encoded(data) is not None or is_latent_text(data.text())


def take(data: QMimeData, workspace: Workspace, origin: str) -> str | None:
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
        take_path(Path(paths[0]), workspace)
        return paths[0]
    encoded = _encoded(data)
    if encoded is not None:
        workspace.bring_bytes(encoded, origin)
        return ""
    if data.hasImage():
        image = data.imageData()
        if isinstance(image, QImage) and not image.isNull():
            workspace.bring_bytes(_png(image), origin)
            return ""
    if is_latent_text(data.text()):
        workspace.bring_latent(data.text())
        return ""
    return None


def take_path(path: Path, workspace: Workspace) -> None:
    """Bring a path into the workspace, as what it is taken for."""
    if kind_of(path) == "checkpoint":
        workspace.open_checkpoint(str(path))
    else:
        workspace.bring_file(path)


def _encoded(data: QMimeData) -> bytes | None:
    """Return a picture's own file where the data holds it: nothing is lost on the way then."""
    for name in PICTURE_FORMATS:
        if data.hasFormat(name):
            content = data.data(name).data()
            if content:
                return bytes(content)
    return None


def _png(image: QImage) -> bytes:
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"PNG")).write(image)
    return bytes(content.data())
