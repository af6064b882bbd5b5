"""The page of keys, made from the table of actions."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence

from latentlab.ui.action_table import TABLE, ActionSpec
from latentlab.ui.widgets.command_palette import HANDS


def keys_text() -> str:
    """Return all keys as Markdown, a table a menu, as this system writes them."""
    menus: dict[str, list[ActionSpec]] = {}
    for spec in TABLE:
        if isinstance(spec, ActionSpec):
            menus.setdefault(_plain(spec.menu), []).append(spec)
    lines = ["# Keys", "", HANDS, ""]
    for menu, specs in menus.items():
        lines += [f"## {menu}", "", "| keys | command | what it does |", "|---|---|---|"]
        for spec in specs:
            keys = QKeySequence(spec.keys).toString(QKeySequence.SequenceFormat.NativeText)
            said = f"`{keys}`" if keys else " "
            lines.append(f"| {said} | {_plain(spec.title)} | {spec.tip.replace('|', '/')} |")
        lines.append("")
    return "\n".join(lines)


def _plain(title: str) -> str:
    return title.replace("&", "").rstrip("…")
