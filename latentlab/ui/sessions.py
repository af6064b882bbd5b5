"""The window's sessions: saved, opened, written as one goes, offered again after a crash; and first hints."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from latentlab.session.autosave import Autosave, discard, last_session, recoverable, state_directory
from latentlab.session.recents import PREVIEW
from latentlab.session.saved import Saved
from latentlab.session.session import Change, Message
from latentlab.session.workspace import Workspace
from latentlab.ui.dialogs import CHECKPOINT_FILTER
from latentlab.ui.preview import preview_text
from latentlab.ui.screens.explore import VIEWS, ExploreScreen
from latentlab.ui.settings import Settings
from latentlab.ui.widgets.banner import Banner

PREVIEW_MILLISECONDS = 300
"""After how long a rest the edited picture is noted as the session's preview."""
HINTS = (
    "Welcome. Drag a slider on the right: the picture and the predicted attributes follow at once.",
    "Drop a picture of your own on the window, or choose one under Samples.",
    "Pin what you like (Ctrl+P): two pins make a path that plays, and a direction to move along.",
    "Grid, Probe and Map above the picture show what dimensions, directions and the data do.",
    "F1 explains every screen, word and key, and Ctrl+Z takes back what you did, step by step.",
)
"""What a person who has never been here may want to know; shown one by one until closed."""


class Sessions(QObject):
    """Keeps the session while one works, and brings sessions back.

    Parameters
    ----------
    screen
        The screen whose view is part of a session.
    banner
        Asks what need not be answered at once.
    """

    def __init__(
        self,
        workspace: Workspace,
        screen: ExploreScreen,
        banner: Banner,
        settings: Settings,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._screen = workspace, screen
        self._banner, self._settings, self._parent = banner, settings, parent
        self._folder = state_directory()
        self._recovering: Path | None = None
        self._worked = self._hints_due = False
        self._preview = ""
        self._preview_later = QTimer(self)
        self._preview_later.setSingleShot(True)
        self._preview_later.setInterval(PREVIEW_MILLISECONDS)
        self._preview_later.timeout.connect(self._remember_preview)
        post = workspace.rendering.post
        self._window = self._noted()
        self.autosave = Autosave(
            lambda: workspace.session_text(self._window),
            self._folder,
            lambda text: post(lambda: workspace.session.message.emit(Message("error", text))),
        )
        workspace.session.changed.connect(self._follow)
        workspace.session.message.connect(self._hear)
        workspace.session_opened.connect(self._opened)
        workspace.checkpoint_missing.connect(self._ask_for_checkpoint)
        screen.view_changed.connect(self._remember_window)
        screen.picture.speed_changed.connect(self._remember_window)
        screen.painted.connect(lambda _generation: self._preview_later.start())

    def begin(self, recover: bool, hints: bool = True) -> bool:
        """Offer what a crash left behind, or the first hints; called when the window has been shown.

        Parameters
        ----------
        hints
            Whether the hints come now; `give_hints` gives them later.

        Returns
        -------
        bool
            Whether something is offered.
        """
        left = recoverable(self._folder) if self._settings.keeps else []
        if recover and left:
            self._offer(left)
            return True
        self._hints_due = self._settings.keeps and not self._settings.flag("hints_seen")
        if hints:
            self.give_hints()
        return False

    def give_hints(self) -> None:
        """Give the first hints, where they are due and have waited."""
        if self._hints_due:
            self._hints_due = False
            self._hint(0)

    @property
    def last(self) -> Path | None:
        """The file of the session that was closed last; None where there is none, or nothing is kept."""
        return last_session(self._folder) if self._settings.keeps else None

    def save(self, path: Path) -> None:
        """Save the session."""
        self._remember_preview()
        self._workspace.save_session(path, self._window)

    def reopen_last(self) -> None:
        """Open the session that was closed last."""
        path = last_session(self._folder)
        if path is None:
            text = "No session has been closed yet, so there is none to reopen."
            self._workspace.session.message.emit(Message("note", text))
        else:
            self._workspace.open_session(path)

    def recover(self) -> None:
        """Offer again what crashes left behind."""
        left = recoverable(self._folder)
        if left:
            self._offer(left)
        else:
            text = "No session was left behind by a crash, so there is none to recover."
            self._workspace.session.message.emit(Message("note", text))

    def close(self) -> None:
        """End the autosave; what it holds becomes the last session."""
        self.autosave.close(keep=self._settings.keeps)

    def _follow(self, change: Change) -> None:
        # What the window opens by itself is nobody's work: it must not replace the last session. A drag is
        # work from its beginning, and what has been taken back entirely is kept as it then is.
        self._worked = change.way != "restart"
        self._note_change()

    def _note_change(self) -> None:
        if self._settings.keeps and self._worked:
            self.autosave.changed()

    def _hear(self, message: Message) -> None:
        if message.kind == "error":
            self._recovering = None  # what was to be recovered stays, to be offered again

    def _noted(self) -> dict[str, object]:
        """Return what the window wants back of a session."""
        noted: dict[str, object] = {"view": self._screen.view, "fps": self._screen.picture.fps}
        return {**noted, PREVIEW: self._preview} if self._preview else noted

    def _remember_preview(self) -> None:
        """Note how the edited picture looks, for the start page."""
        self._preview = preview_text(self._screen.stage.edited.pixels)
        self._window = self._noted()

    def _remember_window(self, _changed: object) -> None:
        self._window = self._noted()  # another object: the autosave's thread may be reading the old one
        self._note_change()

    def _offer(self, left: list[Path]) -> None:
        """Offer the newest of what crashes left behind; who discards it is asked about the next one."""
        older = len(left) - 1
        more = (
            ""
            if not older
            else " An older one is kept too."
            if older == 1
            else f" {older} older ones are too."
        )
        self._banner.ask(
            "LatentLab ended without being closed. The session as it was then has been kept, also "
            "for later: File > Recover session." + more,
            "Restore it",
            partial(self._recover, left[0]),
            other=("Discard it", partial(self._discard, left)),
        )

    def _recover(self, path: Path) -> None:
        self._recovering = path
        self._workspace.open_session(path)

    def _discard(self, left: list[Path]) -> None:
        discard(left[0])
        if left[1:]:
            self._offer(left[1:])

    def _opened(self, saved: Saved) -> None:
        view, fps = saved.window.get("view"), saved.window.get("fps")
        if type(fps) is int:
            self._screen.picture.set_speed(fps)
        if view in VIEWS:
            self._screen.show_view(str(view))
        if self._recovering is not None and saved.name == self._recovering.name:
            self.autosave.recovered(self._recovering)
        elif self._settings.keeps:
            self.autosave.changed()
        self._recovering, self._worked = None, True

    def _ask_for_checkpoint(self, saved: Saved, path: str) -> None:
        name = saved.checkpoint.name if saved.checkpoint is not None else "the model"
        self._banner.ask(
            f"The model {name} of this session is no longer at {path or 'the place it was'}.",
            "Find it…",
            partial(self._find_checkpoint, saved),
        )

    def _find_checkpoint(self, saved: Saved) -> None:
        path, _ = QFileDialog.getOpenFileName(self._parent, "Find the model", "", CHECKPOINT_FILTER)
        if path:
            self._workspace.open_session_with(saved, path)

    def _hint(self, place: int) -> None:
        def seen() -> None:
            self._settings.set_flag("hints_seen", True)

        last = place + 1 == len(HINTS)
        label = "Done" if last else f"Next ({place + 1} of {len(HINTS)})"
        self._banner.ask(HINTS[place], label, seen if last else partial(self._hint, place + 1), seen)
