"""Reads pictures on a thread of its own, so that a large or slow file never holds up the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.session.background import Background
from latentlab.session.session import Message

if TYPE_CHECKING:
    from latentlab.data.pictures import Picture

Answer = Callable[["Picture | Message"], None]
"""Receives the picture, or the message that says why there is none."""


class PictureReader:
    """Reads one picture after the other and answers on the session's thread.

    Parameters
    ----------
    post
        Runs a callable soon on the session's thread.
    answer
        Receives each picture or failure there.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], answer: Answer) -> None:
        self._answer = answer
        self._thread = Background(post, "reading")
        self._waiting = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a picture is being read."""
        return self._waiting > 0

    def read_file(self, path: Path, name: str = "") -> None:
        """Read a picture's file; ``name`` is what the picture is called, without it the file's name."""
        self._submit(partial(_read_file, path, name))

    def read_bytes(self, data: bytes, name: str) -> None:
        """Read a picture from the bytes of its file; ``name`` stands for it in messages."""
        self._submit(partial(_read_bytes, data, name))

    def close(self) -> None:
        """Stop the thread; what is still being read is not answered."""
        self._closed = True
        self._thread.close(drop=True)

    def _submit(self, read: Callable[[], Picture]) -> None:
        self._waiting += 1
        self._thread.do(read, self._have_read, "The picture could not be read")

    def _have_read(self, answer: Picture | Message) -> None:
        if not self._closed:
            self._waiting -= 1
            self._answer(answer)


# Imported on the reading thread: the decoders are not needed for the window to appear.


def _read_file(path: Path, name: str) -> Picture:
    from latentlab.data.pictures import read_picture

    picture = read_picture(path)
    return replace(picture, name=name) if name else picture


def _read_bytes(data: bytes, name: str) -> Picture:
    from latentlab.data.pictures import read_picture_bytes

    return read_picture_bytes(data, name)
