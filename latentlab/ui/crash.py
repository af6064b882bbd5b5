"""What happens with an error nobody expected: a window that shows it, and the program goes on."""

from __future__ import annotations

import platform
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

import latentlab


class CrashDialog(QDialog):
    """Shows the report of an unexpected error, to be copied; further errors are added to it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("LatentLab: an unexpected error")
        self.setModal(False)
        self.resize(680, 420)
        headline = QLabel("Something went wrong in LatentLab")
        headline.setProperty("role", "headline")
        text = QLabel(
            "This is a fault of the program, not of what you did. Your work is still there and the window "
            "goes on. The report below helps to mend it; it holds no pictures."
        )
        text.setWordWrap(True)
        self._report = QPlainTextEdit()
        self._report.setReadOnly(True)
        self._report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._report.setAccessibleName("Report of the error")
        self._copy = QPushButton("Copy report")
        self._copy.clicked.connect(self._copy_report)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self._copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.hide)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(12)
        for widget in (headline, text, self._report, buttons):
            layout.addWidget(widget)

    @property
    def report(self) -> str:
        """The report's text."""
        return self._report.toPlainText()

    def add(self, report: str) -> None:
        """Show one more report."""
        if self.isVisible():
            report = f"{self.report}\n\n{report}"
        self._report.setPlainText(report)
        self.show()
        self.raise_()

    def _copy_report(self) -> None:
        QApplication.clipboard().setText(self.report)


class CrashGuard:
    """Takes errors that nobody caught, of any thread, and shows them instead of ending the program.

    Parameters
    ----------
    post
        Brings a call to the window's thread.
    """

    def __init__(self, window: QWidget, post: Callable[[Callable[[], None]], None]) -> None:
        self.dialog = CrashDialog(window)
        self._post = post
        self._former = sys.excepthook, threading.excepthook

    def install(self) -> None:
        """Take uncaught errors from now on."""
        sys.excepthook = self.take
        threading.excepthook = self._take_of_thread

    def remove(self) -> None:
        """Leave uncaught errors to whoever took them before."""
        sys.excepthook, threading.excepthook = self._former
        self.dialog.close()

    def take(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Show one error, and write it to standard error as well."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        report = report_of(kind, error, trace)
        print(report, file=sys.stderr)
        self._post(lambda: self.dialog.add(report))

    def _take_of_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self.take(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def report_of(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
    """Return the report of an error: versions, system, traceback."""
    from PySide6.QtCore import qVersion

    torch = sys.modules.get("torch")
    head = (
        f"LatentLab {latentlab.__version__}, Python {platform.python_version()}, Qt {qVersion()}, "
        f"torch {getattr(torch, '__version__', 'not loaded')}, {platform.platform()}"
    )
    return f"{head}\n\n{''.join(traceback.format_exception(kind, error, trace)).rstrip()}"
