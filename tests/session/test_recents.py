"""What was open lately: told from files, also from damaged and missing ones."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from latentlab.session.recents import PREVIEW, look

PICTURE = b"\x89PNG a small picture"


def session(path: Path, **parts: object) -> Path:
    path.write_text(json.dumps({"format": "latentlab-session", "version": 1, **parts}))
    return path


def test_sessions_show_their_preview_their_model_and_when_they_were_written(tmp_path: Path) -> None:
    text = base64.b64encode(PICTURE).decode()
    new = session(tmp_path / "mine.json", checkpoint={"name": "faces-vae"}, window={PREVIEW: text})
    old = session(tmp_path / "old.json", explore={"source": {"picture": text}})
    bare = session(tmp_path / "bare.json", window={PREVIEW: "no base64!"})
    found = look([str(new), str(old), str(bare)])
    assert [one.kind for one in found] == ["session"] * 3
    assert [one.title for one in found] == ["mine", "old", "bare"]
    assert found[0].about == "Session · faces-vae"
    assert found[0].when == new.stat().st_mtime
    assert [one.preview for one in found] == [PICTURE, PICTURE, b""]


def test_the_last_session_comes_first_and_what_is_gone_comes_last(tmp_path: Path) -> None:
    last = session(tmp_path / "last.json")
    face = tmp_path / "face.png"
    face.write_bytes(PICTURE)
    gone = tmp_path / "away" / "model"
    found = look([str(gone), str(face)], last)
    assert [one.kind for one in found] == ["last", "picture", "gone"]
    assert found[0].title == "Last session"
    assert found[1].picture == face
    assert found[2].when is None
    assert str(gone.parent) in found[2].about
    assert look([], tmp_path / "never.json") == ()


def test_models_show_their_samples_where_they_have_some(tmp_path: Path, tiny_model_folder: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").write_text("{}")
    (own / "samples.png").write_bytes(PICTURE)
    found = look([str(own), str(tiny_model_folder)])
    assert [one.kind for one in found] == ["checkpoint", "checkpoint"]
    assert found[0].picture == own / "samples.png"
    assert found[1].picture is None


def test_damaged_and_hostile_sessions_are_told_not_raised(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"format": "latentlab-session", ')
    listed = tmp_path / "list.json"
    listed.write_text('["latentlab-session"]')
    deep = tmp_path / "deep.json"
    deep.write_text('{"format": "latentlab-session", "a": ' + "[" * 100_000)
    large = session(tmp_path / "large.json", window={PREVIEW: "A" * 400_000})
    found = look([str(broken), str(listed), str(deep), str(large)])
    assert [one.about for one in found] == [
        "Session that cannot be read",
        "Session",
        "Session that cannot be read",
        "Session",
    ]
    assert all(not one.preview for one in found)
