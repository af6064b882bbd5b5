"""What happens before there is a window, and what a picture of it says by its exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from latentlab.cli import open_window
from latentlab.cli.main import run


def test_a_file_that_is_not_there_is_named_as_what_it_would_be(capfd: pytest.CaptureFixture[str]):
    assert run(["no such picture.png"]) == 2
    assert "There is no file no such picture.png" in capfd.readouterr().err
    assert run(["no-such-model"]) == 2
    assert "no checkpoint no-such-model" in capfd.readouterr().err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
def test_libraries_that_qt_needs_under_x11_are_named_before_it_aborts(monkeypatch, capfd):
    monkeypatch.setattr(open_window, "_loads", lambda library: library != "libxcb-cursor.so.0")
    assert open_window.missing_x11_packages({"DISPLAY": ":0"}) == ["libxcb-cursor0"]
    assert open_window.missing_x11_packages({"DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}) == []
    assert open_window.missing_x11_packages({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}) == []
    assert open_window.missing_x11_packages({}) == []
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    assert run([]) == 2
    assert "install libxcb-cursor0." in capfd.readouterr().err


def test_a_library_that_is_not_there_does_not_load():
    assert not open_window._loads("liblatentlab-nothing.so.0")


@pytest.mark.parametrize("good", [True, False])
def test_a_screenshot_tells_by_its_status_whether_all_could_be_opened(tmp_path: Path, good: bool):
    picture, shot = tmp_path / "face.png", tmp_path / "window.png"
    if good:
        Image.new("RGB", (64, 64), "white").save(picture)
    else:
        picture.write_text("no picture", encoding="utf-8")
    asked = [str(picture), "--screenshot", str(shot), "--size", "960x640"]
    command = [sys.executable, "-m", "latentlab", *asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == (0 if good else 2), done.stderr
    assert ("face.png" in done.stderr) is not good
    with Image.open(shot) as image:
        assert image.size == (960, 640)
