"""What somebody else says of a study's images: a table with an id a row, read and checked before any work.

A study's images have ids in a fixed order; they begin with a token that stands for the images, so that a
table made for others is noticed. An attribute stands in one column of classes (``gender``), or in a column
for each class with probabilities (``gender=female``). Which classes there are says ``classes.json`` beside
the table, where there is one; attributes and classes may be added there that nobody here knows.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.study_plan import StudyRequest
from latentlab.checkpoints import locate
from latentlab.checkpoints.companion import fitting_predictor
from latentlab.data.image_set import ImageSet
from latentlab.errors import DataError, SettingsError
from latentlab.spec import MODE, Attribute, CheckpointConfig, Confusion

CLASSES = "classes.json"
ID, FILE = "id", "file"
_SUM_TOLERANCE = 0.01


@dataclass(frozen=True)
class Predictions:
    """What somebody else says.

    Parameters
    ----------
    path
        The table.
    sha256
        Of its bytes.
    attributes
        What it tells, with all classes.
    said
        By attribute the probabilities ``[N, C]``, in the order of the study's ids; one-hot where only classes
        are told.
    confusion
        How often the judge errs on images whose truth is known, by attribute, where that was given.
    confusion_sha256
        Of that table's bytes; empty without it.
    """

    path: Path
    sha256: str
    attributes: tuple[Attribute, ...]
    said: Mapping[str, NDArray[np.float32]]
    confusion: Mapping[str, Confusion] = field(default_factory=dict)
    confusion_sha256: str = ""

    def record(self) -> dict[str, Any]:
        """Return what the study's settings keep of it, as plain values."""
        return {
            "predictions_sha256": self.sha256,
            "predictions_confusion_sha256": self.confusion_sha256,
            "classes": {one.name: list(one.classes) for one in self.attributes},
        }

    def codes(self, name: str) -> NDArray[np.int64]:
        """Return the predicted classes ``[N]`` of an attribute."""
        codes: NDArray[np.int64] = self.said[name].argmax(axis=1)
        return codes

    def note(self) -> str:
        """Say who judged."""
        return f"Who judged is not this program: the classes are those of {self.path.name}."


