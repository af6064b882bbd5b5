"""One pass through the Explore screen: encode a picture (or draw), change dimensions, render, predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.checkpoints import Located
from latentlab.conditions import extrapolates, parse_choices
from latentlab.data.contact_sheet import save_sheet
from latentlab.data.pictures import read_picture
from latentlab.errors import SettingsError
from latentlab.operations.attribute_table import AttributeRow, origin_note, save_table
from latentlab.operations.explore import Explorer
from latentlab.operations.ink_text import painted
from latentlab.spec import ConditionSchema, PredictorSpec


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What came out, with everything needed to do it again.

    Parameters
    ----------
    pictures
        Uint8 ``[S, S, 3]``, RGB, by name: ``input`` (where there is one), ``reconstruction`` (or
        ``start``) and ``edited``.
    latent
        The edited latent.
    told, condition
        What the encoder was told (None without a picture), and what the edited picture is drawn under,
        float32 ``[C]``; None for an unconditional model.
    rows
        The predicted attributes of the pictures; empty without a predictor.
    """

    located: Located
    source: str
    seed: int | None
    threads: int
    truncation: float
    mutations: tuple[int, ...]
    changes: Mapping[int, float]
    brush: tuple[str, ...]
    pictures: Mapping[str, NDArray[np.uint8]]
    latent: NDArray[np.float32]
    told: NDArray[np.float32] | None
    condition: NDArray[np.float32] | None
    rows: list[AttributeRow]
    predictor: PredictorSpec | None
    notes: tuple[str, ...]

    @property
    def edited(self) -> NDArray[np.uint8]:
        """The edited picture, uint8 ``[S, S, 3]``, RGB."""
        return self.pictures["edited"]

    def mae_255(self) -> float | None:
        """Return the mean absolute error of the reconstruction in steps of 255; None without an input."""
        if "input" not in self.pictures:
            return None
        apart = self.pictures["input"].astype(np.int16) - self.pictures["reconstruction"]
        return float(np.abs(apart).mean())

    def save_picture(self, path: Path) -> None:
        """Save the edited picture in the format that the suffix says; PNG loses nothing.

        Raises
        ------
        SettingsError
            If there is no such format, or it cannot be written.
        """
        save_sheet(path, self.edited)

    def save_table(self, path: Path) -> None:
        """Save the predicted attributes as CSV.

        Raises
        ------
        SettingsError
            If there is no predictor, or it cannot be written.
        """
        if self.predictor is None:
            raise SettingsError(
                f"{path} was not written: no attribute predictor goes with this model. Name one with "
                "--predictor."
            )
        save_table(path, self.rows)

    def record(self) -> dict[str, Any]:
        """Return the JSON object as plain values, in the form of the ``evaluate`` commands."""
        metrics = {
            f"probability.{row.picture}.{row.attribute}={row.label}": _figure(row.probability)
            for row in self.rows
        }
        error = self.mae_255()
        if error is not None:
            metrics = {"mae_255": _figure(error), **metrics}
        return {
            "command": "reconstruct",
            "version": latentlab.__version__,
            "checkpoint": {"path": str(self.located.path), "sha256": self.located.sha256()},
            "data": {"path": self.source, "n": int("input" in self.pictures)},
            "seed": self.seed,
            "device": "cpu",
            "settings": {
                "threads": self.threads,
                "truncation": self.truncation,
                "mutations": list(self.mutations),
                "set": {str(dimension): value for dimension, value in self.changes.items()},
                **({"brush": list(self.brush)} if self.brush else {}),
                "latent": [float(value) for value in self.latent.reshape(-1)],
                **{
                    name: [float(value) for value in given]
                    for name, given in (("told", self.told), ("condition", self.condition))
                    if given is not None
                },
            },
            "metrics": metrics,
            "groups": {},
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """Return what a person reads: the error, then each picture's attributes."""
        lines = []
        error = self.mae_255()
        if error is not None:
            lines.append(f"Reconstruction: mean absolute error {error:.2f} of 255")
        names = list(dict.fromkeys(row.picture for row in self.rows))
        values = {(row.picture, row.attribute, row.label): row.probability for row in self.rows}
        if names:
            lines.append(f"{'':28}" + "".join(f"{name:>16}" for name in names))
        for attribute, label in dict.fromkeys((row.attribute, row.label) for row in self.rows):
            cells = "".join(f"{100 * values[name, attribute, label]:>15.1f}%" for name in names)
            lines.append(f"{attribute + ': ' + label:28}{cells}")
        return "\n".join([*lines, *self.notes])


def reconstruct_picture(
    model: str | Path,
    predictor: str | Path | None = None,
    image: Path | None = None,
    seed: int | None = None,
    changes: Mapping[int, float] | None = None,
    threads: int = 1,
    truncation: float = 1.0,
    mutations: Sequence[int] = (),
    condition: str = "",
    told: str = "",
    brush: Sequence[str] = (),
) -> Reconstruction:
    """Encode a picture or draw a latent, change dimensions, render and predict.

    Parameters
    ----------
    model, predictor, threads
        As in `Explorer.open`.
    image
        The picture; without it ``seed`` draws the start.
    changes
        The dimensions to set, counted from 0; after the mutations.
    truncation
        Of a drawn start (`latentlab.operations.latents.draw`).
    mutations
        Seeds of small random steps to take from the start (`latentlab.operations.latents.mutate`).
    condition, told
        What a conditional model's decoder draws the edited picture under, and what its encoder is told: words
        as `latentlab.conditions.parse_choices` takes them. What is left out is the picture's own condition,
        as the predictor sees it, under which the reconstruction is drawn; the first classes where there is
        no picture.
    brush
        Strokes on a latent that is a grid, in words (`latentlab.operations.latent_brush.parse_strokes`);
        after the changes.

    Raises
    ------
    LatentLabError
        If a checkpoint or the picture cannot be opened, a dimension does not exist, or the model does not
        know an attribute or class.
    """
    explorer = Explorer.open(model, predictor, threads=threads)
    changes = dict(changes or {})
    pictures: dict[str, NDArray[np.uint8]] = {}
    notes: tuple[str, ...] = ()
    seen_as: NDArray[np.float32] | None = None
    if image is not None:
        picture = read_picture(image)
        notes = tuple(f"{picture.name}: {note}" for note in picture.notes)
        encoded = explorer.encode(picture.pixels)
        own, seen_as = encoded.condition, _chosen(explorer, told, encoded.condition)
        start = explorer.encode(picture.pixels, seen_as).latent if told else encoded.latent
        pictures["input"] = encoded.source
    elif told:
        raise SettingsError("Without a picture nothing is encoded, so the encoder can be told nothing.")
    elif seed is not None:
        start, own = explorer.draw(seed, truncation), explorer.first_condition()
    else:
        raise SettingsError("Give either a picture or a seed to set out from.")
    latent = start
    for mutation in mutations:
        latent = explorer.mutate(latent, mutation)
    latent = explorer.change(latent, changes)
    if brush:
        latent = painted(explorer, latent, start, brush).latent()
    drawn_as = _chosen(explorer, condition, own)
    first = explorer.picture(start, own)
    pictures["start" if image is None else "reconstruction"] = first
    same = own is None or (drawn_as is not None and np.array_equal(drawn_as, own))
    unchanged = same and np.array_equal(latent, start)
    pictures["edited"] = first if unchanged else explorer.picture(latent, drawn_as)
    notes = (*notes, *_extrapolations(explorer.spec.condition, told=seen_as, condition=drawn_as))
    spec = explorer.predictor_spec
    if spec is not None:
        notes = (*notes, origin_note(spec))
    return Reconstruction(
        located=explorer.located,
        source="" if image is None else str(image),
        seed=seed,
        threads=threads,
        truncation=truncation,
        mutations=tuple(mutations),
        changes=changes,
        brush=tuple(brush),
        pictures=pictures,
        latent=latent,
        told=seen_as,
        condition=drawn_as,
        rows=[] if spec is None else explorer.table(pictures),
        predictor=spec,
        notes=notes,
    )


def _chosen(explorer: Explorer, text: str, own: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    return explorer.condition(parse_choices(explorer.spec.condition, text), own) if text else own


def _extrapolations(schema: ConditionSchema, **given: NDArray[np.float32] | None) -> list[str]:
    """Say which attributes are asked for beyond what training knows."""
    return [
        f"{attribute.name} in --{option} is an extrapolation: the model was trained on no such weights."
        for option, condition in given.items()
        if condition is not None
        for attribute in schema.attributes
        if extrapolates(schema, condition, attribute.name)
    ]


def _figure(value: float) -> dict[str, Any]:
    return {"value": value, "low": None, "high": None, "n": 1}
