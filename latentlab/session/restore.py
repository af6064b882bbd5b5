"""From a saved session and the model that was opened for it to the document; and where its model lies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import LatentLabError, SettingsError
from latentlab.live.frames import Encoded, Opened
from latentlab.operations.latent_brush import Strokes, grid_of
from latentlab.paths import bundled_models
from latentlab.session.document import CheckpointRef, Document, Explore, Shelf, Source, one_line
from latentlab.session.explore import start_from_picture, start_in_the_middle
from latentlab.session.painted_encoder import repainted
from latentlab.session.saved import Saved
from latentlab.session.saved_parts import Salvage
from latentlab.session.saved_shelf import fitted
from latentlab.session.session import Message
from latentlab.spec import ModelSpec

_TOLD = 3
# Of the things that were left out, how many a message names.


@dataclass(frozen=True, eq=False)
class Restored:
    """A session's document, and what a person should know of it: a sentence each.

    Parameters
    ----------
    left_out
        What could not be used, a phrase each.
    """

    document: Document
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def message(self, name: str) -> Message | None:
        """Return what to tell of the session of that name; None where all is as it was saved."""
        texts = list(self.notes)
        if self.left_out:
            named = "; ".join(self.left_out[:_TOLD])
            more = f"; and {len(self.left_out) - _TOLD} more" if len(self.left_out) > _TOLD else ""
            texts.append(f"{name} was opened without what could not be read: {named}{more}.")
        return Message("error", " ".join(texts), "\n".join(self.left_out)) if texts else None


def restored(
    saved: Saved, opened: Opened, encoded: Encoded | None, before: Document, note: str = ""
) -> Restored:
    """Return the document of a session whose model has been opened.

    Start and latent are as they were saved, not as the picture is encoded now. What does not fit the model
    is left out. Shelves of other models stay, those of the document before it too.

    Parameters
    ----------
    encoded
        The session's picture under the model; None where there is none, or the model cannot encode it.
    note
        What is known already, to be said first.
    """
    notes, salvage = [note] if note else [], Salvage()
    salvage.left_out.extend(saved.left_out)
    weights = saved.checkpoint.sha256 if saved.checkpoint is not None else ""
    if weights != opened.sha256:
        notes.append(
            f"{opened.name} has other weights than {saved.name} was made with; its pictures will differ."
            if weights
            else f"Whether {opened.name} is the model of {saved.name} is not known: its SHA-256 is missing."
        )
    if saved.source is not None and "encode" in opened.spec.cannot:
        why = opened.spec.cannot["encode"]
        notes.append(f"{saved.source.name} was left out: {opened.name} cannot encode pictures: {why}")
    explore = _start(saved, opened.spec, encoded)
    kept = saved.explore
    if kept is not None and kept.start.size != opened.spec.latent_size:
        notes.append(
            f"The latent of {saved.name} has {kept.start.size} numbers and one of {opened.name} has "
            f"{opened.spec.latent_size}, so it was left out."
        )
    elif kept is not None:
        explore = _as_saved(kept, explore, saved, opened.spec, salvage)
        if encoded is not None and saved.source is not None and saved.source.pending:
            explore = repainted(explore, encoded)  # it was saved before the encoder had seen the painting
    shelves = {**before.shelves, **saved.shelves}
    shelf = _shelf(saved, opened, salvage)
    if shelf is not None:
        shelves[opened.sha256] = shelf
    document = Document(CheckpointRef.of(opened), explore, saved.threads, shelves, saved.audit, saved.train)
    return Restored(document, tuple(notes), tuple(salvage.left_out))


def find_checkpoint(saved: Saved, near: Path) -> str | None:
    """Return where a session's model lies; None where it is not found.

    That is the path it had, whatever lies there now, else a bundled model or one beside the session's file
    (``near`` is its folder) of the same name and with the same weights. Reading them may take a while.
    """
    from latentlab.checkpoints import locate

    reference = saved.checkpoint
    if reference is None:
        return None
    if reference.path and _exists(Path(reference.path)):
        return reference.path
    for path in _elsewhere(reference.path, reference.name, near):
        try:
            if not reference.sha256 or locate(path).sha256() == reference.sha256:
                return str(path)
        except (LatentLabError, OSError):
            continue
    return None


def find_predictor(saved: Saved, near: Path) -> tuple[str | None, str]:
    """Return a session's attribute predictor as `LiveRenderer.open` takes it, and a note or "".

    Where the predictor is gone it is None: the one that goes with the model.
    """
    name = "" if saved.checkpoint is None else saved.checkpoint.predictor
    if not name or name in bundled_models() or _exists(Path(name)):
        return name, ""
    found = next(_elsewhere(name, "", near), None)
    if found is not None:
        return str(found), ""
    return None, f"The attribute predictor {name} is gone; the one that goes with the model judges instead."


def _elsewhere(path: str, name: str, near: Path) -> Iterator[Path]:
    """Give the places where something that has gone from its path may be."""
    last = re.split(r"[\\/]", path.rstrip("\\/"))[-1]
    bundled = bundled_models()
    for called in dict.fromkeys((last, name)):
        if called in bundled:
            yield bundled[called]
        if called and called not in (".", "..") and _exists(near / called):
            yield near / called


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name that is too long
        return False


def _start(saved: Saved, spec: ModelSpec, encoded: Encoded | None) -> Explore:
    source = saved.source
    if source is None or encoded is None:
        return start_in_the_middle(spec)
    return start_from_picture(spec, source.name, source.picture, encoded, source.crop, source.painted)


def _as_saved(kept: Explore, new: Explore, saved: Saved, spec: ModelSpec, salvage: Salvage) -> Explore:
    """Return the saved state in the model's shapes, with the source that the model made of the picture."""
    size = spec.condition.size
    start_condition, condition = _flat(kept.start_condition), _flat(kept.condition)
    if (0 if condition is None else condition.size) != size:
        found = "none" if condition is None else str(condition.size)
        salvage.say("the condition", f"the model's has {size} numbers, {found} were saved")
        condition = new.condition
    if (0 if start_condition is None else start_condition.size) != size:
        start_condition = new.start_condition if condition is new.condition else condition
    told = _flat(kept.start_condition if kept.told is None else kept.told)  # older sessions have none
    if new.source is None or (0 if told is None else told.size) != size:
        told = new.told
    source: Source | None = new.source
    named = kept.named
    if source is None and saved.source is not None:
        named = named or f"the picture {one_line(saved.source.name)}"
    strokes = _strokes(kept.strokes, spec)
    if strokes is None and kept.strokes is not None:
        salvage.say("what was painted on the latent", "it does not fit the model")
    return replace(
        kept,
        start=_shaped(kept.start, spec),
        latent=_shaped(kept.latent, spec),
        condition=condition,
        start_condition=start_condition,
        source=source,
        named=named,
        told=told,
        strokes=strokes,
    )


