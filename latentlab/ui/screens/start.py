"""The start page: what was open lately, lessons, the bundled models, and the way to open one's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageReader, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from latentlab.session.background import Background
from latentlab.session.bundled_cards import BundledCard, Crop
from latentlab.session.lesson import Lesson
from latentlab.session.recents import Recent, look
from latentlab.session.rendering import Post
from latentlab.session.session import Message
from latentlab.ui.actions import Actions
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.buttons import text_button
from latentlab.ui.widgets.card_grid import CardGrid
from latentlab.ui.widgets.start_card import StartCard

WIDEST = 1120
MOST_RECENT = MOST_LESSONS = 4
FIRST = (
    "Explore the latent spaces of generative models, and see with your own eyes how the data shapes what "
    "they can say."
)
_ICONS = {
    "last": "clock",
    "session": "clock",
    "checkpoint": "model",
    "study": "audit",
    "directions": "walk",
    "latent": "dice",
    "lesson": "lessons",
    "gone": "error",
}
_THUMB = QSize(160, 160)


class StartScreen(QWidget):
    """Shows where one can begin, and sends what a person chooses.

    ``model_chosen`` is a bundled model's name and the screen on which it shows what it is for, ``card_asked``
    the name of the model whose card is to be read, ``recent_chosen`` a path, ``lesson_chosen`` a lesson,
    ``lessons_asked`` the wish to see all, ``forget_asked`` the paths that are gone, and ``begin_asked`` the
    wish to go to the sliders.
    """

    name = "start"
    title = "Start"
    begin_asked = Signal()
    model_chosen = Signal(str, str)
    card_asked = Signal(str)
    recent_chosen = Signal(Path)
    lesson_chosen = Signal(Lesson)
    lessons_asked = Signal()
    forget_asked = Signal(list)

    def __init__(
        self,
        actions: Actions,
        cards: Sequence[BundledCard],
        post: Post,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._background = Background(post, "start")
        self._asked = 0
        self._unread: list[tuple[StartCard, Callable[[], QImage]]] = []
        self._waiting = 0
        self.at_rest = True
        self.models = CardGrid(228, 4)
        self.recents = CardGrid(228, MOST_RECENT, rows=1)
        self.lessons = CardGrid(228, MOST_LESSONS, rows=1)
        self.begin = QPushButton("Move a slider")
        self.begin.setProperty("role", "primary")
        self.begin.setToolTip("Open the bundled faces on the Explore screen")
        self.begin.clicked.connect(lambda _checked=False: self.begin_asked.emit())
        self.forget = _link("Take what is gone off the list")
        self.forget.clicked.connect(lambda _checked=False: self.forget_asked.emit(self._gone()))
        self.all_lessons = _link("All lessons")
        self.all_lessons.clicked.connect(lambda _checked=False: self.lessons_asked.emit())
        self._shown: tuple[Recent, ...] = ()

        column = QWidget()
        column.setMaximumWidth(WIDEST)
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        inside = QVBoxLayout(column)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(24)
        inside.addWidget(self._welcome(actions))
        self._recent_part = _part("Recent", self.recents, self.forget)
        self._lesson_part = _part("Lessons", self.lessons, self.all_lessons)
        self._model_part = _part("Bundled models", self.models)
        for part in (self._recent_part, self._lesson_part, self._model_part):
            inside.addWidget(part)
        inside.addStretch(1)
        middle = QWidget()
        around = QHBoxLayout(middle)
        around.setContentsMargins(24, 20, 24, 24)
        around.addStretch(1)
        around.addWidget(column, 100)
        around.addStretch(1)
        self.page = QScrollArea()
        self.page.setFrameShape(QFrame.Shape.NoFrame)
        self.page.setWidgetResizable(True)
        self.page.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.page.setAccessibleName("Start page")
        self.page.setWidget(middle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.page)
        self._recent_part.hide()
        self._lesson_part.hide()
        self._show_models([card for card in cards if card.kind == "model"])

    def show_recent(self, paths: Sequence[str], last: Path | None) -> None:
        """Look at what was open lately, on another thread, and show it."""
        self._asked += 1
        self._do(partial(look, list(paths)[:MOST_RECENT], last), partial(self._have_looked, self._asked))

    def show_lessons(self, lessons: Sequence[Lesson]) -> None:
        """Show the first lessons; the part is hidden where there is none."""
        cards = []
        for lesson in lessons[:MOST_LESSONS]:
            text = f"{lesson.length} · {lesson.summary}"
            card = StartCard(lesson.title, text, self._theme, False)
            card.setToolTip(lesson.summary)
            card.clicked.connect(partial(self._choose_lesson, lesson))
            cards.append(card)
        self.lessons.show_cards(cards)
        self.all_lessons.setText(f"All {len(lessons)} lessons")
        self._lesson_part.setVisible(bool(cards))

    def read_pictures(self) -> None:
        """Read the pictures of the cards that have none yet, on another thread; once they are looked at."""
        unread, self._unread = self._unread, []
        for card, read in unread:
            self._do(read, partial(_have_picture, card))

    def close_threads(self) -> None:
        """Stop the thread; nothing is answered any more."""
        self._asked += 1
        self._background.close(drop=True)

    def set_smooth(self, smooth: bool) -> None:
        """Do nothing: the pictures of cards are always smoothed."""

    def showEvent(self, event: QShowEvent) -> None:
        """Read the pictures once the page has been shown."""
        super().showEvent(event)
        QTimer.singleShot(0, self.read_pictures)

    # Within

    def _do(self, work: Callable[[], object], answer: Callable[[object], None]) -> None:
        def answered(done: object) -> None:
            self._waiting -= 1
            self.at_rest = not self._waiting
            answer(done)

        self._waiting += 1
        self.at_rest = False
        self._background.do(work, answered, "The start page could not be filled")

    def _welcome(self, actions: Actions) -> QWidget:
        headline, text = QLabel("LatentLab"), QLabel(FIRST)
        headline.setProperty("role", "headline")
        text.setWordWrap(True)
        own = QLabel("or drop a file anywhere on this window")
        own.setProperty("role", "caption")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.begin)
        for identifier, label in (
            ("open_checkpoint", "Open checkpoint…"),
            ("open_picture", "Open picture…"),
            ("open_session", "Open session…"),
        ):
            buttons.addWidget(text_button(actions[identifier], label))
        buttons.addWidget(own)
        buttons.addStretch(1)
        buttons.addWidget(text_button(actions["help"], "Help"))
        welcome = QWidget()
        layout = QVBoxLayout(welcome)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(headline)
        layout.addWidget(text)
        layout.addSpacing(4)
        layout.addLayout(buttons)
        return welcome

    def _show_models(self, models: Sequence[BundledCard]) -> None:
        made = []
        for model in models:
            card = StartCard(model.title, model.sentence, self._theme, True, partial(icon, "model"))
            card.setToolTip(f"Open {model.name} on the screen {model.screen.capitalize()}")
            card.clicked.connect(partial(self._choose_model, model))
            if model.text:
                card.add_link("Model card", f"Read the model card of {model.name}").clicked.connect(
                    partial(self._ask_card, model)
                )
            if model.picture is not None:
                self._unread.append((card, partial(_read, model.picture, model.crop)))
            made.append(card)
        self.models.show_cards(made)
        self._model_part.setVisible(bool(made))

    def _have_looked(self, number: int, found: object) -> None:
        if number != self._asked or isinstance(found, Message) or not isinstance(found, tuple):
            return
        self._shown = found[:MOST_RECENT]
        cards = []
        for recent in self._shown:
            card = StartCard(
                recent.title,
                _about(recent),
                self._theme,
                False,
                partial(icon, _ICONS.get(recent.kind, "picture")),
            )
            card.setEnabled(recent.kind != "gone")
            card.setToolTip(str(recent.path))
            card.clicked.connect(partial(self._choose_recent, recent.path))
            if recent.preview:
                card.show_picture(QImage.fromData(QByteArray(recent.preview)))
            elif recent.picture is not None:
                self._unread.append((card, partial(_read, recent.picture, recent.crop)))
            cards.append(card)
        self.recents.show_cards(cards)
        self._recent_part.setVisible(bool(cards))
        self.forget.setVisible(bool(self._gone()))
        if self.isVisible():
            self.read_pictures()

    def _gone(self) -> list[str]:
        return [str(recent.path) for recent in self._shown if recent.kind == "gone"]

    def _choose_model(self, model: BundledCard, _checked: bool = False) -> None:
        self.model_chosen.emit(model.name, model.screen)

    def _ask_card(self, model: BundledCard, _checked: bool = False) -> None:
        self.card_asked.emit(model.name)

    def _choose_recent(self, path: Path, _checked: bool = False) -> None:
        self.recent_chosen.emit(path)

    def _choose_lesson(self, lesson: Lesson, _checked: bool = False) -> None:
        self.lesson_chosen.emit(lesson)


def _link(text: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setProperty("role", "link")
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _part(title: str, grid: CardGrid, beside: QWidget | None = None) -> QWidget:
    """Return a part of the page: its title, what stands at the title's right, and the cards."""
    part, label = QWidget(), QLabel(title)
    label.setProperty("role", "name")
    head = QHBoxLayout()
    head.addWidget(label)
    head.addStretch(1)
    if beside is not None:
        head.addWidget(beside)
    layout = QVBoxLayout(part)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(10)
    layout.addLayout(head)
    layout.addWidget(grid)
    return part


def _read(path: Path, crop: Crop | None) -> QImage:
    """Read a picture, or a part of it, small enough for a card; null where it cannot be read."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    if crop is not None:
        reader.setClipRect(QRect(*crop))
    else:
        size = reader.size()
        if size.isValid():
            reader.setScaledSize(size.scaled(_THUMB, Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    return reader.read()


def _have_picture(card: StartCard, picture: object) -> None:
    if isinstance(picture, QImage) and isValid(card):
        card.show_picture(picture)


def _about(recent: Recent) -> str:
    return recent.about if recent.when is None else f"{recent.about}\n{_when(recent.when)}"


def _when(seconds: float) -> str:
    """Return a time in words: today and yesterday by the clock, else the date."""
    then, now = time.localtime(seconds), time.localtime()
    clock = time.strftime("%H:%M", then)
    if then[:3] == now[:3]:
        return f"Today, {clock}"
    if then[:3] == time.localtime(time.mktime(now) - 86400)[:3]:
        return f"Yesterday, {clock}"
    return f"{then.tm_mday} {time.strftime('%B %Y', then)}"
