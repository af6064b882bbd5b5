"""Copy as Python for the Analogies screen: a program that makes the projections again."""

from __future__ import annotations

from latentlab.operations.projection_plan import AUTO, mode_words, share_of_keep
from latentlab.session.document import Document
from latentlab.session.projection import chosen_dataset, latent_dataset
from latentlab.session.python_code import call, numbers, opened
from latentlab.session.source_code import IMPORTS, source_lines, source_text
from latentlab.spec import ConditionSchema


def projection_code(document: Document, schema: ConditionSchema) -> str:
    """Return the program's text.

    It makes ``found`` (`latentlab.operations.project`), with every picture settled, and saves the figure that
    the window saves: the input is in the program, or the latent where there is none. Empty where nothing is
    open.
    """
    checkpoint, state, view = document.checkpoint, document.explore, document.shelf.projection
    if checkpoint is None or state is None:
        return ""
    name = "project" if state.source is not None else "project_latent"
    imports = [
        f"from latentlab.operations.project import {name}",
        "from latentlab.operations.projection_figure import projection_figure",
    ]
    keep = share_of_keep(schema, view.keep)
    how = f"keep={keep!r}, name={state.origin!r})"
    if state.source is not None:
        imports += IMPORTS
        dataset = chosen_dataset(schema, view) or AUTO
        made = [
            *source_lines(source_text(state.source.seen)),
            f"found = project(explorer, source, source={dataset!r}, {how}",
        ]
    else:
        dataset = latent_dataset(schema, state, view)
        made = [
            call("latent = explorer.latent(", numbers(state.latent.reshape(-1))),
            f"found = project_latent(explorer, latent, {dataset!r}, {how}",
        ]
    said = f"{state.origin} on every dataset: {mode_words(keep)}."
    domain = schema.attributes[0].name
    lines = [
        *opened(checkpoint, document.threads, said, imports),
        *made,
        f'projection_figure(found, explorer.predictor_spec, {domain!r}).save("analogies.png")',
    ]
    return "\n".join(lines) + "\n"
