"""The small picture that is searched for, made as soon as a picture or a setting changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.session.background import Background
from latentlab.session.document import Document
from latentlab.session.follower import Follower
from latentlab.session.search_row import own_row
from latentlab.session.search_wanted import TargetWanted, no_search, target_wanted
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.operations.search_eps import Eps
    from latentlab.operations.search_target import SearchTarget

NO_PICTURE = "Open or paste a picture, choose a sample, or draw a small one: it is reduced and searched for."


@dataclass(frozen=True, eq=False)
class Prepared:
    """A small picture to search for, and how near one has to come.

    Parameters
    ----------
    pixels
        What it was made of, uint8 ``[S, S, 3]`` at the model's size, or the small picture itself.
    row
        The picture's own labels by attribute, where it is a row of a bundled set.
    """

    wanted: TargetWanted
    target: SearchTarget
    eps: Eps
    pixels: NDArray[np.uint8]
    row: Mapping[str, str]

    @property
    def given(self) -> str:
        """How `pixels` are given (`latentlab.operations.search_target.search_target`)."""
        return "full" if self.target.source is not None else "small"


class TargetMaker(Follower):
    """Makes the small picture of the document on a thread of its own; only the newest wish is answered.

    Attributes
    ----------
    prepared
        There is another one (`Prepared`), or none: then why, in words (`str`).
    found, refusal
        The newest answer; neither while it is on its way.
    """

    prepared = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._background = Background(workspace.rendering.post, "search-target")
        self._asked: TargetWanted | None = None
        self.found: Prepared | None = None
        self.refusal = ""

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._asked is not None and self.found is None and not self.refusal

    def watched(self, document: Document) -> tuple[object, ...]:
        """Return the picture and how it is reduced."""
        source = None if document.explore is None else document.explore.source
        return source, document.shelf.search

    def refresh(self) -> None:
        """Make the small picture of the state as it is now, unless it is there or on its way."""
        opened = self._workspace.opened
        assert opened is not None
        refusal = no_search(opened.spec, opened.name)
        wanted = None if refusal else target_wanted(self._workspace.session.document, opened.spec)
        if wanted is None:
            self._asked = None
            self._refuse(refusal or NO_PICTURE)
        elif not wanted.is_same(self._asked):
            self._asked, self.found, self.refusal = wanted, None, ""
            self._background.do(
                partial(self._make, wanted), partial(self._have, wanted), "The picture could not be reduced"
            )

    def close(self) -> None:
        """Stop the work and its thread."""
        self._asked = None
        self._background.close(drop=True)

    def _make(self, wanted: TargetWanted) -> Prepared | None:
        return prepare(wanted) if wanted is self._asked else None

    def _have(self, wanted: TargetWanted, answer: Prepared | Message | None) -> None:
        if wanted is not self._asked:
            return
        if isinstance(answer, Prepared):
            self.found, self.refusal = answer, ""
            self.prepared.emit(answer)
        else:
            self._refuse("" if answer is None else answer.text)

    def _refuse(self, why: str) -> None:
        self.found, self.refusal = None, why
        self.prepared.emit(why)


def prepare(wanted: TargetWanted) -> Prepared:
    """Make the small picture that is wanted.

    Raises
    ------
    LatentLabError
        If the picture shows one colour only, or the model cannot be read.
    """
    from latentlab.checkpoints import locate
    from latentlab.data.pictures import square_picture
    from latentlab.operations.search_eps import known_eps
    from latentlab.operations.search_target import search_target

    target = search_target(
        wanted.pixels,
        wanted.observation,
        wanted.image_size,
        given="small" if wanted.small else "full",
        name=wanted.name,
    )
    eps = known_eps(locate(wanted.model.path).config, wanted.observation, wanted.eps or None)
    side = wanted.observation.side(wanted.image_size)
    pixels = square_picture(wanted.pixels, side) if target.source is None else target.source
    return Prepared(wanted, target, eps, pixels, own_row(wanted.name))
