"""Reading what a saved session holds of strokes on a latent: all, or nothing, as each needs the others."""

from __future__ import annotations

from latentlab.errors import SettingsError
from latentlab.operations.latent_brush import MOST_STROKES, Ink, LatentStroke, Strokes
from latentlab.session.saved_parts import InkPart, LatentStrokePart, Salvage, StrokesPart

WHAT = "what was painted on the latent"


def read_strokes(data: object, salvage: Salvage) -> Strokes | None:
    """Return strokes; None where one of them, or what it is drawn with, is damaged.

    The edited latent stays as it was saved: only how it came about is not known then.
    """
    part = salvage.part(StrokesPart, data, WHAT)
    if part is None:
        return None
    if len(part.strokes) > MOST_STROKES or len(part.inks) > MOST_STROKES:
        salvage.say(WHAT, f"there are more than {MOST_STROKES} strokes")
        return None
    inks = [salvage.part(InkPart, one, f"an ink of {WHAT}") for one in part.inks]
    strokes = [salvage.part(LatentStrokePart, one, f"a stroke of {WHAT}") for one in part.strokes]
    if None in inks or None in strokes:
        return None
    found = Strokes(
        part.base,
        part.side,
        tuple(Ink(**dict(one)) for one in inks if one is not None),
        tuple(LatentStroke(**dict(one)) for one in strokes if one is not None),
    )
    try:
        if found.base.ndim == 3:
            found.latent()
    except SettingsError as error:
        salvage.say(WHAT, str(error))
        return None
    return found
