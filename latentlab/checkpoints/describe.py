"""What a checkpoint is, as a record to print: the command ``latentlab info``.

Everything comes from the configuration, the weights' header and their bytes; torch is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latentlab.checkpoints.foreign.numbers import check_numbers, native_numbers
from latentlab.checkpoints.header import FLOATS
from latentlab.checkpoints.native import Located, locate
from latentlab.spec import Attribute, CheckpointConfig

_CARD_LINES = 3
_IGNORED_LINES = 12


@dataclass(frozen=True)
class Description:
    """One checkpoint, described.

    ``latent_shape`` is empty for a predictor; ``attributes`` are what a predictor judges, ``condition``
    what a model is conditioned on. ``size_bytes`` and ``sha256`` are of the weights file, ``parameters``
    the weights in it (0 for graphs), ``precision`` the types they are stored in. ``cannot`` maps what the
    checkpoint is unable to do to the reason. ``card`` holds the first lines of the model card. The last five
    are of a foreign checkpoint (`latentlab.checkpoints.foreign.Imported`) and empty for a native one.
    """

    name: str
    path: str
    kind: str
    family: str
    image_size: int
    latent_shape: tuple[int, ...]
    prior: str
    condition: tuple[str, ...]
    attributes: tuple[str, ...]
    parameters: int
    precision: tuple[str, ...]
    size_bytes: int
    sha256: str
    cannot: Mapping[str, str]
    network: Mapping[str, Any]
    training: Mapping[str, Any]
    card: str
    format: str = ""
    recognised: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """Return what a person reads, as pairs of a name and a text; what is empty is left out."""
        latent = " x ".join(map(str, self.latent_shape))
        rows = [
            ("kind", f"{self.kind}, family {self.family}"),
            ("file", f"{self.path} ({self.size_bytes / 1e6:,.1f} MB)"),
            ("SHA-256", self.sha256),
            ("format", self.format),
            ("recognised", "\n".join(self.recognised)),
            ("ignored", ignored_words(self.ignored)),
            ("missing", "\n".join(self.missing)),
            ("notes", "\n".join(self.notes)),
            ("image size", f"{self.image_size} px"),
            ("latent", f"{latent}, prior {self.prior.replace('_', ' ')}" if latent else ""),
            ("condition", "\n".join(self.condition)),
            ("attributes", "\n".join(self.attributes)),
            ("parameters", f"{self.parameters:,} ({', '.join(self.precision)})" if self.parameters else ""),
            ("network", _pairs(self.network)),
            ("training", _pairs(self.training)),
            ("cannot", "\n".join(f"{ability}: {reason}" for ability, reason in self.cannot.items())),
            ("card", self.card),
        ]
        return [row for row in rows if row[1]]


def describe(name: str | Path) -> Description:
    """Describe a checkpoint by bundled name or by path.

    Raises
    ------
    CheckpointError
        If it cannot be found or read, is of another format or version, or holds numbers that are not
        finite. That its tensors fit its network is only known to `latentlab.checkpoints.load`.
    """
    located = locate(name)
    foreign = located.foreign
    if foreign is None:
        for _ in native_numbers(located.weights, located.header):
            pass
    else:
        check_numbers(foreign, located.weights)
    config = located.config
    model, predictor = config.model, config.predictor
    return Description(
        name=located.name,
        path=str(located.path),
        kind=config.kind,
        family=config.spec.family,
        image_size=config.spec.image_size,
        latent_shape=model.latent_shape if model else (),
        prior=model.prior if model else "",
        condition=tuple(map(_words, model.condition.attributes)) if model else (),
        attributes=tuple(map(_words, predictor.attributes)) if predictor else (),
        parameters=located.header.parameters,
        precision=tuple(sorted({one.dtype for one in located.header.tensors.values()} & {*FLOATS})),
        size_bytes=located.weights.stat().st_size,
        sha256=located.sha256(),
        cannot=_cannot(config),
        network=dict(config.network),
        training=dict(config.training),
        card=_first_lines(located) if foreign is None else "",
        format=foreign.format if foreign else "",
        recognised=foreign.recognised if foreign else (),
        ignored=foreign.ignored if foreign else (),
        missing=foreign.missing if foreign else (),
        notes=foreign.notes if foreign else (),
    )


def ignored_words(names: Sequence[str]) -> str:
    """Say what of a foreign file was not used, by what the names begin with, a line for each."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name if " " in name else name.partition(".")[0], []).append(name)
    lines = [
        alike[0] if len(alike) == 1 else f"{start}.*: {len(alike)} tensors" for start, alike in found.items()
    ]
    left = len(lines) - _IGNORED_LINES
    return "\n".join(lines[:_IGNORED_LINES] + ([f"and {left} more"] if left > 0 else []))


def _pairs(values: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in values.items())


def _words(attribute: Attribute) -> str:
    classes = ", ".join(attribute.classes) or "a number"
    return f"{attribute.name} ({attribute.origin}): {classes}"


def _cannot(config: CheckpointConfig) -> dict[str, str]:
    if config.model is None:
        return {"decode": "it judges pictures and makes none"}
    found = {str(ability): reason for ability, reason in config.model.cannot.items()}
    if not config.model.condition.size:
        found["condition"] = "it is unconditional: there is nothing to scale, flip or mix"
    if not config.model.datasets:
        found["project"] = "it has no condition that is a dataset, under which decoding undoes encoding"
    return found


def _first_lines(located: Located) -> str:
    """Return the card's first lines of prose: no front matter, headings, pictures, captions, tables."""
    text = located.card()
    if text.startswith("---\n"):
        text = text.partition("\n---\n")[2]
    other = ("#", "!", "|", "*", "<!--")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(other)]
    return "\n".join(lines[:_CARD_LINES])
