"""What every screen's exports have: the state of what is being rendered for them, and their messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from latentlab.session.session import Message
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.incoming import png_of
from latentlab.ui.widgets.picture_view import bgrx, image_of
from latentlab.whole_file import whole_file

Made = TypeVar("Made")

Target = tuple[str, Callable[[Path], object]]
"""What a file is called at first, and what writes it."""


class ScreenExports(NamedTuple):
    """What the export and copy actions do on a screen as it is now."""

    picture: Target
    figure: Target
    table: Target
    copy_picture: Callable[[], object]
    copy_python: Callable[[], object]


class Renderings:
    """Counts what is being rendered to be saved or copied.

    Attributes
    ----------
    rendered
        Nothing is being rendered any more; whether all of it has been given to the writer (`bool`), or
        something has come to nothing.
    """

    rendered = Signal(bool)

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._underway, self._whole = 0, True

    @property
    def rendering(self) -> bool:
        """Whether anything that was asked for is still being rendered."""
        return self._underway > 0

    def _begin(self) -> None:
        self._whole = self._whole or not self._underway
        self._underway += 1

    def _end(self, whole: bool = True) -> None:
        self._whole = self._whole and whole
        self._underway -= 1
        if not self._underway:
            self.rendered.emit(self._whole)

    def _refuse(self, text: str, details: str = "") -> None:
        self._workspace.session.message.emit(Message("error", text, details))

    def _note(self, text: str) -> None:
        self._workspace.session.message.emit(Message("note", text))


class NamedExports(Renderings):
    """Exports of a screen under names that are always the same.

    Parameters
    ----------
    names
        What picture, figure and table are called at first.
    """

    def __init__(self, workspace: Workspace, writer: FileWriter, names: tuple[str, str, str]) -> None:
        super().__init__(workspace)
        self._writer, self._names = writer, names

    @property
    def targets(self) -> ScreenExports:
        """What the export and copy actions do."""
        picture, figure, table = self._names
        return ScreenExports(
            (picture, self.picture),
            (figure, self.figure),
            (table, self.table),
            self.copy_picture,
            self.copy_python,
        )

    def picture(self, path: Path) -> None:
        """Save one picture."""
        raise NotImplementedError

    def figure(self, path: Path) -> None:
        """Save all that is shown as one picture."""
        raise NotImplementedError

    def table(self, path: Path) -> None:
        """Save what is known of what is shown as CSV."""
        raise NotImplementedError

    def copy_picture(self) -> None:
        """Copy one picture."""
        raise NotImplementedError

    def copy_python(self) -> None:
        """Copy a program that makes the same again."""
        raise NotImplementedError

    def _save_image(self, image: QImage, path: Path) -> None:
        """Save an image as PNG; it is encoded here, and written by the writer."""
        content = png_of(image)

        def write() -> None:
            with whole_file(path) as part:
                part.write_bytes(content)

        self._writer.write(write, f"Saved as {path}.")


class ShownExports(NamedExports):
    """Exports of a screen of which the picture is what is shown, as it is shown.

    Parameters
    ----------
    what
        What the picture is called in messages, at the beginning of a sentence and with its verb.
    """

    def __init__(
        self, workspace: Workspace, writer: FileWriter, what: str, names: tuple[str, str, str]
    ) -> None:
        super().__init__(workspace, writer, names)
        self._what = what

    def picture(self, path: Path) -> None:
        """Save what is shown, as it is shown."""
        image = self._image()
        if image is not None:
            self._save_image(image, path)

    def copy_picture(self) -> None:
        """Copy what is shown, as it is shown."""
        image = self._image()
        if image is not None:
            QApplication.clipboard().setImage(image)
            self._note(f"{self._what} copied.")

    def _image(self) -> QImage | None:
        """Return what is shown; None where nothing is, and a message says so."""
        raise NotImplementedError


class MadeExports(NamedExports):
    """Exports of a screen whose pictures are made settled, all together, when they are asked for.

    Parameters
    ----------
    what
        What one of the pictures is called in messages, such as ``counterfactual``.
    """

    def __init__(
        self, workspace: Workspace, writer: FileWriter, what: str, names: tuple[str, str, str]
    ) -> None:
        super().__init__(workspace, writer, names)
        self._what = what

    def picture(self, path: Path) -> None:
        """Save the picture that is looked at, or was pointed at last, at the model's own size."""

        def save(pixels: NDArray[np.uint8]) -> None:
            from latentlab.data.contact_sheet import save_sheet

            self._writer.write(partial(save_sheet, path, pixels), f"Saved as {path}.")

        self._chosen(save)

    def copy_picture(self) -> None:
        """Copy the picture that is looked at, or was pointed at last."""

        def copy(pixels: NDArray[np.uint8]) -> None:
            QApplication.clipboard().setImage(image_of(bgrx(pixels)).copy())
            self._note(f"The {self._what} was copied.")

        self._chosen(copy)

    def _chosen(self, take: Callable[[NDArray[np.uint8]], None]) -> None:
        """Have one picture, uint8 ``[S, S, 3]``, RGB, when it is there."""
        raise NotImplementedError

    def _have(self, take: Callable[[Made], None], answer: Made | Message) -> None:
        """Take what has been made, or say why it has not."""
        failed = isinstance(answer, Message)
        if isinstance(answer, Message):
            self._refuse(answer.text, answer.details)
        else:
            take(answer)
        self._end(whole=not failed)
