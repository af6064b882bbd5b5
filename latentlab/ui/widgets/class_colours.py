"""Colours of classes: eight that differ from one another for colour-blind eyes too, on light and on dark.

Found by a search for the largest least distance in OKLab between any two of them, as seen normally and
with protanopia, deuteranopia and tritanopia (Machado, Oliveira & Fernandes 2009, severity 1), each with
a contrast of at least 3 to the card it is painted on. The same place is a similar hue in both.
"""

from __future__ import annotations

LIGHT_CLASSES = (
    "#5043ba",
    "#db7c1e",
    "#008095",
    "#ca3866",
    "#696201",
    "#363a54",
    "#8e88e1",
    "#7f0002",
)
DARK_CLASSES = (
    "#b7a3ff",
    "#e88f20",
    "#09bc8a",
    "#c0549c",
    "#d8df55",
    "#5c6ee8",
    "#73e9fb",
    "#807841",
)


def class_colour(index: int, dark: bool = False) -> str:
    """Return the colour of a class by its place among the classes, ``#rrggbb``; after eight they repeat."""
    colours = DARK_CLASSES if dark else LIGHT_CLASSES
    return colours[index % len(colours)]
