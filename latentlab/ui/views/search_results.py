"""What a search finds, as it goes: all restarts, a slider to play it back, the distances, the set's mix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from latentlab.session.search_film import SearchFrame, Trace
from latentlab.session.search_mix import Mix
from latentlab.session.search_words import LINE, RestartWords, step_words
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.form import card
from latentlab.ui.widgets.search_chart import DistanceChart
from latentlab.ui.widgets.search_mix import MixCard
from latentlab.ui.widgets.search_player import SearchPlayer
from latentlab.ui.widgets.search_tiles import SearchTiles

NARROW, LOW = 660, 560
"""The width below which chart and mix take turns, and the height below which they are low."""
HEIGHT, LEAST_HEIGHT = 196, 128
USE_TIP = "Set the latent (and condition) of what is looked at in Explore; your picture stays the input"


class SearchResults(QWidget):
    """Shows frames and sends what a person does with them.

    ``frame_asked`` is the place of another frame, ``chosen`` a restart that is looked at, ``explore_asked``
    one that is to go on in Explore.
    """

    frame_asked = Signal(int)
    chosen = Signal(int)
    explore_asked = Signal(int)

    def __init__(
        self, theme: Theme, export_loop: QAction, export_set: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.headline = QLabel()
        self.headline.setProperty("role", "title")
        self.headline.setWordWrap(True)
        self.headline.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.save = QPushButton("Save the set…")
        self.save.setToolTip(export_set.toolTip())
        self.use = QPushButton("Go on in Explore")
        self.use.setToolTip(USE_TIP)
        self.tiles = SearchTiles(theme)
        self.player = SearchPlayer(theme, export_loop)
        self.chart = DistanceChart(theme)
        self.mix = MixCard(theme)
        self.note = QLabel(LINE)
        self.note.setProperty("role", "caption")
        self.note.setWordWrap(True)
        self.note.setAccessibleName("What these pictures are")
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("Below the pictures")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for text in ("Distances", "Mix of the set"):
            self.tabs.addTab(text)
        self._narrow = False
        self._lay_out()
        self.tabs.currentChanged.connect(lambda _place: self._arrange())
        self.player.scrubbed.connect(self.frame_asked)
        self.tiles.chosen.connect(self.chosen)
        self.tiles.explore_asked.connect(self.explore_asked)
        self.use.clicked.connect(lambda: self.explore_asked.emit(-1))
        self.save.clicked.connect(export_set.trigger)
        self._arrange()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.headline, 1)
        top.addWidget(self.save)
        top.addWidget(self.use)
        self._chart_card, self._mix_card = card(self.chart), card(self.mix)
        cards = QHBoxLayout()
        cards.setSpacing(12)
        cards.addWidget(self._chart_card, 3)
        cards.addWidget(self._mix_card, 2)
        self._cards = QWidget()
        below = QVBoxLayout(self._cards)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addWidget(self.tabs)
        below.addLayout(cards, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.tiles, 1)
        layout.addWidget(self.player)
        layout.addWidget(self._cards)
        layout.addWidget(self.note)

    @property
    def controls(self) -> list[QWidget]:
        """All controls but the tiles, in the order of the Tab key."""
        return [self.save, self.use, *self.player.controls, *self.mix.controls]

    def show_headline(self, text: str, found: bool) -> None:
        """Say what is shown, and whether it can be used."""
        self.headline.setText(text)
        for button in (self.use, self.save):
            button.setEnabled(found)

    def show_nothing(self, why: str) -> None:
        """Show no restarts, and say why."""
        self.tiles.show_nothing(why)
        self.chart.show_nothing()
        self.player.show_frames(0)
        self.player.show_step("")
        self.show_headline("", False)

    def show_frame(self, frame: SearchFrame, words: Sequence[RestartWords]) -> None:
        """Show how the restarts stood after a step."""
        self.tiles.show_frame(frame.pictures, frame.reduced, words)
        self.player.show_step(step_words(frame))
        self.chart.show_here(frame.step)

    def show_trace(self, trace: Trace, eps: float | None, until: int, frame: SearchFrame) -> None:
        """Show the distances until now; ``frame`` says how the restarts stand."""
        self.chart.show_trace(trace, eps, until, frame.statuses)

    def show_mix(
        self,
        attribute: str,
        labels: Sequence[str],
        mix: Mix | None,
        beside: Mapping[str, float],
        kind: str,
        judged_by: str,
    ) -> None:
        """Show the set's mix, as `MixCard.show_mix`."""
        self.mix.show_mix(attribute, labels, mix, beside, kind, judged_by)

    def set_current(self, place: int | None) -> None:
        """Let one restart stand out."""
        self.tiles.set_current(place)
        self.chart.set_current(place)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show chart and mix side by side where there is room, or one of both."""
        super().resizeEvent(event)
        self._narrow = event.size().width() < NARROW
        self._cards.setFixedHeight(
            (LEAST_HEIGHT if event.size().height() < LOW else HEIGHT) + (24 if self._narrow else 0)
        )
        self._arrange()

    def _arrange(self) -> None:
        self.tabs.setVisible(self._narrow)
        self.mix.set_low(self._narrow)
        self.chart.set_low(self._narrow)
        place = self.tabs.currentIndex()
        self._chart_card.setVisible(not self._narrow or place == 0)
        self._mix_card.setVisible(not self._narrow or place == 1)
