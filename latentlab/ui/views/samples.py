"""The samples view: the same z on every dataset, blends of two datasets, and ways between two z, live."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latentlab.live.frames import Opened
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.projection_plan import changes, norm_words
from latentlab.session.document import Document, LatentRef, StripView
from latentlab.session.intents import Intents
from latentlab.session.sample_scene import Cell, Scene, blend_of, dataset_of, take_cell
from latentlab.session.samples import LiveSampled, LiveSamples, SampleMaker
from latentlab.session.session import Change
from latentlab.session.workspace import Workspace
from latentlab.ui.theme import Theme
from latentlab.ui.views.analogy_page import AnalogyPage, judged_by
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.sample_bar import FPS, SampleBar
from latentlab.ui.widgets.sample_panel import SamplePanel
from latentlab.ui.widgets.sample_sheet import RowHead, SampleSheet

KEY = "samples"
RENDERING = "The strip is being rendered."
BLEND_STEPS = 48
"""Steps in which a blend is played from one dataset to the other."""


class SamplesPage(AnalogyPage):
    """Shows the samples, and sends what a person does with them.

    ``explore_asked`` is the wish to go on in Explore, ``loop_asked`` that to save the strip as a loop.
    """

    name = "samples"
    title = "Samples"
    explore_asked = Signal()
    loop_asked = Signal()

    def __init__(
        self, workspace: Workspace, intents: Intents, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(workspace, intents, parent)
        self._pointed = 0
        self._stepping, self._forth = False, True
        self.maker = SampleMaker(workspace)
        self.live = LiveSamples(workspace, self.maker)
        self.panel = SamplePanel(theme)
        self.sheet = SampleSheet(theme)
        self.bar = SampleBar(theme)
        self._clock = QTimer(self)
        self._clock.setInterval(round(1000 / FPS))
        self._clock.timeout.connect(self._play_on)
        self._lay_out()
        self._connect(workspace, intents)

    def _lay_out(self) -> None:
        upper = QHBoxLayout()
        upper.setSpacing(16)
        upper.addWidget(self.panel)
        upper.addWidget(self.sheet, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(10)
        whole.addLayout(upper, 1)
        whole.addWidget(self.bar)

    def _connect(self, workspace: Workspace, intents: Intents) -> None:
        session, samples, panel, bar = workspace.session, intents.samples, self.panel, self.bar
        panel.rows_chosen.connect(samples.set_rows)
        panel.draw_asked.connect(samples.draw)
        panel.resample_asked.connect(samples.resample)
        panel.input_chosen.connect(lambda wanted: samples.set(replace(samples.view, with_input=wanted)))
        panel.truncated.connect(self._truncate)
        panel.pressed.connect(lambda: session.begin_gesture("Truncate the samples", KEY))
        panel.released.connect(lambda: session.end_gesture(KEY))
        panel.mode.wished.connect(lambda keep: self._keep(keep, ""))
        panel.mode.moved.connect(lambda keep: self._keep(keep, KEY))
        panel.mode.pressed.connect(lambda: session.begin_gesture("Set the analogies", KEY))
        panel.mode.released.connect(lambda: session.end_gesture(KEY))
        self.sheet.chosen.connect(self.use)
        self.sheet.hovered.connect(self._point_at)
        self.sheet.pin_asked.connect(self._pin_row_of)
        self.sheet.pin_toggled.connect(self._pin)
        self.sheet.row_chosen.connect(self._choose_row)
        bar.wished.connect(self._set_strip)
        bar.moved.connect(self._stand)
        bar.pressed.connect(self._begin)
        bar.released.connect(lambda: session.end_gesture(KEY))
        bar.play_toggled.connect(self.play)
        bar.take_asked.connect(self._use_here)
        bar.loop_asked.connect(self.loop_asked)
        bar.fps.valueChanged.connect(lambda fps: self._clock.setInterval(round(1000 / fps)))
        self.live.arrived.connect(self._show_live)
        self.live.refused.connect(self._show_refusal)
        self._listen()

    # What the window asks

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown."""
        return not self.live.waiting and (self.live.found is not None or self.live.settled_refusal)

    @property
    def selected(self) -> Cell | None:
        """The picture that was pointed at last; None where there are none."""
        found = self.live.found
        return (
            None if found is None else self.live.cell(*divmod(self._pointed, len(found.scene.plan.columns)))
        )

    @property
    def fps(self) -> int:
        """Pictures a second of the strip."""
        return self.bar.fps.value()

    @property
    def playing(self) -> bool:
        """Whether the strip is being played."""
        return self._clock.isActive()

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        self.sheet.set_smooth(smooth)
        self.bar.here.smooth = smooth
        self.bar.here.update()

    def close_threads(self) -> None:
        """Stop what works in the background."""
        self.play(False)
        self.maker.close()

    def use(self, index: int) -> None:
        """Go on in Explore with a picture of the grid."""
        found = self.live.found
        if found is not None:
            self._take(self.live.cell(*divmod(index, len(found.scene.plan.columns))))

    def _use_here(self) -> None:
        found = self.live.found
        if found is not None and not isinstance(found.scene.strip, str):
            self._take(found.scene.strip.here)

    def _take(self, cell: Cell | None) -> None:
        if cell is None or not self._workspace.in_step:
            return
        self.play(False)
        take_cell(self._workspace.session, cell)
        self.explore_asked.emit()

    # Intents

    def _truncate(self, truncation: float) -> None:
        samples = self._intents.samples
        samples.set(replace(samples.view, truncation=truncation), "Truncate the samples", KEY)

    def _keep(self, keep: float, key: str) -> None:
        view = self._workspace.session.document.shelf.projection
        self._intents.shelf.set_projection(replace(view, keep=keep), key or None)

    def _pin_row_of(self, index: int) -> None:
        found = self.live.found
        if found is not None:
            row = index // len(found.scene.plan.columns) - found.scene.drawn_from
            rows = self._intents.samples.view.rows
            if 0 <= row < len(rows):
                self._intents.samples.pin(row, not rows[row].pinned)

    def _pin(self, row: int, pinned: bool) -> None:
        found = self.live.found
        if found is not None:
            self._intents.samples.pin(row - found.scene.drawn_from, pinned)

    def _choose_row(self, row: int) -> None:
        found = self.live.found
        strip = self._intents.samples.view.strip
        if found is None or strip.kind == "none":
            return
        drawn = row - found.scene.drawn_from
        self._set_strip(replace(strip, start=LatentRef(drawn) if drawn >= 0 else LatentRef(input=True)))

    def _set_strip(self, strip: StripView) -> None:
        self.play(False)
        name = "Set the blend" if strip.kind == "blend" else "Set the strip"
        self._intents.samples.set_strip(strip, "Set the way" if strip.kind == "way" else name)

    def _stand(self, share: float) -> None:
        """Stand elsewhere on the strip: between two datasets, or on the way between two z."""
        strip, share = self._intents.samples.view.strip, round(share, 4)
        moved = replace(strip, share=share) if strip.kind == "blend" else replace(strip, place=share)
        self._stepping = True
        try:
            self._intents.samples.set_strip(moved, self._moving_name, KEY)
        finally:
            self._stepping = False

    @property
    def _moving_name(self) -> str:
        blend = self._intents.samples.view.strip.kind == "blend"
        return "Blend the datasets" if blend else "Travel along the way"

    def _begin(self) -> None:
        self.play(False)
        self._workspace.session.begin_gesture(self._moving_name, KEY)

    # Playing

    def play(self, on: bool) -> None:
        """Go to and fro along the strip until told to stop; all of it is one step."""
        found = self.live.found
        can = found is not None and not isinstance(found.scene.strip, str)
        if on == self.playing or (on and not can):
            self.bar.show_playing(self.playing)
            return
        if on:
            blend = self._intents.samples.view.strip.kind == "blend"
            name = "Play the blend" if blend else "Play the way"
            self._workspace.session.begin_gesture(name, KEY)
            self._clock.start()
        else:
            self._clock.stop()
            self._workspace.session.end_gesture(KEY)
        self.bar.show_playing(on)

    def _play_on(self) -> None:
        if not self.isVisible():
            self.play(False)
            return
        if self.live.waiting:
            return  # what is late is not left out
        strip = self._intents.samples.view.strip
        blend = strip.kind == "blend"
        last = BLEND_STEPS if blend else strip.steps - 1
        here = round((strip.share if blend else strip.place) * last)
        self._forth = here < last and (self._forth or here == 0)
        self._stand((here + (1 if self._forth else -1)) / last)

    # Showing

    def _activate(self, active: bool) -> None:
        if not active:
            self.play(False)
        self.live.active = active

    def _set_model(self, opened: Opened) -> None:
        self._pointed = 0
        self.bar.set_datasets(opened.spec.datasets)
        self.panel.mode.set_has_mode(opened.spec.condition.has_mode)
        self.panel.judge.setText(judged_by(opened, "Predicted by {}", "nothing is predicted"))
        self.panel.card.show_nothing()

    def _follow(self, change: Change) -> None:
        if change.after.shelf.samples is not change.before.shelf.samples and not self._stepping:
            self.play(False)
        before, after = change.before, change.after
        if not self._active or self._model is None or not self._workspace.in_step or after.explore is None:
            return
        source = None if before.explore is None else before.explore.source
        shown, wanted = before.shelf, after.shelf
        if (
            shown.samples is not wanted.samples
            or shown.projection is not wanted.projection
            or shown.pins is not wanted.pins
            or source is not after.explore.source
        ):
            self._show_view(after)

    def _show_view(self, document: Document) -> None:
        assert self._model is not None
        view, shelf, state = document.shelf.samples, document.shelf, document.explore
        picture = "" if state is None or state.source is None else state.source.title
        with_input = bool(picture) and view.with_input
        self.panel.show_view(view, shelf.projection.keep, picture)
        refs = [(LatentRef(k), f"seed {row.seed}") for k, row in enumerate(view.rows)]
        refs = [(LatentRef(input=True), picture), *refs] if with_input else refs
        refs += [(LatentRef(pin=pin.name), pin.name) for pin in shelf.pins]
        self.bar.set_latents(refs)
        schema = self._model.spec.condition
        pair = blend_of(schema, view.strip)
        self.bar.show_view(view.strip, pair.first, pair.second, dataset_of(schema, view.strip))
        found = self.live.found
        if found is not None:
            self.sheet.show_heads(self._heads(found.scene))

    def _heads(self, scene: Scene) -> list[RowHead]:
        """Return the rows as they are shown; pins as they are set now."""
        rows = self._intents.samples.view.rows
        heads = []
        for k, sample in enumerate(scene.plan.samples):
            place = k - scene.drawn_from
            pinned = rows[place].pinned if 0 <= place < len(rows) else None
            heads.append(RowHead(sample.name, pinned))
        return heads

    def _show_live(self, found: LiveSampled) -> None:
        if not self._active or self._model is None:
            return
        columns = found.scene.plan.columns
        shorts = [one.name if one.blend is None else one.blend.short for one in columns]
        self.sheet.show_shape(self._heads(found.scene), shorts, [one.name for one in columns])
        count = len(found.scene.plan.samples) * len(columns)
        self.sheet.show_words([self._words(found, index) for index in range(count)])
        self.sheet.show_frame(found.pixels, found.grid.generation)
        self._pointed = min(self._pointed, count - 1)
        if not self.panel.card.empty:
            self._show_card(self._pointed)
        strip = found.scene.strip
        if isinstance(strip, str) or found.here is None:
            self.bar.show_nothing(strip if isinstance(strip, str) else "")
            return
        if found.strip is None:
            self.bar.show_nothing(RENDERING)
        else:
            self.bar.show_strip(found.strip.pixels, found.strip.generation, strip.names)
        here = strip.here
        self.bar.here.show_picture(found.here.pixels, f"{here.sample.name} on {here.where}")

    def _show_refusal(self, why: str) -> None:
        if self._active:
            self.sheet.show_nothing(why)
            self.bar.show_nothing("")
            self.panel.card.show_nothing()

    def _words(self, found: LiveSampled, index: int) -> list[str]:
        """Return what is predicted otherwise than in the row's first column."""
        columns = found.scene.plan.columns
        row, column = divmod(index, len(columns))
        if not column or not self._classes:
            return []
        told = self._comparable(*columns[0].datasets, *columns[column].datasets)
        changed = changes(found.said(row, 0), found.said(row, column), told)
        return [f"Predicted otherwise than on {columns[0].name}:", *changed] if changed else []

    def _point_at(self, index: int) -> None:
        if index >= 0:
            self._pointed = index
            self._show_card(index)

    def _show_card(self, index: int) -> None:
        found = self.live.found
        cell = self.selected
        if found is None or cell is None:
            return
        row, column = divmod(index, len(found.scene.plan.columns))
        said, first = found.said(row, column), found.said(row, 0)
        columns = found.scene.plan.columns
        shown, alike = (self._comparable(*columns[k].datasets) for k in (column, 0))
        lines = tuple(
            self._line(name, said, first if name in alike else said) for name in shown if name in said
        )
        norm, size = cell.sample.norm, cell.sample.latent.size
        words = f"|z| / √D = {norm:.2f}, {norm_words(norm, size)}"
        against = found.scene.plan.columns[0].name
        self.panel.card.show_sample(f"{cell.sample.name} on {cell.where}", words, against, lines)

    def _line(self, name: str, said: Probabilities, first: Probabilities) -> tuple[str, str, str]:
        """Return an attribute, what is predicted, and what is in the first column where that differs."""
        labels = self._classes[name]
        now, was = int(np.argmax(said[name])), int(np.argmax(first[name]))
        sure = f"{label_of(labels[now])} {float(said[name][now]):.0%}"
        return label_of(name), sure, label_of(labels[was]) if was != now else ""
