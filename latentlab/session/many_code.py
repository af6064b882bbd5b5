"""Copy as Python for many pictures: a program that projects them again and writes the tables."""

from __future__ import annotations

from latentlab.operations.projection_plan import AUTO
from latentlab.session.document import Document
from latentlab.session.many import KEEPS, Wanted
from latentlab.session.python_code import opened


def many_code(document: Document, wanted: Wanted) -> str:
    """Return the program's text; empty where nothing is open.

    It makes ``found`` (`latentlab.operations.project_many`), by share of *keep*, and writes the tables that
    the window saves into the folder ``projected``.
    """
    checkpoint, view = document.checkpoint, wanted.view
    if checkpoint is None:
        return ""
    imports = [
        "from pathlib import Path",
        "from latentlab.operations.many_pictures import many_pictures",
        "from latentlab.operations.project_many import project_modes",
    ]
    what = view.data or f"{len(view.pictures)} pictures"
    lines = opened(checkpoint, document.threads, f"{what} on {', '.join(wanted.onto)}.", imports)
    if view.data:
        lines.append(f"data = {view.data!r}")
    else:
        lines += ["data = [", *(f"    {path!r}," for path in view.pictures), "]"]
    keeps = list(KEEPS[view.mode])
    lines += [
        f"images = many_pictures(data, explorer.spec.image_size, count={view.count}, seed={view.seed})",
        f"found = project_modes(explorer, images, Path('projected'), {keeps!r},",
        f"                      source={view.source or AUTO!r}, onto={list(wanted.onto)!r}, figures=False)",
        "for keep, one in found.items():",
        "    print(one.text())  # shifts.csv and projections.csv are in one.out",
    ]
    return "\n".join(lines) + "\n"
