"""Asks from which pin or group to which a new direction goes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)


class DifferenceDialog(QDialog):
    """Two choices among names, and the new direction's name."""

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Direction between pins or groups")
        self.first, self.second = QComboBox(), QComboBox()
        self.first.addItems(list(names))
        self.second.addItems(list(names))
        self.first.setCurrentIndex(len(names) - 2)
        self.second.setCurrentIndex(len(names) - 1)
        self.first.setAccessibleName("From")
        self.second.setAccessibleName("To")
        self._name = QLineEdit()
        self._name.setAccessibleName("Name of the direction")
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(8)
        form.addRow("From", self.first)
        form.addRow("To", self.second)
        form.addRow("Name", self._name)
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(16)
        layout.addLayout(form)
        layout.addWidget(self._buttons)
        self.setMinimumWidth(360)
        for choice in (self.first, self.second):
            choice.currentIndexChanged.connect(lambda _place: self._propose())
        self._propose()

    @property
    def chosen(self) -> tuple[int, int]:
        """The places of both among the names."""
        return self.first.currentIndex(), self.second.currentIndex()

    @property
    def name(self) -> str:
        """What the direction is to be called."""
        return self._name.text().strip()

    def _propose(self) -> None:
        self._name.setPlaceholderText(f"{self.first.currentText()} to {self.second.currentText()}")
        first, second = self.chosen
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(first != second)
