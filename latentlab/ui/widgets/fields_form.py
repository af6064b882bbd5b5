"""A panel of work that is asked by fields: those of a study or a recipe, made anew when another is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from latentlab.ui.widgets.audit_fields import Field
from latentlab.ui.widgets.form import controls_in_order
from latentlab.ui.widgets.work_form import WorkForm


class FieldsForm(WorkForm):
    """``wished`` tells a field and its value; ``folder_asked`` is the wish for a dialog about one or ``out``.

    Attributes
    ----------
    fields
        By name.
    """

    wished = Signal(str, object)
    folder_asked = Signal(str)

    def __init__(self, begin: str, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(begin, name, tip, parent)
        self.fields: dict[str, Field] = {}
        self._built = ""
        self.browse.clicked.connect(lambda: self.folder_asked.emit("out"))

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        raise NotImplementedError

    @property
    def unread(self) -> bool:
        """Whether something cannot be read or had, such as more faces of a group than there are."""
        return any(field.unread for field in self.fields.values())

    def show_problems(self, wrong: Mapping[str, str]) -> None:
        """Mark what cannot be used, each field with its reason."""
        for name, field in self.fields.items():
            field.show_reason(wrong.get(name, ""))

    def _build(self, what: str, fields: Iterable[tuple[str, Field, QVBoxLayout]]) -> None:
        """Have these fields, each in its column; they are gone through only if ``what`` is another."""
        if what == self._built:
            return
        self._built = what
        for old in self.fields.values():
            old.setParent(None)
            old.deleteLater()
        self.fields = {}
        for name, field, column in fields:
            field.wished.connect(lambda value, name=name: self.wished.emit(name, value))
            field.folder_asked.connect(lambda name=name: self.folder_asked.emit(name))
            column.addWidget(field)
            self.fields[name] = field
        self._order()
        self.area.verticalScrollBar().setValue(0)

    def _order(self) -> None:
        controls_in_order(self.controls)
