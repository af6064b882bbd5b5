"""The Search screen: imaginary pictures that look, reduced, like a small one; live, and as a set."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QWidget

from latentlab.errors import SettingsError
from latentlab.live.frames import Opened
from latentlab.operations.painting import Colour
from latentlab.session.document import Document, SearchView, Source
from latentlab.session.intents import Intents
from latentlab.session.kept_explorer import ModelKey
from latentlab.session.search_drawing import blank
from latentlab.session.search_film import SearchFrame
from latentlab.session.search_mix import assumed_of, attributes_of, beside_of, chosen_attribute
from latentlab.session.search_target import Prepared, TargetMaker
from latentlab.session.search_wanted import (
    SearchWanted,
    condition_words,
    no_search,
    observation_of,
    search_wanted,
    settings_of,
    target_wanted,
)
from latentlab.session.search_words import restart_words, work_words
from latentlab.session.search_work import Moment, SearchAside, SearchFound, SearchWork
from latentlab.session.session import Change, Message
from latentlab.session.underway import Brought
from latentlab.session.workspace import Workspace
from latentlab.ui.theme import Theme
from latentlab.ui.views.search_results import SearchResults
from latentlab.ui.widgets.search_form import SearchForm
from latentlab.ui.widgets.state_page import StatePage

AGAIN_MILLISECONDS = 250
"""So long nothing changes before a search begins anew by itself."""
CHANGED = "Settings have changed since. Search again to see what they do."


class SearchScreen(QWidget):
    """Shows what is searched for and what is found, and sends what a person does with it.

    ``explore_asked`` is the wish to go on in Explore.

    Attributes
    ----------
    targets
        The small picture.
    work
        The search.
    """

    name = "search"
    title = "Search"
    explore_asked = Signal()

    def __init__(
        self,
        workspace: Workspace,
        intents: Intents,
        theme: Theme,
        actions: dict[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents = workspace, intents.search
        self._model: Opened | None = None
        self._active = False
        self._selected: int | None = None
        self._place: int | None = None  # of the frame that is looked at; None for the newest
        self.targets = TargetMaker(workspace)
        self.work = SearchWork(workspace)
        self.form = SearchForm(theme, actions["crop"])
        self.results = SearchResults(theme, actions["export_loop"], actions["export_set"])
        self.empty = StatePage(actions["open_checkpoint"], None)
        self._inner = QWidget()
        whole = QHBoxLayout(self._inner)
        whole.setContentsMargins(16, 4, 16, 12)
        whole.setSpacing(16)
        whole.addWidget(self.form)
        whole.addWidget(self.results, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._inner)
        self._stack.addWidget(self.empty)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(AGAIN_MILLISECONDS)
        self._again.timeout.connect(self._search_again)
        self._connect()
        workspace.take_aside = self._take_aside
        workspace.session.changed.connect(self._follow)
        workspace.model_changed.connect(self._take_model)
        workspace.busy_changed.connect(lambda _busy: self.setEnabled(workspace.in_step))

    def _connect(self) -> None:
        form, results, box = self.form, self.results, self.form.input
        form.wished.connect(self._set)
        form.factor_wished.connect(self._set_factor)
        form.start_asked.connect(self.start)
        form.hold_asked.connect(self.work.hold)
        form.stop_asked.connect(self.work.stop)
        form.more_asked.connect(self.go_on)
        form.again.toggled.connect(lambda on: self._again.start() if on else self._again.stop())
        box.draw_toggled.connect(self.draw)
        box.began.connect(self._intents.begin_stroke)
        box.drawn.connect(self._intents.draw)
        box.ended.connect(self._intents.end_stroke)
        box.cleared.connect(self._clear)
        box.own_dropped.connect(self._intents.forget_own)
        results.frame_asked.connect(self.look_at)
        results.chosen.connect(self.select)
        results.explore_asked.connect(self.use)
        results.mix.attribute_chosen.connect(lambda name: self._intents.change("Show a mix", attribute=name))
        results.mix.beside_chosen.connect(lambda kind: self._intents.change("Compare the mix", beside=kind))
        results.mix.assumed.connect(self._assume)
        self.targets.prepared.connect(self._show_prepared)
        self.work.moved.connect(self._show_moment)
        self.work.found_set.connect(self._show_found)
        self.work.changed.connect(self._show_work)

    # What the window asks

    @property
    def active(self) -> bool:
        """Whether the screen is looked at; a search that was begun goes on when it is not."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = active
        if active:
            self.show_document()
        else:
            self.results.player.set_playing(False)
        self.targets.active = active

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown."""
        on_page = self._stack.currentWidget() is self.empty
        return on_page or not (self.targets.waiting or (self.work.underway and not self.work.paused))

    @property
    def found(self) -> SearchFound | None:
        """What was found for the small picture that is shown; None before."""
        found = self.work.found
        return found if found is not None and self._is_shown(found.wanted) else None

    @property
    def selected(self) -> int | None:
        """Which restart of the frame was chosen; None where none was."""
        frame = self._frame
        if frame is None:
            return None
        count = len(frame.distances)
        return self._selected if self._selected is not None and self._selected < count else None

    @property
    def fps(self) -> int:
        """Frames a second."""
        return self.results.player.fps

    @property
    def wanted(self) -> SearchWanted | None:
        """What is asked for, as it is set."""
        opened = self._workspace.opened
        if opened is None or not self._workspace.in_step or no_search(opened.spec, opened.name):
            return None
        return search_wanted(self._workspace.session.document, opened.spec)

    @property
    def drawing(self) -> bool:
        """Whether one draws."""
        return self.form.input.drawing

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of the pictures, or show them as squares; small ones always are."""
        self.results.tiles.set_smooth(smooth)
        self.form.input.input.smooth = smooth
        self.form.input.input.update()

    def close_threads(self) -> None:
        """Stop what works in the background."""
        self._again.stop()
        self.results.player.set_playing(False)
        self.targets.close()
        self.work.close()

    def show_document(self) -> None:
        """Show everything anew, if the screen is looked at."""
        opened = self._workspace.opened
        if not self._active or opened is None or not self._workspace.in_step:
            return
        if opened is not self._model:
            self._set_model(opened)
        why = no_search(opened.spec, opened.name)
        self._stack.setCurrentWidget(self.empty if why else self._inner)
        if why:
            self.empty.show_reason("No search with this model", why)
            return
        self._show_view(self._workspace.session.document)

    # What a person asks

    def start(self) -> None:
        """Search for the small picture, anew where one is being searched for."""
        wanted, prepared = self.wanted, self.targets.found
        if wanted is None or prepared is None or not wanted.target.is_same(prepared.wanted):
            return
        self._again.stop()
        self._selected = self._place = None
        self.work.start(wanted, prepared)
        self._show_results()

    def go_on(self, more: int) -> None:
        """Go on with so many more steps."""
        if self.found is not None:
            self._place = None
            self.work.go_on(more)

    def start_or_go_on(self) -> None:
        """Begin, hold or go on: what is most likely wanted."""
        if self.work.underway:
            self.work.hold(not self.work.paused)
        else:
            self.start()

    def put_back(self, aside: SearchAside) -> None:
        """Return to a search that was put aside, if it is of the model that is open again."""
        opened, model = self._workspace.opened, ModelKey.of(self._workspace.session.document)
        searched = None if aside.run is None else aside.run.wanted.target.model
        if opened is None or searched is None or searched != model:
            return
        if opened is not self._model:
            self._set_model(opened)
        self.work.put_back(aside)

    def draw(self, on: bool) -> None:
        """Draw the small picture, beginning with what is seen; or stop drawing."""
        opened = self._workspace.opened
        if on and opened is not None:
            own = self._intents.view.own
            if own is None or not own.small:
                side = observation_of(self._intents.view, opened.spec.image_size).side(opened.spec.image_size)
                found = self.targets.found
                self._intents.draw(blank(side) if found is None else found.target.shown())
        self.form.input.set_drawing(on)
        self._show_input()

    def select(self, place: int) -> None:
        """Look at a restart."""
        self._selected = place
        self.results.set_current(place)

    def look_at(self, place: int) -> None:
        """Look at a frame of the search."""
        frames = () if self.found is None else self.found.frames
        if frames:
            self._place = min(place, len(frames) - 1)
            self._show_frame(frames[self._place])

    def use(self, place: int) -> None:
        """Go on in Explore with what a restart found; without a place with the one that is looked at."""
        found = self.found
        if found is None or found.found is None or self.work.underway or not self._workspace.in_step:
            return
        restarts = found.found.restarts
        place = self.chosen if place < 0 else place
        if place >= len(restarts):
            return  # a chain on its way, of which no draw is kept
        restart = restarts[place]
        if self._intents.take(restart.latent, restart.found.condition, restart.seed):
            self.explore_asked.emit()

    @property
    def chosen(self) -> int:
        """Which of what was found is looked at: the one that was chosen, else the nearest."""
        found = self.found
        restarts = () if found is None or found.found is None else found.found.restarts
        if self._selected is not None and self._selected < len(restarts):
            return self._selected
        return int(np.argmin([one.distance for one in restarts])) if restarts else 0

    def _clear(self, colour: Colour) -> None:
        own = self._intents.view.own
        if own is not None:
            self._intents.draw(blank(own.pixels.shape[0], colour), "Clear the drawing")

    def _assume(self, place: int, percent: int) -> None:
        opened, view = self._workspace.opened, self._intents.view
        judge = None if opened is None else opened.predictor
        attribute = chosen_attribute(judge, view)
        if judge is None or not attribute:
            return
        classes = judge.attribute(attribute).classes
        shares = list(assumed_of(view, attribute, classes).values())
        shares[place] = percent / 100
        assumed = {**dict(view.assumed), attribute: tuple(shares)}
        self._intents.change("Assume a mix", assumed=tuple(sorted(assumed.items())))

    def _set(self, view: SearchView) -> None:
        try:
            if self._workspace.opened is not None:
                settings_of(view, self._workspace.opened.spec.image_size)
        except SettingsError as error:
            self._workspace.session.message.emit(Message("error", str(error)))
            self._show_view(self._workspace.session.document)
            return
        self._intents.set(view)

    def _set_factor(self, factor: int) -> None:
        if self._workspace.opened is not None:
            self._intents.set_factor(factor, self._workspace.opened.spec.image_size)

    def _take_aside(self, picture: Brought) -> bool:
        """Search for a picture that the model cannot encode."""
        opened = self._workspace.opened
        if not self._active or opened is None or no_search(opened.spec, opened.name):
            return False
        from latentlab.data.pictures import square_picture

        pixels, size = picture.seen, opened.spec.image_size
        if min(pixels.shape[:2]) > size:
            pixels = square_picture(pixels, size)
        self._intents.bring(picture.name, pixels)
        return True

    def _search_again(self) -> None:
        if not self.form.again.isChecked() or not self._active:
            return
        if self.targets.waiting:
            self._again.start()
            return
        wanted = self.wanted
        if wanted is not None and not wanted.is_same(self.work.wanted):
            self.start()

    # Showing

    def _take_model(self) -> None:
        """End a search with another model, even if nobody looks, and show the document."""
        if self._model is not None and self._workspace.opened is not self._model:
            self.work.drop()
        self.show_document()

    def _set_model(self, opened: Opened) -> None:
        self._model = opened
        self._selected = self._place = None
        self.work.drop()
        self.form.input.set_drawing(False)
        self.form.set_model(opened.spec)
        self.results.mix.set_attributes(attributes_of(opened.predictor))

    def _follow(self, change: Change) -> None:
        if not self._active or not self._workspace.in_step or self._model is None:
            return
        before, after = change.before, change.after
        sources = [None if one.explore is None else one.explore.source for one in (before, after)]
        if change.way == "edit" and after.shelf.search.own is not None and _is_brought(*sources):
            self.form.input.set_drawing(False)
            self._intents.forget_own()  # what was brought in is what is to be searched for
            return
        conditions = [None if one.explore is None else one.explore.condition for one in (before, after)]
        if before.shelf.search is not after.shelf.search or sources[0] is not sources[1]:
            self._show_view(after)
        elif conditions[0] is not conditions[1]:
            self._show_work()

    def _show_view(self, document: Document) -> None:
        assert self._model is not None
        view, size = document.shelf.search, self._model.spec.image_size
        if self.drawing and (view.own is None or not view.own.small):
            self.form.input.set_drawing(False)
        self.form.show_view(view, size)
        wanted = target_wanted(document, self._model.spec)
        searched = None if self.work.wanted is None else self.work.wanted.target
        if self.work.underway and (wanted is None or not wanted.is_alike(searched)):
            self.work.stop()  # nobody sees it any more; what it found until now can be come back to
        self._show_input()
        self._show_results()
        if self.form.again.isChecked():
            self._again.start()

    def _show_input(self) -> None:
        document, box = self._workspace.session.document, self.form.input
        view, state = document.shelf.search, document.explore
        source = None if state is None else state.source
        own, prepared = view.own, self.targets.found
        if own is not None and not own.small:
            seen = None if prepared is None else prepared.target.source
            box.show_input(own.pixels if seen is None else seen, own.name)
        elif own is not None:
            box.show_input(None, "", "The small picture is a drawing.")
        elif source is not None:
            box.show_input(source.seen, source.title)
        else:
            box.show_input(None, "", "none yet")
        # A drawing is shown at once, before what is made of it is there.
        small = own.pixels if own is not None and own.small else None
        if small is None or not self.drawing:
            small = small if prepared is None else prepared.target.shown()
        box.show_small(small, self._about(prepared), own is not None)

    def _about(self, prepared: Prepared | None) -> str:
        assert self._model is not None
        if prepared is None:
            return self.targets.refusal
        observation = prepared.wanted.observation
        said = observation.words(self._model.spec.image_size)
        eps = f"eps {prepared.eps.value:.3g}, {prepared.eps.source}"
        own = self._intents.view.own
        drawn = own is not None and own.small
        notes = "" if drawn else " ".join(note for note in prepared.target.notes if "exposure" not in note)
        wanted = self.wanted
        told = "" if wanted is None else condition_words(self._model.spec.condition, wanted)
        return " ".join(filter(None, (f"{said}; {eps}.", notes, told)))

    def _show_prepared(self, _answer: Prepared | str) -> None:
        if not self._active or self._model is None:
            return
        self._show_input()
        self._show_results()
        if self.form.again.isChecked():
            self._again.start()

    def _is_shown(self, wanted: SearchWanted | None) -> bool:
        """Whether what is or was searched for is the small picture that is shown."""
        if wanted is None or self._model is None:
            return False
        target = target_wanted(self._workspace.session.document, self._model.spec)
        return target is not None and target.is_alike(wanted.target)

    @property
    def _frame(self) -> SearchFrame | None:
        """The frame that is looked at."""
        if not self._is_shown(self.work.wanted):
            return None
        found = self.found
        if found is not None and self._place is not None and self._place < len(found.frames):
            return found.frames[self._place]
        return None if self.work.moment is None else self.work.moment.frame

    def _show_results(self) -> None:
        """Show what there is of the small picture that is shown."""
        if self._model is None:
            return
        frame, moment = self._frame, self.work.moment
        if frame is None or moment is None:
            self.results.show_nothing(self._nothing())
        else:
            self._show_frames()
            self._show_trace(moment)
            self._show_frame(frame)
        self._show_mix()
        self._show_work()

    def _nothing(self) -> str:
        if self.work.phase == "failed" and self._is_shown(self.work.wanted):
            return self.work.message
        if self.targets.refusal:
            return self.targets.refusal
        if self.work.underway and self._is_shown(self.work.wanted):
            return "Opening the model…" if self.work.phase == "opening" else "Beginning…"
        view = self._intents.view
        if view.posterior:
            return (
                f"Press Sample: {view.restarts} chains draw imaginary pictures in the proportions in which "
                "they may be behind the small one."
            )
        return (
            f"Press Search: from {view.restarts} starts it looks for imaginary pictures that, reduced, look "
            "like the small one."
        )

    def _show_frames(self) -> None:
        found = self.found
        player = self.results.player
        if found is None or self.work.underway:
            player.show_frames(0)
        else:
            player.show_frames(len(found.frames), self._place)

    def _show_trace(self, moment: Moment) -> None:
        prepared = self.work.prepared
        assert prepared is not None
        wanted = self.work.wanted
        posterior = wanted is not None and wanted.view.posterior
        until = max(self.work.steps[1] if self.work.underway else moment.frame.step, moment.frame.step)
        self.results.show_trace(moment.trace, None if posterior else prepared.eps.value, until, moment.frame)

    def _show_frame(self, frame: SearchFrame) -> None:
        wanted, opened = self.work.wanted, self._workspace.opened
        judge = None if opened is None else opened.predictor
        first = chosen_attribute(judge, self._intents.view)
        seed = 0 if wanted is None else wanted.view.seed
        self.results.show_frame(frame, restart_words(frame, self.found, seed, first, judge))
        self.results.set_current(self.selected)

    def _show_moment(self, moment: Moment) -> None:
        if self._active and self._is_shown(self.work.wanted):
            self._show_trace(moment)
            self._show_frame(moment.frame)
            self._show_work()

    def _show_found(self, _found: SearchFound | None) -> None:
        if self._active:
            self._place = None
            self._show_results()

    def _show_mix(self) -> None:
        document, opened = self._workspace.session.document, self._workspace.opened
        judge = None if opened is None else opened.predictor
        view, state = document.shelf.search, document.explore
        attribute = chosen_attribute(judge, view)
        if opened is None or judge is None or not attribute:
            return
        source = None if state is None or view.own is not None else state.source
        seen = {} if source is None else source.encoded.source_attributes
        prepared = self.targets.found
        classes = judge.attribute(attribute).classes
        beside = beside_of(view, attribute, classes, seen, {} if prepared is None else prepared.row)
        mix = None if self.found is None else self.found.mixes.get(attribute)
        self.results.show_mix(attribute, classes, mix, beside, view.beside, opened.predictor_name)

    def _show_work(self) -> None:
        if not self._active:
            return
        work, found = self.work, self.found
        shown = self._is_shown(work.wanted)
        wanted = self.wanted
        text = work_words(work) if shown else ""
        changed = shown and not work.underway and found is not None and wanted is not None
        if changed and wanted is not None and not wanted.is_same(work.wanted):
            text = f"{text} {CHANGED}".strip()
        done, total = work.steps
        underway = work.underway and shown
        self.form.show_work(
            text,
            underway=underway,
            paused=work.paused,
            done=done,
            total=total if work.phase == "running" else 0,
            can_go_on=found is not None and found.can_go_on,
            ready=self.targets.found is not None,
        )
        has_set = found is not None and found.found is not None and not work.underway
        self.results.show_headline(self._headline(found), has_set)
        if shown and work.phase == "failed":
            self.results.tiles.show_nothing(work.message)
        if underway:
            self._show_frames()

    def _headline(self, found: SearchFound | None) -> str:
        if not self._is_shown(self.work.wanted):
            return ""
        wanted = self.work.wanted
        assert wanted is not None
        view = wanted.view
        what = "chain" if view.posterior else "restart"
        name = wanted.target.name
        how = f"{view.restarts} {what}{'s' if view.restarts > 1 else ''}"
        reached = ""
        if found is not None and found.found is not None and found.found.sampling is None:
            reached = f", {len(found.found.under)} under eps"
        elif found is not None and found.found is not None:
            reached = f", {len(found.found.restarts)} draws shown"
        return f"{name[:1].upper()}{name[1:]}: {how}{reached}"


def _is_brought(before: Source | None, after: Source | None) -> bool:
    """Whether another picture has come."""
    return after is not None and after is not before and (before is None or not after.is_same(before))
