"""The workspace: a session, its renderer, and how checkpoints and pictures come into it.

Opening a checkpoint and encoding a picture take time, on other threads; the document changes only when
the answer is there, in one undoable step, so what was there before stays until then and after a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from psygnal import Signal

from latentlab.device import DeviceChoice
from latentlab.errors import LatentLabError, SettingsError
from latentlab.live.frames import DeviceOverride, Encoded, Failed, Opened
from latentlab.operations.latent_text import read_latent_text
from latentlab.session.document import CheckpointRef, Explore
from latentlab.session.explore import ExploreIntents, start_from_picture, start_in_the_middle
from latentlab.session.reading import PictureReader
from latentlab.session.renderer_host import RendererHost
from latentlab.session.rendering import Post, Rendering
from latentlab.session.session import Change, Message, Session

if TYPE_CHECKING:
    from latentlab.data.pictures import Picture

Phase = Literal["empty", "loading", "ready", "failed"]
"""Nothing open; the first checkpoint on its way; one is open; the first one could not be opened."""

Purpose = Literal["open", "return", "restart"]
"""Why a checkpoint is opened: asked for; undo or redo went over to it; the renderer was replaced."""


@dataclass(eq=False)
class _Opening:
    """A checkpoint on its way; ``way_back`` puts things right should it fail."""

    token: int
    purpose: Purpose
    way_back: Callable[[], None] | None
    opened: Opened | None = None


@dataclass(frozen=True, eq=False)
class _Encoding:
    token: int
    picture: Picture


class Workspace:
    """What the window talks to: intents go in, signals come out, all on the session's thread.

    Parameters
    ----------
    post
        Runs a callable soon on the session's thread; called from others.
    override
        A wish about device, precision and threads.
    """

    phase_changed = Signal(str)
    model_changed = Signal()
    choice_changed = Signal()
    busy_changed = Signal(str)

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
            post, self._have_opened, self._have_tuned, self._have_encoded, self._have_failed
        )
        self._reader = PictureReader(post, self._have_read)
        self._opening: _Opening | None = None
        self._encoding: _Encoding | None = None
        self._held: Picture | None = None
        self._hold_next = False
        self._request: tuple[str, str | None] | None = None
        self._reference: CheckpointRef | None = None

    @property
    def in_step(self) -> bool:
        """Whether the open model is the document's, so that its controls mean what they show."""
        return self.opened is not None and self._opening is None

    @property
    def busy(self) -> str:
        """What is being waited for, in words; empty when nothing is."""
        if self._opening is not None:
            return "Opening the model"
        if self._encoding is not None:
            return "Encoding the picture"
        return "Reading the picture" if self._reader.busy else ""

    def open_checkpoint(self, checkpoint: str, predictor: str | None = None) -> None:
        """Open a checkpoint by path or bundled name; the picture that is open is encoded by it too.

        An attribute predictor is taken for the model that is open, in the place of the one that judged it.
        """
        path = Path(checkpoint)
        name = str(path.resolve()) if path.exists() else checkpoint
        reference = self.session.document.checkpoint
        if predictor is None and reference is not None and _is_predictor(name):
            self._open(reference.path, name, "open")
        else:
            self._open(name, predictor, "open")

    def bring_file(self, path: str | Path, name: str = "") -> None:
        """Read a picture file and encode it; ``name`` is what it is called, else the file's name."""
        self._reader.read_file(Path(path), name)
        self._tell_busy()

    def bring_latent(self, text: str) -> None:
        """Set out from a latent that was copied as text (`latentlab.operations.latent_text`)."""
        opened = self.opened
        if opened is None or not self.in_step:
            self.session.message.emit(Message("error", "No model is open that the latent could belong to."))
            return
        try:
            latent, note = read_latent_text(text, opened.spec, opened.sha256)
            self.explore.set_out_from(opened.spec, latent, "a pasted latent")
        except SettingsError as error:
            self.session.message.emit(Message("error", str(error)))
            return
        if note:
            self.session.message.emit(Message("note", note))

    def bring_bytes(self, data: bytes, name: str) -> None:
        """Read a picture from the bytes of its file, as dropped or pasted, and encode it."""
        self._reader.read_bytes(data, name)
        self._tell_busy()

    def override_device(self, override: DeviceOverride) -> None:
        """Prepare the model anew with another wish; the former one returns if this machine cannot."""
        if override == self.override:
            return
        if self._opening is not None:
            self._note("The device can be changed as soon as the model is open.")
            return
        self._restart(override, self.override)

    def close(self) -> None:
        """Stop all threads; the workspace cannot be used afterwards."""
        self._end_renderer()
        self._reader.close()

    # Asking

    def _open(
        self,
        checkpoint: str,
        predictor: str | None,
        purpose: Purpose,
        way_back: Callable[[], None] | None = None,
    ) -> None:
        renderer = self._host.get(self.override)
        self.rendering.attach(None)
        if self._encoding is not None:
            self._held, self._encoding = self._encoding.picture, None
        self._request = (checkpoint, predictor)
        self._opening = _Opening(renderer.open(checkpoint, predictor), purpose, way_back)
        if self.opened is None:
            self._set_phase("loading")
        self._tell_busy()

    def _restart(self, override: DeviceOverride, former: DeviceOverride | None) -> None:
        self.override = override
        self._end_renderer()
        reference = self.session.document.checkpoint
        if reference is not None:
            way_back = None if former is None else partial(self._restart, former, None)
            self._open(reference.path, reference.predictor, "restart", way_back)
        elif self._request is not None:
            self._open(*self._request, "open")

    def _encode(self, picture: Picture) -> None:
        renderer = self._host.get(self.override)
        self._encoding = _Encoding(renderer.encode(picture.pixels), picture)
        self._tell_busy()

    def _bring(self, picture: Picture) -> None:
        if self._opening is not None:
            self._held = picture
        elif self.opened is None:
            self._error(f"{picture.name} was not encoded: no model is open. Open a checkpoint first.")
        elif "encode" in self.opened.spec.cannot:
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
            if self._hold_next and self.opened is None:
                self._held = answer
            else:
                self._bring(answer)
        self._hold_next = False
        self._proceed()
        self._tell_busy()

    def _have_opened(self, opened: Opened) -> None:
        if self._opening is not None and opened.token == self._opening.token:
            self._opening.opened = opened
            self._proceed()

    def _have_tuned(self, opened: Opened) -> None:
        if self.opened is not None and opened.token == self.opened.token:
            self.choice = opened.choice
            self.choice_changed.emit()

    def _proceed(self) -> None:
        """Finish an opening as soon as all that belongs to it is there."""
        opening = self._opening
        if opening is None or opening.opened is None or self._encoding is not None:
            return
        opened, first = opening.opened, self.opened is None
        if opening.purpose != "open":
            self._adopt(opened, self.session.document.checkpoint)
        elif not (first and self._reader.busy):
            picture, self._held = self._held or self._current_picture(), None
            if picture is not None and "encode" not in opened.spec.cannot:
                self._encode(picture)
            else:
                self._finish_opening(opened, start_in_the_middle(opened.spec))

    def _current_picture(self) -> Picture | None:
        from latentlab.data.pictures import Picture

        state = self.session.document.explore
        source = None if state is None else state.source
        return None if source is None else Picture(source.picture, (), source.name)

    def _have_encoded(self, encoded: Encoded) -> None:
        encoding = self._encoding
        if encoding is None or encoded.token != encoding.token:
            return
        self._encoding = None
        opened = self._opening.opened if self._opening is not None else self.opened
        assert opened is not None
        picture = encoding.picture
        explore = start_from_picture(opened.spec, picture.name, picture.pixels, encoded)
        if self._opening is not None:
            self._finish_opening(opened, explore)
        else:
            document = replace(self.session.document, explore=explore)
            self.session.change(f"Open picture {picture.name}", document)
        self._tell_busy()

    def _finish_opening(self, opened: Opened, explore: Explore) -> None:
        document = replace(self.session.document, checkpoint=CheckpointRef.of(opened), explore=explore)
        first, self.opened = self.opened is None, opened
        if first:
            self.session.restart(document)
        else:
            self.session.change(f"Open model {opened.name}", document)
        self._adopt(opened, document.checkpoint)

    def _adopt(self, opened: Opened, reference: CheckpointRef | None) -> None:
        """Render with what the renderer has opened: the model of that reference."""
        self._opening, self.opened, self._reference = None, opened, reference
        self.choice = opened.choice
        self._set_phase("ready")
        self.choice_changed.emit()
        self.model_changed.emit()
        self.rendering.attach(self._host.renderer)
        self.rendering.refresh()
        if self._held is not None:
            picture, self._held = self._held, None
            self._bring(picture)
        self._tell_busy()

    def _have_failed(self, failed: Failed) -> None:
        opening, encoding = self._opening, self._encoding
        if failed.task == "open" and opening is not None and failed.token == opening.token:
            what = "The model could not be opened: "
            self._fail_opening(opening, failed)
        elif failed.task == "encode" and encoding is not None and failed.token == encoding.token:
            what = "The picture could not be encoded: "
            self._encoding = None
            if opening is not None and opening.opened is not None:
                self._finish_opening(opening.opened, start_in_the_middle(opening.opened.spec))
        elif failed.task == "render" and not self.rendering.is_stale(failed.token):
            what = "The picture could not be rendered: "
            self.rendering.forget_waiting()
        else:
            return
        self._tell_busy()
        text = failed.message if failed.expected else what + failed.message
        self._error(text, failed.details)

    def _fail_opening(self, opening: _Opening, failed: Failed) -> None:
        self._opening = None
        if self.opened is None:
            # The picture that should have been the first waits for the next model.
            self._hold_next = self._reader.busy
            self._set_phase("failed", failed.message)
            return
        if opening.purpose != "restart":
            self.rendering.attach(self._host.renderer)
        if opening.way_back is not None:
            opening.way_back()
        self.rendering.refresh()
        if self._held is not None and self._opening is None:
            picture, self._held = self._held, None
            self._bring(picture)

    def _follow(self, change: Change) -> None:
        """Open the document's checkpoint where an undo or redo has gone over to another one."""
        reference = change.after.checkpoint
        if change.way not in ("undo", "redo") or reference is None or reference == change.before.checkpoint:
            return
        if reference == self._reference and self._opening is None:
            return
        way_back = self.session.redo if change.way == "undo" else self.session.undo
        self._open(reference.path, reference.predictor, "return", way_back)

    def _end_renderer(self) -> None:
        self.rendering.attach(None)
        self._opening = self._encoding = None
        self._host.end()

    def _set_phase(self, phase: Phase, reason: str = "") -> None:
        if (phase, reason) != (self.phase, self.reason):
            self.phase, self.reason = phase, reason
            self.phase_changed.emit(phase)

    def _tell_busy(self) -> None:
        self.busy_changed.emit(self.busy)

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
