"""Tool tips that say something else at each place of a widget."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip, QWidget


def answered_tip(widget: QWidget, event: QEvent, tip_at: Callable[[QPoint], str]) -> bool:
    """Show what ``tip_at`` says of the place, or nothing where it says nothing.

    Returns
    -------
    bool
        Whether the event asked for a tool tip.
    """
    if not isinstance(event, QHelpEvent) or event.type() != QEvent.Type.ToolTip:
        return False
    text = tip_at(event.pos())
    if text:
        QToolTip.showText(event.globalPos(), text, widget)
    else:
        QToolTip.hideText()
    return True
