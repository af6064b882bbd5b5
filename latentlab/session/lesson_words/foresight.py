"""What a lesson's words need of the session, found out beforehand: models, sets, attributes, dimensions."""

from __future__ import annotations

from pathlib import Path

from latentlab.errors import LatentLabError, SettingsError
from latentlab.paths import bundled_models
from latentlab.session.document import AxisRef
from latentlab.session.lesson_words.word import Foreseen, path_beside
from latentlab.spec import Attribute, ModelSpec

SPLITS = ("train", "validation", "test")


def place_of_model(folder: Path, name: str) -> str:
    """Return the path of a model: a bundled one, one beside the lesson, or as it is named."""
    models = bundled_models()
    return str(models[name]) if name in models else path_beside(folder, name)


def spec_of_model(folder: Path, name: str) -> ModelSpec:
    """Return the specification of a model, read from its configuration.

    Raises
    ------
    SettingsError
        If there is none of that name or at that path.
    """
    from latentlab.checkpoints import locate

    try:
        config = locate(place_of_model(folder, name)).config
    except LatentLabError as error:
        known = ", ".join(bundled_models())
        raise SettingsError(f"a bundled model ({known}) or a checkpoint is expected; {error}") from None
    if config.model is None:
        raise SettingsError(f"a model is expected; {name} is a {config.kind}")
    return config.model


def check_set(foreseen: Foreseen, name: str) -> None:
    """Note that a set is used.

    Raises
    ------
    SettingsError
        If there is none of that name, and no such folder beside the lesson.
    """
    from latentlab.data.catalog import known_sets

    source, _, split = name.rpartition(":")
    source = source if source and split in SPLITS else name
    if source in known_sets():
        foreseen.used.add(source)
    elif not Path(path_beside(foreseen.folder, source)).is_dir():
        raise SettingsError(
            f"a set ({', '.join(known_sets())}) or a folder beside the lesson is expected; found {name!r}"
        )


def place_of_set(folder: Path, name: str) -> str:
    """Return a set's name, with the path of its folder where that lies beside the lesson."""
    source, _, split = name.rpartition(":")
    if source and split in SPLITS and (folder / source).is_dir():
        return f"{path_beside(folder, source)}:{split}"
    return path_beside(folder, name) if (folder / name).is_dir() else name


def attribute_of(spec: ModelSpec, name: str) -> Attribute:
    """Return an attribute of a model's condition.

    Raises
    ------
    SettingsError
        If it has none of that name.
    """
    return spec.condition.attribute(name)


def check_class(spec: ModelSpec, name: str, label: str) -> None:
    """Raise `SettingsError` if a condition has no such attribute, or that no such class."""
    attribute = attribute_of(spec, name)
    if attribute.kind == "categorical":
        attribute.index(label)
    else:
        raise SettingsError(f"an attribute with classes is expected; {name} has a value: scale it instead")


def check_dimension(spec: ModelSpec, dimension: int) -> None:
    """Raise `SettingsError` if a latent has no such dimension."""
    if not 0 <= dimension < spec.latent_size:
        raise SettingsError(
            f"a dimension from 0 to {spec.latent_size - 1} is expected, as the model's latent has; "
            f"found {dimension}"
        )


def axis_of(axis: int | str) -> AxisRef:
    """Return what an axis stands for: a dimension, ``attribute=class``, or a direction by its name."""
    if isinstance(axis, int):
        return AxisRef(axis)
    return AxisRef(condition=axis) if "=" in axis else AxisRef(direction=axis)


def check_axis(foreseen: Foreseen, axis: int | str) -> None:
    """Raise `SettingsError` if there will be no such axis."""
    if isinstance(axis, int):
        check_dimension(foreseen.open_spec, axis)
    elif "=" in axis:
        name, _, label = axis.partition("=")
        check_class(foreseen.open_spec, name.strip(), label.strip())
    elif axis not in foreseen.directions:
        known = ", ".join(sorted(foreseen.directions)) or "none; make one by 'direction' first"
        raise SettingsError(f"a direction is expected that was made before ({known}); found {axis!r}")


def check_pin(foreseen: Foreseen, name: str) -> None:
    """Raise `SettingsError` if there will be no such pin."""
    if name not in foreseen.pins:
        known = ", ".join(sorted(foreseen.pins)) or "none; make one by 'pin' first"
        raise SettingsError(f"a pin is expected that was made before ({known}); found {name!r}")


def check_study(folder: str) -> None:
    """Raise `LatentLabError` if a folder holds no study's results."""
    from latentlab.session.audit_folder import read_study

    read_study(Path(folder))


def check_dataset(foreseen: Foreseen, name: str) -> None:
    """Raise `SettingsError` if a model that projects knows no such dataset."""
    known = foreseen.open_spec.datasets
    if name not in known:
        raise SettingsError(f"a dataset is expected ({', '.join(known)}); found {name!r}")
