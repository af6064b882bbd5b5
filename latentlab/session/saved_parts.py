"""The parts of a saved session as records, and how a damaged part is left out without the rest.

Each record has the fields of the document's part that it stands for (a test compares them) and says what
they may hold.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Container, Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, ValidationError, create_model
from pydantic_core import ErrorDetails

from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.operations.latent_brush import HARDNESS, MOST_PLACES
from latentlab.operations.sample_plan import LARGEST_SEED, MOST_WAY
from latentlab.operations.search_plan import MOST_RESTARTS
from latentlab.operations.search_plan import MOST_STEPS as MOST_SEARCH
from latentlab.operations.traverse import MOST_STEPS
from latentlab.spec import Record

MOST_THREADS = 256
_INT64 = 2**63 - 1
_NOT_IN_LINES = ("Cc", "Cs", "Zl", "Zp")
# Unicode's categories of control characters, halves of letters, and what ends lines and paragraphs.

Kind = TypeVar("Kind", bound=Record)
Found = TypeVar("Found")


def _numbers(value: object) -> NDArray[np.float32]:
    """Return float32 numbers of any shape from (nested) lists, not writable."""
    try:
        found = np.array(value)
    except (ValueError, OverflowError, RecursionError):
        raise ValueError("its rows differ in length") from None
    if found.dtype.kind not in "iuf" or not found.ndim or not found.size or _holds_truth(value):
        raise ValueError("a list of numbers is expected")
    with np.errstate(all="ignore"):
        numbers = found.astype(np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError("it holds a number that is not finite")
    numbers.setflags(write=False)
    return numbers


def _line(text: str) -> str:
    if any(unicodedata.category(one) in _NOT_IN_LINES for one in text):
        raise ValueError("a text on one line, without control characters, is expected")
    return text


def _holds_truth(value: object) -> bool:
    """Whether there is a true or false among numbers, which NumPy would take for 1 or 0."""
    return any(map(_holds_truth, value)) if isinstance(value, (list, tuple)) else isinstance(value, bool)


Numbers = Annotated[NDArray[np.float32], PlainValidator(_numbers)]
MaybeNumbers = Annotated[
    NDArray[np.float32] | None, PlainValidator(lambda value: None if value is None else _numbers(value))
]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[Finite, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(pattern=r"\S")]
Line = Annotated[str, AfterValidator(_line)]
"""A text without control characters."""
Position = Annotated[int, Field(ge=0, le=_INT64)]
Positions = Annotated[tuple[Position, ...], Field(strict=False)]
Parts = Annotated[tuple[object, ...], Field(strict=False)]
"""Parts that are read one by one."""


class Part(Record):
    """A part of a session: text is not taken for a number, nor 0 for no."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CheckpointPart(Part):
    """`CheckpointRef`."""

    path: str = ""
    name: str = ""
    sha256: str = ""
    predictor: str = ""


class ExplorePart(Part):
    """`Explore`, whose source is read by itself."""

    start: MaybeNumbers = None
    latent: MaybeNumbers = None
    condition: MaybeNumbers = None
    seed: Position | None = None
    truncation: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    named: Line = ""
    start_condition: MaybeNumbers = None
    linked: bool = False
    told: MaybeNumbers = None
    strokes: object = None


class StrokesPart(Part):
    """`Strokes`; inks and strokes are read one by one."""

    base: Numbers
    side: Annotated[int, Field(ge=1)]
    inks: Parts = ()
    strokes: Parts = ()


class InkPart(Part):
    """`Ink`."""

    name: Line
    kind: Literal["move", "mix"]
    values: Numbers


class LatentStrokePart(Part):
    """`LatentStroke`."""

    ink: Position
    amount: Finite
    radius: Annotated[Finite, Field(gt=0.0)]
    places: Annotated[
        tuple[Annotated[tuple[Finite, Finite], Field(strict=False)], ...],
        Field(strict=False, max_length=MOST_PLACES),
    ]
    hardness: Share = HARDNESS


class SourcePart(Part):
    """`Source`, without what the model made of it."""

    name: str = "picture"
    picture: str
    crop: Annotated[tuple[Position, Position, Annotated[int, Field(ge=1)]], Field(strict=False)] | None = None
    painted: str | None = None
    pending: bool = False


class PinPart(Part):
    """`Pin`."""

    name: Name
    latent: Numbers
    condition: MaybeNumbers = None
    ticked: bool = True


class DirectionPart(Part):
    """`Direction`."""

    name: Name
    vector: Annotated[tuple[Finite, ...], Field(strict=False)]
    sigma: Annotated[Finite, Field(gt=0.0)]
    reach: Annotated[Finite, Field(gt=0.0)] = 3.0
    origin: str = ""
    accuracy: Finite | None = None


