"""Probes of one latent along several axes: as a table, as a picture and as a record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.conditions import first_classes
from latentlab.data.contact_sheet import save_sheet
from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.metrics.labels import conditions
from latentlab.operations.attribute_table import origin_note
from latentlab.operations.direction import Direction
from latentlab.operations.explore import Explorer
from latentlab.operations.probe import MEAN_COUNT, Probe, Probed, probe, usual_rows
from latentlab.operations.probe_picture import Panel, probe_picture
from latentlab.operations.row_table import save_rows
from latentlab.operations.scale_axis import ScaleAxis
from latentlab.progress import Reporter
from latentlab.spec import PredictorSpec

Label = tuple[str, str]
"""An attribute and one of its classes."""


@dataclass(frozen=True, eq=False)
class Probes:
    """What was found, with everything needed to do it again.

    Parameters
    ----------
    latent
        The latent that is judged, float32 ``[*latent_shape]``.
    axes, probes
        What was moved along, and what was found there.
    labels
        The attributes' classes that were asked for.
    of_what
        What the mean is taken of, in words.
    seed
        What chooses the latents of the mean.
    condition
        The latent's, ``[C]``; None for an unconditional model.
    """

    explorer: Explorer
    latent: NDArray[np.float32]
    axes: tuple[Probed, ...]
    probes: tuple[Probe, ...]
    labels: tuple[Label, ...]
    of_what: str
    seed: int
    condition: NDArray[np.float32] | None = None

    @property
    def shown(self) -> list[Label]:
        """The classes worth a line: of two that were both asked for the second says it all."""
        return [
            (name, label)
            for name, label in self.labels
            if not (len(self._asked(name)) == 2 == len(self.probes[0].classes[name]))
            or label == self.probes[0].classes[name][1]
        ]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a place, attribute and class (`latentlab.operations.probe.Probe.rows`)."""
        wanted = set(self.labels)
        return [
            row for one in self.probes for row in one.rows() if (row["attribute"], row["class"]) in wanted
        ]

    def save_table(self, path: Path) -> None:
        """Save the rows as CSV; raises `SettingsError` if it cannot be written."""
        save_rows(path, self.rows())

    def save_picture(self, path: Path, start: str) -> None:
        """Save the curves as a picture; ``start`` is what the latent is called.

        Raises
        ------
        SettingsError
            If the suffix is unknown or the file cannot be written.
        """
        panels = [
            [self._panel(axis, one, label) for axis, one in zip(self.axes, self.probes, strict=True)]
            for label in self.shown
        ]
        spec = self._judge()
        caption = f"{self.explorer.located.name}. {origin_note(spec)}"
        save_sheet(path, np.array(probe_picture(panels, start, self.of_what, caption)))

    def text(self) -> str:
        """Return what a person reads: for each axis and class the probability at either end."""
        lines = []
        for one in self.probes:
            for name, label in self.shown:
                k = one.classes[name].index(label)
                ends = one.curve[name][[0, -1], k]
                low, high = one.values[[0, -1]]
                line = f"{one.axis:16} {name}: {label:12} {_from_to(ends)} between {low:.2f} and {high:.2f}"
                if name in one.bands:
                    band = one.bands[name]
                    line += f"; mean of {band.count} {self.of_what} {_from_to(band.mean[[0, -1], k])}"
                lines.append(line)
        return "\n".join([*lines, origin_note(self._judge())])

    def record(self, start: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON object as plain values, in the form of the other commands."""
        located = self.explorer.located
        metrics = {}
        for row in self.rows():
            place = f"{row['axis']}={row['value']:.6g}.{row['attribute']}={row['class']}"
            metrics[f"probability.{place}"] = _figure(row["probability"])
            if row["n"]:
                metrics[f"mean.{place}"] = _figure(row["mean"], row["low"], row["high"], row["n"])
        notes = [origin_note(self._judge())]
        if any(one.bands for one in self.probes):
            notes.append("low and high of mean are quartiles over the latents, not an interval of the mean.")
        return {
            "command": "probe",
            "version": latentlab.__version__,
            "checkpoint": {"path": str(located.path), "sha256": located.sha256()},
            "data": {"path": start, "n": 1},
            "seed": self.seed,
            "device": "cpu",
            "settings": {
                "threads": self.explorer.threads,
                **settings,
                "latent": [float(value) for value in self.latent.reshape(-1)],
                **({} if self.condition is None else {"condition": [float(one) for one in self.condition]}),
            },
            "metrics": metrics,
            "groups": {},
            "notes": notes,
        }

    def _asked(self, attribute: str) -> list[str]:
        return [label for name, label in self.labels if name == attribute]

    def _judge(self) -> PredictorSpec:
        spec = self.explorer.predictor_spec
        assert spec is not None
        return spec

    def _panel(self, axis: Probed, one: Probe, label: Label) -> Panel:
        name, k = label[0], one.classes[label[0]].index(label[1])
        band = one.bands.get(name)
        return Panel(
            title=f"{name.replace('_', ' ')}: {label[1]}",
            axis=f"{one.axis}, σ from the start" if isinstance(axis, Direction) else one.axis,
            values=one.values,
            curve=one.curve[name][:, k],
            here=self._here(axis),
            mean_values=one.mean_values,
            band=None if band is None else (band.low[:, k], band.mean[:, k], band.high[:, k]),
        )

    def _here(self, axis: Probed) -> float:
        """Return where the latent stands on an axis."""
        if isinstance(axis, ScaleAxis):
            return (
                0.0
                if self.condition is None
                else float(self.condition[axis.place(self.explorer.spec.condition)])
            )
        return 0.0 if isinstance(axis, Direction) else float(self.latent.reshape(-1)[axis])


def probe_axes(
    explorer: Explorer,
    latent: NDArray[np.float32],
    axes: Sequence[Probed],
    attributes: Sequence[str] = (),
    data: ImageSet | None = None,
    count: int = MEAN_COUNT,
    seed: int = 0,
    reporter: Reporter | None = None,
    locked: Collection[int] = (),
    condition: NDArray[np.float32] | None = None,
) -> Probes:
    """Judge one latent, and the mean of many, along axes (`latentlab.operations.probe.probe`).

    Parameters
    ----------
    attributes
        Such as ``glasses`` or ``glasses=yes``; without any, all that the predictor has.
    data
        The images whose latents the mean is taken of, at the model's size; random draws without them.
    count
        Latents of the mean at most; 0 for none.
    locked
        Dimensions that directions leave as they are.
    condition
        The latent's condition, ``[C]``; each attribute's first class without one. Unused by an unconditional
        model.

    Raises
    ------
    LatentLabError
        If no predictor is open, an attribute is unknown, or the images cannot be encoded.
    Cancelled
        If the reporter asked for it.
    """
    judge = explorer.predictor_spec
    if judge is None:
        raise SettingsError("No attribute predictor goes with this model, so nothing can be probed.")
    if not axes:
        raise SettingsError("Name an axis to probe along.")
    labels = tuple(_labels(judge, attributes))
    schema = explorer.spec.condition
    if schema.size and condition is None:
        condition = first_classes(schema)
    latents, theirs, of_what = None, None, "random draws"
    if data is not None and count:
        chosen = data.select(usual_rows(len(data), count, seed))
        latents, of_what = explorer.encode_set(chosen, reporter), f"images of {data.info.name}"
        theirs = conditions(schema, chosen)
    probes = [
        probe(
            explorer,
            latent,
            axis,
            data=latents,
            count=count,
            seed=seed,
            reporter=reporter,
            locked=locked,
            condition=condition,
            data_conditions=theirs,
        )
        for axis in axes
    ]
    return Probes(explorer, latent, tuple(axes), tuple(probes), labels, of_what, seed, condition)


def _labels(judge: PredictorSpec, texts: Sequence[str]) -> list[Label]:
    """Return the classes that were asked for, each once."""
    known = {one.name: one.classes for one in judge.attributes if one.classes}
    found: list[Label] = []
    for text in texts or known:
        name, _, label = text.partition("=")
        if name not in known:
            raise SettingsError(f"The predictor has no attribute {name!r}; it has {', '.join(known)}.")
        if label and label not in known[name]:
            raise SettingsError(f"{name} has no class {label!r}; it has {', '.join(known[name])}.")
        found += [(name, one) for one in known[name] if label in ("", one)]
    return list(dict.fromkeys(found))


def _figure(value: float, low: float | None = None, high: float | None = None, n: int = 1) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": n}


def _from_to(ends: NDArray[np.float32]) -> str:
    return f"{100 * ends[0]:.1f}% to {100 * ends[1]:.1f}%"
