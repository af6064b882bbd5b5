"""The controls of the audit's form: one a field of a study, each with the reason where it cannot be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.session.audit_choices import number_words, numbers_of
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.boxes import DoubleSpinBox, SpinBox
from latentlab.ui.widgets.form import caption, choice_box, decimal_box, number_box

FOLDER_TIP = "Choose a folder"


class Field(QWidget):
    """A caption, a control, and below it what is wrong with its value.

    ``wished`` tells the value that is wished for, ``folder_asked`` the wish to choose a folder.
    """

    wished = Signal(object)
    folder_asked = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = caption(title)
        self.reason = QLabel()
        self.reason.setProperty("role", "warning")
        self.reason.setWordWrap(True)
        self.reason.hide()
        self.unread = ""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 4)
        self._column.setSpacing(4)

    def show_reason(self, text: str) -> None:
        """Say what is wrong with the value; what cannot even be read is said first."""
        said = self.unread or text
        self.reason.setText(said)
        self.reason.setVisible(bool(said))
        for control in self.controls:
            control.setAccessibleDescription(said)

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        raise NotImplementedError

    def _below(self, control: QWidget) -> None:
        """Place the control below the caption."""
        self.title.setBuddy(control)
        self._column.addWidget(self.title)
        self._column.addWidget(control)
        self._column.addWidget(self.reason)

    def _beside(self, control: QWidget) -> None:
        """Place the control to the right of the caption."""
        self.title.setBuddy(control)
        self.title.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.title, 1)
        row.addWidget(control)
        self._column.addLayout(row)
        self._column.addWidget(self.reason)

    def _with_folder(self, control: QWidget, name: str) -> QPushButton:
        """Place the control below the caption, with a button that asks for a folder."""
        button = QPushButton("…")
        button.setFixedWidth(38)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(self.folder_asked)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(control, 1)
        row.addWidget(button)
        self.title.setBuddy(control)
        self._column.addWidget(self.title)
        self._column.addLayout(row)
        self._column.addWidget(self.reason)
        return button


class ChecksField(Field):
    """Names to tick.

    Parameters
    ----------
    all_by_none
        Whether no names stand for all of them: then all are ticked, and one stays.
    """

    def __init__(self, title: str, tip: str, all_by_none: bool, button: str = "") -> None:
        super().__init__(title)
        self._tip, self._all_by_none = tip, all_by_none
        self._value: tuple[str, ...] = ()
        self.boxes: dict[str, QCheckBox] = {}
        inner = QWidget()
        self._grid = QGridLayout(inner)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._below(inner)
        self.title.setBuddy(None)  # type: ignore[arg-type]  # a caption of many boxes belongs to none of them
        self.button: QToolButton | None = None
        if button:
            self.button = QToolButton()
            self.button.setText("Another…")
            self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.button.setAccessibleName(button)
            self.button.setToolTip(button)
            self.button.clicked.connect(self.folder_asked)
            row = QHBoxLayout()
            self._column.removeWidget(self.title)
            row.addWidget(self.title, 1)
            row.addWidget(self.button)
            self._column.insertLayout(0, row)

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [*self.boxes.values(), *([self.button] if self.button is not None else [])]

    def offer(self, names: Mapping[str, str]) -> None:
        """Offer names, with what each tick says."""
        if {name: box.text() for name, box in self.boxes.items()} == dict(names):
            return
        for box in self.boxes.values():
            box.setParent(None)
            box.deleteLater()
        self.boxes = {}
        before: QWidget | None = None
        for place, (name, text) in enumerate(names.items()):
            box = QCheckBox(text)
            box.setToolTip(name if Path(name).is_absolute() else self._tip.format(text))
            box.setAccessibleName(f"{self.title.text()}: {text}")
            box.clicked.connect(lambda _checked=False, name=name: self._take(name))
            self._grid.addWidget(box, place // 2, place % 2)
            if before is not None:
                QWidget.setTabOrder(before, box)
            self.boxes[name] = before = box
        if before is not None and self.button is not None:
            QWidget.setTabOrder(before, self.button)

    def show_value(self, value: tuple[str, ...]) -> None:
        """Tick these."""
        self._value = value
        every = self._all_by_none and not value
        for name, box in self.boxes.items():
            box.setChecked(every or name in value)

    def _take(self, name: str) -> None:
        ticked = tuple(one for one, box in self.boxes.items() if box.isChecked())
        hidden = tuple(one for one in self._value if one not in self.boxes)
        self.show_value(self._value)
        if self._all_by_none and len(ticked) == len(self.boxes):
            self.wished.emit(())
        elif ticked or not self._all_by_none:
            self.wished.emit((*hidden, *ticked) if not self._all_by_none else ticked)


class ModelField(Field):
    """One model."""

    def __init__(self, title: str, tip: str, button: str) -> None:
        super().__init__(title)
        self._value = ""
        self.box = choice_box(title, tip)
        self.button = self._with_folder(self.box, button)
        self.box.activated.connect(lambda _index: self.wished.emit((self.box.currentData(),)))

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.box, self.button]

    def offer(self, names: Mapping[str, str]) -> None:
        """Offer models, with what each is called."""
        _fill(self.box, names)

    def show_value(self, value: tuple[str, ...]) -> None:
        """Show which one is chosen."""
        with QSignalBlocker(self.box):
            self.box.setCurrentIndex(self.box.findData(value[0]) if value else -1)


class ChoiceField(Field):
    """One of several names."""

    def __init__(self, title: str, tip: str, button: str = "") -> None:
        super().__init__(title)
        self.box = choice_box(title, tip)
        self.button: QPushButton | None = None
        if button:
            self.button = self._with_folder(self.box, button)
        else:
            self._below(self.box)
        self.box.activated.connect(lambda _index: self.wished.emit(self.box.currentData()))

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.box, *([self.button] if self.button is not None else [])]

    def offer(self, names: Mapping[str, str]) -> None:
        """Offer names, with what each is called."""
        _fill(self.box, names)

    def show_value(self, value: str) -> None:
        """Show which one is chosen."""
        with QSignalBlocker(self.box):
            if self.box.findData(value) < 0:
                self.box.addItem(Path(value).name or value, value)
            self.box.setCurrentIndex(self.box.findData(value))


class SetField(Field):
    """A set by its name, or a folder."""

    def __init__(self, title: str, tip: str, button: str) -> None:
        super().__init__(title)
        self._value = ""
        self.box = choice_box(title, tip)
        self.box.setEditable(True)
        self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.line.setAcceptDrops(False)
        self.line.setPlaceholderText("a set or folder")
        self.button = self._with_folder(self.box, button)
        self.box.activated.connect(lambda _index: self._take())
        self.line.editingFinished.connect(self._take)

    @property
    def line(self) -> QLineEdit:
        """Where it is written."""
        line = self.box.lineEdit()
        assert line is not None
        return line

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.box, self.button]

    def offer(self, names: Mapping[str, str]) -> None:
        """Offer sets."""
        _fill(self.box, names)
        self.show_value(self._value)

    def show_value(self, value: str) -> None:
        """Show which one is chosen."""
        self._value = value
        if self.line.hasFocus() and self.line.isModified():
            return
        with QSignalBlocker(self.box):
            place = self.box.findData(value) if value else -1
            self.box.setCurrentIndex(place)
            if place < 0:
                self.box.setEditText(value)
        self.line.setCursorPosition(0)

    def _take(self) -> None:
        self.line.setModified(False)
        text = self.box.currentText().strip()
        place = self.box.findText(text)
        wanted = self.box.itemData(place) if place >= 0 else text
        if wanted != self._value:
            self.wished.emit(wanted)


class BoxField(Field):
    """A number in a box beside its caption."""

    def __init__(self, title: str, box: SpinBox | DoubleSpinBox) -> None:
        super().__init__(title)
        self.box = box
        self._beside(box)

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.box]

    def show_value(self, value: float) -> None:
        """Show the number."""
        with QSignalBlocker(self.box):
            self.box.setValue(value)  # type: ignore[arg-type]  # whole where the box takes whole ones


class CountField(BoxField):
    """How many."""

    def __init__(self, title: str, tip: str, most: int) -> None:
        box = number_box(title, tip, 1, most, 80)
        super().__init__(title, box)
        box.valueChanged.connect(self.wished.emit)


class ShareField(BoxField):
    """A number above 0, up to 1."""

    def __init__(self, title: str, tip: str) -> None:
        box = decimal_box(title, tip, 0.01, 1.0, 2, 0.05)
        box.setFixedWidth(80)
        super().__init__(title, box)
        box.valueChanged.connect(lambda value: self.wished.emit(round(value, 2)))


class NumbersField(Field):
    """Numbers by commas; what is none stays as it was written, with the reason."""

    def __init__(self, title: str, tip: str, whole: bool, example: str) -> None:
        super().__init__(title)
        self._whole, self._example = whole, example
        self._value: tuple[float, ...] = ()
        self.line = _line(title, tip, example)
        self._below(self.line)
        self.line.editingFinished.connect(self._take)

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.line]

    def show_value(self, value: Sequence[float]) -> None:
        """Show the numbers; what cannot be read stays until others are shown."""
        other, self._value = tuple(value) != self._value, tuple(value)
        if self.unread and not other:
            return
        self.unread = ""
        if not (self.line.hasFocus() and self.line.isModified()):
            self.line.setText(number_words(self._value))

    def _take(self) -> None:
        self.line.setModified(False)
        found = numbers_of(self.line.text(), self._whole)
        if not found:
            kind = "whole numbers" if self._whole else "numbers"
            self.unread = f"Write {kind} by commas, such as {self._example}."
            self.wished.emit(self._value)
            return
        self.unread = ""
        self.wished.emit(found)


class TextField(Field):
    """A text on one line."""

    def __init__(self, title: str, tip: str, example: str) -> None:
        super().__init__(title)
        self._value = ""
        self.line = _line(title, tip, example)
        self._below(self.line)
        self.line.editingFinished.connect(self._take)

    @property
    def controls(self) -> list[QWidget]:
        """What the Tab key reaches, in order."""
        return [self.line]

    def show_value(self, value: str) -> None:
        """Show the text."""
        self._value = value
        if not (self.line.hasFocus() and self.line.isModified()):
            self.line.setText(value)

    def _take(self) -> None:
        self.line.setModified(False)
        text = " ".join(self.line.text().split())
        if text != self._value:
            self.wished.emit(text)


def shown_name(name: str) -> str:
    """Return what an attribute or a class is called in a list."""
    return label_of(name)


def _line(name: str, tip: str, example: str) -> QLineEdit:
    line = QLineEdit()
    line.setAccessibleName(name)
    line.setToolTip(tip)
    line.setPlaceholderText(example)
    line.setAcceptDrops(False)
    return line


def _fill(box: QComboBox, names: Mapping[str, str]) -> None:
    """Offer names in the place of others, if they are others."""
    if {box.itemData(k): box.itemText(k) for k in range(box.count())} == dict(names):
        return
    with QSignalBlocker(box):
        now = box.currentData()
        box.clear()
        for name, text in names.items():
            box.addItem(text, name)
        box.setCurrentIndex(box.findData(now))