class GroupPart(Part):
    """`Group`."""

    name: Name
    mean: Numbers
    count: Annotated[int, Field(ge=1)]
    data: str = ""
    rows: Positions = ()


class AxisPart(Part):
    """`AxisRef`."""

    dimension: Annotated[int, Field(ge=-1, le=_INT64)] = 0
    direction: str = ""
    condition: str = ""


class GridPart(Part):
    """`GridView`; its axes are read one by one."""

    kind: Literal["strips", "plane"] = "strips"
    axes: Parts = ()
    steps: Annotated[int, Field(ge=2, le=MOST_STEPS)] = 9
    reach: Annotated[Finite, Field(ge=0.0)] = 0.0


class PathPart(Part):
    """`PathView`."""

    kind: Literal["linear", "spherical"] = "spherical"
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)] = 24
    closed: bool = True


class ProbePart(Part):
    """`ProbeView`; its axis is read by itself."""

    axis: object = None
    attribute: str = ""


class MapPart(Part):
    """`MapView`."""

    data: str = ""
    count: Annotated[int, Field(ge=1, le=_INT64)] = 10_000
    layout: Literal["pca", "tsne"] = "pca"
    colour: str = ""
    density: bool = True


class CounterfactualPart(Part):
    """`CounterfactualView`."""

    data: str = ""
    attribute: str = ""
    second: str = ""
    target: Name = "other"
    scale: Finite = 1.0
    side: Literal["decoder", "encoder", "both"] = "decoder"
    threshold: Annotated[Finite, Field(ge=0.0, le=255.0)] = 8.0
    count: Annotated[int, Field(ge=1, le=_INT64)] = 32
    seed: Position = 0
    sort: Literal["set", "effect", "leakage"] = "effect"


class ProjectionPart(Part):
    """`ProjectionView`."""

    dataset: str = ""
    keep: Share = 1.0


class SampleRowPart(Part):
    """`SampleRow`."""

    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)]
    pinned: bool = False


class LatentRefPart(Part):
    """`LatentRef`."""

    row: Position = 0
    pin: str = ""
    input: bool = False


class StripPart(Part):
    """`StripView`; its latents are read by themselves."""

    kind: Literal["none", "blend", "way"] = "blend"
    start: object = None
    end: object = None
    first: str = ""
    second: str = ""
    dataset: str = ""
    share: Share = 0.5
    place: Share = 0.0
    path: Literal["linear", "spherical"] = "spherical"
    steps: Annotated[int, Field(ge=2, le=MOST_WAY)] = 24


class SamplesPart(Part):
    """`SamplesView`; its rows are read one by one, and the strip by itself."""

    rows: Parts | None = None
    truncation: Share = 1.0
    with_input: bool = True
    strip: object = None


class ManyPart(Part):
    """`ManyView`."""

    data: str = ""
    pictures: Annotated[tuple[str, ...], Field(strict=False)] = ()
    source: str = ""
    onto: Annotated[tuple[str, ...], Field(strict=False)] = ()
    mode: Literal["keep", "follow", "both"] = "both"
    count: Annotated[int, Field(ge=1, le=_INT64)] = 512
    seed: Position = 0
    out: str = ""
    shown: Literal["keep", "follow", "bias"] = "bias"
    target: str = ""
    sort: Literal["attribute", "shift"] = "attribute"


Pair = Annotated[tuple[str, str], Field(strict=False)]
Shares = Annotated[tuple[Share, ...], Field(strict=False)]
Assumed = Annotated[tuple[str, Shares], Field(strict=False)]


class SearchPicturePart(Part):
    """`SearchPicture`."""

    name: Line
    pixels: str
    small: bool = False


class SearchPart(Part):
    """`SearchView`; its own picture is read by itself."""

    own: object = None
    given: Literal["auto", "full", "small"] = "auto"
    factor: Annotated[int, Field(ge=2, le=4096)] = 8
    kind: Literal["colour", "luminance"] = "colour"
    exposure: Annotated[Finite, Field(ge=0.0, le=2.0)] = 0.0
    posterior: bool = False
    restarts: Annotated[int, Field(ge=1, le=MOST_RESTARTS)] = 8
    steps: Annotated[int, Field(ge=1, le=MOST_SEARCH)] = 400
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED - MOST_RESTARTS)] = 0
    eps: Share = 0.0
    loss: Literal["l2", "l1", "map"] = "l2"
    optimiser: Literal["adam", "lbfgs"] = "adam"
    rate: Annotated[Finite, Field(gt=0.0, le=10.0)] = 4.0
    precision: Literal["float32", "bfloat16"] = "float32"
    sigma: Share = 0.0
    temperature: Annotated[Finite, Field(ge=1.0, le=1e6)] = 100.0
    leaps: Annotated[int, Field(ge=1, le=64)] = 8
    fixed: Annotated[tuple[Pair, ...], Field(strict=False)] = ()
    more: Annotated[int, Field(ge=1, le=MOST_SEARCH)] = 200
    attribute: str = ""
    beside: Literal["input", "row", "assumed", "none"] = "input"
    assumed: Annotated[tuple[Assumed, ...], Field(strict=False)] = ()


