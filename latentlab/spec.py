"""What a model is, said without torch: specifications, attributes and conditions, all validated.

These records are what checkpoints store in ``config.json`` and what the window and the session know of
a model. They are frozen, refuse unknown fields, and import no torch, so that the window can describe a
checkpoint before torch is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from latentlab.errors import SettingsError

CONFIG_VERSION = 1
"""The version of ``config.json`` that this program writes and reads."""
LARGEST_LATENT = 1 << 24
"""The most entries of one latent."""


class Record(BaseModel):
    """The base of every stored record: frozen, and an unknown field is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Attribute(Record):
    """A named property of an image with its classes.

    ``origin`` says where the labels come from: ``constructed`` by a drawing program, or ``perceived``
    by people. Neither is anybody's identity. ``default`` is the class that a condition takes where nobody
    says another and none is predicted; where it is empty the condition then says nothing. ``parts`` are, for
    each class, the labels of a set or a judge that count as it, where classes were merged
    (`latentlab.data.merge`); empty where none was. ``span`` is the least and the largest value that training
    has shown of a continuous attribute; None where that is not known.
    """

    name: str = Field(min_length=1)
    classes: tuple[str, ...] = ()
    kind: Literal["categorical", "continuous"] = "categorical"
    origin: Literal["constructed", "perceived"] = "perceived"
    default: str = ""
    parts: tuple[tuple[str, ...], ...] = ()
    span: (
        tuple[Annotated[float, Field(allow_inf_nan=False)], Annotated[float, Field(allow_inf_nan=False)]]
        | None
    ) = None

    @model_serializer(mode="wrap")
    def _without_what_is_empty(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        for name in ("parts", "span"):  # as before there were any, so that what is stored can be compared
            if not getattr(self, name):
                found.pop(name, None)
        return found

    @model_validator(mode="after")
    def _parts_fit_the_classes(self) -> Attribute:
        labels = [label for part in self.parts for label in part]
        if self.parts and (len(self.parts) != len(self.classes) or len(set(labels)) < len(labels)):
            raise ValueError(f"attribute {self.name!r} needs the parts of each class, each label once")
        return self

    @model_validator(mode="after")
    def _classes_fit_the_kind(self) -> Attribute:
        if self.default and self.default not in self.classes:
            raise ValueError(f"attribute {self.name!r} has no class {self.default!r} to be its default")
        if self.kind == "categorical" and len(self.classes) < 2:
            raise ValueError(f"attribute {self.name!r} is categorical and needs at least two classes")
        if self.kind == "continuous" and self.classes:
            raise ValueError(f"attribute {self.name!r} is continuous and has no classes")
        if self.span is not None and (self.kind != "continuous" or self.span[0] > self.span[1]):
            raise ValueError(f"attribute {self.name!r} has a span that is none of a continuous attribute")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError(f"attribute {self.name!r} names a class twice")
        return self

    @property
    def width(self) -> int:
        """Entries that the attribute takes in a condition vector: one per class, or one."""
        return len(self.classes) if self.kind == "categorical" else 1

    def index(self, label: str) -> int:
        """Return the position of a class, or raise `SettingsError` naming the ones there are."""
        if label not in self.classes:
            raise SettingsError(
                f"Attribute {self.name!r} has no class {label!r}; it has {', '.join(self.classes)}."
            )
        return self.classes.index(label)

    def place_of(self, label: str) -> int | None:
        """Return the position of the class that a label counts as: its own, or the one it was merged into."""
        for place, part in enumerate(self.parts):
            if label in part:
                return place
        return self.classes.index(label) if label in self.classes else None


MODE = Attribute(name="mode", classes=("follow", "keep"), origin="constructed", default="keep")
"""The second attribute of a cINN's condition: how it projects (`latentlab.families.cinn`)."""


class ConditionSchema(Record):
    """The named factors of a condition, in the order in which they stand in the vector ``[C]``."""

    attributes: tuple[Attribute, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> ConditionSchema:
        if len({attribute.name for attribute in self.attributes}) < len(self.attributes):
            raise ValueError("two attributes of a condition have the same name")
        return self

    @property
    def size(self) -> int:
        """Length C of the condition vector; 0 for an unconditional model."""
        return sum(attribute.width for attribute in self.attributes)

    @property
    def has_mode(self) -> bool:
        """Whether it says how to project (`MODE`); a model without it only follows the dataset."""
        return any(attribute.name == MODE.name for attribute in self.attributes)

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of that name, or raise `SettingsError` naming the ones there are."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        known = ", ".join(attribute.name for attribute in self.attributes) or "none: it is unconditional"
        raise SettingsError(f"The model's condition has no attribute {name!r}; it has {known}.")

    def slice(self, name: str) -> slice:
        """Return where an attribute stands in the condition vector."""
        start = 0
        for attribute in self.attributes:
            if attribute.name == name:
                return slice(start, start + attribute.width)
            start += attribute.width
        self.attribute(name)
        raise AssertionError("unreachable: attribute() raises for an unknown name")


class Condition(Record):
    """What a model is conditioned on: a weight for each class of each factor.

    A one-hot vector times a scale is one special case, a mixture of classes another: scaling, flipping
    and mixing all act on the same vector.
    """

    of_model: ConditionSchema = ConditionSchema()
    weights: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _weights_fit_the_schema(self) -> Condition:
        if len(self.weights) != self.of_model.size:
            raise ValueError(
                f"a condition of this model has {self.of_model.size} entries, found {len(self.weights)}"
            )
        if not all(np.isfinite(self.weights)):
            raise ValueError("a condition holds only finite numbers")
        return self

    @classmethod
    def of(cls, schema: ConditionSchema, scale: float = 1.0, **choices: str | float) -> Condition:
        """Build a condition from one class (or value) per attribute; attributes left out stay at zero."""
        weights = np.zeros(schema.size)
        for name, choice in choices.items():
            attribute, where = schema.attribute(name), schema.slice(name)
            if isinstance(choice, str):
                weights[where.start + attribute.index(choice)] = scale
            else:
                weights[where] = scale * choice
        return cls(of_model=schema, weights=tuple(float(weight) for weight in weights))

    def vector(self) -> NDArray[np.float32]:
        """Return the condition vector, float32 ``[C]``."""
        return np.asarray(self.weights, dtype=np.float32)


class LatentSummary(Record):
    """What is known of a model's latent dimensions, measured on its training images.

    Each list has one entry per dimension of the flattened latent: the mean and standard deviation of
    the posterior means, and the mean Kullback-Leibler divergence from the prior in nats.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    kl: tuple[float, ...]


class ModelSpec(Record):
    """What a `LatentModel` is and can do; everything above the model asks this record first.

    ``latent_shape`` is the shape of one image's latent: ``(D,)`` for the built-in families.
    ``cannot`` maps an ability the model lacks (``encode``, ``sample``, ``search``) to the reason, which the
    window shows where it greys the control. ``cannot_show`` names, by class of the first conditional
    attribute (of a cINN: by dataset), the attributes that its pictures never show, such as glasses in a style
    without them. ``projects`` says that the first conditional attribute is the dataset that pictures are of,
    and that decoding undoes encoding under every dataset, so that a picture is projected onto another by
    decoding it as one of that; a second attribute may only be the `MODE`.
    """

    family: str
    image_size: Annotated[int, Field(ge=8, le=4096)]
    latent_shape: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    prior: Literal["standard_normal", "other"] = "standard_normal"
    condition: ConditionSchema = ConditionSchema()
    cannot: Mapping[Literal["encode", "sample", "search"], str] = Field(default_factory=dict)
    latent_summary: LatentSummary | None = None
    cannot_show: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    projects: bool = False

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        if not self.projects:  # as before there was the field, so that what is stored can be compared
            found.pop("projects", None)
        return found

    @model_validator(mode="after")
    def _projects_between_datasets(self) -> ModelSpec:
        attributes = self.condition.attributes
        if self.projects and (
            not attributes
            or attributes[0].kind != "categorical"
            or any((one.name, one.classes) != (MODE.name, MODE.classes) for one in attributes[1:])
            or "encode" in self.cannot
        ):
            raise ValueError("a model that projects can encode, and its condition is a dataset and no more")
        return self

    @model_validator(mode="after")
    def _latent_is_not_too_large(self) -> ModelSpec:
        if self.latent_size > LARGEST_LATENT:
            raise ValueError(f"a latent should have at most {LARGEST_LATENT:,} entries")
        return self

    @model_validator(mode="after")
    def _summary_fits(self) -> ModelSpec:
        summary = self.latent_summary
        if summary and {len(summary.mean), len(summary.std), len(summary.kl)} != {self.latent_size}:
            raise ValueError(f"latent_summary must have {self.latent_size} entries in each list")
        return self

    @model_validator(mode="after")
    def _what_cannot_show_is_a_class(self) -> ModelSpec:
        known = self.condition.attributes[0].classes if self.condition.attributes else ()
        if not set(self.cannot_show) <= set(known):
            strange = ", ".join(sorted(set(self.cannot_show) - set(known)))
            raise ValueError(f"cannot_show names {strange}, of which the condition knows nothing")
        return self

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets between which it projects; none where it does not project.

        A condition with the `MODE` is that of a cINN, whose checkpoints are older than the field `projects`.
        """
        return self.condition.attributes[0].classes if self.projects or self.condition.has_mode else ()

    @property
    def latent_size(self) -> int:
        """Number of entries in one latent."""
        return math.prod(self.latent_shape)


class Confusion(Record):
    """How often a predictor says class i for truth j on held-out images: ``counts[j][i]``, row = truth."""

    counts: tuple[tuple[int, ...], ...]

    @model_validator(mode="after")
    def _square(self) -> Confusion:
        if any(len(row) != len(self.counts) for row in self.counts):
            raise ValueError("a confusion matrix is square")
        return self

    def array(self) -> NDArray[np.int64]:
        """Return the counts, int64 ``[truth, predicted]``."""
        return np.asarray(self.counts, dtype=np.int64)


class PredictorSpec(Record):
    """What an `AttributePredictor` predicts and how often it errs on held-out images.

    ``temperature`` divides the logits of an attribute (calibration, Guo et al. 2017). ``confusion``
    holds the held-out matrix of each attribute; ``group_confusion`` the same within each group, keyed
    ``"gender=female,race=black"``, then by attribute.
    """

    family: str
    image_size: Annotated[int, Field(ge=8, le=4096)]
    attributes: tuple[Attribute, ...] = Field(min_length=1)
    temperature: Mapping[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    confusion: Mapping[str, Confusion] = Field(default_factory=dict)
    group_confusion: Mapping[str, Mapping[str, Confusion]] = Field(default_factory=dict)
    confusion_source: str = ""

    @model_validator(mode="after")
    def _everything_is_of_its_attributes(self) -> PredictorSpec:
        width = {attribute.name: attribute.width for attribute in self.attributes}
        if len(width) < len(self.attributes):
            raise ValueError("two attributes have the same name")
        matrices = [self.confusion, *self.group_confusion.values()]
        unknown = {name for known in (self.temperature, *matrices) for name in known} - width.keys()
        if unknown:
            raise ValueError(f"temperature or confusion of unknown attributes: {', '.join(sorted(unknown))}")
        for matrix in matrices:
            for name, confusion in matrix.items():
                if len(confusion.counts) != width[name]:
                    raise ValueError(f"the confusion matrix of {name!r} must have {width[name]} rows")
        return self

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of that name, or raise `SettingsError` naming the ones there are."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        known = ", ".join(attribute.name for attribute in self.attributes)
        raise SettingsError(f"The predictor knows no attribute {name!r}; it knows {known}.")


class CheckpointConfig(Record):
    """The whole of ``config.json``: one checkpoint of a model or of a predictor.

    ``network`` is read by the family named in the specification; ``training`` records how the weights
    were made (command, data, steps, seed) and is shown, never interpreted.
    """

    latentlab: Literal[1] = 1
    kind: Literal["model", "predictor"]
    name: str = ""
    model: ModelSpec | None = None
    predictor: PredictorSpec | None = None
    network: Mapping[str, Any] = Field(default_factory=dict)
    training: Mapping[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _kind_has_its_spec(self) -> CheckpointConfig:
        if (self.kind == "model") != (self.model is not None) or (self.kind == "predictor") != (
            self.predictor is not None
        ):
            raise ValueError(f"kind {self.kind!r} needs exactly the field {self.kind!r}")
        return self

    @property
    def spec(self) -> ModelSpec | PredictorSpec:
        """The specification, whichever kind it is."""
        spec = self.model or self.predictor
        assert spec is not None
        return spec
