"""What a saved session holds, for a person and for a script; and its picture, rendered from the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.errors import LatentLabError, SettingsError
from latentlab.session.document import Shelf
from latentlab.session.restore import find_checkpoint
from latentlab.session.saved import Saved, load_session

_WEIGHTS = {
    "same": "the same as when it was saved",
    "other": "others than when it was saved",
    "missing": "not found",
    "damaged": "cannot be read",
    "unknown": "not known: the session lacks their SHA-256",
}


@dataclass(frozen=True, eq=False)
class SessionReport:
    """A saved session and the state of its model.

    Parameters
    ----------
    checkpoint
        Where the model lies, None where it is not found.
    weights
        ``same`` or ``other`` than when it was saved; ``missing``; ``damaged``, where there is no checkpoint
        any more; ``unknown`` where they cannot be compared.
    named
        Whether the model was named by who asks, whatever its weights.
    """

    path: Path
    saved: Saved
    checkpoint: str | None
    weights: str
    named: bool = False

    @property
    def shelf(self) -> Shelf:
        """What was put aside for the session's model."""
        reference = self.saved.checkpoint
        return Shelf() if reference is None else self.saved.shelves.get(reference.sha256, Shelf())

    def picture(self) -> NDArray[np.uint8]:
        """Render the edited picture as the window's settled frame, the same to the bit: uint8 ``[S, S, 3]``.

        Raises
        ------
        LatentLabError
            If the session has no latent, or its model is missing, has other weights, or does not fit.
        """
        from latentlab.operations.explore import Explorer

        saved = self.saved
        if saved.explore is None:
            raise SettingsError(f"{self.path} holds no latent, so there is no picture to render.")
        if self.checkpoint is None:
            raise SettingsError(
                f"The model of {self.path} was not found. Say where it lies with --model PATH."
            )
        sha256 = "" if saved.checkpoint is None or self.named else saved.checkpoint.sha256
        explorer = Explorer.open(self.checkpoint, "", sha256, saved.threads)
        condition = saved.explore.condition
        given = None if condition is None else explorer.condition(condition)
        return explorer.picture(explorer.latent(saved.explore.latent), given)

    def save_picture(self, path: Path) -> None:
        """Save the edited picture in the format that the suffix says; PNG loses nothing.

        Raises
        ------
        LatentLabError
            If it cannot be rendered or written.
        """
        from latentlab.data.contact_sheet import save_sheet

        save_sheet(path, self.picture())

    def rows(self) -> list[tuple[str, str]]:
        """Return what a person reads, as names and values."""
        saved, shelf, reference = self.saved, self.shelf, self.saved.checkpoint
        rows = [("saved by", f"LatentLab {saved.program}" if saved.program else "not known")]
        if reference is not None:
            rows.append(("model", f"{reference.name}, {reference.path}".strip(", ")))
            if self.checkpoint is not None and self.checkpoint != reference.path:
                rows.append(("found at", self.checkpoint))
            rows.append(("predictor", reference.predictor or "none"))
        rows.append(("weights", _WEIGHTS[self.weights]))
        if saved.explore is not None:
            rows.append(("start", self._origin()))
            rows.append(("changed", f"{self._changed()} of {saved.explore.latent.size} dimensions"))
        if saved.source is not None:
            height, width = saved.source.picture.shape[:2]
            crop = saved.source.crop
            seen = "" if crop is None else f", cropped to {crop[2]} pixels at {crop[0]}, {crop[1]}"
            painted = "" if saved.source.painted is None else ", painted"
            rows.append(("picture", f"{saved.source.name}, {width} x {height}{seen}{painted}"))
        aside = {
            "pins": [pin.name for pin in shelf.pins],
            "directions": [direction.name for direction in shelf.directions],
            "groups": [group.name for group in shelf.groups],
            "locked": [str(dimension) for dimension in sorted(shelf.locked)],
        }
        rows.extend((name, ", ".join(names) or "none") for name, names in aside.items())
        others = len(saved.shelves) - (reference is not None and reference.sha256 in saved.shelves)
        if others:
            rows.append(("other models", f"things put aside for {others}"))
        rows.append(("threads", str(saved.threads)))
        rows.extend(("left out", one) for one in saved.left_out)
        return rows

    def record(self) -> dict[str, Any]:
        """Return the JSON object as plain values, in the form of the other commands."""
        saved, shelf, reference = self.saved, self.shelf, self.saved.checkpoint
        explore = saved.explore
        return {
            "command": "session",
            "version": latentlab.__version__,
            "checkpoint": {
                "path": self.checkpoint,
                "saved_path": None if reference is None else reference.path,
                "sha256": None if reference is None else reference.sha256,
                "weights": self.weights,
            },
            "data": {"path": str(self.path), "n": 1},
            "seed": None if explore is None else explore.seed,
            "device": "cpu",
            "settings": {
                "program": saved.program,
                "predictor": None if reference is None else reference.predictor,
                "threads": saved.threads,
                "start": None if explore is None else self._origin(),
                "latent": None if explore is None else explore.latent.reshape(-1).tolist(),
                "crop": None if saved.source is None else saved.source.crop,
                "painted": saved.source is not None and saved.source.painted is not None,
                "pins": [pin.name for pin in shelf.pins],
                "directions": [one.name for one in shelf.directions],
                "groups": [group.name for group in shelf.groups],
                "locked": sorted(shelf.locked),
            },
            "metrics": {},
            "groups": {},
            "notes": [f"Left out: {one}." for one in saved.left_out],
        }

    def _origin(self) -> str:
        assert self.saved.explore is not None
        return self.saved.explore.origin if self.saved.source is None else self.saved.source.name

    def _changed(self) -> int:
        assert self.saved.explore is not None
        start, latent = self.saved.explore.start, self.saved.explore.latent
        return int((start.reshape(-1) != latent.reshape(-1)).sum())


def look_into(path: Path, model: str | None = None) -> SessionReport:
    """Read a session and look how its model is.

    Parameters
    ----------
    model
        The model's path or bundled name, whatever the session says.

    Raises
    ------
    LatentLabError
        If it is no session, or there is no such model.
    """
    from latentlab.checkpoints import locate

    saved = load_session(path)
    checkpoint = find_checkpoint(saved, path.parent) if model is None else model
    expected = "" if saved.checkpoint is None else saved.checkpoint.sha256
    weights = "missing"
    if checkpoint is not None:
        try:
            found = locate(checkpoint).sha256()
            weights = "unknown" if not expected else "same" if found == expected else "other"
        except LatentLabError:
            if model is not None:
                raise
            weights = "damaged"
    return SessionReport(path, saved, checkpoint, weights, model is not None)
