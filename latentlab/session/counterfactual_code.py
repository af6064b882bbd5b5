"""Copy as Python for the Counterfactuals screen: a program that makes what is shown again."""

from __future__ import annotations

from latentlab.session.counterfactual import page_sort
from latentlab.session.document import Document
from latentlab.session.python_code import opening


def counterfactual_code(document: Document, attribute: str) -> str:
    """Return the program's text; ``attribute`` is the one that is gone through.

    It makes ``found`` (`latentlab.operations.counterfactual`), with every picture settled, and saves the
    figure. Empty where nothing is open.
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
            f"found = counterfactuals_of_latent(explorer, latent, condition, {attribute!r}{second},",
            f"                                  scale={view.scale!r}, threshold={view.threshold!r})",
        ]
    lines.append('figure(found).save("counterfactuals.png")')
    return "\n".join(lines) + "\n"
