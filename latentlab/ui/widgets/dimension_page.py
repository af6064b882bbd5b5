"""The page of dimensions: find some, put them in order, and move, lock and reset each."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from latentlab.operations.latent_brush import grid_of
from latentlab.operations.latents import ranges, ranking
from latentlab.session.document import Explore, Shelf
from latentlab.spec import ModelSpec
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.dimension_list import DimensionList
from latentlab.ui.widgets.dimension_row import DimensionInfo

KL, CHANGE, NUMBER = "Most information", "Most visible here", "By number"
_TIPS = {
    KL: "By how far the encoder moves each dimension from the prior (Kullback-Leibler divergence, mean over "
    "the training pictures)",
    CHANGE: "By how much the edited picture changes when a dimension is moved one standard deviation to "
    "either side, measured now",
    NUMBER: "As they stand in the latent",
}


class DimensionPage(QWidget):
    """Sends what a person does with the dimensions; shows what it is told.

    ``measure_asked`` is the wish to know how visible each dimension is (`show_change` answers).
    """

    measure_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec: ModelSpec | None = None
        self._change: NDArray[np.float64] | None = None
        self._state: Explore | None = None
        self._locked: frozenset[int] = frozenset()
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find: 3 17, changed, locked")
        self.search.setAccessibleName("Find dimensions")
        self.search.setToolTip("Numbers of dimensions, ranges such as 8-15, or the words changed and locked")
        self.search.setClearButtonEnabled(True)
        self.search.setAcceptDrops(False)
        self.search.textChanged.connect(lambda _text: self._list_them())
        self.order = QComboBox()
        self.order.setAccessibleName("Order of the dimensions")
        self.order.currentTextChanged.connect(self._choose_order)
        self.list = DimensionList(theme)
        self._nothing = QLabel("No dimension is called so.")
        self._nothing.setProperty("role", "caption")
        self._nothing.hide()
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 8, 0)
        top.setSpacing(8)
        top.addWidget(self.search, 1)
        top.addWidget(self.order)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._nothing)
        layout.addWidget(self.list, 1)

    def set_model(self, spec: ModelSpec) -> None:
        """Show this model's dimensions, those that do most first."""
        self._spec, self._change, self._state = spec, None, None
        orders = [KL, CHANGE, NUMBER] if spec.latent_summary is not None else [NUMBER, CHANGE]
        with QSignalBlocker(self.order):
            self.order.clear()
            self.order.addItems(orders)
        self.order.setToolTip(_TIPS[orders[0]])
        self._list_them()

    def show_state(self, state: Explore, shelf: Shelf) -> None:
        """Show the values of a state, and what is locked."""
        self.list.show_latent(state.latent, state.start)
        self.list.show_locked(shelf.locked)
        self._locked, self._state = shelf.locked, state
        if {"changed", "locked"} & set(self._words()) and not self._holds_focus():
            self._list_them()

    def show_change(self, change: NDArray[np.float64]) -> None:
        """Put the dimensions in the order of how much each changes the picture, ``[latent_size]``."""
        self._change = change
        if self.order.currentText() == CHANGE:
            self._list_them()

    def _holds_focus(self) -> bool:
        focus = self.focusWidget()
        return focus is not None and focus.hasFocus() and self.list.isAncestorOf(focus)

    def _choose_order(self, order: str) -> None:
        self.order.setToolTip(_TIPS.get(order, ""))
        if order == CHANGE:
            self._change = None
            self.measure_asked.emit()
        self._list_them()

    def _list_them(self) -> None:
        if self._spec is None:
            return
        order = self.order.currentText()
        infos = dimension_infos(self._spec, self._change if order == CHANGE else None)
        if order == NUMBER:
            infos.sort(key=lambda info: info.index)
        found = [info for info in infos if self._is_found(info.index)]
        if found != self.list.infos:
            self.list.set_dimensions(found, self._spec.latent_size)
        self._nothing.setVisible(not found)

    def _words(self) -> list[str]:
        return self.search.text().casefold().replace(",", " ").split()

    def _is_found(self, dimension: int) -> bool:
        words = self._words()
        return not words or any(self._fits(word, dimension) for word in words)

    def _fits(self, word: str, dimension: int) -> bool:
        if word == "changed":
            state = self._state
            return state is not None and bool((state.latent != state.start).reshape(-1)[dimension])
        if word == "locked":
            return dimension in self._locked
        number = re.fullmatch(r"z?(\d+)(?:-(\d*))?", word)
        if number is None:
            return False
        first, last = int(number[1]), number[2]
        return dimension == first if not last else first <= dimension <= int(last)


def dimension_infos(spec: ModelSpec, change: NDArray[np.float64] | None = None) -> list[DimensionInfo]:
    """Describe a model's dimensions in the order in which they are listed: by change where that is known."""
    reach = ranges(spec)
    summary = spec.latent_summary
    weights = None if summary is None else np.asarray(summary.kl)
    order = ranking(spec)
    if change is not None:
        weights, order = change, np.argsort(-change, kind="stable")
    most = 0.0 if weights is None else float(weights.max())
    infos = []
    for k in order.tolist():
        weight = None
        lines = [f"Dimension {k}"]
        if grid_of(spec) is not None:
            channel, row, column = (int(one) for one in np.unravel_index(k, spec.latent_shape))
            lines.append(f"channel {channel}, row {row}, column {column} of the grid")
        if weights is not None:
            weight = float(np.clip(weights[k] / most, 0.0, 1.0)) if most > 0 else 0.0
        if change is not None:
            lines.append(
                f"one standard deviation to either side changes the picture by {change[k]:.1f} of 255"
            )
        if summary is not None:
            lines.append(f"carries {summary.kl[k]:.2f} nats")
            lines.append(
                f"mean {summary.mean[k]:.2f}, spread {summary.std[k]:.2f} over the training pictures"
            )
        tip = "\n".join(lines)
        infos.append(DimensionInfo(k, float(reach.low[k]), float(reach.high[k]), weight, tip))
    return infos
