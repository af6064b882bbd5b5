"""What comes in by file dialog, command line, drop or paste: tells checkpoints from pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData
from PySide6.QtGui import QImage, QImageWriter

from latentlab.session.workspace import Workspace

CHECKPOINT_SUFFIXES = (
    ".safetensors",
    ".json",
    ".ckpt",
    ".pt",
    ".pth",
    ".bin",
    ".pkl",
    ".pickle",
    ".onnx",
    ".npz",
)
"""What files of weights are called; most of them cannot be opened, and the error says what to do."""

PICTURE_FORMATS = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff")


def kind_of(path: Path) -> Literal["checkpoint", "picture"]:
    """Say what a path is taken for: folders and files of weights for checkpoints, all others for pictures."""
    if path.is_dir() or path.suffix.lower() in CHECKPOINT_SUFFIXES:
        return "checkpoint"
    return "picture"


def accepts(data: QMimeData) -> bool:
    """Whether dropped or pasted data may hold a checkpoint or a picture."""
    return data.hasImage() or any(url.isLocalFile() for url in data.urls()) or _encoded(data) is not None


def take(data: QMimeData, workspace: Workspace, origin: str) -> str | None:
    """Bring dropped or pasted data into the workspace.

    Parameters
    ----------
    origin
        What a picture without a file is called: "pasted picture" or "dropped picture".

    Returns
    -------
    str or None
        The path that was taken, the empty string for a picture without one, None if there was nothing.
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
