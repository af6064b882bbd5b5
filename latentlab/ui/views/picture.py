"""The picture view: the pictures, the brush on a latent that is a grid, and the path that plays below."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from latentlab.live.frames import Frame
from latentlab.session.intents import Intents
from latentlab.session.latent_brush import START
from latentlab.session.path import Path
from latentlab.session.workspace import Workspace
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.brush_bar import BrushBar
from latentlab.ui.widgets.path_bar import LEAST_FPS, MOST_FPS, PathBar
from latentlab.ui.widgets.picture_stage import PictureStage

FPS = 24


class PicturePage(QWidget):
    """The stage, and the transport of the path; travelling edits the latent, so everything follows.

    ``speed_changed`` tells how many pictures a second it plays.
    """

    speed_changed = Signal(int)

    def __init__(
        self,
        workspace: Workspace,
        intents: Intents,
        theme: Theme,
        export_loop: QAction,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents = workspace, intents
        self.follower = Path(workspace)
        self.stage = PictureStage(theme)
        self.brush = BrushBar(theme)
        self.bar = PathBar(theme, export_loop)
        self.controls = QWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.stage, 1)
        layout.addWidget(self.brush)
        layout.addWidget(self.bar)
        self.brush.hide()
        self.bar.hide()
        self._clock = QTimer(self)
        self._clock.setInterval(round(1000 / FPS))
        self._clock.timeout.connect(self._play_on)
        self._share = 0.0
        self.fps = FPS
        self.bar.show_speed(FPS)
        path, strip = self.follower, self.bar.strip
        path.planned.connect(self._show_path)
        path.arrived.connect(self._show_frame)
        path.moved.connect(self._show_position)
        strip.scrub_begun.connect(self._begin_scrub)
        strip.scrubbed.connect(path.go_to)
        strip.scrub_ended.connect(path.end)
        self.bar.kind_chosen.connect(lambda kind: self._set(kind=kind))
        self.bar.steps_chosen.connect(lambda steps: self._set(steps=steps))
        self.bar.closed_chosen.connect(lambda closed: self._set(closed=closed))
        self.bar.speed_chosen.connect(self._choose_speed)
        self.bar.play_toggled.connect(self.play)
        canvas, strokes = self.stage.edited, intents.latent_brush
        self.brush.painting_toggled.connect(self.paint)
        self.brush.brush_changed.connect(canvas.set_brush)
        canvas.began.connect(self._begin_stroke)
        canvas.drawn.connect(strokes.draw_to)
        canvas.ended.connect(strokes.end)
        canvas.size_asked.connect(self.brush.change_size)
        canvas.tool_asked.connect(self.brush.choose_tool)
        self.brush.eraser_toggled.connect(self._erase)

    def paint(self, on: bool) -> None:
        """Paint on the edited picture's latent, or stop painting there."""
        self.play(False)
        canvas = self.stage.edited
        canvas.painting = on and self._intents.latent_brush.offered
        self.brush.show_painting(canvas.painting)
        if canvas.painting:
            self.stage.show_whole()
            canvas.set_brush(self.brush.brush)

    def _erase(self, on: bool) -> None:
        self.stage.edited.tool = "eraser" if on else "brush"

    def _begin_stroke(self, place: tuple[float, float]) -> None:
        """Begin a stroke with what the bar says."""
        self.play(False)
        bar = self.brush
        ink, amount = (START, 1.0) if bar.erases else (bar.ink, bar.amount)
        if ink is not None:
            self._intents.latent_brush.begin(ink, place, bar.brush, amount)

    @property
    def playing(self) -> bool:
        """Whether the path is being played."""
        return self._clock.isActive()

    def play(self, on: bool) -> None:
        """Travel along the path again and again until told to stop; all of it is one step."""
        if on == self.playing or (on and self.follower.latents is None):
            self.bar.show_playing(self.playing)
            return
        if on:
            self._share = self.follower.position or 0.0
            self.follower.begin("Play the path")
            self._clock.start()
        else:
            self._clock.stop()
            self.follower.end()
        self.bar.show_playing(on)

    def path_pictures(self) -> tuple[NDArray[np.float32], NDArray[np.float32] | None] | None:
        """Return the latents of the path for a loop, and their conditions (None where there are none).

        A closed path's end, which is its beginning, is there once.
        """
        latents, conditions = self.follower.lay(), self.follower.conditions
        if latents is None:
            return None
        count = len(latents) - self._workspace.session.document.shelf.path.closed
        return latents[:count], None if conditions is None else conditions[:count]

    def show_document(self) -> None:
        """Show how the path is set."""
        view = self._workspace.session.document.shelf.path
        self.bar.show_path(view.kind, view.steps, view.closed)
        opened, strokes = self._workspace.opened, self._intents.latent_brush
        self.brush.setVisible(strokes.offered)
        if opened is not None and strokes.offered:
            self.brush.show_inks(strokes.inks(), opened.spec.image_size)
        elif self.stage.edited.painting:
            self.paint(False)

    def _set(self, **changed: object) -> None:
        self.play(False)
        view = self._workspace.session.document.shelf.path
        self._intents.shelf.set_path(replace(view, **changed))  # type: ignore[arg-type]

    def set_speed(self, fps: int) -> None:
        """Play that many pictures a second, as far as the bar allows."""
        fps = min(max(LEAST_FPS, fps), MOST_FPS)
        self.bar.show_speed(fps)
        self._choose_speed(fps)

    def _choose_speed(self, fps: int) -> None:
        if fps != self.fps:
            self.fps = fps
            self._clock.setInterval(round(1000 / fps))
            self.speed_changed.emit(fps)

    def _begin_scrub(self) -> None:
        self.play(False)
        self.follower.begin()

    def _play_on(self) -> None:
        latents = self.follower.latents
        if latents is None or not self.isVisible():
            self.play(False)
            return
        # A frame that is late is not made up for: every step of the path is shown.
        step = 1.0 / max(1, len(latents) - 1)
        self._share = self._share + step if self._share + step <= 1.0 + 1e-9 else 0.0
        self.follower.go_to(self._share)

    def _show_path(self) -> None:
        self.play(False)
        latents = self.follower.latents
        self.bar.setVisible(latents is not None)
        if latents is None:
            self.bar.show_nothing()
            return
        pins, stations = self.follower.pins, self.follower.stations
        self.bar.strip.set_stations(stations, [pin.name for pin in pins])

    def _show_frame(self, frame: Frame) -> None:
        if self.follower.latents is not None:
            self.bar.show_frame(frame.pixels, frame.generation)

    def _show_position(self, share: float | None) -> None:
        if share is None:
            if self.playing:
                self.play(False)
        else:
            self.bar.show_position(share)