def token_of(record: Mapping[str, Any]) -> str:
    """Return what the ids of images begin with that are made as a record says."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:8]


def asked_predictions(request: StudyRequest, ids: Sequence[str], known: Sequence[Attribute]) -> Predictions:
    """Read the predictions that a request names (`read_predictions`)."""
    confusion = request.predictions_confusion
    return read_predictions(
        Path(request.predictions), ids, known, request.attributes, Path(confusion) if confusion else None
    )


def check_judge(request: StudyRequest, outside: bool) -> None:
    """Make sure that a request names one judge: a predictor, or somebody outside.

    Raises
    ------
    SettingsError
        If a predictor is named beside somebody outside, or how often they err where a predictor judges.
    """
    if outside and request.predictor:
        raise SettingsError("Either a predictor judges or somebody else's predictions count, not both.")
    if not outside and request.predictions_confusion:
        raise SettingsError("How often predictions err is of no use without predictions.")


def read_predictions(
    path: Path,
    ids: Sequence[str],
    known: Sequence[Attribute],
    wish: Sequence[str] = (),
    confusion: Path | None = None,
) -> Predictions:
    """Read what somebody else says of a study's images.

    Parameters
    ----------
    path
        A CSV table with the columns ``id`` and those of attributes; ``file`` is not looked at. A column that
        is empty throughout counts as if it were not there.
    ids
        All the study's images, in order.
    known
        Attributes with their classes, for a table without `CLASSES` beside it.
    wish
        What is counted; empty for all that the table tells.
    confusion
        A CSV table with the columns attribute, true, predicted and count: how often the same judge errs.

    Raises
    ------
    DataError
        If a table cannot be read, or an id, a class or a probability in it is wrong or missing.
    """
    attributes = _attributes(path, known)
    with _rows(path) as (head, rows):
        columns = _columns(path, head, attributes)
        said = {name: np.zeros((len(ids), len(attributes[name].classes)), np.float32) for name in columns}
        empty = dict.fromkeys(columns, 0)
        places = {name: place for place, name in enumerate(ids)}
        seen = np.zeros(len(ids), dtype=bool)
        token = ids[0].partition("-")[0]
        for number, row in rows:
            name = row[ID].strip()
            if name not in places:
                own, dash, _ = name.partition("-")
                other = dash and len(own) == len(token) and own != token
                why = "is an image of another study" if other else "is no image of this study"
                advice = "Export the images again, with the same settings" if other else "Mend the id"
                raise DataError(
                    f"{path}, line {number}: {name!r} {why}, whose ids are {ids[0]} to {ids[-1]}. {advice}."
                )
            place = places[name]
            if seen[place]:
                raise DataError(f"{path}, line {number}: the id {name!r} stands twice.")
            seen[place] = True
            for attribute, of in columns.items():
                found = _told(path, number, attributes[attribute], [row[one] for one in of], len(of) > 1)
                empty[attribute] += found is None
                said[attribute][place] = 0.0 if found is None else found
    missing = np.flatnonzero(~seen)
    if len(missing):
        raise DataError(
            f"{path} has no row of {len(missing):,} of the study's {len(ids):,} images; the first is "
            f"{ids[missing[0]]}."
        )
    for name, count in empty.items():
        if 0 < count < len(ids):
            place = int(np.flatnonzero(said[name].sum(axis=1) == 0)[0])
            raise DataError(f"{path} has no {name} of {count:,} images; the first is {ids[place]}.")
    told = [name for name, count in empty.items() if not count]
    if not told:
        raise DataError(f"{path} tells no attribute: the columns {', '.join(columns)} are empty.")
    absent = [name for name in wish if name not in told]
    if absent:
        raise DataError(f"{path} does not tell {absent[0]}; it tells {', '.join(told)}.")
    chosen = tuple(dict.fromkeys(wish)) or tuple(told)
    counted = tuple(attributes[name] for name in chosen)
    matrices = {} if confusion is None else _confusions(confusion, {one.name: one for one in counted})
    return Predictions(
        path,
        _sha256(path),
        counted,
        {name: said[name] for name in chosen},
        matrices,
        "" if confusion is None else _sha256(confusion),
    )


def known_attributes(
    configs: Sequence[CheckpointConfig], images: ImageSet | None = None
) -> tuple[Attribute, ...]:
    """Return the attributes whose classes are known without a predictor having to judge.

    Those of the predictors that usually go with the models, of a set's labels, and of the models' conditions;
    of two with one name the first.
    """
    found: list[Attribute] = []
    for config in configs:
        name = fitting_predictor(config)
        judge = locate(name).config.predictor if name else None
        found += () if judge is None else judge.attributes
    found += () if images is None else images.info.attributes
    for config in configs:
        found += () if config.model is None else config.model.condition.attributes
    known: dict[str, Attribute] = {}
    for one in found:
        if one.kind == "categorical" and one.name != MODE.name:
            known.setdefault(one.name, one)
    return tuple(known.values())


def classes_text(attributes: Sequence[Attribute]) -> str:
    """Write attributes with their classes as `CLASSES` has them."""
    return json.dumps({one.name: list(one.classes) for one in attributes}, indent=1) + "\n"


def _attributes(path: Path, known: Sequence[Attribute]) -> dict[str, Attribute]:
    """Return the attributes that a table may tell: those of the file beside it, or those that are known."""
    found = {one.name: one for one in known}
    beside = path.parent / CLASSES
    if not beside.exists():
        if not found:
            raise DataError(
                f"No classes are known that {path.name} could tell. Write {beside} with the classes of each "
                'attribute, such as {"gender": ["female", "male"]}.'
            )
        return found
    try:
        told = json.loads(beside.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or not told:
            raise ValueError("attributes by name are expected")
        attributes = {}
        for name, classes in told.items():
            texts = isinstance(classes, list) and all(isinstance(one, str) and one for one in classes)
            if not texts or len(set(classes)) < len(classes) or len(classes) < 2:
                raise ValueError(f"{name!r} needs two or more different classes, each a text")
            if not all(one.isprintable() and one == one.strip() for one in (name, *classes)):
                raise ValueError(
                    f"{name!r} and its classes are to be of one line, without blanks around them"
                )
            if name in (ID, FILE) or "=" in name:
                raise ValueError(f"an attribute cannot be called {name!r}")
            same = name in found and found[name].classes == tuple(classes)
            attributes[name] = found[name] if same else Attribute(name=name, classes=tuple(classes))
    except (OSError, ValueError) as error:
        raise DataError(f"{beside} cannot be read as the classes of each attribute: {error}.") from None
    return attributes


def _columns(path: Path, head: Sequence[str], attributes: Mapping[str, Attribute]) -> dict[str, list[str]]:
    """Return the columns that tell each attribute: one of classes, or one for each class."""
    if ID not in head or len(set(head)) < len(head):
        raise DataError(f"{path} needs the column {ID!r}, and every column once; it has {', '.join(head)}.")
    found: dict[str, list[str]] = {}
    rest = [one for one in head if one not in (ID, FILE)]
    for name, attribute in attributes.items():
        each = [f"{name}={label}" for label in attribute.classes]
        there = [one for one in each if one in rest]
        if name in rest and there:
            raise DataError(f"{path} tells {name} twice: in {name!r} and in {there[0]!r}. Leave one out.")
        if there and there != each and set(there) != set(each):
            lost = next(one for one in each if one not in there)
            raise DataError(f"{path} has the column {there[0]!r} but none {lost!r}; every class needs one.")
        if name in rest or there:
            found[name] = each if there else [name]
    unknown = [one for one in rest if not any(one in columns for columns in found.values())]
    if unknown:
        raise DataError(
            f"{path} has a column {unknown[0]!r}, which is no attribute; there is "
            f"{', '.join(attributes)}. Leave it out, or add it to {path.parent / CLASSES}."
        )
    if not found:
        raise DataError(f"{path} has no column of an attribute; there is {', '.join(attributes)}.")
    return found


def _told(
    path: Path, number: int, attribute: Attribute, cells: Sequence[str], probabilities: bool
) -> NDArray[np.float32] | None:
    """Return one image's probabilities ``[C]``, None where nothing is told."""
    texts = [cell.strip() for cell in cells]
    if not any(texts):
        return None
    if not probabilities:
        if texts[0] not in attribute.classes:
            raise DataError(
                f"{path}, line {number}: {texts[0]!r} is no class of {attribute.name}; there is "
                f"{', '.join(attribute.classes)}."
            )
        certain: NDArray[np.float32] = np.zeros(len(attribute.classes), dtype=np.float32)
        certain[attribute.classes.index(texts[0])] = 1.0
        return certain
    try:
        values = [float(text) for text in texts]
    except ValueError:
        values = [math.nan]
    total = sum(values)
    if not all(0.0 <= value <= 1.0 for value in values) or not abs(total - 1.0) <= _SUM_TOLERANCE:
        raise DataError(
            f"{path}, line {number}: the probabilities of {attribute.name} must be 0 to 1 and sum to 1; "
            f"found {', '.join(texts)}."
        )
    return np.asarray(values, dtype=np.float32) / np.float32(total)


