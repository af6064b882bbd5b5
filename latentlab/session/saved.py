"""A session as versioned JSON: what the document holds, written so that it comes back to the bit.

    {"format": "latentlab-session", "version": 1, "program": "...",
     "checkpoint": {path, name, sha256, predictor}, "threads": 1,
     "explore": {start, latent, condition, seed, truncation, named, start_condition, linked, told,
                 strokes: {base, side, inks, strokes}, source: {name, crop, picture, painted, pending}},
     "shelves": {SHA-256: {pins, directions, groups, locked, compared, grid, path, probe, map,
                              counterfactual, projection, samples, many}},
     "audit": {asked, out, shown, beside}, "train": {recipe, values, out, shown, beside}, "window": {...}}

Float32 numbers are written as decimals that give the same bits back; the picture, and what was painted on it,
are in there as the base64 text of a PNG or lossless WebP file. What a model makes of the picture is not kept:
it is encoded again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.audit.study_plan import StudyRequest
from latentlab.errors import ImageError, SettingsError
from latentlab.session.damaged import read_damaged
from latentlab.session.document import (
    FIRST_AUDIT,
    FIRST_STUDY,
    FIRST_TRAIN,
    AuditView,
    CheckpointRef,
    Document,
    Explore,
    Shelf,
    Source,
    TrainView,
    one_line,
)
from latentlab.session.saved_parts import (
    MOST_THREADS,
    AuditPart,
    CheckpointPart,
    ExplorePart,
    Salvage,
    SourcePart,
    StudyPart,
    TrainPart,
)
from latentlab.session.saved_picture import PictureTexts, picture_of, picture_text
from latentlab.session.saved_shelf import read_shelf
from latentlab.session.saved_strokes import read_strokes
from latentlab.session.train_plan import RECIPES, fits
from latentlab.spec import Record

FORMAT = "latentlab-session"
VERSION = 1
"""The version of the format that this program writes and reads."""
MOST_BYTES = 2**30
"""Files larger than this are refused unread."""

_HEAD = 200
# How far from its beginning a session says that it is one, in letters.
_FIELDS = {
    "format",
    "version",
    "program",
    "checkpoint",
    "threads",
    "explore",
    "shelves",
    "audit",
    "train",
    "window",
}


@dataclass(frozen=True, eq=False)
class SavedSource:
    """The picture of a session, uint8 ``[H, W, 3]``, its name, its crop and its painting (as in `Source`)."""

    name: str
    picture: NDArray[np.uint8]
    crop: tuple[int, int, int] | None = None
    painted: NDArray[np.uint8] | None = None
    pending: bool = False

    @classmethod
    def of(cls, source: Source) -> SavedSource:
        """Return what is kept of a picture."""
        return cls(source.name, source.picture, source.crop, source.painted, source.pending)


@dataclass(frozen=True, eq=False)
class Saved:
    """What a saved session holds.

    Parameters
    ----------
    name
        What the session is called: its file's name.
    program
        The version of LatentLab that wrote it.
    checkpoint
        Which model was open; None where none was, or where the reference is damaged.
    explore
        The Explore screen's state without its source; None where there is none.
    source
        The picture that was open, None where there was none.
    audit
        How the Audit screen is set.
    train
        How the screen "Train and debias" is set.
    window
        What the window noted for itself.
    left_out
        What could not be read, a phrase each.
    """

    name: str
    program: str = ""
    checkpoint: CheckpointRef | None = None
    threads: int = 1
    explore: Explore | None = None
    source: SavedSource | None = None
    shelves: Mapping[str, Shelf] = field(default_factory=dict)
    audit: AuditView = FIRST_AUDIT
    train: TrainView = FIRST_TRAIN
    window: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Document, name: str) -> Saved:
        """Return what a document would be after it had been saved and read again."""
        explore = document.explore
        source = None if explore is None else explore.source
        return cls(
            name=name,
            program=latentlab.__version__,
            checkpoint=document.checkpoint,
            threads=document.threads,
            explore=None if explore is None else replace(explore, source=None),
            source=None if source is None else SavedSource.of(source),
            shelves=document.shelves,
            audit=document.audit,
            train=document.train,
        )


def session_json(document: Document, window: Mapping[str, Any], pictures: PictureTexts | None = None) -> str:
    """Return the session as JSON text.

    Parameters
    ----------
    window
        A few plain values that the window wants back.
    pictures
        Remembers the picture's text for the next time.
    """
    explore: dict[str, Any] | None = None
    if document.explore is not None:
        explore = _plain(replace(document.explore, source=None))
        explore["source"] = _source(document.explore.source, pictures)
    session = {
        "format": FORMAT,
        "version": VERSION,
        "program": latentlab.__version__,
        "checkpoint": _plain(document.checkpoint),
        "threads": document.threads,
        "explore": explore,
        "shelves": _plain(document.shelves),
        "audit": _plain(document.audit),
        "train": _plain(document.train),
        "window": _plain(window),
    }
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in session.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def load_session(path: Path) -> Saved:
    """Read a session's file.

    Raises
    ------
    SettingsError
        If it cannot be read or is no session; the message says what is wrong with it and what to do.
    """
    try:
        if not path.is_file():
            what = f"{path} is no file" if path.exists() else f"There is no session {path}"
            raise SettingsError(f"{what}; choose the file that was saved.")
        if path.stat().st_size > MOST_BYTES:
            raise SettingsError(f"{path} is larger than {MOST_BYTES // 2**20} MiB, which no session is.")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SettingsError(f"{path} cannot be read: {why}.") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if f'"{FORMAT}"'.encode() not in content[:_HEAD]:
            raise SettingsError(
                f"{path} is no session: it is not text. Choose the file that was saved."
            ) from None
        text = content.decode("utf-8-sig", errors="replace")
    return read_session(text, path.name)


def read_session(text: str, name: str) -> Saved:
    """Read a session's text.

    A damaged part (a pin, a direction, the picture...) is left out, and so is what this version does not
    know and what cannot be read of a text that is cut off; `Saved.left_out` says what.

    Parameters
    ----------
    name
        What the session is called, in messages too.

    Raises
    ------
    SettingsError
        If it is no session, nothing of it can be read, or it is of another version.
    """
    salvage = Salvage()
    data = _parsed(text, name, salvage)
    salvage.fields(data, _FIELDS, "the session")
    sizes: Counter[int] = Counter()
    checkpoint = _read_checkpoint(data.get("checkpoint"), salvage)
    explore, source = _read_explore(data.get("explore"), salvage)
    if data.get("explore") is None and checkpoint is not None:
        salvage.say("the latent", "it is missing")
    if data.get("checkpoint") is None and data.get("explore") is not None:
        salvage.say("the checkpoint's reference", "it is missing")
    if explore is not None:
        sizes.update((explore.start.size, explore.latent.size))
    shelves = _read_shelves(data.get("shelves", {}), checkpoint, sizes, salvage)
    if explore is not None:
        explore = _of_one_size(explore, sizes.most_common(1)[0][0], salvage)
    threads = data.get("threads", 1)
    if type(threads) is not int or not 1 <= threads <= MOST_THREADS:
        salvage.say("the number of threads", f"a number from 1 to {MOST_THREADS} is expected")
        threads = 1
    window = data.get("window", {})
    if not isinstance(window, dict):
        salvage.say("the window's settings", "an object with fields is expected")
        window = {}
    program = data.get("program")
    return Saved(
        name=name,
        program=program if isinstance(program, str) else "",
        checkpoint=checkpoint,
        threads=threads,
        explore=explore,
        source=source,
        shelves=shelves,
        audit=_read_audit(data.get("audit", {}), salvage),
        train=_read_train(data.get("train", {}), salvage),
        window=window,
        left_out=tuple(salvage.left_out),
    )


# Writing


def _plain(value: Any) -> Any:
    """Return a part of the document as what JSON can hold."""
    if isinstance(value, np.ndarray):
        return picture_text(value) if value.dtype == np.uint8 else value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Record):
        return value.model_dump()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(one) for one in value)
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _source(source: Source | None, pictures: PictureTexts | None) -> dict[str, Any] | None:
    if source is None:
        return None
    text = picture_text(source.picture) if pictures is None else pictures.text(source.picture)
    return {
        "name": source.name,
        "crop": _plain(source.crop),
        "picture": text,
        "painted": None if source.painted is None else picture_text(source.painted),
        "pending": source.pending,
    }


# Reading


def _parsed(text: str, name: str, salvage: Salvage) -> dict[str, Any]:
    again = "Choose another copy of it, or save the session again."
    if not text.strip():
        raise SettingsError(f"{name} is empty. {again}")
    try:
        try:
            data = json.loads(text)
        except ValueError as error:  # a JSONDecodeError, or a number of too many digits
            if f'"{FORMAT}"' not in text[:_HEAD]:
                raise SettingsError(
                    f"{name} is no session: it is not JSON. Choose a file that LatentLab saved."
                ) from None
            data = read_damaged(text, salvage)
            if not any(data.get(part) for part in ("checkpoint", "explore", "shelves")):
                where = (
                    f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else error
                )
                raise SettingsError(
                    f"{name} is damaged or cut off, and nothing of it can be read ({where}). {again}"
                ) from None
            data = {"format": FORMAT, "version": VERSION, **data}
    except RecursionError:
        raise SettingsError(f"{name} is no session: it is nested too deeply.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise SettingsError(
            f"{name} is no session: it lacks the format {FORMAT!r}. Choose a file that LatentLab saved."
        )
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        found = f"is a session of version {str(version)[:40]}" if "version" in data else "has no version"
        raise SettingsError(
            f"{name} {found}; this program reads version {VERSION}. Update LatentLab, or save the session "
            "with the program that wrote it."
        )
    return data


def _read_checkpoint(data: object, salvage: Salvage) -> CheckpointRef | None:
    part = None if data is None else salvage.part(CheckpointPart, data, "the checkpoint's reference")
    if part is None or not (part.path or part.name):
        return None
    return CheckpointRef(**dict(part))


def _read_explore(data: object, salvage: Salvage) -> tuple[Explore | None, SavedSource | None]:
    """Return the state of the Explore screen, and its picture."""
    if data is None:
        return None, None
    numbers, source, lost = data, None, ""
    if isinstance(data, dict):
        numbers = {name: value for name, value in data.items() if name != "source"}
        if data.get("source") is not None:
            source, lost = _read_source(data["source"], salvage)
    part = salvage.part(ExplorePart, numbers, "the latent")
    if part is None:
        return None, source
    start, latent = part.start, part.latent
    if start is None and latent is None:
        salvage.say("the latent", "it has no numbers")
        return None, source
    if latent is None:
        salvage.say("the edited latent", "it is missing; the start stands for it")
    if start is None:
        salvage.say("the start", "it is missing; the edited latent stands for it")
    start = latent if start is None else start
    latent = start if latent is None else latent
    assert start is not None
    assert latent is not None
    named = part.named or (f"the picture {one_line(lost)}" if lost else "")
    if not named and part.seed is None and isinstance(data, dict) and data.get("seed") is not None:
        named = "a saved latent"
    explore = Explore(
        start,
        latent,
        part.condition,
        seed=part.seed,
        truncation=part.truncation,
        named=named,
        start_condition=part.start_condition,
        linked=part.linked,
        told=part.told,
        strokes=None if part.strokes is None else read_strokes(part.strokes, salvage),
    )
    return explore, source


def _read_source(data: object, salvage: Salvage) -> tuple[SavedSource | None, str]:
    """Return the picture, or the name of one that is lost."""
    part = salvage.part(SourcePart, data, "the picture")
    if part is None:
        name = data.get("name") if isinstance(data, dict) else None
        return None, name if isinstance(name, str) and name else "that was lost"
    try:
        picture = picture_of(part.picture)
    except ImageError as error:
        salvage.say(f"the picture {part.name}", str(error))
        return None, part.name or "that was lost"
    crop = part.crop
    if crop is not None:
        left, top, side = crop
        if left + side > picture.shape[1] or top + side > picture.shape[0]:
            salvage.say(f"the crop of the picture {part.name}", "it is not inside the picture")
            crop = None
    painted = _read_painted(part, salvage)
    return SavedSource(part.name, picture, crop, painted, part.pending and painted is not None), ""


def _read_painted(part: SourcePart, salvage: Salvage) -> NDArray[np.uint8] | None:
    if part.painted is None:
        return None
    what = f"what was painted on the picture {part.name}"
    try:
        painted = picture_of(part.painted)
    except ImageError as error:
        salvage.say(what, str(error))
        return None
    if painted.shape[0] != painted.shape[1]:
        salvage.say(what, "it is not square")
        return None
    return painted


def _read_shelves(
    data: object, checkpoint: CheckpointRef | None, sizes: Counter[int], salvage: Salvage
) -> dict[str, Shelf]:
    """Return the shelves; ``sizes`` are the latent sizes of the open model's, and gain from its shelf."""
    if not isinstance(data, dict):
        salvage.say("all that was put aside", "an object with fields is expected")
        return {}
    shelves = {}
    for sha256, one in data.items():
        own = checkpoint is not None and sha256 == checkpoint.sha256
        of = "" if own else f" of the model with SHA-256 {sha256[:12]}"
        shelf = read_shelf(one, salvage, sizes if own else Counter(), of)
        if shelf is not None:
            shelves[sha256] = shelf
    return shelves


