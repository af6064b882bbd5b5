"""The map view: the encoded data in the plane, to look at, go to, walk through and gather."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from latentlab.session.document import MapView
from latentlab.session.find_directions import DirectionFinder
from latentlab.session.intents import Intents
from latentlab.session.map_data import MapData, group_of
from latentlab.session.map_marks import MapMarks, shown_layout
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.icons import icon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.form import caption
from latentlab.ui.widgets.map_canvas import HINTS, TOOLS, MapCanvas
from latentlab.ui.widgets.picture_view import bgrx, image_of

if TYPE_CHECKING:
    from latentlab.operations.latent_map import LatentMap

LAYOUTS = (("pca", "PCA"), ("tsne", "t-SNE"))
DENSITY_SIGMA = 4.0
"""How far the density is smoothed, in 1/128 of the map."""
TOOL_ICONS = {"move": "move", "walk": "walk", "lasso": "lasso"}
TOOL_NAMES = {"move": "Move the map", "walk": "Walk through the latents", "lasso": "Gather a group"}
NO_SET = (
    "It is not known on which images this model was trained.\nChoose a set above to see where its images lie."
)


class MapPage(QWidget):
    """The canvas; ``controls`` choose set, layout, colour and tool."""

    def __init__(
        self, workspace: Workspace, intents: Intents, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents, self._theme = workspace, intents, theme
        self.data = MapData(workspace)
        self.finder = DirectionFinder(workspace, self.data)
        self.follower = MapMarks(workspace, self.data)
        self.canvas = MapCanvas(theme)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas)
        self._shown: tuple[LatentMap | None, MapView | None] = (None, None)
        self.controls = self._made_controls()
        self.data.changed.connect(self._show_phase)
        self.data.found_map.connect(lambda _found: self.show_document())
        self.follower.moved.connect(self._show_marker)
        canvas = self.canvas
        canvas.hovered.connect(self._show_thumbnail)
        canvas.chosen.connect(self._go_to)
        canvas.walk_begun.connect(lambda _x, _y: workspace.session.begin_gesture("Walk on the map", "walk"))
        canvas.walked.connect(self._walk)
        canvas.walk_ended.connect(workspace.session.end_gesture)
        canvas.lassoed.connect(self._gather)

    def _made_controls(self) -> QWidget:
        controls = QWidget()
        self._set = QComboBox()
        self._set.setEditable(True)
        self._set.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._set.setAccessibleName("Set that the map shows")
        self._set.setToolTip("The images that are encoded: a set by its name, or a folder of pictures")
        self._set.setMinimumContentsLength(11)
        line = self._set.lineEdit()
        assert line is not None
        line.setAcceptDrops(False)
        line.returnPressed.connect(self._choose_set)
        self._set.activated.connect(lambda _index: self._choose_set())
        self._layout = QComboBox()
        for name, title in LAYOUTS:
            self._layout.addItem(title, name)
        self._layout.setAccessibleName("Layout of the map")
        self._layout.setToolTip(
            "PCA, principal components: the plane in which the latents spread most, there at once. t-SNE: "
            "neighbours in the latent space side by side; it takes minutes, in the background"
        )
        self._layout.setMinimumContentsLength(6)
        self._layout.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._colour = QComboBox()
        self._colour.setAccessibleName("Colour of the points")
        self._colour.setToolTip("By which attribute the points are coloured")
        self._colour.setMinimumContentsLength(7)
        self._colour.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._stop = QPushButton("Stop")
        self._stop.setToolTip("Stop the work in the background; what is done is kept")
        self._stop.clicked.connect(self.data.cancel)
        self._stop.hide()
        self._again = QPushButton("Try again")
        self._again.setToolTip("Begin the work in the background again, from what was done of it")
        self._again.clicked.connect(self.data.try_again)
        self._again.hide()
        row = QHBoxLayout(controls)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (caption("Set", self._set), self._set, self._layout, caption("Colour", self._colour)):
            row.addWidget(widget)
        row.addWidget(self._colour)
        row.addWidget(self._stop)
        row.addWidget(self._again)
        self._density = self._tool_button("density", "Show how dense the map is")
        self._density.clicked.connect(lambda shown: self._change(density=shown))
        row.addWidget(self._density)
        self._tools: dict[str, QToolButton] = {}
        for tool in TOOLS:
            button = self._tool_button(TOOL_ICONS[tool], f"{TOOL_NAMES[tool]}\n{HINTS[tool]}")
            button.setAutoExclusive(True)
            button.setAccessibleName(TOOL_NAMES[tool])
            button.clicked.connect(lambda _checked=False, tool=tool: self.canvas.set_tool(tool))
            self._tools[tool] = button
            row.addWidget(button)
        self._tools["move"].setChecked(True)
        self._fit = self._tool_button("fit", "Show all (0)")
        self._fit.setCheckable(False)
        self._fit.clicked.connect(self.canvas.show_all)
        row.addWidget(self._fit)
        self._layout.activated.connect(lambda _index: self._change(layout=self._layout.currentData()))
        self._colour.activated.connect(lambda _index: self._change(colour=self._colour.currentData()))
        self._theme.changed.connect(self._draw_icons)
        self._draw_icons()
        return controls

    def _tool_button(self, name: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setCheckable(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _draw_icons(self) -> None:
        for button in (self._density, self._fit, *self._tools.values()):
            button.setIcon(icon(button.objectName(), self._theme.colour("text"), self._theme.colour("faint")))

    # Showing

    @property
    def _view(self) -> MapView:
        return self._workspace.session.document.shelf.map

    def show_document(self) -> None:
        """Show how the map is set, and ask for what it shows."""
        if self._workspace.opened is None:
            return
        if self.isVisible():
            self.data.need()
        view, found = self._view, self.data.found
        self._show_choices(view, found)
        if found is not None and (self._shown[0] is not found or self._shown[1] != view):
            self._show_points(found, view)
        self._show_phase()
        if found is not None:
            self.follower.refresh_if_ready()

    def _show_points(self, found: LatentMap, view: MapView) -> None:
        """Show another map, or the same one otherwise; where only the latent moved there is nothing to do."""
        before, known = self._shown
        self._shown = (found, view)
        layout = shown_layout(found, view)
        places = found.places[layout]
        told, classes, title = self._colours(found, view)
        if (
            before is None
            or known is None
            or not found.same_latents(before)
            or layout != shown_layout(before, known)
        ):
            self.canvas.set_points(places, told, classes, found.names.tolist(), title)
        else:
            if places is not before.places.get(layout):
                self.canvas.set_places(places)
            if view.colour != known.colour or found is not before:
                self.canvas.set_colours(told, classes, title)
        if layout == "pca" and len(found.shares) > 1:
            axes = [f"PC {k + 1}, {100 * found.shares[k]:.1f}% of the variance" for k in range(2)]
            self.canvas.set_axes(*axes)
        else:
            self.canvas.set_axes()
        if view.density:
            density = found.density(layout, sigma=DENSITY_SIGMA)
            self.canvas.set_density(density.values, (*density.low, *density.high))
        else:
            self.canvas.set_density(None)

    def _show_choices(self, view: MapView, found: LatentMap | None) -> None:
        line = self._set.lineEdit()
        assert line is not None
        with QSignalBlocker(self._set), QSignalBlocker(self._layout), QSignalBlocker(self._colour):
            if not self._set.count():
                from latentlab.data.catalog import known_sets

                self._set.addItems([f"{name}:train" for name in known_sets()])
            if not line.hasFocus():
                self._set.setEditText(self.data.data)
                line.setCursorPosition(0)
            self._layout.setCurrentIndex([name for name, _ in LAYOUTS].index(view.layout))
            names = ["", *(one.name for one in (found.info.attributes if found is not None else ()))]
            if [self._colour.itemData(k) for k in range(self._colour.count())] != names:
                self._colour.clear()
                for name in names:
                    self._colour.addItem(label_of(name) if name else "None", name)
            colour = self._colour_name(found, view)
            self._colour.setCurrentIndex(names.index(colour) if colour in names else 0)
            self._density.setChecked(view.density)

    def _colour_name(self, found: LatentMap | None, view: MapView) -> str:
        """Return the attribute that colours: as chosen; at first the first one there is."""
        if found is None or view.colour:
            return "" if view.colour == "-" else view.colour
        return found.info.attributes[0].name if found.info.attributes else ""

    def _colours(
        self, found: LatentMap, view: MapView
    ) -> tuple[NDArray[np.int64] | NDArray[np.float32] | None, tuple[str, ...], str]:
        name = self._colour_name(found, view)
        attribute = next((one for one in found.info.attributes if one.name == name), None)
        if attribute is None:
            return None, (), ""
        return found.labels[name], attribute.classes, label_of(name)

    def _show_phase(self) -> None:
        data = self.data
        ended = data.phase in ("failed", "stopped")
        self._stop.setVisible(data.phase == "making")
        self._again.setVisible(ended)
        if data.found is None:
            self._forget_points(data.message if ended else "" if data.data else NO_SET)
        if data.phase in ("looking", "making"):
            self.canvas.show_progress(f"{data.message}…", data.done, data.total)
        elif ended and data.found is not None:
            self.canvas.show_remark(data.message)
        else:
            self.canvas.end_progress()

    def _forget_points(self, why: str) -> None:
        """Show no points: those of another set or model must not stand for what is being looked for."""
        self._shown = (None, None)
        self.canvas.set_axes()
        self.canvas.show_nothing(why)

    def _show_marker(self) -> None:
        here = self.follower.here
        self.canvas.set_marker(*(here if here is not None else (None, None)))
        self.canvas.set_pins(self.follower.pins)

    def _show_thumbnail(self, index: int) -> None:
        found, images = self.data.found, self.data.images
        if index < 0 or found is None or images is None or index >= len(found.rows):
            return
        pixels = images.pixels(np.array([found.rows[index]]))[0]
        opened = self._workspace.opened
        judged = [one.name for one in opened.predictor.attributes] if opened and opened.predictor else []
        told = [name for name in found.label_texts if name in judged] or list(found.label_texts)[:4]
        labels = [f"{label_of(name)}: {found.label_texts[name][index] or 'not known'}" for name in told]
        text = "\n".join([str(found.names[index]), *labels])
        self.canvas.show_thumbnail(index, _image(pixels), text)

    # Doing

    def _change(self, **changed: object) -> None:
        if changed.get("colour") == "":
            changed["colour"] = "-"
        self._intents.shelf.set_map(replace(self._view, **changed))  # type: ignore[arg-type]

    def _choose_set(self) -> None:
        self._change(data=self._set.currentText().strip())

    def _go_to(self, index: int) -> None:
        found, images = self.data.found, self.data.images
        if found is not None and images is not None and 0 <= index < len(found.rows):
            pixels = images.pixels(np.array([found.rows[index]]))[0]
            self._workspace.bring_pixels(pixels, str(found.names[index]))

    def _walk(self, x: float, y: float) -> None:
        latent = self.follower.latent_at(x, y)
        if latent is not None:
            self._intents.go_to(latent, "Walk on the map", key="walk")

    def _gather(self, corners: NDArray[np.float32]) -> None:
        found = self.data.found
        if found is None:
            return
        chosen = found.inside(self.follower.layout, corners)
        if not chosen.any():
            self.canvas.set_selection(None)
            return
        self.canvas.set_selection(chosen)
        mean, rows = group_of(found, chosen)
        shape = self._workspace.explore.state
        assert shape is not None
        self._intents.shelf.add_group(mean.reshape(shape.latent.shape), len(rows), "", found.info.data, rows)

    def save_table(self, path: Path, writer: FileWriter) -> None:
        """Save names, places and labels of all points as CSV."""
        found = self.data.found
        if found is not None:
            from latentlab.operations.map_table import save_map_table

            writer.write(partial(save_map_table, path, found, self.follower.layout), f"Saved as {path}.")


def _image(pixels: NDArray[np.uint8]) -> QImage:
    return image_of(bgrx(pixels)).copy()
