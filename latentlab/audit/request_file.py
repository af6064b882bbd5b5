"""What was asked for, kept in the study's folder, so that it can be repeated and its pictures drawn again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from latentlab.audit.files import REQUEST, SETTINGS
from latentlab.audit.study_plan import StudyRequest, study_of
from latentlab.errors import Cancelled, SettingsError
from latentlab.whole_file import write_whole


@contextmanager
def kept(out: Path | None, request: StudyRequest) -> Iterator[None]:
    """Keep a request in a folder once the study there has begun, also where it is cancelled.

    A study that is refused leaves nothing. What is a path there is kept as one from the root, so that it is
    found again from elsewhere.
    """
    try:
        yield
    except Cancelled:
        if out is not None and not (out / REQUEST).exists():
            _write(out, request)
        raise
    _write(out, request)


def read_request(folder: Path) -> StudyRequest:
    """Return what a study's folder was asked for.

    Raises
    ------
    SettingsError
        If the folder does not tell, or the file is damaged.
    """
    path = folder / REQUEST
    if not path.exists():
        raise SettingsError(
            f"{folder} does not say what was asked for ({REQUEST} is missing): it is no study's folder, or "
            "an older one. Do the study again with the same --out, which takes a moment."
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("an object is expected")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as a study's request: {error}.") from None
    try:
        study_of(str(found.get("study", "")))
        return StudyRequest.of(found)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def audited_models(folder: Path) -> list[tuple[str, str]]:
    """Return the names of the models that a study's folder is of, and the SHA-256 of their weights.

    Raises
    ------
    SettingsError
        If the folder does not tell, or the file is damaged.
    """
    found = read_settings(folder).get("models")
    try:
        return [(str(name), str(sha256)) for name, sha256, *_ in found]  # type: ignore[union-attr]
    except (TypeError, ValueError):
        raise SettingsError(f"{folder / SETTINGS} does not say which models were audited.") from None


def read_settings(folder: Path) -> dict[str, Any]:
    """Return all that the rows of a study's folder depend on.

    Raises
    ------
    SettingsError
        If the folder does not tell, or the file is damaged.
    """
    path = folder / SETTINGS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("an object is expected")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as a study's settings: {error}.") from None
    return found


def _write(out: Path | None, request: StudyRequest) -> None:
    if out is not None and (out / SETTINGS).exists():
        path, text = out / REQUEST, json.dumps(_rooted(request).plain(), indent=1)
        if not path.exists() or path.read_bytes() != text.encode():
            write_whole(path, text)


def _rooted(request: StudyRequest) -> StudyRequest:
    from latentlab.data.catalog import full_name

    def rooted(name: str) -> str:
        return str(Path(name).resolve()) if name and Path(name).exists() else name

    return replace(
        request,
        models=tuple(rooted(one) for one in request.models),
        data=full_name(request.data),
        reference=full_name(request.reference),
        predictor=rooted(request.predictor),
        predictions=rooted(request.predictions),
        predictions_confusion=rooted(request.predictions_confusion),
    )
