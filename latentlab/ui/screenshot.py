"""Takes the picture of the real window: waits for its first settled frame, grabs it, saves it."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from latentlab.ui.main_window import MainWindow

LONGEST_SECONDS = 180


def take(window: MainWindow, path: Path) -> int:
    """Show the window, wait until its state is painted in full, save its picture as PNG.

    Returns
    -------
    int
        0 done; 2 the file could not be written, or what was asked for could not be opened (the picture
        shows why);
        1 nothing was painted in time.
    """
    loop = QEventLoop()
    workspace = window.workspace
    window.show()

    def look(_generation: int = 0) -> None:
        if window.at_rest or (window.begun and workspace.phase in ("empty", "failed")):
            loop.quit()

    window.explore.painted.connect(look)
    poll = QTimer()
    poll.timeout.connect(look)
    poll.start(100)
    limit = QTimer()
    limit.setSingleShot(True)
    limit.timeout.connect(lambda: loop.exit(1))
    limit.start(LONGEST_SECONDS * 1000)
    late = loop.exec() == 1
    poll.stop()
    limit.stop()
    if late:
        print(f"latentlab: nothing was painted within {LONGEST_SECONDS} seconds", file=sys.stderr)
        return 1
    window.status.write_times()
    for _ in range(3):  # what has just been said changes the layout of the bars and the status bar
        QApplication.processEvents()
    if not window.grab().save(str(path), "PNG"):
        print(f"latentlab: {path} cannot be written; choose another place", file=sys.stderr)
        return 2
    message = window.banner.message
    wrong = workspace.reason if workspace.phase == "failed" else ""
    if not wrong and message is not None and message.kind == "error":
        wrong = message.text
    if wrong:
        print(f"latentlab: {wrong}", file=sys.stderr)
        return 2
    return 0
