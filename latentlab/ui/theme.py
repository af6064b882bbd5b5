"""How the window looks: two palettes of named colours, the type, and the style sheet made of them.

Fusion is the style on every platform. The window follows the system's light or dark scheme unless a
person chooses one. Widgets that paint themselves read their colours from `Theme.colours` as they paint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from latentlab.errors import LatentLabError
from latentlab.paths import bundled
from latentlab.ui.stylesheet import PIXELS, stylesheet

Scheme = Literal["system", "light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("system", "light", "dark")

FONT_FILES = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf")
FONT_PIXELS = PIXELS
"""Height of the text; the platform scales it with everything else."""


@dataclass(frozen=True)
class Colours:
    """The colours by what they are for, as ``#rrggbb``.

    ``window`` lies under everything, ``surface`` is a card, ``sunken`` a field or the ground of a
    picture. ``input``, ``start`` and ``edited`` stand for the three pictures wherever they appear,
    ``darker`` and ``lighter`` for what became so in a difference.
    """

    window: str
    surface: str
    sunken: str
    line: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_hover: str
    accent_soft: str
    on_accent: str
    input: str
    start: str
    edited: str
    darker: str
    lighter: str
    error: str
    error_soft: str
    note: str
    note_soft: str


LIGHT = Colours(
    window="#f2f3f6",
    surface="#ffffff",
    sunken="#eceef2",
    line="#dcdfe6",
    text="#1b1e26",
    muted="#5d6575",
    faint="#a3aab8",
    accent="#4b55cf",
    accent_hover="#3d46b4",
    accent_soft="#e6e8fa",
    on_accent="#ffffff",
    input="#8b93a3",
    start="#2a958f",
    edited="#4b55cf",
    darker="#1f5fa8",
    lighter="#b3202f",
    error="#b3261e",
    error_soft="#fdeceb",
    note="#2f5fb3",
    note_soft="#e9f0fb",
)
DARK = Colours(
    window="#15171c",
    surface="#1d2026",
    sunken="#272b33",
    line="#31363f",
    text="#e8eaef",
    muted="#a0a8b6",
    faint="#626a78",
    accent="#8f98ff",
    accent_hover="#a8afff",
    accent_soft="#2b2f57",
    on_accent="#12142b",
    input="#8a93a3",
    start="#45bdb4",
    edited="#8f98ff",
    darker="#6db1ff",
    lighter="#ff7a70",
    error="#ff8a80",
    error_soft="#3a2224",
    note="#8fb6ff",
    note_soft="#1f2b40",
)


class Theme(QObject):
    """The scheme in force; tells its listeners when it changes.

    Parameters
    ----------
    app
        The application whose style, palette, font and style sheet it sets.
    """

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._scheme: Scheme = "system"
        self.colours = LIGHT
        self._applied: Colours | None = None
        app.setStyle("Fusion")
        self._scale = 1.0
        self._plain = _load_font(app.font())
        app.setFont(self._plain)
        app.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._apply()

    @property
    def scheme(self) -> Scheme:
        """What was chosen: follow the system, light or dark."""
        return self._scheme

    @property
    def dark(self) -> bool:
        """Whether the dark colours are shown."""
        return self.colours is DARK

    @property
    def font(self) -> QFont:
        """The letters of plain text."""
        return QFont(self._app.font())

    @property
    def scale(self) -> float:
        """How much larger than usual the letters are."""
        return self._scale

    def enlarge(self, scale: float) -> None:
        """Show all letters so much larger than usual, such as for those who look on from afar."""
        if scale != self._scale:
            self._scale = scale
            font = QFont(self._plain)
            font.setPixelSize(round(FONT_PIXELS * scale))
            self._app.setFont(font)
            self._applied = None
            self._apply()

    def choose(self, scheme: Scheme) -> None:
        """Follow the system, or show the light or the dark colours."""
        self._scheme = scheme
        wanted = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        # Window frames and native dialogs follow the application's scheme.
        self._app.styleHints().setColorScheme(wanted.get(scheme, Qt.ColorScheme.Unknown))
        self._apply()

    def colour(self, name: str) -> QColor:
        """Return one of `Colours` by its name."""
        return QColor(getattr(self.colours, name))

    def _follow_system(self) -> None:
        if self._scheme == "system":
            self._apply()

    def _apply(self) -> None:
        system_is_dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = self._scheme == "dark" or (self._scheme == "system" and system_is_dark)
        self.colours = DARK if dark else LIGHT
        if self._applied is self.colours:  # A style sheet is laid on every widget anew, which takes a while.
            return
        self._applied = self.colours
        self._app.setPalette(_palette(self.colours))
        self._app.setStyleSheet(stylesheet({**vars(self.colours), **_drawings(dark)}, self._scale))
        self.changed.emit()


def _drawings(dark: bool) -> dict[str, str]:
    """Return the files of the drawings that the style sheet names, in the scheme's colours."""
    scheme = "dark" if dark else "light"
    try:
        folder = bundled("resources", "icons").as_posix()
        return {name: f"{folder}/{name}-{scheme}.svg" for name in ("arrow", "tick")}
    except LatentLabError:
        return {"arrow": "none", "tick": "none"}


def numerals(font: QFont) -> QFont:
    """Return the font with digits of equal width, for numbers that change while one looks."""
    equal = QFont(font)
    equal.setFeature(QFont.Tag("tnum"), 1)
    return equal


def _load_font(default: QFont) -> QFont:
    """Return the bundled font with the system's own behind it for what it lacks."""
    families = []
    for name in FONT_FILES:
        try:
            number = QFontDatabase.addApplicationFont(str(bundled("resources", "fonts", name)))
        except LatentLabError:
            continue
        families += QFontDatabase.applicationFontFamilies(number)
    font = QFont(default)
    if families:
        font.setFamilies([families[0], *default.families()])
    font.setPixelSize(FONT_PIXELS)
    return font


def _palette(colours: Colours) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for place, name in (
        (role.Window, "window"),
        (role.WindowText, "text"),
        (role.Base, "surface"),
        (role.AlternateBase, "sunken"),
        (role.Text, "text"),
        (role.PlaceholderText, "faint"),
        (role.Button, "surface"),
        (role.ButtonText, "text"),
        (role.BrightText, "on_accent"),
        (role.ToolTipBase, "surface"),
        (role.ToolTipText, "text"),
        (role.Highlight, "accent"),
        (role.HighlightedText, "on_accent"),
        (role.Accent, "accent"),
        (role.Link, "accent"),
        (role.Light, "surface"),
        (role.Midlight, "sunken"),
        (role.Mid, "line"),
        (role.Dark, "faint"),
        (role.Shadow, "line"),
    ):
        palette.setColor(place, QColor(getattr(colours, name)))
    for place in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, place, QColor(colours.faint))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(colours.line))
    return palette
