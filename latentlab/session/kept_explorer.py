"""The open model, opened once more for a thread of its own, where settled work holds up no live frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.session.document import Document

if TYPE_CHECKING:
    from latentlab.operations.explore import Explorer


@dataclass(frozen=True)
class ModelKey:
    """Which model, which predictor, and with how many threads."""

    path: str
    predictor: str
    sha256: str
    threads: int

    @classmethod
    def of(cls, document: Document) -> ModelKey | None:
        """Return that of a document; None where nothing is open."""
        reference = document.checkpoint
        if reference is None:
            return None
        return cls(reference.path, reference.predictor, reference.sha256, document.threads)


class KeptExplorer:
    """Opens a model as an `Explorer`, and keeps the last one for the next time. For one thread."""

    def __init__(self) -> None:
        self._kept: tuple[ModelKey, Explorer] | None = None

    def open(self, key: ModelKey) -> Explorer:
        """Return the model; raises as `Explorer.open`."""
        from latentlab.operations.explore import Explorer

        if self._kept is None or self._kept[0] != key:
            self._kept = key, Explorer.open(key.path, key.predictor, key.sha256, key.threads)
        return self._kept[1]
