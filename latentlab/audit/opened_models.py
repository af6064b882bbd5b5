"""The models that a study is of: opened under short names, told in its record, and known again afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from latentlab.audit.request_file import read_settings
from latentlab.errors import SettingsError
from latentlab.metrics.runs import own_style
from latentlab.operations.explore import Explorer


def open_models(models: Sequence[str], predictor: str | None) -> dict[str, Explorer]:
    """Open each of some models once, by its short name; ``predictor`` is as in `Explorer.open`."""
    return {short_name(one, models): Explorer.open(one, predictor) for one in dict.fromkeys(models)}


def short_name(model: str, models: Sequence[str]) -> str:
    """Return a model's short name: its folder's, or where two have the same all that was given."""
    names = [Path(one).name or Path(one).resolve().name for one in dict.fromkeys(models)]
    short = Path(model).name or Path(model).resolve().name
    return short if names.count(short) == 1 else model


def common_set(models: Mapping[str, Explorer], data: str) -> str:
    """Return the set's name, of one style for models of one.

    Raises
    ------
    SettingsError
        If the models are of different styles, and the name tells none.
    """
    found = {own_style(one.located.config, data) for one in models.values()}
    if len(found) > 1:
        raise SettingsError(
            f"The models are of different styles ({', '.join(sorted(found))}). Name the style in --data."
        )
    return found.pop() if found else data


def models_record(models: Mapping[str, Explorer]) -> list[list[str]]:
    """Return which models there are: names, and the SHA-256 of their weights and their predictors'."""
    return [[name, one.located.sha256(), one.predictor_sha256()] for name, one in models.items()]


def expect_same(folder: Path, models: Mapping[str, Explorer], images_sha256: str) -> None:
    """Make sure that models and chosen images are those that a study's folder is of.

    Raises
    ------
    SettingsError
        If they are others, or the folder does not tell.
    """
    before = read_settings(folder)
    for name, now in (("models", models_record(models)), ("images_sha256", images_sha256)):
        if before.get(name) != now:
            what = name.partition("_")[0]
            raise SettingsError(f"{folder} is of other {what} than are found now. Do the study again.")
