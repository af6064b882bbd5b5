"""The document: everything a person has set, as one frozen tree.

An edit makes a new document that shares what it did not touch with the one before, so keeping every
step for undo costs little, and saving a session is writing one document. What follows from the
document (pictures, predictions, timings) is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.study_plan import StudyRequest
from latentlab.live.frames import Encoded, Opened
from latentlab.operations.direction import Direction
from latentlab.operations.interpolate import Kind
from latentlab.operations.latent_brush import Strokes
from latentlab.operations.search_plan import Kind as Colours
from latentlab.operations.search_plan import Loss, Optimiser, Precision


def one_line(text: str) -> str:
    """Return a text with a space for each stretch of spaces and ends of lines."""
    return " ".join(text.split())


@dataclass(frozen=True)
class CheckpointRef:
    """Which checkpoint is open: its path, its name, the SHA-256 of its weights, its predictor."""

    path: str
    name: str
    sha256: str
    predictor: str

    @classmethod
    def of(cls, opened: Opened) -> CheckpointRef:
        """Return the reference to what the renderer has opened."""
        return cls(opened.path, opened.name, opened.sha256, opened.predictor_name)


@dataclass(frozen=True, eq=False)
class Source:
    """A picture that was brought in, and what the open model makes of it.

    Parameters
    ----------
    name
        What it is called: a file's name, a sample's, "pasted picture".
    picture
        As it was read, uint8 ``[H, W, 3]``, RGB; kept so that another model can encode it again.
    encoded
        Its latent as the encoder was told, its reconstruction under its own condition, and its attributes.
    crop
        The square of the picture that the model sees: its left edge, top edge and side, in pixels; None for
        the largest square in the centre.
    painted
        What a person has made of that square at the model's size, uint8 ``[S, S, 3]``, in its place; None
        where nothing was painted. Of the size of the model it was painted for.
    pending
        Whether ``encoded`` is still that of an earlier state of the painting.
    """

    name: str
    picture: NDArray[np.uint8]
    encoded: Encoded
    crop: tuple[int, int, int] | None = None
    painted: NDArray[np.uint8] | None = None
    pending: bool = False

    @property
    def seen(self) -> NDArray[np.uint8]:
        """What the model sees, uint8 ``[S, S, 3]``: the square at its size, or what was painted."""
        seen = self.encoded.source
        return seen if self.painted is None or self.painted.shape != seen.shape else self.painted

    @property
    def title(self) -> str:
        """The name, and whether it was painted on."""
        return self.name if self.painted is None else f"{self.name}, painted"

    def is_of(self, other: Source) -> bool:
        """Whether it is the same square of the same picture, painted or not."""
        return self.picture is other.picture and self.crop == other.crop

    def is_same(self, other: Source) -> bool:
        """Whether it is the same, painted alike, whatever is made of it."""
        return self.is_of(other) and self.painted is other.painted


@dataclass(frozen=True, eq=False)
class Explore:
    """The state of the Explore screen.

    Parameters
    ----------
    start
        The latent from which one sets out and to which Reset returns, float32 ``[*latent_shape]``: the
        encoded picture, a random draw, or the middle of the prior.
    latent
        The latent as edited, of the same shape.
    condition
        What the decoder is told, float32 ``[C]``; None for an unconditional model.
    source
        The picture that ``start`` encodes, None where there is none.
    seed
        The seed with which ``start`` was drawn, None where it was not.
    truncation
        By what the draw was multiplied, from 0 to 1.
    named
        What the start is called where it is neither a picture nor a draw, such as "a pasted latent"; what
        else is to be said of a draw.
    start_condition
        The condition to which Reset returns, float32 ``[C]``: the picture's own, or what a draw set out
        with; None for an unconditional model.
    linked
        Whether the encoder is told what the decoder is told, whenever that changes.
    told
        What the encoder was told of the picture for ``start``, float32 ``[C]``; None where there is no
        picture, and for an unconditional model.
    strokes
        What was painted on a latent that is a grid, last; it is how ``latent`` came about as long as that is
        what they give (`drawn`). None where nothing was painted.
    """

    start: NDArray[np.float32]
    latent: NDArray[np.float32]
    condition: NDArray[np.float32] | None = None
    source: Source | None = None
    seed: int | None = None
    truncation: float = 1.0
    named: str = ""
    start_condition: NDArray[np.float32] | None = None
    linked: bool = False
    told: NDArray[np.float32] | None = None
    strokes: Strokes | None = None

    @property
    def drawn(self) -> Strokes | None:
        """The strokes, if nothing has been changed since; None otherwise."""
        strokes = self.strokes
        return strokes if strokes is not None and np.array_equal(strokes.latent(), self.latent) else None

    def is_alike(self, other: Explore) -> bool:
        """Whether start, latent and condition are the same numbers, wherever they come from."""
        pairs = ((self.start, other.start), (self.latent, other.latent), (self.condition, other.condition))
        return all(np.array_equal(np.asarray(one), np.asarray(two)) for one, two in pairs)

    @property
    def origin(self) -> str:
        """Where the start comes from, in words on one line that go on after a colon."""
        if self.source is not None:
            words = self.source.title
        elif self.seed is None:
            words = self.named or "prior mean"
        else:
            truncated = f", truncation {self.truncation:g}" if self.truncation != 1.0 else ""
            words = f"random, seed {self.seed}{truncated}" + (f", {self.named}" if self.named else "")
        return one_line(words)

    @property
    def edited(self) -> bool:
        """Whether any dimension, or the condition, differs from the start."""
        return not np.array_equal(self.start, self.latent) or self.condition_edited

    @property
    def condition_edited(self) -> bool:
        """Whether the condition differs from the start's."""
        if self.condition is None or self.start_condition is None:
            return False
        return not np.array_equal(self.condition, self.start_condition)