def _strokes(strokes: Strokes | None, spec: ModelSpec) -> Strokes | None:
    """Return strokes in the model's shape; None where there are none, or they are of another."""
    if strokes is None or grid_of(spec) is None or strokes.base.size != spec.latent_size:
        return None
    found = replace(strokes, base=_shaped(strokes.base, spec))
    try:
        found.latent()
    except SettingsError:
        return None
    return found


def _shaped(latent: NDArray[np.float32], spec: ModelSpec) -> NDArray[np.float32]:
    """Return a latent in the model's shape, not writable."""
    shaped = np.array(latent).reshape(spec.latent_shape)
    shaped.setflags(write=False)
    return shaped


def _flat(condition: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    return None if condition is None else condition.reshape(-1)


def _shelf(saved: Saved, opened: Opened, salvage: Salvage) -> Shelf | None:
    """Return the shelf of the open model: its own, or that of the model the session was saved with."""
    spec, shelf = opened.spec, saved.shelves.get(opened.sha256)
    if shelf is None and saved.checkpoint is not None:
        shelf, salvage = saved.shelves.get(saved.checkpoint.sha256), Salvage()
    if shelf is None:
        return None
    shelf = fitted(shelf, spec.latent_size, salvage)
    if opened.sha256 not in saved.shelves and salvage.left_out:
        return None  # it stays with its own model, of another latent size
    return replace(
        shelf,
        pins=tuple(replace(pin, latent=pin.latent.reshape(spec.latent_shape)) for pin in shelf.pins),
        groups=tuple(replace(one, mean=one.mean.reshape(spec.latent_shape)) for one in shelf.groups),
    )
