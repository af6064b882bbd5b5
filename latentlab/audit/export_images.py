"""Export a study's images with ids, so that somebody else judges them and nobody depends on our classifier.

A folder with ``images/ID.png``, a table to fill in, its classes, and a page that says how. The ids tell
neither model nor seed nor group. An interrupted export goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentlab.audit.generation import pictures_of_samples
from latentlab.audit.own_predictions import CLASSES, FILE, ID, classes_text
from latentlab.audit.reconstruction import pictures_of_pairs
from latentlab.audit.run_generation import Samples
from latentlab.audit.run_reconstruction import Pairs
from latentlab.audit.study_plan import StudyRequest
from latentlab.errors import SettingsError
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute
from latentlab.whole_file import part_of, write_table, write_whole

PREDICTIONS, EXPORT, HOW = "predictions.csv", "export.json", "README.txt"


@dataclass(frozen=True)
class Exported:
    """What was exported: how many images, their folder, the table to fill in, and its classes."""

    n: int
    images: Path
    template: Path
    classes: Path


def export_images(request: StudyRequest, out: Path, reporter: Reporter | None = None) -> Exported:
    """Export the images of a generation or reconstruction study.

    Parameters
    ----------
    request
        As the study is asked; ``attributes`` are the columns of the table, all that are known without it.
    out
        A new folder, or that of an interrupted export of the same.

    Raises
    ------
    LatentLabError
        If something cannot be used, before anything is drawn; `Cancelled` on request.
    """
    reporter = reporter or Reporter()
    if request.study == "generation":
        samples = Samples.to_judge(request, reporter)
        ids, known = samples.ids(), samples.attributes
        batches = pictures_of_samples(samples.opened, samples.settings, samples.reference)
    elif request.study == "reconstruction":
        pairs = Pairs.to_judge(request, reporter)
        ids, known = pairs.ids(), pairs.known
        batches = pictures_of_pairs(pairs.explorer, pairs.chosen)
    else:
        raise SettingsError(
            f"The images of the {request.study} study cannot be exported; those of generation and "
            "reconstruction can."
        )
    attributes = _columns(known, request.attributes)
    _begin(out, ids, request)
    for done, pictures in _with_places(batches):
        reporter.raise_if_cancelled()
        places = out / "images"
        names = ids[done : done + len(pictures)]
        for name, picture in zip(names, pictures, strict=True):
            _write_picture(places / f"{name}.png", picture)
        reporter.report(Progress("Writing images", done + len(pictures), len(ids)))
    found = Exported(len(ids), out / "images", out / PREDICTIONS, out / CLASSES)
    if not found.classes.exists():
        write_whole(found.classes, classes_text(attributes))
    if not found.template.exists():  # it may have been filled in by now
        empty = [""] * len(attributes)
        rows = ([name, f"images/{name}.png", *empty] for name in ids)
        write_table(found.template, [ID, FILE, *(one.name for one in attributes)], rows)
    write_whole(out / HOW, _how(request))
    return found


def _columns(known: Sequence[Attribute], wish: Sequence[str]) -> list[Attribute]:
    names = {one.name: one for one in known}
    missing = [one for one in wish if one not in names]
    if missing:
        raise SettingsError(
            f"The classes of {missing[0]} are not known; there is {', '.join(names) or 'none'}. Export "
            f"without it, and add it to {CLASSES} and as a column of the table."
        )
    return [names[one] for one in dict.fromkeys(wish)] if wish else list(known)


def _begin(out: Path, ids: Sequence[str], request: StudyRequest) -> None:
    """Make the folder, or make sure that it is of the same images."""
    record = json.dumps({"token": ids[0].partition("-")[0], "n": len(ids), "study": request.study})
    path = out / EXPORT
    try:
        out.mkdir(parents=True, exist_ok=True)
        if path.exists():
            if path.read_text(encoding="utf-8") != record:
                raise SettingsError(f"{out} holds the images of another study. Choose another folder.")
        elif any(out.iterdir()):
            raise SettingsError(f"{out} holds other files. Choose an empty folder.")
        else:
            write_whole(path, record)
        (out / "images").mkdir(exist_ok=True)
    except OSError as error:
        raise SettingsError(f"The folder {out} cannot be made: {error.strerror or error}.") from None


def _with_places(
    batches: Iterator[list[NDArray[np.uint8]]],
) -> Iterator[tuple[int, list[NDArray[np.uint8]]]]:
    done = 0
    for pictures in batches:
        yield done, pictures
        done += len(pictures)


def _write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    if path.exists():
        return
    part = part_of(path)
    try:
        Image.fromarray(picture).save(part, format="PNG")
        part.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}.") from None


def _how(request: StudyRequest) -> str:
    return f"""Images of the study "{request.study}", to be judged by somebody else.

images/ID.png     one image an id; ids tell neither model nor group, so that nobody is influenced
{PREDICTIONS}   the table to fill in: a row an image
{CLASSES}      the classes of each attribute

Fill in a class for every image, spelled as in {CLASSES}; or, in the place of a column such as
"gender", one column for each class, "gender=female" and "gender=male", with probabilities that sum to 1.
Columns that stay empty are not counted. Attributes of your own: add them with their classes to {CLASSES},
and as columns.

Then do the study with the same settings and --predictions {PREDICTIONS}. Where it is known how often
the judge errs, give that too, as a table with the columns attribute, true, predicted, count
(--predictions-confusion): shares are corrected by it.
"""
