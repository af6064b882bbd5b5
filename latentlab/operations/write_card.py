"""Measure a checkpoint and write its model card, with pictures, into its folder."""

from __future__ import annotations

from dataclasses import replace as replaced
from functools import partial
from pathlib import Path

from PIL import Image

from latentlab.checkpoints import Located, locate
from latentlab.checkpoints.companion import fitting_predictor
from latentlab.checkpoints.native import CARD
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.metrics.labels import group_attributes
from latentlab.metrics.projection_shares import PREFIXES
from latentlab.metrics.report import Evaluation, Metrics, together
from latentlab.metrics.runs import (
    own_style,
    run_classifier,
    run_counterfactual,
    run_projection,
    run_reconstruction,
    shows_pairs,
)
from latentlab.operations.card_facts import CardFacts
from latentlab.operations.card_parts import card_parts, with_parts
from latentlab.operations.card_pictures import SAMPLES, flip_sheet, reconstruction_sheet, sample_sheet
from latentlab.operations.explore import Explorer
from latentlab.operations.model_card import MARK, model_card
from latentlab.progress import Reporter
from latentlab.whole_file import whole_file, write_whole


def write_card(
    checkpoint: str | Path,
    data: str,
    *,
    predictor: str | None = None,
    seed: int = 0,
    device: str = "auto",
    replace: bool = False,
    reporter: Reporter | None = None,
) -> Path:
    """Evaluate a checkpoint on a set and write ``README.md`` into its folder.

    A predictor is evaluated by `run_classifier`; a model by `run_reconstruction`, a conditional one by
    `run_counterfactual` too and a cINN, in both modes, by `run_projection` (on the held-out images that show
    the same identities in all its datasets, or on those of each dataset). ``samples.png`` and
    ``reconstructions.png`` are drawn beside its card, as far as it can sample and encode.

    Parameters
    ----------
    predictor
        The judge of a model; None for the one that goes with it.
    seed
        Of everything random.
    replace
        Whether a card that was not written here may be overwritten.

    Returns
    -------
    pathlib.Path
        The card.

    Raises
    ------
    LatentLabError
        If something cannot be opened or measured, the checkpoint is a single file (a card lies in a
        folder), the folder cannot be written, or a card written by somebody else lies there.
    """
    reporter = reporter or Reporter()
    located = locate(checkpoint)
    _check_place(located, replace)
    folder, data = located.path, own_style(located.config, data)
    images = open_set(data, located.config.spec.image_size, reporter)
    if located.config.kind == "predictor":
        report = run_classifier(str(folder), data, seed=seed, device=device, reporter=reporter)
        return _write(folder, model_card(CardFacts(located, report, images.info)), {})
    judge = predictor or fitting_predictor(located.config)
    report = run_reconstruction(
        str(folder), data, predictor=judge, seed=seed, device=device, reporter=reporter
    )
    if located.config.spec.family == "cinn":
        found = _projections(located, images, data, judge, seed, device, reporter)
        report = replaced(report, evaluation=together(report.evaluation, found))
    elif located.config.model is not None and located.config.model.condition.size:
        flips = run_counterfactual(
            str(folder), data, predictor=judge, seed=seed, device=device, reporter=reporter
        )
        report = replaced(report, evaluation=together(report.evaluation, flips.evaluation))
    explorer = Explorer.open(folder, predictor="")
    sheets, captions = {}, {}
    if "sample" not in explorer.spec.cannot:
        sheets["samples.png"] = sample_sheet(explorer, images, seed, reporter)
        captions["samples.png"] = (
            f"{SAMPLES} random samples, row by row those of the seeds {seed} to {seed + SAMPLES - 1}; "
            "none was left out"
        )
    sheets["reconstructions.png"] = reconstruction_sheet(
        explorer, images, group_attributes(images), seed, reporter
    )
    captions["reconstructions.png"] = f"Images of {data}, each group in turn, above their reconstructions"
    if explorer.spec.condition.size:
        sheets["flips.png"] = flip_sheet(explorer, images, seed, reporter)
        captions["flips.png"] = (
            f"Images of {data}: each beside its reconstruction and, one after another, all classes of "
            f"{', '.join(one.name for one in explorer.spec.condition.attributes)}"
        )
    return _write(
        folder, model_card(CardFacts(located, report, images.info, locate(judge), captions)), sheets
    )


def _projections(
    located: Located,
    images: ImageSet,
    data: str,
    judge: str,
    seed: int,
    device: str,
    reporter: Reporter,
) -> Evaluation:
    """Measure a cINN's projections in both modes; figures of *follow* have it before their name."""
    model = located.config.model
    assert model is not None
    measure = partial(
        run_projection, str(located.path), data, predictor=judge, seed=seed, device=device, reporter=reporter
    )
    if not shows_pairs(images, model.condition.attributes[0]):
        return measure().evaluation
    keep, follow = measure(mode="keep").evaluation, measure(mode="follow").evaluation
    prefix = PREFIXES["follow"]
    renamed = replaced(follow, metrics=_prefixed(follow.metrics, prefix), groups=_grouped(follow, prefix))
    return together(keep, renamed)


def _prefixed(metrics: Metrics, prefix: str) -> Metrics:
    return {f"{prefix}{name}": estimate for name, estimate in metrics.items()}


def _grouped(found: Evaluation, prefix: str) -> dict[str, Metrics]:
    return {group: _prefixed(metrics, prefix) for group, metrics in found.groups.items()}


def _check_place(located: Located, replace: bool) -> None:
    if located.foreign is not None:
        raise SettingsError(
            f"{located.path} is another program's checkpoint, which stays as it is; a card lies in one of "
            "LatentLab. Write one with latentlab convert first."
        )
    if not located.path.is_dir():
        raise SettingsError(
            f"{located.path} is a single file; a card lies in a checkpoint's folder. Name the folder."
        )
    card = located.card()
    card_parts(card)  # one that does not end is told before any work
    if card and MARK not in card and not replace:
        raise SettingsError(
            f"{located.path / CARD} was not written by this command. Move it away, or give --replace."
        )


def _write(folder: Path, card: str, sheets: dict[str, Image.Image]) -> Path:
    """Write the pictures and then the card that shows them; parts of the former card stay (audits)."""
    path = folder / CARD
    parts = card_parts(path.read_text(encoding="utf-8", errors="replace")) if path.exists() else {}
    for file, picture in sheets.items():
        with whole_file(folder / file) as part:
            picture.save(part, format="PNG", optimize=True)
    write_whole(path, with_parts(card, parts))
    return path
