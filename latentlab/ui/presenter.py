"""Presenter mode: large letters, nothing on the window but the lesson and its screen, keys as clickers send.

Page Down uncovers the answer of a question that is still covered, and then goes on; Page Up goes back;
Escape leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from latentlab.session.session import Message
from latentlab.ui.widgets.form import WIDTH

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

LARGER, LESSON_LARGER = 1.25, 1.15
"""How much larger all letters are, and those of the lesson's own text again."""
WIDER = 48
"""By how much forms are wider, in pixels."""
KEYS = {"lesson_next": Qt.Key.Key_PageDown, "lesson_back": Qt.Key.Key_PageUp}
"""Further keys of actions, while one presents."""
NOTE = "Presenter mode. Page Down and Page Up go through the lesson, F6 shows or hides panels, Escape leaves."


class Presenter(QObject):
    """Lets a window be looked at from afar, and as it was before.

    Attributes
    ----------
    on
        Whether one presents.
    panels
        Whether the screens' panels are shown meanwhile.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.on = False
        self.panels = True
        window.actions_table["panels"].setChecked(True)
        self._was_full = False
        self._leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
        self._leave.setEnabled(False)
        self._leave.activated.connect(lambda: self.present(False))

    def present(self, on: bool) -> None:
        """Present, or stop presenting."""
        if on == self.on:
            return
        self.on = on
        window = self._window
        actions = window.actions_table
        actions["presenter"].setChecked(on)
        self._leave.setEnabled(on)
        for name, key in KEYS.items():
            own = actions[name].shortcuts()[:1]
            actions[name].setShortcuts([*own, QKeySequence(key)] if on else own)
        window.theme.enlarge(LARGER if on else 1.0)
        window.guide.pane.set_scale(LESSON_LARGER if on else 1.0)
        forms: list[QWidget] = [window.audit.form, window.search.form, window.train.form]
        forms += [window.analogies.many.form, window.lessons.figure.panel]
        for form in forms:
            form.setFixedWidth(WIDTH + (WIDER if on else 0))
        window.analogies.projections.panel.set_wider(WIDER if on else 0)
        if on and window.isVisible():
            window.workspace.session.message.emit(Message("note", NOTE))
        self.show_panels(not on or window.guide.needs_panels)
        self.arrange()
        if QGuiApplication.platformName() != "offscreen":
            self._fill_the_screen(on)

    def arrange(self) -> None:
        """Hide what belongs to the window and not to what is presented, or show it again."""
        window = self._window
        for bar in (window.menuBar(), window.status):
            bar.setVisible(not self.on)
        window.header.setVisible(not self.on and window.has_header)
        window.rail.setVisible(not self.on or window.guide.lessons.lesson is None)

    def show_panels(self, shown: bool) -> None:
        """Show the screens' panels, or leave their room to what the class looks at."""
        self.panels = shown
        self._window.actions_table["panels"].setChecked(shown)
        for panel in self._panels():
            panel.setVisible(shown)

    def _panels(self) -> list[QWidget]:
        window = self._window
        form: QWidget | None = window.counterfactuals.form
        while form is not None and form.objectName() != "card":
            form = form.parentWidget()
        analogies = window.analogies
        found = [window.explore.panel, window.audit.form, window.search.form, window.train.form]
        found += [analogies.projections.panel, analogies.samples.panel, analogies.many.form]
        return [*found, *([form] if form is not None else [])]

    def _fill_the_screen(self, on: bool) -> None:
        window = self._window
        if on:
            self._was_full = window.isFullScreen()
            window.showFullScreen()
        elif not self._was_full:
            window.showNormal()