@dataclass(frozen=True, eq=False)
class Pin:
    """A latent that was put aside to come back to, to compare with, or to travel to and from.

    Parameters
    ----------
    name
        What it is called; no other pin of the model is called so.
    latent, condition
        Float32 ``[*latent_shape]`` and ``[C]`` (None for an unconditional model).
    ticked
        Whether it is among those that are used together: the stations of a path, the members of a group.
    """

    name: str
    latent: NDArray[np.float32]
    condition: NDArray[np.float32] | None = None
    ticked: bool = True

    def condition_beside(self, present: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
        """Return its own condition; where it has none of the open model's, the present one ``[C]``."""
        own = self.condition
        return present if own is None or present is None or own.shape != present.shape else own


@dataclass(frozen=True, eq=False)
class Group:
    """Latents that belong together, such as those inside a lasso; what is kept of them is their mean.

    Parameters
    ----------
    name
        What it is called; no other group of the model is called so.
    mean
        Float32 ``[*latent_shape]``.
    count
        How many latents it is the mean of.
    data, rows
        The set whose rows they encode and which rows, int64 ``[count]``; empty for a group of pins.
    """

    name: str
    mean: NDArray[np.float32]
    count: int
    data: str = ""
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class AxisRef:
    """What an axis of a view moves along: a direction by its name, or else a dimension.

    The dimension -1 stands for the strongest. ``condition`` is a class of the model's condition, such as
    ``gender=female``, whose weight is what changes; it goes before the others.
    """

    dimension: int = 0
    direction: str = ""
    condition: str = ""


@dataclass(frozen=True)
class GridView:
    """What the grid shows: strips along several axes, or the plane of two; each with ``steps`` pictures.

    Without axes the strips are along the strongest dimensions. ``reach`` is how far a direction is
    followed, in sigma; 0 stands for each one's own.
    """

    kind: Literal["strips", "plane"] = "strips"
    axes: tuple[AxisRef, ...] = ()
    steps: int = 9
    reach: float = 0.0


@dataclass(frozen=True)
class PathView:
    """How the path through the ticked pins goes: the kind, steps from pin to pin, whether it closes."""

    kind: Kind = "spherical"
    steps: int = 24
    closed: bool = True


@dataclass(frozen=True)
class ProbeView:
    """What the probe shows: the probability of an attribute's class along an axis."""

    axis: AxisRef = AxisRef(-1)
    attribute: str = ""


@dataclass(frozen=True)
class MapView:
    """What the map shows: ``count`` rows at most of a set (empty: the usual one), how laid out, coloured."""

    data: str = ""
    count: int = 10_000
    layout: Literal["pca", "tsne"] = "pca"
    colour: str = ""
    density: bool = True


@dataclass(frozen=True)
class CounterfactualView:
    """What the Counterfactuals screen shows: the edited picture, or a page of a set, as other classes.

    Parameters
    ----------
    data
        The set; empty for the edited picture.
    attribute
        Whose classes are gone through; empty for the condition's first.
    second
        With it the edited picture's counterfactuals are a table of both; empty for none.
    target
        The class that a page's pictures are drawn as; ``other`` for the one after each picture's own.
    scale
        What the class is multiplied by; 1 as trained.
    side
        Who is told the other class of a page's pictures.
    threshold
        From which difference on, of 255, a pixel counts as changed.
    count, seed, sort
        How many pictures a page has, which, and in what order.
    """

    data: str = ""
    attribute: str = ""
    second: str = ""
    target: str = "other"
    scale: float = 1.0
    side: Literal["decoder", "encoder", "both"] = "decoder"
    threshold: float = 8.0
    count: int = 32
    seed: int = 0
    sort: Literal["set", "effect", "leakage"] = "effect"


@dataclass(frozen=True)
class ProjectionView:
    """What the Analogies screen shows: the picture's projections onto datasets.

    Parameters
    ----------
    dataset
        The picture's own, where it is not as guessed; empty for the guess.
    keep
        The share of the mode *keep*, 1 to 0: the rest is *follow*.
    """

    dataset: str = ""
    keep: float = 1.0


@dataclass(frozen=True)
class SampleRow:
    """One row of the samples: the seed of its z, and whether it stays when the others are drawn again."""

    seed: int
    pinned: bool = False


@dataclass(frozen=True)
class LatentRef:
    """Which latent a strip of the samples is of: the input, a pin by its name, or else a drawn row's.

    ``row`` counts the drawn rows from 0; one that is no longer there stands for the last. The input goes
    before the pin, and that before the row.
    """

    row: int = 0
    pin: str = ""
    input: bool = False


@dataclass(frozen=True)
class StripView:
    """What the strip below the samples shows: one z between two datasets, or two on one dataset.

    Parameters
    ----------
    kind
        ``blend``: ``start`` from the dataset ``first`` to ``second``, and a column of their mixture in the
        grid; ``way``: from ``start`` to ``end`` on ``dataset``.
    first, second, dataset
        Datasets; empty for the model's first, second and first.
    share
        Which share of the blend is ``second``, 0 to 1.
    place
        How far one stands on the way, 0 to 1.
    path, steps
        How the way goes, and how many pictures it has with both ends.
    """

    kind: Literal["none", "blend", "way"] = "blend"
    start: LatentRef = LatentRef(0)
    end: LatentRef = LatentRef(1)
    first: str = ""
    second: str = ""
    dataset: str = ""
    share: float = 0.5
    place: float = 0.0
    path: Kind = "spherical"
    steps: int = 24


@dataclass(frozen=True)
class SamplesView:
    """What the Analogies screen's samples are: rows of one z each, drawn on every dataset.

    Parameters
    ----------
    truncation
        What every drawn z is multiplied by, 0 to 1.
    with_input
        Whether the picture that is open is the first row, encoded as one of its dataset.
    """

    rows: tuple[SampleRow, ...] = tuple(map(SampleRow, range(5)))
    truncation: float = 1.0
    with_input: bool = True
    strip: StripView = StripView()


@dataclass(frozen=True)
class ManyView:
    """Which pictures are projected together in the background, how, and what is shown of it.

    Parameters
    ----------
    data, pictures
        A set or a folder; or, where that is empty, the paths of pictures.
    source, onto
        The dataset that they are of, empty for the guess of each; and onto which, none for all.
    mode
        The ends of the share of *keep*, or both: then the composition bias is known too.
    count, seed
        How many at most, and the choice of more.
    out
        The folder for the results; empty for the run's own.
    shown
        Which mode's shifts are shown where both are there, or what differs between them.
    target
        The dataset that is shown; empty for all of them side by side.
    sort
        By attribute, or the largest shift first.
    """

    data: str = ""
    pictures: tuple[str, ...] = ()
    source: str = ""
    onto: tuple[str, ...] = ()
    mode: Literal["keep", "follow", "both"] = "both"
    count: int = 512
    seed: int = 0
    out: str = ""
    shown: Literal["keep", "follow", "bias"] = "bias"
    target: str = ""
    sort: Literal["attribute", "shift"] = "attribute"


@dataclass(frozen=True, eq=False)
class SearchPicture:
    """A picture that is searched for in the place of the open one: drawn, or of a model without an encoder.

    Parameters
    ----------
    name
        What it is called.
    pixels
        Uint8 ``[H, W, 3]``, RGB.
    small
        Whether it is the small picture itself.
    """

    name: str
    pixels: NDArray[np.uint8]
    small: bool = False


@dataclass(frozen=True)
class SearchView:
    """What the Search screen searches for, how, and what of the found set is shown.

    Parameters
    ----------
    own
        What is searched for in the place of the picture that is open; None for that one.
    given
        Whether the picture is reduced (``full``) or the small picture itself; ``auto`` goes by its size.
    factor, kind, exposure
        As in `latentlab.operations.search_plan.Observation`; the nearest factor that the model allows.
    posterior
        Whether the posterior is sampled; then ``restarts`` are its chains, half of the steps its warm-up.
    restarts, steps, seed, loss, optimiser, rate, precision
        As in `latentlab.operations.search_plan.SearchSettings`.
    eps, sigma
        As there; 0 stands for the model's own eps, and for the root of eps.
    temperature, leaps
        The first temperature of the warm-up, and leapfrog steps of a proposal, of the posterior.
    fixed
        Attributes of the condition that are told, each with its class; a cINN's others are as in Explore,
        the others of other models are searched for too.
    more
        With how many more steps a search goes on.
    attribute
        Whose mix is shown; empty for the first.
    beside
        What the mix is compared with: what the predictor sees in the input, the input's own labels, what is
        assumed, nothing.
    assumed
        Shares of an attribute's classes, by attribute.
    """

    own: SearchPicture | None = None
    given: Literal["auto", "full", "small"] = "auto"
    factor: int = 8
    kind: Colours = "colour"
    exposure: float = 0.0
    posterior: bool = False
    restarts: int = 8
    steps: int = 400
    seed: int = 0
    eps: float = 0.0
    loss: Loss = "l2"
    optimiser: Optimiser = "adam"
    rate: float = 4.0
    precision: Precision = "float32"
    sigma: float = 0.0
    temperature: float = 100.0
    leaps: int = 8
    fixed: tuple[tuple[str, str], ...] = ()
    more: int = 200
    attribute: str = ""
    beside: Literal["input", "row", "assumed", "none"] = "input"
    assumed: tuple[tuple[str, tuple[float, ...]], ...] = ()


FIRST_STUDY = StudyRequest("generation")


@dataclass(frozen=True)
class AuditView:
    """Which study the Audit screen does, and which results it shows.

    Parameters
    ----------
    asked
        The study; without models it is of the open one.
    out
        The folder for the results; empty for the run's own.
    shown
        The folder of an earlier study that is shown; empty for what has come of the one that is asked.
    beside
        The folder of the study that is shown beside it; empty for none.
    """

    asked: StudyRequest = FIRST_STUDY
    out: str = ""
    shown: str = ""
    beside: str = ""


FIRST_AUDIT = AuditView()

TrainValue = int | float | str | tuple[str, ...]
"""What a field of a training can be set to."""


@dataclass(frozen=True)
class TrainView:
    """Which training the screen "Train and debias" asks for, and which runs it shows.

    Parameters
    ----------
    recipe
        As in `latentlab.session.train_plan.RECIPES`.
    values
        What fields were set to, by `latentlab.session.train_plan.key_of`; the others are as usual.
    out
        The folder for the checkpoints; empty for one of the program's own.
    shown, beside
        Where an earlier training wrote that is shown in the place of the one that is asked for, and beside
        it; empty for none.
    """

    recipe: str = "pair"
    values: Mapping[str, TrainValue] = field(default_factory=dict)
    out: str = ""
    shown: str = ""
    beside: str = ""


FIRST_TRAIN = TrainView()


@dataclass(frozen=True, eq=False)
class Shelf:
    """All that a person has put aside for one model: it stays when another model is opened.

    Parameters
    ----------
    locked
        Dimensions that Randomise, Mutate and directions leave as they are.
    compared
        The name of the pin that the bars and the difference compare with; empty for the start.
    """

    pins: tuple[Pin, ...] = ()
    directions: tuple[Direction, ...] = ()
    groups: tuple[Group, ...] = ()
    locked: frozenset[int] = frozenset()
    compared: str = ""
    grid: GridView = GridView()
    path: PathView = PathView()
    probe: ProbeView = ProbeView()
    map: MapView = MapView()
    counterfactual: CounterfactualView = CounterfactualView()
    projection: ProjectionView = ProjectionView()
    many: ManyView = ManyView()
    samples: SamplesView = SamplesView()
    search: SearchView = SearchView()

    def pin(self, name: str) -> Pin | None:
        """Return the pin of that name, None where there is none."""
        return next((pin for pin in self.pins if pin.name == name), None)

    def direction(self, name: str) -> Direction | None:
        """Return the direction of that name, None where there is none."""
        return next((one for one in self.directions if one.name == name), None)

    def group(self, name: str) -> Group | None:
        """Return the group of that name, None where there is none."""
        return next((group for group in self.groups if group.name == name), None)


EMPTY_SHELF = Shelf()


@dataclass(frozen=True, eq=False)
class Document:
    """All that a session holds: the checkpoint and the state of each screen (None while none is open).

    ``threads`` is the number of threads with which settled pictures are rendered; it is part of what
    makes them come out the same to the bit. ``shelves`` are by the SHA-256 of the weights they belong to.
    Audit and training are of any models, so they are on no shelf.
    """

    checkpoint: CheckpointRef | None = None
    explore: Explore | None = None
    threads: int = 1
    shelves: Mapping[str, Shelf] = field(default_factory=dict)
    audit: AuditView = FIRST_AUDIT
    train: TrainView = FIRST_TRAIN

    @property
    def shelf(self) -> Shelf:
        """The shelf of the open model; an empty one where nothing has been put aside."""
        return (
            EMPTY_SHELF if self.checkpoint is None else self.shelves.get(self.checkpoint.sha256, EMPTY_SHELF)
        )

    def with_shelf(self, shelf: Shelf) -> Document:
        """Return the document with another shelf of the open model."""
        if self.checkpoint is None:
            return self
        return replace(self, shelves={**self.shelves, self.checkpoint.sha256: shelf})

    def searching_on(self, view: SearchView, image_size: int) -> Document:
        """Return the document with a search as it was set with the model before, to be compared with it.

        What is that model's (eps, condition, attributes) is left out, and so is a drawing that pictures of
        this model's size cannot be reduced to. Where something was put aside with this model, it stays.
        """
        if self.checkpoint is None or self.checkpoint.sha256 in self.shelves:
            return self
        usual, own = SearchView(), view.own
        if own is not None and own.small:
            factor, rest = divmod(image_size, own.pixels.shape[0])
            fits = not rest and factor > 1
            view = replace(view, factor=factor) if fits else replace(view, own=None)
        view = replace(
            view, eps=usual.eps, fixed=usual.fixed, attribute=usual.attribute, assumed=usual.assumed
        )
        return self if view == usual else self.with_shelf(Shelf(search=view))

    def guessing_anew(self) -> Document:
        """Return the document without a chosen dataset, which says nothing of another picture."""
        shelf = self.shelf
        if not shelf.projection.dataset:
            return self
        return self.with_shelf(replace(shelf, projection=replace(shelf.projection, dataset="")))
