"""The style sheet, made from the theme's colours: spacing, corners and the looks of the controls.

Widgets say what they are by an object name or a ``role`` property (``title``, ``caption``, ``quiet``,
``primary``); distances are multiples of 4 pixels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template

PIXELS = 13
"""Height of plain text."""

_SHEET = Template(
    """
QMainWindow, QDialog { background: $window; }
QToolTip { background: $surface; color: $text; border: 1px solid $line; padding: 6px 8px; }

QMenuBar { background: $window; padding: 2px 6px; border: none; }
QMenuBar::item { padding: 5px 10px; border-radius: 5px; background: transparent; color: $text; }
QMenuBar::item:selected { background: $accent_soft; }
QMenu { background: $surface; border: 1px solid $line; padding: 5px; }
QMenu::item { padding: 6px 26px 6px 26px; border-radius: 5px; color: $text; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 5px 8px; }
QMenu::icon { padding-left: 8px; }
QMenu::indicator { width: 14px; height: 14px; left: 7px; }

QStatusBar { background: $window; color: $muted; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: $muted; padding: 2px 6px; font-size: 12px; }

QLabel[role="title"] { font-weight: 600; color: $text; }
QLabel[role="headline"] { font-size: 20px; font-weight: 600; color: $text; }
QLabel[role="caption"] { font-size: 12px; color: $muted; }
QLabel[role="warning"] { font-size: 12px; color: $error; }
QLabel[role="name"] { font-size: 15px; font-weight: 600; color: $text; }

QFrame#card { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame#try { background: $accent_soft; border: none; border-radius: 8px; }
QFrame#look, QFrame#question { background: $sunken; border: none; border-radius: 8px; }
QTextBrowser#plain { background: transparent; border: none; selection-background-color: $accent;
                     selection-color: $on_accent; }
QWidget#plain { background: transparent; }
QScrollArea { border: none; background: transparent; }
QScrollArea > QWidget > QWidget { background: transparent; }

QPushButton { background: $surface; color: $text; border: 1px solid $line; border-radius: 6px;
              padding: 5px 12px; min-height: 18px; }
QPushButton:hover { border-color: $faint; }
QPushButton:pressed { background: $sunken; }
QPushButton:checked { background: $accent_soft; border-color: $accent; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $faint; background: transparent; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent;
                              font-weight: 500; }
QPushButton[role="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="primary"]:focus { border: 2px solid $text; padding: 4px 11px; }
QPushButton[role="primary"]:disabled { background: $sunken; color: $faint; border-color: $line; }

QPushButton#lesson { border-radius: 10px; padding: 0; text-align: left; }
QPushButton#lesson:hover { border-color: $accent; }
QPushButton#lesson:focus { border: 2px solid $accent; }
QPushButton#lesson[current="true"] { background: $accent_soft; border-color: $accent; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 5px;
              color: $text; }
QToolButton[role="switch"] { border-color: $line; }
QToolButton[role="switch"]:hover { border-color: $faint; }
QToolButton[role="switch"]:focus { border-color: $accent; }
QToolButton[role="link"] { color: $accent; font-size: 12px; padding: 2px 4px; }
QToolButton[role="screen"] { font-size: 11px; padding: 5px 2px; }
QToolButton:hover { background: $sunken; }
QToolButton:pressed, QToolButton:checked { background: $accent_soft; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; }
QToolButton:disabled { color: $faint; }
QPushButton::menu-indicator { image: none; width: 0; }

QAbstractSpinBox, QLineEdit, QPlainTextEdit { background: $sunken; color: $text;
    border: 1px solid transparent; border-radius: 5px; padding: 2px 6px; selection-background-color: $accent;
    selection-color: $on_accent; }
QAbstractSpinBox:hover, QLineEdit:hover { border-color: $line; }
QAbstractSpinBox:focus, QLineEdit:focus, QPlainTextEdit:focus { border-color: $accent; }
QAbstractSpinBox:disabled, QLineEdit:disabled { color: $faint; background: transparent; }

