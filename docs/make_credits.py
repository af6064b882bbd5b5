"""Writes CREDITS.md at the repository's root: ``python docs/make_credits.py``, with all extras installed.

Artists come from ``resources/avatars/CREDITS.md``, libraries and their version ranges from pyproject.toml,
their licences from what is installed. A test compares the file with what this would write.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from latentlab.data.credits import style_table
from latentlab.data.not_faces import STYLES
from latentlab.session.credits import CREDITS, library

ROOT = Path(__file__).resolve().parent.parent
HERE = {
    "PySide6-Addons": "PySide6-Essentials",
}
"""Libraries of which nothing need be installed, and those that they share a licence with."""
NOTES = {
    "dicebear-styles": "each style is under its artist's licence, as above",
    "PySide6-Essentials": "Qt for Python, used as a library of its own, unchanged, that can be replaced",
}
EXTRAS = {
    "video": "films (`video`)",
    "onnx": "ONNX graphs (`onnx`)",
    "camera": "the camera (`camera`)",
    "docs": "the pages of the API (`docs`)",
    "package": "the packages (`package`)",
    "test": "the tests (`test`)",
}

HEAD = """# Credits and licences

LatentLab is by the LatentLab team, under the [Apache License 2.0](https://www.apache.org/licenses/LICENSE-2.0) (`LICENSE`). It is made of the works below. Nothing here says that their authors endorse it.

*Written by `docs/make_credits.py`; run it again rather than editing. `latentlab credits` prints it, and `latentlab credits --installed` lists the libraries that are installed on your computer.*

## Drawings and their artists

### Faces

The illustrated faces, the sample pictures `face-*` and the masks of the set *not-faces* are drawn with [facesjs](https://github.com/zengm-games/facesjs) 5.0.3 by its contributors, under the Apache License 2.0 (`resources/faces/LICENSE-facesjs`). Their gender and race are constructed by the drawing program and belong to nobody.

### Avatars
"""  # noqa: E501
NOT_FACES = (
    "The set `not-faces` mixes masks with drawings in these styles of the same package. LatentLab draws them "
    "on your computer when they are wanted, and brings none of them."
)
AFTER = """## Fonts, icons and data

| work | by | licence |
|---|---|---|
| [Inter](https://github.com/rsms/inter) 4.0, in the window (`resources/fonts`) | The Inter Project Authors | SIL Open Font License 1.1 (`resources/fonts/OFL.txt`) |
| icons and the program's sign (`resources/icons`) | the LatentLab team | Apache-2.0 |
| attributes of the sets *faces*, *faces-triple*, *avatars*, *robots*, *not-faces* | the LatentLab team, from the drawing programs above | Apache-2.0 |
| [CelebA](https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html), read where you have it | Liu, Luo, Wang and Tang 2015 | its own, for non-commercial research; LatentLab brings none of it |

## Bundled models

They were trained by the LatentLab team with the programs of this repository; each model's card says how.

| models | drawn from | terms |
|---|---|---|
| {faces} | the faces above | Apache-2.0 |
| {avatars} | the avatars above | Apache-2.0; whoever passes on pictures names the artists of the styles under CC BY 4.0 |

## Libraries

Installed beside LatentLab, each under its own licence; what they say of themselves.

"""  # noqa: E501


def credits_file() -> str:
    """Return the text of CREDITS.md."""
    return works() + _libraries()


def works() -> str:
    """Return what stands before the libraries."""
    avatars = (ROOT / "resources" / "avatars" / "CREDITS.md").read_text(encoding="utf-8")
    artists = avatars.partition("\n")[2].strip().replace("\n## ", "\n### ")
    artists += f"\n\n### Drawings that are not faces\n\n{NOT_FACES}\n\n{style_table(STYLES)}"
    names = sorted(path.parent.name for path in (ROOT / "models").glob("*/config.json"))
    faces, others = ([n for n in names if n.startswith("faces") is first] for first in (True, False))
    said = AFTER.format(faces=_listed(faces), avatars=_listed(others))
    return f"{HEAD}\n{artists}\n\n{said}"


def requirements() -> dict[str, list[tuple[str, str]]]:
    """Return the names and version ranges of pyproject.toml, by what they are for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"the program": project["dependencies"]}
    for extra, wanted in project["optional-dependencies"].items():
        groups[EXTRAS.get(extra, f"`{extra}`")] = wanted
    return {what: [_split(text) for text in wanted] for what, wanted in groups.items()}


def licence(name: str) -> str:
    """Return a library's licence as it tells it, also of one that need not be installed."""
    try:
        found = library(HERE.get(name, name)).licence
    except PackageNotFoundError:
        raise SystemExit(f"{name} is not installed; install LatentLab with all its extras first.") from None
    return "; ".join([found, NOTES[name]] if name in NOTES else [found])


def _libraries() -> str:
    lines = ["| library | versions | licence | for |", "|---|---|---|---|"]
    seen: set[str] = set()
    for what, wanted in requirements().items():
        for name, versions in sorted(wanted, key=lambda one: one[0].lower()):
            if name in seen:
                continue
            seen.add(name)
            lines.append(f"| {_linked(name)} | {versions or 'any'} | {licence(name)} | {what} |")
    return "\n".join(lines) + "\n"


def _linked(name: str) -> str:
    home = library(HERE.get(name, name)).home
    return f"[{name}]({home})" if re.match(r"https?://\S+$", home) else name


def _split(requirement: str) -> tuple[str, str]:
    match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^;]*)", requirement)
    assert match is not None, requirement
    return match[1], match[2].strip()


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    (ROOT / CREDITS).write_text(credits_file(), encoding="utf-8")
