"""The credits of what is drawn: ``resources/avatars/CREDITS.md`` is written from the styles' definitions."""

from __future__ import annotations

from collections.abc import Iterable

from latentlab.data.avatar_styles import avatar_schema
from latentlab.data.drawn_style import credit_of
from latentlab.data.robots import STYLE

_AVATARS = (
    "The avatars are drawn from DiceBear's style definitions (https://www.dicebear.com, the package "
    "`dicebear-styles`) by `dicebear-core` (MIT). Each style is its artist's work under its own licence. "
    "Drawn with LatentLab they are changed: classes of hair, mouth, glasses and beard are chosen and "
    "colours are set by `schema.json`, and the drawings are rasterised."
)
_ROBOTS = (
    "The robots of the set `robots` are drawn from another style of the same package, and changed likewise. "
    "Its definition tells no more of the licence than what stands here, so LatentLab draws them on your "
    "computer, and brings neither drawings nor models of them."
)
_HEAD = "| style | work | artist | licence |\n|---|---|---|---|"


def credits_page() -> str:
    """Return the page: the artists of the avatars' styles that are drawn by default, and of the robots."""
    parts = ("# Credits of the avatars", _AVATARS, style_table(avatar_schema().shippable))
    return "\n\n".join((*parts, "## Robots", _ROBOTS, style_table((STYLE,)))) + "\n"


def style_table(styles: Iterable[str]) -> str:
    """Return a Markdown table of styles of DiceBear's: work, artist and licence, as each says itself."""
    return "\n".join([_HEAD, *(_row(style) for style in styles)])


def _row(style: str) -> str:
    credit = credit_of(style)
    work = f"[{credit['title']}]({credit['source']})"
    artist = f"[{credit['creator']}]({credit['creator_url']})"
    return f"| {style} | {work} | {artist} | [{credit['licence']}]({credit['licence_url']}) |"