QAbstractSpinBox QLineEdit { background: transparent; border: none; padding: 0 6px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QTreeWidget { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px; padding: 4px;
              outline: none; }
QTreeWidget::item { padding: 4px 6px; border: none; }
QTreeWidget::item:selected { background: $accent_soft; color: $text; }
QTreeWidget::item:disabled { color: $faint; }
QFrame#line { color: $line; }
QTableView { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px; padding: 2px;
             outline: none; selection-background-color: transparent; selection-color: $text; }
QTableView:focus { border-color: $accent; }
QHeaderView { background: transparent; }
QHeaderView::section { background: $surface; color: $muted; border: none; border-bottom: 1px solid $line;
                       padding: 4px 6px; font-size: 12px; }
QHeaderView::section:hover { color: $text; }

QTabBar { background: transparent; }
QTabBar::tab { background: transparent; color: $muted; border: none; border-bottom: 2px solid transparent;
               padding: 4px 2px 5px 2px; margin-right: 16px; font-weight: 500; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:focus { color: $accent; }
QTabBar::tab:disabled { color: $faint; }
QComboBox { background: $sunken; color: $text; border: 1px solid transparent; border-radius: 5px;
            padding: 2px 8px; min-height: 18px; }
QComboBox:hover { border-color: $line; }
QComboBox:focus { border-color: $accent; }
QComboBox:disabled { color: $faint; background: transparent; }
QComboBox::drop-down { border: none; width: 18px; }
QComboBox::down-arrow { image: url("$arrow"); width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $line;
            selection-background-color: $accent_soft; selection-color: $text; outline: none; }
QCheckBox { color: $text; spacing: 6px; }
QCheckBox::indicator, QListWidget::indicator { width: 14px; height: 14px; border: 1px solid $faint;
            border-radius: 4px; background: $surface; }
QCheckBox::indicator:checked, QListWidget::indicator:checked { background: $accent; border-color: $accent;
            image: url("$tick"); }
QCheckBox::indicator:focus { border-color: $accent; }
QCheckBox::indicator:disabled { border-color: $line; }
QListWidget { background: transparent; color: $text; border: none; outline: none; }
QListWidget::item { border-radius: 6px; padding: 2px; }
QListWidget::item:hover { background: $sunken; }
QListWidget::item:selected { background: $accent_soft; color: $text; }
QListWidget::item:selected:active { border: 1px solid $accent; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: $line; border-radius: 3px; min-height: 28px; margin: 2px; }
QScrollBar::handle:vertical:hover { background: $faint; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle:horizontal { background: $line; border-radius: 3px; min-width: 28px; margin: 2px; }
QScrollBar::handle:horizontal:hover { background: $faint; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QProgressBar { background: $sunken; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QFrame#banner[kind="error"] { background: $error_soft; border: 1px solid $error; border-radius: 8px; }
QFrame#banner[kind="note"] { background: $note_soft; border: 1px solid $note; border-radius: 8px; }
QFrame#banner QLabel { color: $text; }
"""
)


_CLOSER = "QPushButton { padding: 5px 8px; } QTabBar::tab { margin-right: 9px; }"
"""What makes room for larger letters in panels whose width is fixed."""


def stylesheet(colours: Mapping[str, str], scale: float = 1.0) -> str:
    """Return the style sheet for these colours, and files of drawings, by name.

    Parameters
    ----------
    scale
        How much larger than usual the letters are.
    """
    sheet = _SHEET.substitute(colours)
    if scale == 1.0:
        return sheet
    sheet = re.sub(r"font-size: (\d+)px", lambda found: f"font-size: {round(int(found[1]) * scale)}px", sheet)
    # Also the widgets that were given a font of their own, such as digits of equal width.
    return f"QWidget {{ font-size: {round(PIXELS * scale)}px; }}\n{sheet}\n{_CLOSER}"
