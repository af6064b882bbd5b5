"""Options that several commands have, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Model = Annotated[str, typer.Option(help="A model's folder or file, or a bundled name.")]
Predictor = Annotated[
    str | None, typer.Option(help="An attribute predictor; the model's own by default, none for none.")
]
Threads = Annotated[int, typer.Option(min=1, help="Threads; the result is repeatable for one count.")]
Table = Annotated[Path | None, typer.Option(help="Save the predicted attributes here, as CSV.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]
Checkpoint = Annotated[str, typer.Argument(help="A checkpoint's folder or file, or a bundled name.")]
Data = Annotated[str, typer.Option("--data", help="Labelled images: faces:test, a folder, ...")]
Groups = Annotated[
    str | None,
    typer.Option(help="Attributes whose intersections are the groups, by commas; gender,race by default."),
]
Figures = Annotated[Path | None, typer.Option(help="Also write every figure to this CSV file.")]
Sheet = Annotated[Path | None, typer.Option(help="Save all pictures here as one.")]
Loop = Annotated[Path | None, typer.Option(help="Save a loop that plays for ever: .gif, .webp or .png.")]
Fps = Annotated[float, typer.Option(help="Pictures a second of the loop.")]
Enlarge = Annotated[
    int | None,
    typer.Option(
        help="How many times larger the loop's pictures become; so that they have 256 pixels without it."
    ),
]

Mode = Annotated[
    str,
    typer.Option(help="keep (only style shifts), follow (composition too), or a share of keep: 0 to 1."),
]
"""How a cINN projects; read by `share_of_keep`."""
Condition = Annotated[
    str,
    typer.Option(
        help="Under which condition a conditional model draws: gender=female,race=black; glasses=yes:2 "
        "scales a class, gender=female:0.5+male:0.5 mixes two. What is left out is as the predictor sees it "
        "in the picture, or the first class where there is none."
    ),
]


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Read numbers between commas.

    Raises
    ------
    SettingsError
        If one of them is no number.
    """
    from latentlab.errors import SettingsError

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(f"{option} takes numbers by commas, such as 1,1.5,2; not {text!r}.") from None


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """Read whole numbers between commas, however large; raises `SettingsError` if one is none."""
    from latentlab.errors import SettingsError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(f"{option} takes whole numbers by commas, such as 0,1,2; not {text!r}.") from None


def split_names(text: str | None) -> list[str] | None:
    """Return the names of a list by commas; None where none was given."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def share_of_keep(mode: str) -> float:
    """Read how a cINN projects: ``keep``, ``follow``, or a share of keep.

    Raises
    ------
    SettingsError
        If it is none of them; whether a share lies between 0 and 1 is looked at where it is used.
    """
    from latentlab.errors import SettingsError

    names = {"keep": 1.0, "follow": 0.0}
    try:
        return names[mode] if mode in names else float(mode)
    except ValueError:
        raise SettingsError(
            f"The mode is keep, follow, or a share of keep from 0 to 1; not {mode!r}."
        ) from None


def condition_setting(condition: NDArray[np.float32] | None) -> dict[str, Any]:
    """Return a condition as a record's settings have it: nothing for an unconditional model."""
    return {} if condition is None else {"condition": [float(value) for value in condition]}
