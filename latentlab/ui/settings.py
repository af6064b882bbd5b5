"""What is remembered between starts: the window's place, recent files, the scheme, how pictures are shown."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QByteArray, QSettings

from latentlab.ui.theme import SCHEMES, Scheme

RECENT_LIMIT = 10


class Settings:
    """A thin layer over `QSettings`, kept as an INI file in the user's configuration folder.

    Parameters
    ----------
    keep
        Whether anything is read or written at all; pictures of the window are taken without.
    """

    def __init__(self, keep: bool = True) -> None:
        self._keep = keep
        self._store = QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "LatentLab", "LatentLab"
        )

    @property
    def keeps(self) -> bool:
        """Whether anything is remembered."""
        return self._keep

    @property
    def scheme(self) -> Scheme:
        """The scheme that was chosen."""
        value = self._read("scheme", "system")
        return next((scheme for scheme in SCHEMES if scheme == value), "system")

    @scheme.setter
    def scheme(self, scheme: Scheme) -> None:
        self._write("scheme", scheme)

    @property
    def geometry(self) -> QByteArray | None:
        """The window's place and size, as Qt stores them."""
        value = self._read("geometry", None)
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._write("geometry", geometry)

    def recent(self) -> list[str]:
        """Return the files opened last, newest first."""
        value = self._read("recent", [])
        if isinstance(value, str):
            value = [value]
        return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []

    def add_recent(self, path: str) -> None:
        """Put a file at the head of the recent ones."""
        others = [entry for entry in self.recent() if entry != path]
        self._write("recent", [path, *others][:RECENT_LIMIT])

    def forget_recent(self, paths: Iterable[str]) -> None:
        """Take some files off the recent ones."""
        gone = set(paths)
        self._write("recent", [entry for entry in self.recent() if entry not in gone])

    def clear_recent(self) -> None:
        """Forget the recent files."""
        self._write("recent", [])

    def flag(self, name: str) -> bool:
        """Return whether a choice (the name of a checkable action) is on."""
        return str(self._read(f"flag/{name}", "false")).lower() == "true"

    def set_flag(self, name: str, on: bool) -> None:
        """Remember a choice."""
        self._write(f"flag/{name}", "true" if on else "false")

    def _read(self, key: str, default: object) -> object:
        return self._store.value(key, default) if self._keep else default

    def _write(self, key: str, value: object) -> None:
        if self._keep:
            self._store.setValue(key, value)
