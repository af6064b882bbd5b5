"""Image sets by name: what stands after ``--data`` on the command line and behind File > Open in the window.

==========================  ==========================================================================
name                        the set
==========================  ==========================================================================
``faces``                   the bundled faces; ``faces:train``, ``faces:validation``, ``faces:test``
``avatars``                 the avatars in all styles, paired; ``avatars:train`` and so on
``avatars:STYLE``           the avatars of one style; ``avatars:lorelei:test`` and so on
``robots``                  robots in high and low quality, paired (`latentlab.data.robots`)
``not-faces``               masks and drawings, the negatives of face detection (`latentlab.data.not_faces`)
``robots:high``             the robots of one quality; ``robots:low:test`` and so on
``faces-triple``            the faces' broad, narrow and low-quality sets as one (`latentlab.data.triple`)
a folder                    a set that LatentLab wrote, CelebA's official files, or any folder of pictures
                            (`latentlab.data.folder`); ``FOLDER:train`` and so on for one split
==========================  ==========================================================================
"""

from __future__ import annotations

from pathlib import Path

from latentlab.data.avatar_styles import avatar_schema
from latentlab.data.avatars import open_avatars
from latentlab.data.celeba import is_celeba, list_celeba
from latentlab.data.faces import open_faces
from latentlab.data.folder import list_folder
from latentlab.data.image_set import SPLITS, ImageSet
from latentlab.data.not_faces import open_not_faces
from latentlab.data.picture_list import PictureList, open_pictures
from latentlab.data.resize import open_resized
from latentlab.data.robots import QUALITIES, open_robots
from latentlab.data.triple import open_faces_triple
from latentlab.errors import DataError
from latentlab.progress import Reporter


def known_sets() -> tuple[str, ...]:
    """Return the sets that have names of their own, without their splits; not that of what shows no face."""
    styles = (f"avatars:{style}" for style in avatar_schema().shippable)
    return ("faces", "faces-triple", "avatars", *styles, "robots", *(f"robots:{one}" for one in QUALITIES))


def open_set(name: str | Path, image_size: int = 64, reporter: Reporter | None = None) -> ImageSet:
    """Open an image set by its name or its folder, at ``image_size`` pixels.

    Parameters
    ----------
    name
        See the table above. A built-in name wins over a folder of that name; write ``./faces`` for the
        folder.
    reporter
        Learns of the work on first use (seconds for the faces, a minute or two for avatars and robots), and
        may cancel it.

    Raises
    ------
    DataError
        If there is no such set, or it is damaged, or lacks the split. The message lists what is known.
    """
    source, split = _take_split(str(name))
    if source == "faces":
        images = open_faces(image_size, reporter)
    elif source == "faces-triple":
        images = open_faces_triple(image_size, reporter)
    elif source == "not-faces":
        images = open_not_faces(image_size, reporter)
    elif source in known_sets():
        images = _open_drawn(source, image_size, reporter)
    elif Path(source).expanduser().is_dir():
        images = _open_folder(Path(source).expanduser(), image_size, reporter)
    else:
        raise DataError(
            f"There is no image set {str(name)!r}, nor a folder of that name. Known are "
            f"{', '.join(known_sets())}, each also with :{', :'.join(SPLITS)} after it, and folders."
        )
    return images.split(split) if split else images


def full_name(name: str) -> str:
    """Return a set's name with its folder's path made absolute: it then means the same from everywhere."""
    source, split = _take_split(name)
    folder = Path(source).expanduser()
    if not source or source in known_sets() or not folder.is_dir():
        return name
    return f"{folder.resolve()}:{split}" if split else str(folder.resolve())


def _take_split(name: str) -> tuple[str, str | None]:
    """Take ``:train`` and the like off the end, unless a folder is really called that."""
    source, _, last = name.rpartition(":")
    if source and last in SPLITS and not Path(name).is_dir():
        return source, last
    return name, None


def list_pictures(folder: Path) -> PictureList:
    """List the pictures of a folder that is no set yet: CelebA's, or any other.

    Raises
    ------
    DataError
        If it holds no pictures, or its lists do not fit them.
    """
    return list_celeba(folder) if is_celeba(folder) else list_folder(folder)


def _open_drawn(source: str, image_size: int, reporter: Reporter | None) -> ImageSet:
    """Open the avatars or the robots, or those of one style or quality."""
    body, _, one = source.partition(":")
    images = (open_robots if body == "robots" else open_avatars)(image_size, reporter)
    by = images.info.paired_by
    if not one or by is None:
        return images
    return images.select(images.codes(by) == images.attribute(by).index(one))


def _open_folder(folder: Path, image_size: int, reporter: Reporter | None) -> ImageSet:
    if (folder / "set.json").is_file():
        return open_resized(folder, image_size, reporter)
    return open_pictures(list_pictures(folder), image_size, reporter)
