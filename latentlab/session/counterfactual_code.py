"""Copy as Python for the Counterfactuals screen: a program that makes what is shown again."""

from __future__ import annotations

from latentlab.session.counterfactual import page_sort
from latentlab.session.document import Document, Explore
from latentlab.session.python_code import comment, opening
from latentlab.session.source_code import IMPORTS, source_lines, source_text

MOST_TEXT = 65_536
"""So many letters of an input at most are written into a program."""


def counterfactual_code(document: Document, attribute: str) -> str:
    """Return the program's text; ``attribute`` is the one that is gone through.

    It makes ``found`` (`latentlab.operations.counterfactual`), with every picture settled, and saves the
    figure that the window saves: the input is in the program, as long as it is small. Empty where nothing is
    open.
    """
    checkpoint, state, view = document.checkpoint, document.explore, document.shelf.counterfactual
    if checkpoint is None or state is None:
        return ""
    name = "counterfactual_page" if view.data else "counterfactuals_of_latent"
    imports = [f"from latentlab.operations.counterfactual import {name}"]
    if view.data:
        imports = [
            "from latentlab.data.catalog import open_set",
            "from latentlab.operations.counterfactual import counterfactual_page, page_positions",
        ]
    text = "" if view.data else _source_text(state)
    if text:
        imports += IMPORTS
    imports += ["from latentlab.operations.counterfactual_figure import figure"]
    sort = page_sort(view, bool(checkpoint.predictor))
    lines = opening(checkpoint, state, document.threads, imports)
    if view.data:
        lines += [
            f"images = open_set({view.data!r}, explorer.spec.image_size)",
            f"positions = page_positions(images, {attribute!r}, {view.target!r}, {view.count}, {view.seed})",
            f"found = counterfactual_page(explorer, images, {attribute!r}, {view.target!r},",
            f"                            positions=positions, sort={sort!r}, side={view.side!r},",
            f"                            scale={view.scale!r}, threshold={view.threshold!r})",
        ]
    else:
        second = f", {view.second!r}" if view.second and view.second != attribute else ""
        lines += [
            *_source(state, text),
            f"found = counterfactuals_of_latent(explorer, latent, condition, {attribute!r}{second},",
            f"                                  scale={view.scale!r}, threshold={view.threshold!r},",
            f"                                  name={state.origin!r}{', source=source' if text else ''})",
        ]
    lines.append('figure(found).save("counterfactuals.png")')
    return "\n".join(lines) + "\n"


def _source_text(state: Explore) -> str:
    """Return the input as base64 text of a PNG; empty where there is none, or it is a large one."""
    text = "" if state.source is None else source_text(state.source.seen)
    return text if len(text) <= MOST_TEXT else ""


def _source(state: Explore, text: str) -> list[str]:
    """Return the lines that make ``source``, or say why there is none."""
    if state.source is None:
        return [comment("There is no input: the latent was not made from a picture.")]
    if not text:
        return [comment(f"The input, {state.origin}, is too large for this text and is left out.")]
    return source_lines(text)
