"""Which pictures the projection study projects: of a labelled set with their groups, or of any folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentlab.audit.generation import judged_attributes
from latentlab.data.image_set import UNKNOWN, ImageSet
from latentlab.errors import ImageError, SettingsError
from latentlab.metrics.labels import group_attributes, translate
from latentlab.operations.explore import Explorer
from latentlab.operations.many_pictures import ManyPicture, PictureOfSet, many_pictures
from latentlab.operations.project import condition_on, datasets_of, projecting_model
from latentlab.operations.projection_plan import AUTO
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute, PredictorSpec


@dataclass(frozen=True)
class ProjectionSettings:
    """Which pictures are projected onto what.

    Parameters
    ----------
    n
        Pictures at most; of more, so many are chosen at random.
    onto
        The datasets; empty for all that the model knows.
    source
        The pictures' own dataset; `AUTO` for what their labels say, and a guess where they say nothing.
    groups
        The attributes whose intersections are the groups; None for those that the set is usually told by.
    attributes
        What is counted; empty for all that the predictor judges, but for the dataset itself.
    seed
        Of the choice.
    """

    n: int = 512
    onto: tuple[str, ...] = ()
    source: str = AUTO
    groups: tuple[str, ...] | None = None
    attributes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n < 1:
            raise SettingsError(f"At least one image is needed; {self.n} were asked for.")
        if self.seed < 0:
            raise SettingsError(f"A seed is 0 or more, not {self.seed}.")


@dataclass(frozen=True, eq=False)
class ChosenPictures:
    """What is projected, and what is counted of it.

    Parameters
    ----------
    pictures, names, sources, group
        The pictures; what each is called, no two alike; the dataset that it is of, or `AUTO`; and its group,
        empty where it is in none.
    groups
        All groups, such as ``gender=female,race=black``; empty where there are none.
    onto
        The datasets projected onto.
    judge
        The predictor, narrowed to what is looked at: what is counted, and the dataset where it judges that.
    attributes
        What is counted.
    notes
        What had to be left out.
    sha256
        Of all that the rows depend on of the pictures.
    """

    pictures: tuple[ManyPicture, ...]
    names: tuple[str, ...]
    sources: tuple[str, ...]
    group: tuple[str, ...]
    groups: tuple[str, ...]
    onto: tuple[str, ...]
    judge: PredictorSpec
    attributes: tuple[Attribute, ...]
    notes: tuple[str, ...]
    sha256: str


def choose_pictures(
    explorer: Explorer,
    data: str,
    settings: ProjectionSettings,
    apart_from: Sequence[Path] = (),
    reporter: Reporter | None = None,
) -> ChosenPictures:
    """Choose the pictures of a set or a folder, and make sure that all that is asked for can be done.

    Parameters
    ----------
    apart_from
        Folders whose pictures are no input.

    Raises
    ------
    LatentLabError
        If the model does not project in both modes or knows no such dataset, nobody judges what is to be
        counted, or there is no picture.
    """
    reporter = reporter or Reporter()
    projecting_model(explorer)
    if not explorer.spec.condition.has_mode:
        raise SettingsError(
            f"{explorer.located.path} only follows the dataset: what it changes of style and of composition "
            "cannot be told apart. latentlab project counts what changes in all."
        )
    onto = tuple(dict.fromkeys(settings.onto)) or datasets_of(explorer)
    for dataset in (*onto, *(() if settings.source == AUTO else (settings.source,))):
        condition_on(explorer, dataset)
    domain = explorer.spec.condition.attributes[0]
    if domain.name in settings.attributes:
        raise SettingsError(f"{domain.name} is what is projected onto; it cannot be counted too.")
    judged = judged_attributes(explorer.predictor_spec, settings.attributes)
    attributes = tuple(one for one in judged if one.name != domain.name)
    if not attributes:
        raise SettingsError(f"The predictor judges nothing but {domain.name}. Give --predictor another.")
    judge = explorer.predictor_spec
    assert judge is not None
    looked_at = {one.name for one in attributes} | {domain.name}
    told = tuple(one for one in judge.attributes if one.name in looked_at and one.kind == "categorical")
    found = many_pictures(
        data,
        explorer.spec.image_size,
        count=settings.n,
        seed=settings.seed,
        apart_from=apart_from,
        reporter=reporter,
    )
    sources, notes = _sources(found, domain, settings.source)
    groups, group = _groups(found, settings.groups)
    digest, kept = hashlib.sha256(), []
    for place, picture in enumerate(found):
        reporter.raise_if_cancelled()
        reporter.report(Progress("Reading the images", place + 1, len(found)))
        if sources[place]:
            try:
                content = picture.content()
                picture.pixels(content)
            except (ImageError, OSError):
                notes.append(f"{picture.place} could not be read and was left out.")
                continue
            kept.append(place)
            digest.update(hashlib.sha256(content).digest())
            digest.update(f"{picture.name}\n{sources[place]}\n{group[place]}\n".encode())
    if not kept:
        raise SettingsError(f"No image of {data} can be projected. {' '.join(notes)}".strip())
    return ChosenPictures(
        tuple(found[k] for k in kept),
        _once_each([found[k].name for k in kept]),
        tuple(sources[k] for k in kept),
        tuple(group[k] for k in kept),
        groups,
        onto,
        judge.model_copy(update={"attributes": told}),
        attributes,
        tuple(notes),
        digest.hexdigest(),
    )


def _sources(found: Sequence[ManyPicture], domain: Attribute, wish: str) -> tuple[list[str], list[str]]:
    """Return each picture's dataset: `AUTO` where it is to be guessed, empty of one that is not known."""
    whole = _set_of(found)
    if wish != AUTO or whole is None or domain.name not in {one.name for one in whole.info.attributes}:
        return [wish] * len(found), []
    labelled = whole.attribute(domain.name)
    codes = np.asarray(whole.codes(domain.name))
    places = translate(labelled, domain, codes)
    names = [
        domain.classes[place] if place != UNKNOWN else AUTO if code == UNKNOWN else ""
        for place, code in zip(places, codes, strict=True)
    ]
    left_out = names.count("")
    notes = [f"{left_out} images of a {domain.name} that the model does not know were left out."]
    return names, notes if left_out else []


def _groups(found: Sequence[ManyPicture], wish: Sequence[str] | None) -> tuple[tuple[str, ...], list[str]]:
    """Return the groups, and each picture's."""
    whole = _set_of(found)
    if whole is None:
        if wish:
            raise SettingsError("Pictures in a folder have no labels, so there are no groups of them.")
        return (), [""] * len(found)
    named = group_attributes(whole, wish)
    group = [""] * len(found)
    if not named:
        return (), group
    cells = whole.groups(named)
    for name, rows in cells.items():
        for row in rows:
            group[row] = name
    return tuple(name for name, rows in cells.items() if len(rows)), group


def _set_of(found: Sequence[ManyPicture]) -> ImageSet | None:
    """Return the rows of the set that the pictures are, in order; None where they are files."""
    positions = [one.position for one in found if isinstance(one, PictureOfSet)]
    if not found or not isinstance(found[0], PictureOfSet) or len(positions) < len(found):
        return None
    return found[0].images.select(np.array(positions, dtype=np.int64))


def _once_each(names: Sequence[str]) -> tuple[str, ...]:
    """Give those that are called alike numbers, so that a row can be found by its image."""
    taken: set[str] = set()
    found = []
    for name in names:
        given, number = name, 1
        while given in taken:
            number += 1
            given = f"{name}-{number}"
        taken.add(given)
        found.append(given)
    return tuple(found)
