"""What the program is: version, licence, what it runs on, and everybody's credits on one page."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

import latentlab
from latentlab.errors import LatentLabError
from latentlab.session.credits import credits_text
from latentlab.ui.icons import application_icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.markdown_page import MarkdownPage

ABOUT = "Explore the latent spaces of generative models, and see how data biases them."
SIDE = 56


class AboutDialog(QDialog):
    """The program's name, version and credits; the versions can be copied for a report."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About LatentLab")
        sign = QLabel()
        sign.setPixmap(application_icon().pixmap(QSize(SIDE, SIDE), self.devicePixelRatio()))
        name = QLabel(f"LatentLab {latentlab.__version__}")
        name.setProperty("role", "headline")
        said = QLabel(ABOUT)
        self.versions = QLabel(versions())
        self.versions.setProperty("role", "caption")
        self.versions.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(4)
        for label in (name, said, self.versions):
            label.setWordWrap(label is not name)
            words.addWidget(label)
        head = QHBoxLayout()
        head.setContentsMargins(20, 18, 20, 14)
        head.setSpacing(16)
        head.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        line.setObjectName("line")
        self.page = MarkdownPage(theme)
        self.page.setAccessibleName("Credits and licences")
        try:
            self.page.show_text(credits_text())
        except LatentLabError as error:
            self.page.show_text(str(error))
        self.copy = QPushButton("Copy versions")
        self.copy.clicked.connect(self._copy)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        buttons.setContentsMargins(12, 8, 12, 12)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(line)
        layout.addWidget(self.page, 1)
        layout.addWidget(buttons)
        self.resize(760, 600)

    def _copy(self) -> None:
        QApplication.clipboard().setText(f"LatentLab {latentlab.__version__}\n{self.versions.text()}")


def versions() -> str:
    """Return what the program runs on; torch is asked for its version without being imported."""
    parts = [f"Python {platform.python_version()}", f"Qt {qVersion()}"]
    for name, title in (("torch", "PyTorch"), ("openvino", "OpenVINO")):
        try:
            parts.append(f"{title} {version(name)}")
        except PackageNotFoundError:
            continue
    return " · ".join([*parts, platform.platform(terse=True)])
