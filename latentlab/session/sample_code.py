"""Copy as Python for the samples: a program that draws the grid, and the strip below it, again."""

from __future__ import annotations

from latentlab.operations.projection_plan import AUTO, mode_words, share_of_keep
from latentlab.session.document import Document, LatentRef, Shelf
from latentlab.session.projection import chosen_dataset
from latentlab.session.python_code import call, numbers, opened
from latentlab.session.sample_scene import blend_of, column_blend, dataset_of
from latentlab.session.source_code import IMPORTS, source_lines, source_text
from latentlab.spec import ConditionSchema


def sample_code(document: Document, schema: ConditionSchema) -> str:
    """Return the program's text.

    It makes ``grid`` (`latentlab.operations.sample_grid`) and, where a strip is shown, ``strip``; every
    picture is settled. It saves the figure that the window saves, and the strip as a sheet. Empty where
    nothing is open.
    """
    checkpoint, state, shelf = document.checkpoint, document.explore, document.shelf
    if checkpoint is None or state is None:
        return ""
    view, keep = shelf.samples, share_of_keep(schema, shelf.projection.keep)
    source = state.source if view.with_input else None
    blend = column_blend(schema, view.strip)
    strip = _strip(shelf, schema, source is not None)
    seeds = [row.seed for row in view.rows]
    made = [f"samples = draw_samples(explorer.spec, {seeds}, truncation={view.truncation!r})"]
    if source is not None:
        dataset = chosen_dataset(schema, shelf.projection) or AUTO
        how = f"source={dataset!r}, keep={keep!r}, name={source.title!r}"
        made += [
            *source_lines(source_text(source.seen)),
            f"samples = (input_sample(explorer, source, {how}), *samples)",
        ]
    given = f"keep={keep!r}"
    if blend is not None:
        given += f", blend=Blend({blend.first!r}, {blend.second!r}, {blend.share!r})"
    made += [
        f"grid = sample_grid(explorer, samples, {given})  # grid.picture(row, column)",
        'sample_figure(grid).save("samples.png")',
        *strip,
    ]
    plans = ["draw_samples", *(["Blend"] if blend is not None else [])]
    text = "\n".join(made)
    plans += ["Sample"] if " Sample(" in text else []
    grids = [name for name in ("blend_series", "input_sample", "way_series") if f"{name}(" in text]
    imports = [
        "from latentlab.operations.sample_figure import sample_figure",
        f"from latentlab.operations.sample_grid import {', '.join(sorted([*grids, 'sample_grid']))}",
        f"from latentlab.operations.sample_plan import {', '.join(sorted(plans))}",
        *(IMPORTS if source is not None else ()),
        *(["from pathlib import Path"] if strip else []),
    ]
    said = f"The same z on every dataset: {mode_words(keep)}."
    return "\n".join([*opened(checkpoint, document.threads, said, imports), *made]) + "\n"


def _strip(shelf: Shelf, schema: ConditionSchema, with_input: bool) -> list[str]:
    """Return the lines that make the strip; none where there is none."""
    view, keep = shelf.samples.strip, share_of_keep(schema, shelf.projection.keep)
    if view.kind == "none" or (view.kind == "blend" and column_blend(schema, view) is None):
        return []
    refs = [view.start] if view.kind == "blend" else [view.start, view.end]
    ends, lines = [], []
    for name, ref in zip(("start", "end"), refs, strict=False):
        pin = shelf.pin(ref.pin) if ref.pin and not ref.input else None
        if (ref.pin and not ref.input and pin is None) or (ref.input and not with_input):
            return []
        if pin is not None:
            lines.append(call("latent = explorer.latent(", numbers(pin.latent.reshape(-1))))
            lines.append(f"{name} = Sample({pin.name!r}, latent)")
            ends.append(name)
        else:
            ends.append(f"samples[{_row(ref, shelf, with_input)}]")
    if view.kind == "blend":
        pair = blend_of(schema, view)
        made = f"blend_series(explorer, {ends[0]}, {pair.first!r}, {pair.second!r}, keep={keep!r})"
    else:
        made = (
            f"way_series(explorer, {ends[0]}, {ends[1]}, {dataset_of(schema, view)!r}, steps={view.steps}, "
            f"kind={view.path!r}, keep={keep!r})"
        )
    return [*lines, f"strip = {made}", 'strip.save_sheet(Path("strip.png"))']


def _row(ref: LatentRef, shelf: Shelf, with_input: bool) -> int:
    """Return a reference's place among the samples, the input first where it is one."""
    if ref.input:
        return 0
    return min(ref.row, len(shelf.samples.rows) - 1) + with_input