def _confusions(path: Path, attributes: Mapping[str, Attribute]) -> dict[str, Confusion]:
    """Read how often a judge errs; attributes that are not counted are left out."""
    counts: dict[str, NDArray[np.int64]] = {}
    given: set[tuple[str, str, str]] = set()
    with _rows(path) as (head, rows):
        wanted = ("attribute", "true", "predicted", "count")
        if set(head) != set(wanted):
            raise DataError(f"{path} needs the columns {', '.join(wanted)}; it has {', '.join(head)}.")
        for number, row in rows:
            name, true, predicted, count = (row[one].strip() for one in wanted)
            if name not in attributes:
                continue
            attribute = attributes[name]
            wrong = [one for one in (true, predicted) if one not in attribute.classes]
            if wrong:
                raise DataError(
                    f"{path}, line {number}: {wrong[0]!r} is no class of {name}; there is "
                    f"{', '.join(attribute.classes)}."
                )
            if (
                not (count.isascii() and count.isdigit() and len(count) < 16)
                or (name, true, predicted) in given
            ):
                why = "stands twice" if (name, true, predicted) in given else f"has the count {count!r}"
                raise DataError(f"{path}, line {number}: {name} {true}, {predicted} {why}.")
            given.add((name, true, predicted))
            size = len(attribute.classes)
            matrix = counts.setdefault(name, np.zeros((size, size), dtype=np.int64))
            matrix[attribute.classes.index(true), attribute.classes.index(predicted)] = int(count)
    if not counts:
        raise DataError(f"{path} tells nothing of {', '.join(attributes)}.")
    return {name: Confusion(counts=tuple(map(tuple, matrix.tolist()))) for name, matrix in counts.items()}


@contextmanager
def _rows(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[int, dict[str, str]]]]]:
    """Open a CSV table; give its columns, and its rows with their lines."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            head = [one.strip() for one in next(reader, [])]
            if not head:
                raise DataError(f"{path} is empty.")
            yield head, _each(path, head, reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"{path} cannot be read as a table (CSV, UTF-8): {why}.") from None


def _each(path: Path, head: Sequence[str], reader: Any) -> Iterator[tuple[int, dict[str, str]]]:
    for row in reader:
        if not row:
            continue
        if len(row) != len(head):
            raise DataError(f"{path}, line {reader.line_num}: {len(row)} cells, not {len(head)}.")
        yield reader.line_num, dict(zip(head, row, strict=True))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