def _read_audit(data: object, salvage: Salvage) -> AuditView:
    part = salvage.part(AuditPart, data, "the audit")
    if part is None:
        return FIRST_AUDIT
    study = None if part.asked is None else salvage.part(StudyPart, part.asked, "the study of the audit")
    asked = FIRST_STUDY if study is None else StudyRequest(**dict(study))
    return AuditView(asked, part.out, part.shown, part.beside)


def _read_train(data: object, salvage: Salvage) -> TrainView:
    part = salvage.part(TrainPart, data, "the training")
    if part is None:
        return FIRST_TRAIN
    recipe = part.recipe
    if recipe not in RECIPES:
        salvage.say("the training's recipe", "there is none of that name")
        recipe = FIRST_TRAIN.recipe
    values = {}
    for key, value in part.values.items():
        if fits(key, value):
            values[key] = value
        else:
            salvage.say(f"the training's {key[:60]}", "it cannot be set so")
    return TrainView(recipe, values, part.out, part.shown, part.beside)


def _of_one_size(explore: Explore, size: int, salvage: Salvage) -> Explore | None:
    """Return the state with start and latent both of a size; None where neither is."""
    good = [one for one in (explore.start, explore.latent) if one.size == size]
    if len(good) == 2:
        return explore
    if not good:
        salvage.say("the latent", f"it has {explore.start.size} numbers instead of {size}")
        return None
    which, bad = ("edited latent", explore.latent) if good[0] is explore.start else ("start", explore.start)
    salvage.say(f"the {which}", f"it has {bad.size} numbers instead of {size}")
    return replace(explore, start=good[0], latent=good[0])
