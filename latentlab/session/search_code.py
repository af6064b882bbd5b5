"""Copy as Python for the Search screen: a program that finds the same set again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentlab.operations.search_plan import NOTE
from latentlab.session.document import Document
from latentlab.session.python_code import call, comment, numbers, opened
from latentlab.session.search_target import Prepared
from latentlab.session.search_wanted import SearchWanted
from latentlab.session.search_work import Leg
from latentlab.session.source_code import IMPORTS, source_lines, source_text


def search_code(document: Document, wanted: SearchWanted, prepared: Prepared, legs: Sequence[Leg]) -> str:
    """Return the program's text; empty where nothing is open.

    It makes ``found`` (`latentlab.operations.search_result.PictureSearch`), the same to the bit with as many
    threads, and saves the figure that the window saves. The picture at the model's size is in the program.

    Parameters
    ----------
    legs
        The steps that were made; without them those that the settings ask for.
    """
    checkpoint = document.checkpoint
    if checkpoint is None:
        return ""
    posterior = wanted.view.posterior
    name, what = ("sample_picture", "PosteriorSettings, ") if posterior else ("LatentSearch", "")
    imports = [
        *IMPORTS,
        f"from latentlab.operations.search import {name}",
        "from latentlab.operations.search_figure import search_figure",
        f"from latentlab.operations.search_plan import Observation, {what}SearchSettings",
        "from latentlab.operations.search_target import search_target",
    ]
    if any(leg.stopped and leg.made for leg in legs):
        imports += [
            "from contextlib import suppress",
            "from latentlab.errors import Cancelled",
            "from latentlab.progress import Reporter",
        ]
    side = wanted.target.observation.words(wanted.target.image_size)
    lines = [
        comment(f"{wanted.target.name}, searched for as {side}: {NOTE}."),
        *opened(checkpoint, document.threads, "", imports)[1:],
        *source_lines(source_text(prepared.pixels)),
        *_settings(wanted),
        "target = search_target(source, settings.observation, explorer.spec.image_size,",
        f"                       given={prepared.given!r}, name={wanted.target.name!r})",
    ]
    told = ""
    if wanted.condition is not None:
        vector = np.asarray(wanted.condition, dtype=np.float32)
        lines.append(call("condition = explorer.condition(", numbers(vector)))
        told = f", condition=condition, free={wanted.free!r}"
    if posterior:
        one = wanted.sampling
        lines += [
            f"sampling = PosteriorSettings(warm_up={one.warm_up}, draws={one.draws}, leaps={one.leaps},",
            f"                             least_power={one.least_power!r})",
            f"found = sample_picture(explorer, target, settings, sampling{told})",
        ]
    else:
        lines.append(f"search = LatentSearch(explorer, [target], settings{told})")
        made = 0
        for leg in legs or [Leg(wanted.settings.steps, wanted.settings.steps)]:
            made += leg.made
            lines += _leg(leg, made)
        lines.append("(found,) = search.found()")
    lines += [
        "print(found.text())",
        'search_figure(found).save("search.png")',
        "picture = found.best.pixels  # uint8 [S, S, 3], RGB",
    ]
    return "\n".join(lines) + "\n"


def _leg(leg: Leg, made: int) -> list[str]:
    """Return the lines that make some steps; those that a person stopped are stopped after the same one."""
    if not leg.made:
        return []
    if not leg.stopped:
        return [f"search.run({leg.asked})"]
    return [
        "reporter = Reporter()",
        "with suppress(Cancelled):  # it was stopped after this step",
        f"    search.run({leg.asked}, lambda step: step.step < {made} or reporter.cancel(),",
        "               reporter=reporter)",
    ]


def _settings(wanted: SearchWanted) -> list[str]:
    one = wanted.settings
    observed = one.observation
    return [
        "settings = SearchSettings(",
        f"    Observation({observed.factor}, {observed.kind!r}, {observed.exposure_spread!r}),",
        f"    restarts={one.restarts}, steps={one.steps}, seed={one.seed}, eps={one.eps!r},",
        f"    loss={one.loss!r}, constraint={one.constraint!r}, sigma={one.sigma!r},",
        f"    optimiser={one.optimiser!r}, rate={one.rate!r}, precision={one.precision!r},",
        ")",
    ]
