"""Whose works the program is made of: the file of credits, and the libraries that are installed with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import PurePath

from latentlab.errors import SettingsError
from latentlab.paths import bundled

CREDITS = "CREDITS.md"
PROGRAM = "latentlab-desktop"
"""What the program is called among packages."""
UNKNOWN = "see its own files"

_NAMES = {
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
    "python software foundation license": "PSF-2.0",
}
_TEXTS = (
    ("Permission is hereby granted, free of charge", "MIT"),
    ("Neither the name", "BSD-3-Clause"),
    ("Redistribution and use in source and binary forms", "BSD-2-Clause"),
    ("Apache License", "Apache-2.0"),
)
# What licences say of themselves, the more telling first.
_SHORT = 160
# Letters of a licence's name at most; what is longer is its text.
_VAGUE = ("BSD", "BSD License")


@dataclass(frozen=True)
class Library:
    """An installed library: its name, version, licence (an SPDX expression where one is known), home page."""

    name: str
    version: str
    licence: str
    home: str


def credits_text() -> str:
    """Return the file of credits, Markdown.

    Raises
    ------
    LatentLabError
        If the installation lacks it.
    """
    return bundled(CREDITS).read_text(encoding="utf-8")


def installed_libraries(program: str = PROGRAM) -> list[Library]:
    """Return the libraries that the program needs and that are installed, and those that they need in turn.

    Raises
    ------
    SettingsError
        If the program is not installed as a package, so that nothing says what it needs.
    """
    try:
        distribution(program)
    except PackageNotFoundError:
        raise SettingsError(
            f"{program} is not installed as a package, so that it is not known what it needs. Install it "
            "with pip, or read latentlab credits without --installed."
        ) from None
    found: dict[str, Library] = {}
    waiting = list(required(program))
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            found[key] = library(name)
        except PackageNotFoundError:
            continue
        waiting += required(name)
    return sorted(found.values(), key=lambda one: one.name.lower())


def library(name: str) -> Library:
    """Return what an installed library says of itself; raises `PackageNotFoundError`."""
    found = distribution(name)
    data = found.metadata
    return Library(data["Name"], found.version, licence_of(found), _home(found))


def licence_of(found: Distribution) -> str:
    """Return a library's licence: its SPDX expression, else what its name, classifiers or text tell."""
    data = found.metadata
    expression, said = (data[key].strip() if key in data else "" for key in ("License-Expression", "License"))
    if expression:
        return expression
    said = said.removeprefix("OSI Approved :: ")
    if said and said not in _VAGUE and len(said) <= _SHORT and "\n" not in said:
        return _NAMES.get(said.lower(), said)
    told = [
        text.rpartition(" :: ")[2]
        for text in data.get_all("Classifier") or []
        if text.startswith("License ::") and text.count(" :: ") > 1
    ]
    told = [_NAMES.get(text.lower(), text) for text in told if text != "OSI Approved"]
    if told and told[0] not in _VAGUE:
        return " AND ".join(told)
    for text in (said, *_licence_files(found)):  # which of the BSD licences it is, or all that there is
        for mark, name in _TEXTS:
            if mark in text:
                return name
    return told[0] if told else UNKNOWN


def required(name: str) -> Iterator[str]:
    """Give the names that a library needs, without those of its extras; none if it is not installed."""
    try:
        texts = distribution(name).requires or []
    except PackageNotFoundError:
        return
    for text in texts:
        requirement, _, marker = text.partition(";")
        match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
        if match and "extra" not in marker:
            yield match[0]


def _licence_files(found: Distribution) -> Iterator[str]:
    """Give the texts of the licence files that lie at the top of a library's own records."""
    for file in found.files or []:
        path = PurePath(file)
        here = ".dist-info" in path.parts[0] and len(path.parts) <= 3
        if here and re.match(r"(?i)(licen[cs]e|copying)", path.name):
            try:
                yield file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue


def _home(found: Distribution) -> str:
    """Return a library's home page, or where its source lies; empty where it tells neither."""
    links: dict[str, str] = {}
    for text in found.metadata.get_all("Project-URL") or []:
        label, _, address = text.partition(",")
        links[label.strip().lower()] = address.strip()
    for label in ("homepage", "home", "source", "source code", "repository", "documentation"):
        if links.get(label):
            return links[label]
    return str(found.metadata["Home-page"]) if "Home-page" in found.metadata else ""
