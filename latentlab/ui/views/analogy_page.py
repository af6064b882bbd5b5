"""What the views of the Analogies screen have in common: when they show what, and who judges."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from latentlab.live.frames import Opened
from latentlab.operations.attribute_table import origin_note
from latentlab.operations.projection_plan import comparable, judged_classes, no_projection
from latentlab.session.document import Document
from latentlab.session.intents import Intents
from latentlab.session.session import Change
from latentlab.session.workspace import Workspace


class AnalogyPage(QWidget):
    """A view of a cINN's datasets, which shows and renders only while it is looked at.

    A subclass says in `_show_view` how a document is shown, in `_set_model` what another model changes, in
    `_follow` which changes matter, and calls `_listen` when all that it has follows the workspace already.
    """

    name: str
    title: str

    def __init__(self, workspace: Workspace, intents: Intents, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._intents = workspace, intents
        self._model: Opened | None = None
        self._classes: dict[str, tuple[str, ...]] = {}
        self._active = False

    def _listen(self) -> None:
        workspace = self._workspace
        workspace.session.changed.connect(self._follow)
        workspace.model_changed.connect(self.show_document)
        workspace.busy_changed.connect(lambda _busy: self.setEnabled(workspace.in_step))

    # What the screen asks

    @property
    def active(self) -> bool:
        """Whether the view is looked at; only then is anything rendered."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = active
        if active:
            self.show_document()
        self._activate(active)

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown."""
        raise NotImplementedError

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        raise NotImplementedError

    def close_threads(self) -> None:
        """Stop what works in the background."""
        raise NotImplementedError

    def show_document(self) -> None:
        """Show everything anew, if the view is looked at."""
        opened, document = self._workspace.opened, self._workspace.session.document
        if not self._active or opened is None or document.explore is None or not self._workspace.in_step:
            return
        if no_projection(opened.spec, opened.name):
            self._model = None
            return
        if opened is not self._model:
            self._model = opened
            self._classes = judged_classes(opened.predictor, opened.spec.condition.attributes[0].name)
            self._set_model(opened)
        self._show_view(document)

    def _comparable(self, *datasets: str) -> dict[str, tuple[str, ...]]:
        """Return the judged classes of what all of some datasets can show."""
        assert self._model is not None
        return comparable(self._classes, self._model.spec.cannot_show, *datasets)

    # What a subclass says

    def _activate(self, active: bool) -> None:
        """Begin or stop to render."""

    def _set_model(self, opened: Opened) -> None:
        """Show what another model knows."""
        raise NotImplementedError

    def _show_view(self, document: Document) -> None:
        """Show how a document is set."""
        raise NotImplementedError

    def _follow(self, change: Change) -> None:
        """Show what a change of the document concerns."""
        raise NotImplementedError


def judged_by(opened: Opened, judged: str, nothing: str) -> str:
    """Say who judges, and what such predictions are.

    Parameters
    ----------
    judged
        What is said with the predictor's name in the place of ``{}``.
    nothing
        What happens where no predictor fits.
    """
    if opened.predictor is None:
        return f"No attribute predictor fits this model, so {nothing}."
    return f"{judged.format(opened.predictor_name)}. {origin_note(opened.predictor)}"
