"""The workspace: a session, its renderer, and how checkpoints and pictures come into it.

Opening a checkpoint and encoding a picture take time, on other threads; the document changes only when
the answer is there, in one undoable step, so what was there before stays until then and after a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.device import DeviceChoice
from latentlab.errors import LatentLabError, SettingsError
from latentlab.live.frames import DeviceOverride, Encoded, Failed, Opened, Reading
from latentlab.operations.latent_text import read_condition_text, read_latent_text
from latentlab.session.beside import BesideEncoder
from latentlab.session.document import CheckpointRef, Document, Explore, Source
from latentlab.session.explore import (
    ExploreIntents,
    cropped,
    given,
    start_from_picture,
    start_in_the_middle,
)
from latentlab.session.painted_encoder import PaintedEncoder
from latentlab.session.reading import PictureReader
from latentlab.session.renderer_host import RendererHost
from latentlab.session.rendering import Post, Rendering
from latentlab.session.restore import find_predictor, restored
from latentlab.session.saved import Saved
from latentlab.session.session import Change, Message, Session
from latentlab.session.session_files import Found, SessionFiles
from latentlab.session.telling import Teller
from latentlab.session.underway import Brought, Encoding, Opening, Phase, Purpose, opening_words

if TYPE_CHECKING:
    from latentlab.data.pictures import Picture

STOPPED, STOPPING = "The model was not opened: it was stopped.", "Stopping"


class Workspace:
    """What the window talks to: intents go in, signals come out, all on the session's thread.

    Parameters
    ----------
    post
        Runs a callable soon on the session's thread; called from others.
    override
        A wish about device, precision and threads.

    Attributes
    ----------
    session_opened
        A saved session (`Saved`) has become the document.
    session_saved
        The document (`Document`) has been written to a file (`Path`).
    checkpoint_missing
        A session (`Saved`) cannot be opened because its model is not at its path (a text, empty if it is
        not known) nor anywhere else: `open_session_with` goes on once it has been found.
    rested
        Nothing is waited for any more: all that was asked for is in the document, or will not be.
    """

    phase_changed = Signal(str)
    model_changed = Signal()
    choice_changed = Signal()
    busy_changed = Signal(str)
    session_opened = Signal(Saved)
    rested = Signal()

    def __init__(self, post: Post, override: DeviceOverride | None = None) -> None:
        self.session = Session()
        # Before the rendering follows the session: a change of model must reach this one first.
        self.session.changed.connect(self._follow)
        self.explore = ExploreIntents(self.session)
        self.rendering = Rendering(self.session, post)
        self.phase: Phase = "empty"
        self.reason = ""
        self.opened: Opened | None = None
        self.choice: DeviceChoice | None = None
        self.override = override or DeviceOverride()
        self._host = RendererHost(
            post,
            self._have_opened,
            self._have_tuned,
            self._have_encoded,
            self._have_failed,
            self._have_read_part,
        )
        self._reader = PictureReader(post, self._have_read)
        self._files = SessionFiles(self.session, post, self._have_found, self._fail_first)
        self._files.busy_changed.connect(self._tell_busy)
        self.session_saved, self.checkpoint_missing = self._files.saved, self._files.missing
        self.teller = Teller(self.session, self._tell_encoder)
        self.painted = PaintedEncoder(self.session, self._encode_painted)
        self.beside = BesideEncoder(self._encode_beside)
        self.take_aside: Callable[[Brought], bool] = lambda _picture: False
        """Takes a picture that the model cannot encode, where somebody has a use for it."""
        self._opening: Opening | None = None
        self._encoding: Encoding | None = None
        self._held: Brought | None = None
        self._hold_next = False
        self._request: tuple[str, str | None] | None = None
        # What the document says of the model that is rendered, its document when undo went over to another
        # one, what the renderer holds, and the wish about the device that it was last ready with.
        self._reference: CheckpointRef | None = None
        self._home: Document | None = None
        self._putting_back = False
        self._loaded: Opened | None = None
        self._working = self.override

    @property
    def in_step(self) -> bool:
        """Whether the open model is the document's, so that its controls mean what they show."""
        return self.opened is not None and self._opening is None

    @property
    def at_rest(self) -> bool:
        """Whether nothing is waited for that will change the document."""
        waiting = self.teller.waiting or self.painted.waiting
        return self._opening is None and not waiting and not self.busy

    @property
    def busy(self) -> str:
        """What is being waited for, in words; empty when nothing is."""
        if self._opening is not None:
            if self._opening.stopped:
                return STOPPING
            return opening_words(self._request[0] if self._request else "", self._opening.share)
        if self._encoding is not None:
            return "Encoding the picture"
        return "Reading the picture" if self._reader.busy else self._files.busy

    def open_checkpoint(self, checkpoint: str, predictor: str | None = None) -> None:
        """Open a checkpoint by path or bundled name; the picture that is open is encoded by it too.

        An attribute predictor is taken for the model that is open, in the place of the one that judged it.
        """
        self._files.forget_reading()
        path = Path(checkpoint)
        name = str(path.resolve()) if path.exists() else checkpoint
        reference = self.session.document.checkpoint
        if predictor is None and reference is not None and _is_predictor(name):
            self._open(reference.path, name, "open")
        else:
            self._open(name, predictor, "open")

    @property
    def can_stop_opening(self) -> bool:
        """Whether a model is on its way that one can do without: its weights are still being read."""
        opening = self._opening
        return opening is not None and opening.opened is None and not opening.stopped

    def stop_opening(self) -> None:
        """Want no more of the model that is on its way; what was open stays, as after a failure."""
        if self._opening is not None and self.can_stop_opening and self._host.renderer is not None:
            self._opening.stopped = True
            self._host.renderer.stop_opening(self._opening.token)
            self._tell_busy()

    def bring_file(self, path: str | Path, name: str = "") -> None:
        """Read a picture file and encode it; ``name`` is what it is called, else the file's name."""
        self._reader.read_file(Path(path), name)
        self._tell_busy()

    def bring_latent(self, text: str) -> None:
        """Set out from a latent that was copied as text (`latentlab.operations.latent_text`).

        The condition that was copied with it comes back too; that of a model with other weights does not.
        """
        opened = self.opened
        if opened is None or not self.in_step:
            self.session.message.emit(Message("error", "No model is open that the latent could belong to."))
            return
        try:
            latent, note = read_latent_text(text, opened.spec, opened.sha256)
            condition = None if note else read_condition_text(text, opened.spec)
            self.explore.set_out_from(opened.spec, latent, "a pasted latent", condition)
        except SettingsError as error:
            self.session.message.emit(Message("error", str(error)))
            return
        if note:
            self.session.message.emit(Message("note", note))

    def bring_bytes(self, data: bytes, name: str) -> None:
        """Read a picture from the bytes of its file, as dropped or pasted, and encode it."""
        self._reader.read_bytes(data, name)
        self._tell_busy()

    def bring_pixels(
        self,
        pixels: NDArray[np.uint8],
        name: str,
        told: NDArray[np.float32] | None = None,
        drawn: NDArray[np.float32] | None = None,
        own: NDArray[np.float32] | None = None,
    ) -> None:
        """Encode a picture that is there already, uint8 ``[H, W, 3]``, RGB.

        Parameters
        ----------
        told, drawn
            What encoder and decoder are told, each ``[C]``: what the predictor sees in the picture, and the
            same, by default.
        own
            The picture's own condition ``[C]``, such as its labels say; as the predictor sees it by default.
        """
        self._bring(Brought(name, np.array(pixels), told=told, drawn=drawn, own=own))

    def crop(self, crop: tuple[int, int, int] | None) -> None:
        """Give the model another square of the picture: left edge, top edge, side; None for the centre's."""
        state = self.session.document.explore
        source = None if state is None else state.source
        if source is None or not self.in_step:
            self._error("There is no picture that could be cropped. Open one first.")
            return
        if crop == source.crop and source.painted is None and self._encoding is None:
            return
        try:
            cropped(source.picture, crop)
        except SettingsError as error:
            self._error(str(error))
            return
        self._bring(Brought(source.name, source.picture, crop, "Crop picture"))

    def reset_input(self) -> None:
        """Return to the picture as it was before anything was painted on it."""
        state = self.session.document.explore
        source = None if state is None else state.source
        if source is not None and source.painted is not None and self.in_step:
            self._bring(Brought(source.name, source.picture, source.crop, "Reset input"))

    def open_session(self, path: str | Path) -> None:
        """Open a saved session in place of what is open: one step, or a new beginning where nothing is."""
        if self.opened is None and self._opening is None:
            self._set_phase("loading")
        self._files.read(Path(path))

    def open_session_with(self, saved: Saved, checkpoint: str | Path) -> None:
        """Open a session with the model at a path or of a bundled name, wherever it was when it was saved."""
        path = Path(checkpoint)
        predictor, note = find_predictor(saved, path.parent)
        name = str(path.resolve()) if path.exists() else str(checkpoint)
        self._open(name, predictor, "session", saved=saved, note=note)

    def put_back(self, document: Document, name: str) -> None:
        """Return to a document that was there before, as a step of that name; its model is opened again."""
        if document is not self.session.document and document.checkpoint is not None:
            self._putting_back = True
            try:
                self.session.change(name, document)
            finally:
                self._putting_back = False

    def keep(self, document: Document | None) -> None:
        """Let `session_text` give a document that will be returned to; None for what is open.

        An empty document leaves what was kept before as it is.
        """
        self._files.kept = document

    def save_session(self, path: str | Path, window: Mapping[str, Any]) -> None:
        """Write the session to a file, with what the window wants back; a message says how it went."""
        self._files.write(Path(path), window)

    def session_text(self, window: Mapping[str, Any]) -> str:
        """Return the session's text, empty while nothing is open; may be called from any thread."""
        return self._files.text(window)

    def override_device(self, override: DeviceOverride) -> None:
        """Prepare the model anew with another wish; the former one returns if this machine cannot."""
        if override == self.override:
            return
        if self._opening is not None:
            self._note("The device can be changed as soon as the model is open.")
            return
        self._restart(override)

    def close(self) -> None:
        """Stop all threads; the workspace cannot be used afterwards."""
        self._end_renderer()
        self._reader.close()
        self._files.close()

    # Asking

    def _open(
        self,
        checkpoint: str,
        predictor: str | None,
        purpose: Purpose,
        saved: Saved | None = None,
        note: str = "",
        sha256: str = "",
    ) -> None:
        renderer = self._host.get(self.override)
        self.rendering.attach(None)
        self.teller.forget()
        self.painted.give_way()
        self.beside.forget()
        if self._encoding is not None:
            if self._opening is None or self._opening.saved is None:
                self._held = replace(self._encoding.picture, told=None, drawn=None, own=None)
            self._encoding = None
        if saved is not None:
            self._held = None  # the session's own picture takes its place
        self._request = (checkpoint, predictor)
        self._opening = Opening(renderer.open(checkpoint, predictor, sha256), purpose, saved, note)
        if self.opened is None:
            self._set_phase("loading")
        self._tell_busy()

    def _restart(self, override: DeviceOverride) -> None:
        self.override = override
        self._end_renderer()
        reference = self.session.document.checkpoint
        if reference is not None:
            self._open(reference.path, reference.predictor, "restart")
        elif self._request is not None:
            self._open(*self._request, "open")

    def _encode(self, picture: Brought) -> None:
        self.teller.forget()
        self.painted.give_way()
        self.beside.give_way()
        renderer = self._host.get(self.override)
        self._encoding = Encoding(renderer.encode(picture.seen, picture.told, picture.own), picture)
        self._tell_busy()

    def _tell_encoder(self, picture: NDArray[np.uint8], condition: NDArray[np.float32] | None) -> int | None:
        """Ask for the open picture to be encoded again; not while another one or a model is on its way."""
        if self._opening is not None or self._encoding is not None or self.opened is None:
            return None
        state, own = self.session.document.explore, None
        if self.opened.predictor is not None and condition is not None and state is not None:
            own = state.start_condition
        self.painted.give_way()
        self.beside.give_way()
        return self._host.get(self.override).encode(picture, condition, own)

    def _encode_painted(self, source: Source, told: NDArray[np.float32] | None) -> int | None:
        """Ask for a picture to be encoded as it was painted; not while the document waits for another."""
        if not self.in_step or self._encoding is not None or self.teller.waiting:
            return None
        self.beside.give_way()
        return self._host.get(self.override).encode(given(source), told, None)

    def _encode_beside(self, picture: NDArray[np.uint8], condition: NDArray[np.float32]) -> int | None:
        """Ask for a picture to be encoded for a view; not while anything else is encoded or opened."""
        first = self._encoding is not None or self.teller.waiting or self.painted.waiting
        if not self.in_step or first:
            return None
        return self._host.get(self.override).encode(picture, condition, condition)

    def _bring(self, picture: Brought) -> None:
        if self._opening is not None:
            self._held = picture
        elif self.opened is None:
            self._error(f"{picture.name} was not encoded: no model is open. Open a checkpoint first.")
        elif "encode" in self.opened.spec.cannot:
            if self.take_aside(picture):
                return
            reason = self.opened.spec.cannot["encode"]
            self._error(f"{self.opened.name} cannot encode pictures: {reason}")
        else:
            self._encode(picture)

    # Answers

    def _have_read(self, answer: Picture | Message) -> None:
        if isinstance(answer, Message):
            self.session.message.emit(answer)
        else:
            for note in answer.notes:
                self._note(f"{answer.name}: {note}")
            picture = Brought(answer.name, answer.pixels)
            if self._hold_next and self.opened is None:
                self._held = picture
            else:
                self._bring(picture)
        self._hold_next = False
        self._proceed()
        self._tell_busy()

    def _have_found(self, found: Found) -> None:
        assert found.checkpoint is not None
        self._open(found.checkpoint, found.predictor, "session", saved=found.saved, note=found.note)

    def _fail_first(self, reason: str) -> None:
        """Say that nothing is open, where nothing is, because the session could not be opened."""
        if self.opened is None and self._opening is None:
            self._set_phase("failed", reason)

    def _have_opened(self, opened: Opened) -> None:
        self._loaded = opened
        if self._opening is not None and opened.token == self._opening.token:
            self._opening.opened = opened
            self._proceed()

    def _have_read_part(self, reading: Reading) -> None:
        if self._opening is not None and reading.token == self._opening.token:
            before, self._opening.share = self.busy, reading.share
            if self.busy != before:
                self._tell_busy()

    def _have_tuned(self, opened: Opened) -> None:
        if self.opened is not None and opened.token == self.opened.token:
            self.choice = opened.choice
            self.choice_changed.emit()

    def _proceed(self) -> None:
        """Finish an opening as soon as all that belongs to it is there."""
        opening = self._opening
        if opening is None or opening.opened is None or self._encoding is not None:
            return
        opened, first, document = opening.opened, self.opened is None, self.session.document
        reference = document.checkpoint
        if opening.purpose == "restart" and reference is not None and reference.sha256 != opened.sha256:
            opening.saved = Saved.of(document, "this session")
        if opening.saved is not None:
            source = opening.saved.source
            if source is not None and "encode" not in opened.spec.cannot:
                told, own = _told(opening.saved, opened)
                saved = Brought(source.name, source.picture, source.crop, told=told, own=own)
                self._encode(replace(saved, painted=source.painted))
            else:
                self._finish_session(opening.saved, opened, None)
        elif opening.purpose != "open":
            self._adopt(opened, reference)
        elif not (first and self._reader.busy):
            picture, self._held = self._held or self._current_picture(), None
            if picture is not None and "encode" not in opened.spec.cannot:
                self._encode(picture)
            else:
                self._finish_opening(opened, start_in_the_middle(opened.spec))

    def _current_picture(self) -> Brought | None:
        state = self.session.document.explore
        source = None if state is None else state.source
        if source is None:
            return None
        return Brought(source.name, source.picture, source.crop, painted=source.painted)

    def _have_encoded(self, encoded: Encoded) -> None:
        if self.beside.take(encoded):
            return
        self._take_encoded(encoded)
        self._encode_on()
        self._tell_rest()

    def _encode_on(self) -> None:
        """Have encoded what gave way: what the document waits for first."""
        self.painted.go_on()
        self.beside.go_on()

    def _take_encoded(self, encoded: Encoded) -> None:
        if self.painted.take(encoded) or self.teller.take(encoded):
            return
        encoding = self._encoding
        if encoding is None or encoded.token != encoding.token:
            return
        self._encoding = None
        opened = self._opening.opened if self._opening is not None else self.opened
        assert opened is not None
        picture = encoding.picture
        if self._opening is not None and self._opening.saved is not None:
            self._finish_session(self._opening.saved, opened, encoded)
            return
        explore = start_from_picture(
            opened.spec, picture.name, picture.pixels, encoded, picture.crop, picture.painted
        )
        if self._opening is not None:
            self._finish_opening(opened, explore)
        else:
            before = self.session.document.explore
            explore = replace(explore, linked=before is not None and before.linked)
            if picture.drawn is not None:
                explore = replace(explore, condition=picture.drawn, linked=False)
            document = replace(self.session.document, explore=explore)
            if not picture.step:
                document = document.guessing_anew()
            self.session.change(picture.step or f"Open picture {picture.name}", document)
        self._tell_busy()

    def _finish_opening(self, opened: Opened, explore: Explore) -> None:
        before = self.session.document
        document = replace(before, checkpoint=CheckpointRef.of(opened), explore=explore)
        document = document.searching_on(before.shelf.search, opened.spec.image_size)
        self._enter(f"Open model {opened.name}", opened, document)

    def _finish_session(self, saved: Saved, opened: Opened, encoded: Encoded | None) -> None:
        opening = self._opening
        assert opening is not None
        found = restored(saved, opened, encoded, self.session.document, opening.note)
        if opening.purpose == "session":
            self._enter(f"Open session {saved.name}", opened, found.document)
            self.session_opened.emit(saved)
        else:
            self._enter(f"Open model {opened.name}", opened, found.document)
        message = found.message(saved.name)
        if message is not None:
            self.session.message.emit(message)

    def _enter(self, step: str, opened: Opened, document: Document) -> None:
        """Change over to the document of a model that has been opened; the first one is no step."""
        first, self.opened = self.opened is None, opened
        if first:
            self.session.restart(document)
        else:
            self.session.change(step, document)
        self._adopt(opened, document.checkpoint)

    def _adopt(self, opened: Opened, reference: CheckpointRef | None) -> None:
        """Render with what the renderer has opened: the model of that reference."""
        self._opening, self.opened, self._reference = None, opened, reference
        self._working = self.override
        self.choice = opened.choice
        self._set_phase("ready")
        self.choice_changed.emit()
        self.model_changed.emit()
        self.rendering.attach(self._host.renderer)
        self.rendering.refresh()
        if self._held is not None:
            picture, self._held = self._held, None
            self._bring(picture)
        self.painted.go_on()
        self._tell_busy()

    def _have_failed(self, failed: Failed) -> None:
        opening, encoding = self._opening, self._encoding
        stopped = False
        if failed.task == "open" and opening is not None and failed.token == opening.token:
            what, stopped = "The model could not be opened: ", opening.stopped
            self._fail_opening(opening, STOPPED if stopped else failed.message)
        elif failed.task == "encode" and any(
            one.fail(failed) for one in (self.beside, self.painted, self.teller)
        ):
            what = "The picture could not be encoded: "
        elif failed.task == "encode" and encoding is not None and failed.token == encoding.token:
            what = "The picture could not be encoded: "
            self._encoding = None
            if opening is not None and opening.opened is not None and opening.saved is not None:
                self._finish_session(opening.saved, opening.opened, None)
            elif opening is not None and opening.opened is not None:
                self._finish_opening(opening.opened, start_in_the_middle(opening.opened.spec))
        elif failed.task == "render":
            if not self.rendering.is_past(failed):
                self._tell_failed("The picture could not be rendered: ", failed)
            self.rendering.fail(failed)
            return
        else:
            return
        self._tell_busy()
        if stopped:
            self._note(STOPPED)
        else:
            self._tell_failed(what, failed)
        self._encode_on()
        self._tell_rest()

    def _tell_failed(self, what: str, failed: Failed) -> None:
        self._error(failed.message if failed.expected else what + failed.message, failed.details)

    def _fail_opening(self, opening: Opening, why: str) -> None:
        self._opening = None
        if self.opened is None:
            # The picture that should have been the first waits for the next model.
            self._hold_next = self._reader.busy
            self._set_phase("failed", why)
            return
        self._go_home()
        if self._loaded is self.opened:
            self.rendering.attach(self._host.renderer)
            self.rendering.refresh()
        elif opening.purpose != "restart" or self.override != self._working:
            self._restart(self._working)
        if self._held is not None and self._opening is None:
            picture, self._held = self._held, None
            self._bring(picture)

    def _go_home(self) -> None:
        """Go back to the document of the model that was rendered last, from wherever undo has led to."""
        home = self._home
        if self.session.document.checkpoint == self._reference or home is None or self.opened is None:
            return
        if not self.session.go_to(home):  # a step was made elsewhere, which has forgotten what was undone
            self.session.change(f"Return to model {self.opened.name}", home)

    def _follow(self, change: Change) -> None:
        """Open the document's checkpoint where an undo or redo has gone over to another one."""
        reference = change.after.checkpoint
        jumped = self._putting_back or change.way in ("undo", "redo")
        if not jumped or reference is None or reference == change.before.checkpoint:
            return
        if change.before.checkpoint == self._reference:
            self._home = change.before
        if reference == self._reference and self._opening is None:
            return
        self._open(reference.path, reference.predictor, "return", sha256=reference.sha256)

    def _end_renderer(self) -> None:
        self.rendering.attach(None)
        self.painted.give_way()
        self.beside.forget()
        self._opening = self._encoding = self._loaded = None
        self._host.end()

    def _set_phase(self, phase: Phase, reason: str = "") -> None:
        if (phase, reason) != (self.phase, self.reason):
            self.phase, self.reason = phase, reason
            self.phase_changed.emit(phase)

    def _tell_busy(self) -> None:
        self.busy_changed.emit(self.busy)
        self._tell_rest()

    def _tell_rest(self) -> None:
        if self.at_rest:
            self.rested.emit()

    def _error(self, text: str, details: str = "") -> None:
        self.session.message.emit(Message("error", text, details))

    def _note(self, text: str) -> None:
        self.session.message.emit(Message("note", text))


def _is_predictor(name: str) -> bool:
    """Whether a checkpoint is an attribute predictor; one that cannot be read is for the worker to report."""
    from latentlab.checkpoints import locate

    try:
        return locate(name).config.kind == "predictor"
    except LatentLabError:
        return False


def _told(saved: Saved, opened: Opened) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Return what the encoder was told of a session's picture, and its own, where the model takes them."""
    if saved.explore is None:
        return None, None
    own, told, size = saved.explore.start_condition, saved.explore.told, opened.spec.condition.size
    told = own if told is None else told  # an older session
    found = [one.reshape(-1) if one is not None and one.size == size else None for one in (told, own)]
    return found[0], found[1]
