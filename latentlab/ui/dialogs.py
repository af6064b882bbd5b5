"""The questions that stop for an answer: which file to open, where to save."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

CHECKPOINT_FILTER = (
    "Checkpoints (config.json *.safetensors *.ckpt *.pt *.pth *.bin *.onnx *_config.json);;All files (*)"
)
TARGET_FILTERS = {
    ".png": "PNG (*.png)",
    ".csv": "CSV (*.csv)",
    ".json": "JSON (*.json)",
    ".pdf": "PDF (*.pdf);;SVG (*.svg)",
    ".html": "HTML (*.html);;PDF (*.pdf)",
    ".gif": "GIF (*.gif);;WebP (*.webp);;Animated PNG (*.png);;MP4 (*.mp4)",
}

NAMED_FILTERS = {
    "search.png": "PNG (*.png);;PDF (*.pdf);;SVG (*.svg)",
    "search.csv": "CSV (*.csv);;JSON (*.json)",
}
"""Those of files of which there are more kinds, by what they are called at first."""


def ask_checkpoint(parent: QWidget) -> Path | None:
    """Ask for a checkpoint: its configuration or its file of weights; None where nothing was chosen."""
    path, _ = QFileDialog.getOpenFileName(parent, "Open checkpoint", "", CHECKPOINT_FILTER)
    return Path(path) if path else None


def ask_picture(parent: QWidget) -> Path | None:
    """Ask for a picture; None where nothing was chosen."""
    from latentlab.data.pictures import PICTURE_SUFFIXES

    pattern = " ".join(f"*{suffix}" for suffix in PICTURE_SUFFIXES)
    path, _ = QFileDialog.getOpenFileName(parent, "Open picture", "", f"Pictures ({pattern});;All files (*)")
    return Path(path) if path else None


def ask_pictures(parent: QWidget) -> list[Path]:
    """Ask for pictures; empty where none was chosen."""
    from latentlab.data.pictures import PICTURE_SUFFIXES

    pattern = " ".join(f"*{suffix}" for suffix in PICTURE_SUFFIXES)
    paths, _ = QFileDialog.getOpenFileNames(parent, "Project pictures", "", f"Pictures ({pattern})")
    return [Path(path) for path in paths]


def ask_folder(parent: QWidget, title: str) -> Path | None:
    """Ask for a folder; None where nothing was chosen."""
    path = QFileDialog.getExistingDirectory(parent, title)
    return Path(path) if path else None


def ask_session(parent: QWidget) -> Path | None:
    """Ask for a session that was saved; None where nothing was chosen."""
    path, _ = QFileDialog.getOpenFileName(parent, "Open session", "", "Sessions (*.json);;All files (*)")
    return Path(path) if path else None


def ask_directions(parent: QWidget) -> Path | None:
    """Ask for a file of directions; None where nothing was chosen."""
    path, _ = QFileDialog.getOpenFileName(parent, "Load directions", "", "Directions (*.json);;All files (*)")
    return Path(path) if path else None


def ask_target(parent: QWidget, name: str) -> Path | None:
    """Ask where to save; ``name`` is the proposal, and its suffix is added where no known one is written."""
    suffix = Path(name).suffix
    filters = NAMED_FILTERS.get(name, TARGET_FILTERS[suffix])
    text, chosen = QFileDialog.getSaveFileName(parent, "Export", name, filters)
    if not text:
        return None
    path = Path(text)
    if path.suffix.lower() in _suffixes(filters):
        return path
    path = path.with_name(path.name + next(iter(_suffixes(chosen)), suffix))
    # What is there under this name the dialog, which knew another, has not asked about.
    return path if not path.exists() or _may_replace(parent, path) else None


def _suffixes(filters: str) -> list[str]:
    return re.findall(r"\*(\.\w+)", filters)


def _may_replace(parent: QWidget, path: Path) -> bool:
    text = f"{path.name} is there already. Replace it?"
    return QMessageBox.question(parent, "Export", text) == QMessageBox.StandardButton.Yes


def may_go_on(parent: QWidget, title: str, text: str) -> bool:
    """Ask whether to do what cannot be taken back."""
    return QMessageBox.question(parent, title, text) == QMessageBox.StandardButton.Yes


def ask_to_leave(parent: QWidget, answer: Callable[[bool], object]) -> QMessageBox:
    """Ask, without waiting, whether to close before all that is to be saved has been rendered."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("LatentLab")
    box.setText("Pictures that you saved or copied are still being rendered.")
    box.setInformativeText("The window closes as soon as they are there.")
    box.addButton(QMessageBox.StandardButton.Discard).setText("Close without them")
    box.addButton(QMessageBox.StandardButton.Cancel).setText("Keep the window open")
    box.finished.connect(lambda result: answer(result == QMessageBox.StandardButton.Discard))
    box.open()
    return box
