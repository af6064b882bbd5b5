"""The labels of a picture that is a row of a bundled set: of the sample pictures, and of a set's images."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping

from latentlab.errors import LatentLabError

_FACE = re.compile(r"(?:Face (?P<sample>\d+)|(?P<part>train|test)-(?P<row>\d{5}))")
_AVATAR = re.compile(r"(?:Avatar (?P<sample>\d+)|(?P<row>\d{5}):[a-z0-9-]+)")


def own_row(name: str) -> Mapping[str, str]:
    """Return the classes by attribute of the bundled picture of that name; empty where it is none.

    ``Face 20`` is a sample, the face of that row of the test set; ``test-00020`` is what the set calls it;
    ``Avatar 12`` and ``00012:lorelei`` are an identity of the avatars.
    """
    face, avatar = _FACE.fullmatch(name.strip()), _AVATAR.fullmatch(name.strip())
    try:
        if face:
            return _face(face["part"] or "test", int(face["row"] or face["sample"]))
        if avatar:
            return _avatar(int(avatar["row"] or avatar["sample"]))
    except (LatentLabError, OSError):
        return {}
    return {}


def _face(part: str, row: int) -> Mapping[str, str]:
    from latentlab.paths import bundled

    with bundled("resources", "faces", part, "attributes.csv").open(encoding="utf-8", newline="") as file:
        for place, found in enumerate(csv.DictReader(file)):
            if place == row:
                return {str(key): str(value) for key, value in found.items()}
    return {}


def _avatar(number: int) -> Mapping[str, str]:
    from latentlab.data.avatars import IDENTITIES, identities

    people = identities(sum(IDENTITIES.values()))
    return dict(people[number].classes) if number < len(people) else {}
