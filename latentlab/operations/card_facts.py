"""What a model card is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from latentlab.checkpoints import Located
from latentlab.data.image_set import SetInfo
from latentlab.metrics.report import Report
from latentlab.spec import Attribute


@dataclass(frozen=True)
class CardFacts:
    """A checkpoint, what was measured of it, and what lies beside its card.

    Parameters
    ----------
    located
        The checkpoint.
    report
        Its evaluation on ``data``.
    data
        What the set evaluated is.
    judge
        The predictor that judged a model; None for a predictor's own card.
    pictures
        File names of pictures beside the card, each with what it shows.
    """

    located: Located
    report: Report
    data: SetInfo
    judge: Located | None = None
    pictures: Mapping[str, str] = field(default_factory=dict)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that are judged."""
        predictor = (self.judge or self.located).config.predictor
        assert predictor is not None
        return predictor.attributes

    @property
    def origins(self) -> set[str]:
        """Where the attributes' labels come from: ``constructed``, ``perceived`` or both."""
        return {attribute.origin for attribute in self.attributes}

    @property
    def trained_on_faces(self) -> bool:
        """Whether the weights come from the bundled faces."""
        return str(self.located.config.training.get("data", "")).partition(":")[0] == "faces"
