"""Where something is saved: the suffix that is added, and what is not replaced without a question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from latentlab.ui.dialogs import ask_target


@pytest.fixture
def answer(qtbot, tmp_path: Path, monkeypatch) -> Callable[..., Path | None]:
    """Type a name into the dialog, with a filter chosen, and return what comes of it."""
    parent = QWidget()
    qtbot.addWidget(parent)

    def ask(typed: str, proposal: str = "edited.png", chosen: str = "") -> Path | None:
        text = str(tmp_path / typed) if typed else ""
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_arguments: (text, chosen))
        return ask_target(parent, proposal)

    return ask


@pytest.mark.parametrize(
    ("typed", "proposal", "chosen", "expected"),
    [
        ("mine.png", "edited.png", "", "mine.png"),
        ("mine.PNG", "edited.png", "", "mine.PNG"),
        ("mine", "edited.png", "", "mine.png"),
        ("faces v1.2", "edited.png", "PNG (*.png)", "faces v1.2.png"),
        ("mine.jpg", "edited.png", "", "mine.jpg.png"),
        ("loop", "loop.gif", "Animated PNG (*.png)", "loop.png"),
        ("loop.webp", "loop.gif", "GIF (*.gif)", "loop.webp"),
        ("my v2.0", "session.json", "", "my v2.0.json"),
    ],
)
def test_a_suffix_is_added_where_no_known_one_is_written(
    answer, tmp_path: Path, typed: str, proposal: str, chosen: str, expected: str
) -> None:
    assert answer(typed, proposal, chosen) == tmp_path / expected


def test_what_is_there_under_the_name_with_its_suffix_is_asked_about(
    answer, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "mine.png").write_bytes(b"")
    asked: list[str] = []
    button = QMessageBox.StandardButton

    def say(reply: QMessageBox.StandardButton) -> None:
        monkeypatch.setattr(QMessageBox, "question", lambda *given: (asked.append(given[2]), reply)[1])

    say(button.No)
    assert answer("mine") is None
    say(button.Yes)
    assert answer("mine") == tmp_path / "mine.png"
    assert asked == ["mine.png is there already. Replace it?"] * 2
    assert answer("mine.png") == tmp_path / "mine.png", "the dialog has asked"
    assert len(asked) == 2
    assert answer("") is None