def _study(name: str) -> str:
    if name not in STUDIES:
        raise ValueError(f"there is no study {name[:40]!r}")
    return name


Names = Annotated[tuple[str, ...], Field(strict=False)]
Finites = Annotated[tuple[Finite, ...], Field(strict=False)]


_STUDY_KINDS: Mapping[str, Any] = {
    "str": Line,
    "int": Position,
    "float": Finite,
    "tuple[str, ...]": Names,
    "tuple[int, ...]": Positions,
    "tuple[float, ...]": Finites,
}


def _study_part() -> type[Part]:
    """Return the record of `StudyRequest`: its own fields, whichever studies ask for them."""
    asked: dict[str, Any] = {
        one.name: (_STUDY_KINDS[str(one.type)], one.default)
        for one in fields(StudyRequest)
        if one.name != "study"
    }
    study: Any = (Annotated[str, AfterValidator(_study)], ...)
    return create_model("StudyPart", __base__=Part, study=study, **asked)


StudyPart = _study_part()


class AuditPart(Part):
    """`AuditView`; the study is read by itself."""

    asked: object = None
    out: str = ""
    shown: str = ""
    beside: str = ""


class TrainPart(Part):
    """`TrainView`; values that no field takes are read, and not used."""

    recipe: str = "pair"
    values: dict[str, int | Finite | str | Names] = Field(default_factory=dict)
    out: str = ""
    shown: str = ""
    beside: str = ""


class Salvage:
    """Reads parts, leaves out what is damaged or unknown, and notes what that was.

    Attributes
    ----------
    left_out
        One phrase for each thing, such as ``the pin Smile (latent: a list of numbers is expected)``.
    """

    def __init__(self) -> None:
        self.left_out: list[str] = []

    def say(self, what: str, why: str) -> None:
        """Note that something was left out."""
        text = f"{what} ({why.rstrip('.')})"
        # What is no proper text can be neither shown nor printed.
        self.left_out.append(text.encode("utf-8", "replace").decode("utf-8"))

    def fields(self, data: object, known: Container[str], what: str) -> dict[str, object] | None:
        """Return the fields of an object that are known; None where it is no object."""
        if not isinstance(data, dict):
            self.say(what, "an object with fields is expected")
            return None
        for name in data:
            if name not in known:
                self.say(f"the field {name[:40]!r} of {what}", "this version does not know it")
        return {name: value for name, value in data.items() if name in known}

    def part(self, kind: type[Kind], data: object, what: str) -> Kind | None:
        """Return a part, without those of its fields that are damaged; None where it needs one of them."""
        given = self.fields(data, kind.model_fields, what)
        while given is not None:
            try:
                return kind.model_validate(given)
            except ValidationError as error:
                faults = {str(fault["loc"][0]): _why(fault) for fault in error.errors() if fault["loc"]}
                needed = [name for name in faults if kind.model_fields[name].is_required()]
                if needed or not faults:
                    name = needed[0] if needed else ""
                    self.say(what, f"{name}: {faults[name]}" if name else _why(error.errors()[0]))
                    return None
                for name, why in faults.items():
                    self.say(f"the field {name!r} of {what}", why)
                    del given[name]
        return None

    def each(
        self, data: object, read: Callable[[object, str], Found | None], what: str, of: str = ""
    ) -> list[Found]:
        """Read the members of a list, each called ``what`` and its name or number, and return the good ones.

        ``of`` says whose they are.
        """
        if not isinstance(data, (list, tuple)):
            self.say(f"every {what}{of}", "a list is expected")
            return []
        found = []
        for number, one in enumerate(data, start=1):
            name = one.get("name") if isinstance(one, dict) else None
            called = name[:60] if isinstance(name, str) and name.strip() else f"number {number}"
            read_one = read(one, f"the {what} {called}{of}")
            if read_one is not None:
                found.append(read_one)
        return found


def _why(fault: ErrorDetails) -> str:
    """Say in a few words what is wrong with a field."""
    given = fault.get("ctx", {}).get("error")
    text = str(given) if given is not None else str(fault["msg"])
    return text[:1].lower() + text[1:]
