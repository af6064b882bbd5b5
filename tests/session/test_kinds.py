"""What a path is taken for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.operations.direction import Directions, save_directions, unit_direction
from latentlab.operations.latent_text import latent_text
from latentlab.session.document import Document
from latentlab.session.kinds import kind_of
from latentlab.session.saved import session_json


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.safetensors", "checkpoint"),
        ("x.SafeTensors", "checkpoint"),
        ("config.json", "checkpoint"),
        ("x.pt", "checkpoint"),
        ("x.ONNX", "checkpoint"),
        ("x.JPG", "picture"),
        ("x.png", "picture"),
        ("x.md", "lesson"),
        ("no suffix", "picture"),
    ],
)
def test_a_path_that_is_not_there_is_told_by_its_name(name: str, kind: str, tmp_path: Path) -> None:
    assert kind_of(tmp_path / name) == kind


def test_a_folder_is_a_checkpoint_whatever_it_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "faces.png"
    folder.mkdir()
    assert kind_of(folder) == "checkpoint"


def test_the_programs_own_files_say_what_they_are(tmp_path: Path) -> None:
    way = unit_direction("smile", [1.0, 2.0], 1.0)
    save_directions(tmp_path / "d.json", Directions(model="m", sha256="0" * 64, directions=(way,)))
    latent = np.zeros(3, dtype=np.float32)
    (tmp_path / "l.JSON").write_text(latent_text("m", "0" * 64, latent), encoding="utf-8")
    (tmp_path / "s.json").write_text(session_json(Document(), {}), encoding="utf-8")
    assert kind_of(tmp_path / "d.json") == "directions"
    assert kind_of(tmp_path / "l.JSON") == "latent"
    assert kind_of(tmp_path / "s.json") == "session"


def test_other_json_is_a_checkpoint_for_its_error_to_be_told(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for content in (
        b"",
        b"{}",
        b"\xff\xfe\x00",
        b'{"name": "latentlab"}',
        b" " * 500 + b'"latentlab-session"',
    ):
        path.write_bytes(content)
        assert kind_of(path) == "checkpoint"


def test_the_word_alone_in_a_picture_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b'"latentlab-session"')
    assert kind_of(path) == "picture"
