"""Latents in a row, rendered settled: traversals and paths, with the attributes predicted along them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.conditions import parse_choices
from latentlab.data.contact_sheet import save_sheet
from latentlab.data.pictures import read_picture
from latentlab.errors import SettingsError
from latentlab.operations.attribute_table import AttributeRow, attribute_rows, origin_note, save_table
from latentlab.operations.direction import Direction
from latentlab.operations.explore import Explorer
from latentlab.operations.grid_plan import STRIPS, Along, GridPlan, plane, strips
from latentlab.operations.interpolate import Kind, path
from latentlab.operations.latent_text import read_condition_text, read_latent_text
from latentlab.operations.latents import middle
from latentlab.operations.picture_change import ranking_by_change
from latentlab.operations.sheet import labelled, save_loop, sheet
from latentlab.operations.traverse import STEPS
from latentlab.progress import Progress, Reporter

SEED = "seed:"
"""What stands before a seed where a picture's path could stand."""
MIDDLE = "middle"
"""What stands for the middle of the prior there."""
RANKS = ("kl", "change")
"""How the dimensions that do most can be found."""


@dataclass(frozen=True, eq=False)
class Series:
    """Settled pictures of latents in a row.

    Parameters
    ----------
    names
        What tells one from the next, such as ``z3=1.50``.
    latents
        Float32 ``[n, *latent_shape]``.
    pictures
        Uint8 ``[S, S, 3]``, RGB, n of them.
    rows
        Their predicted attributes; empty without a predictor.
    columns
        Pictures in a row of the sheet.
    row_labels, column_labels
        What stands beside the rows and above the columns of the sheet; none where there is nothing to say.
    conditions
        What each was drawn under, float32 ``[n, C]``; None for an unconditional model.
    """

    explorer: Explorer
    names: tuple[str, ...]
    latents: NDArray[np.float32]
    pictures: tuple[NDArray[np.uint8], ...]
    rows: list[AttributeRow]
    columns: int
    row_labels: tuple[str, ...] = ()
    column_labels: tuple[str, ...] = ()
    conditions: NDArray[np.float32] | None = None

    def save_sheet(self, path: Path) -> None:
        """Save all pictures as one, labelled; raises `SettingsError` if it cannot be written."""
        image = sheet(self.pictures, self.columns)
        size = self.pictures[0].shape[0]
        save_sheet(path, np.array(labelled(image, size, self.row_labels, self.column_labels)))

    def save_loop(
        self, path: Path, fps: float = 12.0, enlarge: int | None = None, back: bool = False
    ) -> None:
        """Save the pictures as a loop (`latentlab.operations.sheet.save_loop`), with ``back`` to and fro."""
        pictures = [*self.pictures, *self.pictures[-2:0:-1]] if back else list(self.pictures)
        save_loop(path, pictures, fps, enlarge)

    def save_table(self, path: Path) -> None:
        """Save the predicted attributes as CSV.

        Raises
        ------
        SettingsError
            If there is no predictor, or it cannot be written.
        """
        if self.explorer.predictor_spec is None:
            raise SettingsError(f"{path} was not written: no attribute predictor goes with this model.")
        save_table(path, self.rows)

    def record(self, command: str, source: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON object as plain values, in the form of the other commands."""
        spec = self.explorer.predictor_spec
        return {
            "command": command,
            "version": latentlab.__version__,
            "checkpoint": {
                "path": str(self.explorer.located.path),
                "sha256": self.explorer.located.sha256(),
            },
            "data": {"path": ", ".join(source), "n": len(source)},
            "seed": None,
            "device": "cpu",
            "settings": {
                "threads": self.explorer.threads,
                **settings,
                "latents": self.latents.reshape(len(self.latents), -1).tolist(),
            },
            "metrics": {
                f"probability.{row.picture}.{row.attribute}={row.label}": {
                    "value": row.probability,
                    "low": None,
                    "high": None,
                    "n": 1,
                }
                for row in self.rows
            },
            "groups": {},
            "notes": [] if spec is None else [origin_note(spec)],
        }


@dataclass(frozen=True, eq=False)
class Start:
    """Where one sets out from: a latent, and the condition ``[C]`` (None for an unconditional model)."""

    latent: NDArray[np.float32]
    condition: NDArray[np.float32] | None


def start_under(explorer: Explorer, text: str | Path, condition: str = "") -> Start:
    """Return the latent that `start_from` does, and the condition to draw it under.

    Parameters
    ----------
    condition
        What is chosen of a conditional model's attributes (`latentlab.conditions.parse_choices`). The others
        are as the picture was encoded or the latent was copied, else the first class.

    Raises
    ------
    LatentLabError
        As `start_from`, and if the model does not know an attribute or class.
    """
    latent, own = _latent_and_condition(explorer, text)
    own = explorer.first_condition() if own is None else own
    return Start(latent, chosen_over(explorer, own, condition))


def chosen_over(
    explorer: Explorer, own: NDArray[np.float32] | None, condition: str
) -> NDArray[np.float32] | None:
    """Return a condition ``[C]`` with what is chosen in words set in it; as it is where nothing is chosen."""
    return explorer.condition(parse_choices(explorer.spec.condition, condition), own) if condition else own


def is_latent(text: str) -> bool:
    """Whether words that `start_under` reads name a latent rather than a picture."""
    return text == MIDDLE or text.startswith(SEED) or Path(text).suffix.lower() == ".json"


def start_from(explorer: Explorer, text: str | Path) -> NDArray[np.float32]:
    """Return the latent of a picture, a copied latent (.json), the draw of ``seed:NUMBER`` or the ``middle``.

    Raises
    ------
    LatentLabError
        If the picture cannot be read, the seed is no number, the latent is of other weights, or the model
        cannot do it.
    """
    return _latent_and_condition(explorer, text)[0]


def _latent_and_condition(
    explorer: Explorer, text: str | Path
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    if str(text) == MIDDLE:
        return middle(explorer.spec), None
    if str(text).startswith(SEED):
        number = str(text)[len(SEED) :]
        if not number.isdigit():
            raise SettingsError(f"{text!r} has no seed; write {SEED}0, {SEED}1, and so on.")
        return explorer.draw(int(number)), None
    path = Path(text)
    if path.suffix.lower() == ".json":
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} cannot be read: {error}.") from None
        latent, note = read_latent_text(content, explorer.spec, explorer.located.sha256())
        if note:
            raise SettingsError(f"{path}: {note} Open the model that it was copied from.")
        return latent, read_condition_text(content, explorer.spec)
    seen = explorer.encode(read_picture(path).pixels)
    return seen.latent, seen.condition


def render_series(
    explorer: Explorer,
    names: Sequence[str],
    latents: NDArray[np.float32],
    columns: int,
    condition: NDArray[np.float32] | None = None,
    reporter: Reporter | None = None,
) -> Series:
    """Render latents ``[n, *latent_shape]`` settled, one by one, and predict their attributes.

    A conditional model draws all of them under one condition, ``[C]``, or each under its own, ``[n, C]``.

    Raises
    ------
    SettingsError
        If there are more or fewer conditions than latents, or they do not fit the model.
    Cancelled
        If the reporter asked for it.
    """
    reporter = reporter or Reporter()
    told = None if condition is None else _one_each(condition, len(latents))
    pictures, found = [], {}
    for k, (name, latent) in enumerate(zip(names, latents, strict=True)):
        reporter.raise_if_cancelled()
        pictures.append(explorer.picture(latent, None if told is None else told[k]))
        if explorer.predictor_spec is not None:
            found[name] = explorer.attributes(pictures[-1])
        reporter.report(Progress("Rendering", k + 1, len(latents)))
    spec = explorer.predictor_spec
    rows = [] if spec is None else attribute_rows(spec, found)
    return Series(explorer, tuple(names), latents, tuple(pictures), rows, columns, conditions=told)


def _one_each(condition: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return conditions ``[count, C]`` from as many, or from one ``[C]`` for all."""
    told = np.asarray(condition, dtype=np.float32)
    told = np.repeat(told[None], count, axis=0) if told.ndim == 1 else told
    if told.ndim != 2 or len(told) != count:
        raise SettingsError(f"Give one condition for all {count}, or {count}; {len(told)} were given.")
    return told


def grid_series(
    explorer: Explorer,
    plan: GridPlan,
    reporter: Reporter | None = None,
    condition: NDArray[np.float32] | None = None,
) -> Series:
    """Render a grid that was planned (`latentlab.operations.grid_plan`), under one condition ``[C]``."""
    found = render_series(explorer, plan.names, plan.latents, plan.columns, condition, reporter)
    return replace(found, row_labels=plan.row_labels, column_labels=plan.column_labels)


def traversal(
    explorer: Explorer,
    latent: NDArray[np.float32],
    axes: Sequence[Along] = (),
    low: float | None = None,
    high: float | None = None,
    steps: int = STEPS,
    reporter: Reporter | None = None,
    rank: str = "kl",
    condition: NDArray[np.float32] | None = None,
    reach: float | None = None,
    locked: Collection[int] = (),
) -> Series:
    """Render a traversal: of one axis a strip, of two a plane, of more (or of none named) strips.

    Parameters
    ----------
    axes
        Dimensions, counted from 0 over the flattened latent, and directions; without any, the eight
        dimensions that do most.
    low, high, steps
        As in `latentlab.operations.traverse.Axis.over`.
    rank
        What doing most means: ``kl`` as in `latentlab.operations.latents.ranking`, ``change`` as in
        `latentlab.operations.picture_change.ranking_by_change` at this latent.
    condition
        What a conditional model draws under, ``[C]``.
    reach, locked
        As in `latentlab.operations.grid_plan.strips`.

    Raises
    ------
    SettingsError
        If there is no such rank, or the numbers make no strip.
    Cancelled
        If the reporter asked for it.
    """
    if rank not in RANKS:
        raise SettingsError(f"Dimensions are ranked by {' or '.join(RANKS)}, not {rank!r}.")
    if len(axes) == 2:
        plan = plane(explorer.spec, latent, axes[0], axes[1], steps, low, high, reach, locked)
    else:
        if not axes and rank == "change":
            axes = ranking_by_change(explorer, latent, reporter, condition)[:STRIPS].tolist()
        plan = strips(explorer.spec, latent, axes, steps, low, high, reach, locked)
    return grid_series(explorer, plan, reporter, condition)


def directions_series(
    explorer: Explorer,
    latent: NDArray[np.float32],
    directions: Sequence[Direction],
    reach: float | None = None,
    steps: int = 7,
    reporter: Reporter | None = None,
    condition: NDArray[np.float32] | None = None,
) -> Series:
    """Render a strip along each direction, ``reach`` sigma (each one's own without it) to either side."""
    plan = strips(explorer.spec, latent, directions, steps, reach=reach)
    return grid_series(explorer, plan, reporter, condition)


def interpolation(
    explorer: Explorer,
    pins: Sequence[NDArray[np.float32]],
    steps: int = 16,
    kind: Kind = "spherical",
    closed: bool = False,
    reporter: Reporter | None = None,
    condition: NDArray[np.float32] | None = None,
) -> Series:
    """Render a path through latents (`latentlab.operations.interpolate.path`).

    A conditional model draws it under one condition, ``[C]``; or, with the condition of each pin,
    ``[pins, C]``, goes evenly from one to the next.

    Raises
    ------
    SettingsError
        If there is no such path, or there are more or fewer conditions than pins.
    Cancelled
        If the reporter asked for it.
    """
    latents = path(pins, steps, kind, closed)
    if condition is not None and condition.ndim > 1:
        condition = path(list(_one_each(condition, len(pins))), steps, "linear", closed)
    names = [f"{k / steps:.3f}" for k in range(len(latents))]
    columns = steps if len(latents) % steps == 0 else min(len(latents), steps + 1)
    return render_series(explorer, names, latents, columns, condition, reporter)
