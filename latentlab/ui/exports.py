"""What the Explore screen gives away: picture, figure, table, Python. All from the settled frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QFont, QImage, QImageWriter
from PySide6.QtWidgets import QApplication

from latentlab.live.frames import Frame
from latentlab.operations.attribute_table import Probabilities, attribute_rows, origin_note, table_text
from latentlab.operations.latent_text import latent_text
from latentlab.session.document import Explore
from latentlab.session.python_code import explore_code
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace
from latentlab.ui.figure import FigurePicture, compose
from latentlab.ui.widgets.bars_painter import Series
from latentlab.ui.widgets.picture_view import bgrx, image_of


class Exports:
    """Writes and copies what is seen; failures to write become messages.

    Parameters
    ----------
    smooth
        Whether the pictures are shown smoothed, as they should be in the figure.
    start
        The picture and probabilities of a start without an input, as they are shown.
    """

    def __init__(
        self,
        workspace: Workspace,
        smooth: Callable[[], bool],
        start: Callable[[], tuple[QImage | None, Probabilities]],
    ) -> None:
        self._workspace = workspace
        self._smooth = smooth
        self._start = start

    def picture(self, path: Path) -> None:
        """Save the settled picture as PNG, at the model's own size."""
        self._workspace.rendering.when_settled(
            lambda state, frame: self._save(self._named(frame, state), path)
        )

    def copy_picture(self) -> None:
        """Copy the settled picture."""

        def copy(state: Explore, frame: Frame) -> None:
            QApplication.clipboard().setImage(self._named(frame, state))
            self._note("The edited picture was copied.")

        self._workspace.rendering.when_settled(copy)

    def copy_python(self) -> None:
        """Copy a program that makes the settled picture again."""
        document = self._workspace.session.document
        if document.checkpoint is not None and document.explore is not None:
            text = explore_code(document.checkpoint, document.explore, document.threads)
            QApplication.clipboard().setText(text)
            self._note("A Python program that makes the edited picture again was copied.")

    def copy_latent(self) -> None:
        """Copy the edited latent as text, which can be pasted here or in another window."""
        document = self._workspace.session.document
        if document.checkpoint is not None and document.explore is not None:
            state, checkpoint = document.explore, document.checkpoint
            text = latent_text(checkpoint.name, checkpoint.sha256, state.latent, state.condition)
            QApplication.clipboard().setText(text)
            self._note("The edited latent was copied as text. Paste it to come back to it.")

    def table(self, path: Path) -> None:
        """Save the attributes of the pictures as CSV."""

        def save(state: Explore, frame: Frame) -> None:
            opened = self._workspace.opened
            if opened is None or opened.predictor is None:
                return
            named = {one.title.lower(): one.probabilities for one in self._series(state, frame)}
            text = table_text(attribute_rows(opened.predictor, named))
            try:
                path.write_text(text, encoding="utf-8", newline="")
            except OSError as error:
                self._failed(path, error.strerror or str(error))
            else:
                self._note(f"The attribute table was saved as {path}.")

        self._workspace.rendering.when_settled(save)

    def figure(self, path: Path, font: QFont) -> None:
        """Save the three pictures and the bars as one PNG."""

        def save(state: Explore, frame: Frame) -> None:
            opened = self._workspace.opened
            if opened is None:
                return
            source = state.source
            seen = None if source is None else image_of(bgrx(source.encoded.source)).copy()
            start = self._start()[0] if source is None else image_of(source.encoded.reconstruction).copy()
            pictures = [
                FigurePicture("Input", "input", seen),
                FigurePicture("Start" if source is None else "Reconstruction", "start", start),
                FigurePicture("Edited", "edited", image_of(frame.pixels[0]).copy()),
            ]
            series = self._series(state, frame) if opened.predictor is not None else []
            caption = self._caption(state)
            image = compose(pictures, opened.predictor, series, caption, font, self._smooth())
            self._save(image, path)

        self._workspace.rendering.when_settled(save)

    def _series(self, state: Explore, frame: Frame) -> list[Series]:
        edited = {name: values[0] for name, values in frame.attributes.items()}
        if state.source is None:
            start = self._start()[1]
            before = [Series("Start", "start", start)] if start else []
        else:
            encoded = state.source.encoded
            before = [
                Series("Input", "input", encoded.source_attributes),
                Series("Reconstruction", "start", encoded.reconstruction_attributes),
            ]
        return [*before, Series("Edited", "edited", edited)]

    def _caption(self, state: Explore) -> str:
        opened = self._workspace.opened
        assert opened is not None
        changed = int((state.start != state.latent).sum())
        parts = [
            f"Model {opened.name} (weights SHA-256 {opened.sha256[:12]}…), {changed} of "
            f"{state.latent.size} latent dimensions changed."
        ]
        if state.source is not None:
            parts.append(f"Input: {state.source.name}.")
        elif state.seed is not None:
            parts.append(f"Start: {state.origin}.")
        if opened.predictor is not None:
            parts.append(f"Attributes predicted by {opened.predictor_name}. {origin_note(opened.predictor)}")
            if opened.predictor.confusion:
                parts.append("“errs”: the predictor's error on held-out pictures.")
        return " ".join(parts)

    def _named(self, frame: Frame, state: Explore) -> QImage:
        """Return a frame's picture with a description that travels in the file."""
        image = image_of(frame.pixels[0]).copy()
        image.setText("Software", "LatentLab")
        image.setText("Description", self._caption(state))
        return image

    def _save(self, image: QImage, path: Path) -> None:
        if QImageWriter(str(path), QByteArray(b"PNG")).write(image):
            self._note(f"Saved as {path}.")
        else:
            self._failed(path, "the folder cannot be written to or is missing")

    def _failed(self, path: Path, reason: str) -> None:
        text = f"{path} was not saved: {reason}. Choose another place."
        self._workspace.session.message.emit(Message("error", text))

    def _note(self, text: str) -> None:
        self._workspace.session.message.emit(Message("note", text))
