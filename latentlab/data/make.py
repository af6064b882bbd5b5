"""Making a set's folder from any source, in any mixture: what ``latentlab data make`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from latentlab.data.avatars import IDENTITIES, list_avatars, make_avatars
from latentlab.data.celeba import list_celeba
from latentlab.data.distribution import chosen_distribution
from latentlab.data.faces import open_faces
from latentlab.data.folder import list_folder
from latentlab.data.image_set import SPLITS, ImageSet
from latentlab.data.picture_list import PictureList, import_pictures
from latentlab.data.resample import resample_split
from latentlab.data.robots import IDENTITIES as ROBOTS
from latentlab.data.robots import list_robots, make_robots
from latentlab.data.set_folder import check_is_free, copy_image_set, open_image_set
from latentlab.errors import DataError, SettingsError
from latentlab.progress import Reporter


@dataclass(frozen=True)
class Mixture:
    """Which rows of a source make up a set; without any of it, all of them.

    Parameters
    ----------
    preset, ratios, correlations
        As for `latentlab.data.distribution.chosen_distribution`.
    n
        Rows of the resampled split; as many as there can be without repeats if None.
    split
        The split that is resampled, ``train``, ``validation``, ``test`` or ``all``; the others stay.
    """

    preset: str | None = None
    ratios: tuple[str, ...] = ()
    correlations: tuple[str, ...] = ()
    n: int | None = None
    seed: int = 0
    allow_repeats: bool = False
    split: str = "train"

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise SettingsError(f"A seed is 0 or larger; {self.seed} was given.")

    def choose(self, images: ImageSet) -> ImageSet:
        """Return the rows of a set that are in the mixture.

        Raises
        ------
        SettingsError, DataError
            If it is malformed or the set has not enough images for it.
        """
        if self.split not in (*SPLITS, "all"):
            raise SettingsError(
                f"The split to resample is one of {', '.join(SPLITS)}, all; not {self.split!r}."
            )
        if self.preset is None and not self.ratios and not self.correlations and self.n is None:
            return images
        pool = images if self.split == "all" else images.split(self.split)
        distribution = chosen_distribution(pool, self.preset, self.ratios, self.correlations)
        return resample_split(images, self.split, distribution, self.n, self.seed, self.allow_repeats)


def make_faces_set(
    out: Path, image_size: int = 64, mixture: Mixture | None = None, reporter: Reporter | None = None
) -> ImageSet:
    """Write the bundled faces, or a mixture of them, into a folder of their own."""
    check_is_free(out)
    chosen = (mixture or Mixture()).choose(open_faces(image_size, reporter))
    return open_image_set(copy_image_set(out, chosen, reporter=reporter))


def make_avatars_set(
    out: Path,
    image_size: int = 64,
    mixture: Mixture | None = None,
    counts: Mapping[str, int] = IDENTITIES,
    styles: Sequence[str] | None = None,
    variety: bool = False,
    reporter: Reporter | None = None,
) -> ImageSet:
    """Draw avatars into a folder; the mixture's seed also says which identities they are."""
    check_is_free(out)
    mixture = mixture or Mixture()
    chosen = mixture.choose(list_avatars(counts, mixture.seed, styles, variety))
    return open_image_set(make_avatars(out, chosen, image_size, reporter))


def make_robots_set(
    out: Path,
    image_size: int = 64,
    mixture: Mixture | None = None,
    counts: Mapping[str, int] = ROBOTS,
    reporter: Reporter | None = None,
) -> ImageSet:
    """Draw robots into a folder; the mixture's seed also says which identities they are."""
    check_is_free(out)
    mixture = mixture or Mixture()
    chosen = mixture.choose(list_robots(counts, mixture.seed))
    return open_image_set(make_robots(out, chosen, image_size, reporter))


def make_celeba_set(
    root: Path,
    out: Path,
    image_size: int = 64,
    mixture: Mixture | None = None,
    reporter: Reporter | None = None,
) -> ImageSet:
    """Import CelebA's official files; the preset ``original`` and the like act on its ``Male``."""
    return _import(list_celeba(_folder(root)), out, image_size, mixture, reporter)


def make_folder_set(
    root: Path,
    out: Path,
    image_size: int = 64,
    mixture: Mixture | None = None,
    reporter: Reporter | None = None,
) -> ImageSet:
    """Import any folder of pictures, see `latentlab.data.folder`."""
    return _import(list_folder(_folder(root)), out, image_size, mixture, reporter)


def _import(
    pictures: PictureList, out: Path, image_size: int, mixture: Mixture | None, reporter: Reporter | None
) -> ImageSet:
    if out.resolve().is_relative_to(pictures.root.resolve()):
        raise DataError(f"The set {out} would lie among the pictures it is made of; name another folder.")
    chosen = (mixture or Mixture()).choose(pictures.as_set())
    return open_image_set(import_pictures(pictures, out, image_size, chosen, reporter))


def _folder(root: Path) -> Path:
    if not root.is_dir():
        raise DataError(f"There is no folder {root}; name the one that holds the pictures.")
    return root
