"""``latentlab session`` says what is in a session and renders its picture, the same to the bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.checkpoints import locate
from latentlab.cli.main import run
from latentlab.operations.explore import Explorer
from latentlab.session.document import CheckpointRef, Document, Explore, Pin, Shelf, Source
from latentlab.session.saved import session_json

LATENT = np.linspace(-1.5, 1.5, 8, dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path, tiny_model_folder: Path) -> Path:
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "models" / "tiny-vae"))


@pytest.fixture
def session(tmp_path: Path, model: Path) -> Path:
    sha256 = locate(model).sha256()
    start = LATENT.copy()
    start[:3] = 0.0
    picture = np.zeros((20, 30, 3), dtype=np.uint8)
    source = Source("face.png", picture, None, (5, 0, 20))  # type: ignore[arg-type]
    shelf = Shelf((Pin("Smile", LATENT), Pin("Frown", -LATENT)), locked=frozenset({6, 2}))
    reference = CheckpointRef(str(model), "tiny-vae", sha256, "")
    document = Document(
        reference, Explore(start, LATENT, None, source), 2, {sha256: shelf, "0" * 64: Shelf()}
    )
    path = tmp_path / "smile.json"
    path.write_text(session_json(document, {"view": "grid"}), encoding="utf-8")
    return path


def rows(text: str) -> dict[str, str]:
    return {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())
    }


def test_it_says_what_is_in_there(session: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["session", str(session)]) == 0
    found = rows(capsys.readouterr().out)
    assert found["model"] == f"tiny-vae, {model}"
    assert found["weights"] == "the same as when it was saved"
    assert found["start"] == "face.png"
    assert found["changed"] == "3 of 8 dimensions"
    assert found["picture"] == "face.png, 30 x 20, cropped to 20 pixels at 5, 0"
    assert found["pins"] == "Smile, Frown"
    assert found["directions"] == "none"
    assert found["locked"] == "2, 6"
    assert found["other models"] == "things put aside for 1"
    assert found["threads"] == "2"
    assert "left out" not in found


def test_json_is_one_object_with_the_latent_to_the_bit(
    session: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["session", str(session), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["command"] == "session"
    assert found["checkpoint"]["weights"] == "same"
    assert found["checkpoint"]["path"] == str(model)
    assert found["settings"]["pins"] == ["Smile", "Frown"]
    assert found["settings"]["crop"] == [5, 0, 20]
    np.testing.assert_array_equal(np.array(found["settings"]["latent"], dtype=np.float32), LATENT)


def test_the_picture_is_the_settled_one_to_the_bit(session: Path, model: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    assert run(["session", str(session), "--picture", str(target)]) == 0
    expected = Explorer.open(model, "", threads=2).picture(LATENT)
    np.testing.assert_array_equal(np.array(Image.open(target)), expected)


def test_a_model_that_was_moved_can_be_named(
    session: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = model.rename(tmp_path / "moved")
    assert run(["session", str(session)]) == 0
    assert rows(capsys.readouterr().out)["weights"] == "not found"
    target = tmp_path / "out.png"
    assert run(["session", str(session), "--picture", str(target)]) == 2
    assert "--model PATH" in capsys.readouterr().err
    assert not target.exists()
    assert run(["session", str(session), "--picture", str(target), "--model", str(moved)]) == 0
    found = rows(capsys.readouterr().out)
    assert found["found at"] == str(moved)
    assert found["weights"] == "the same as when it was saved"
    assert target.exists()


def test_other_weights_are_said_and_render_only_when_they_are_named(
    session: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(session.read_text())
    data["checkpoint"]["sha256"] = "1" * 64
    session.write_text(json.dumps(data))
    assert run(["session", str(session)]) == 0
    assert rows(capsys.readouterr().out)["weights"] == "others than when it was saved"
    target = tmp_path / "out.png"
    assert run(["session", str(session), "--picture", str(target)]) == 2
    assert "other weights than expected" in capsys.readouterr().err
    assert run(["session", str(session), "--picture", str(target), "--model", str(model)]) == 0
    assert rows(capsys.readouterr().out)["weights"] == "others than when it was saved"
    assert target.exists()


def test_what_is_damaged_is_listed(session: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(session.read_text())
    data["explore"]["source"]["picture"] = "?"
    session.write_text(json.dumps(data))
    (model / "config.json").write_text("{")
    assert run(["session", str(session)]) == 0
    found = rows(capsys.readouterr().out)
    assert found["left out"] == "the picture face.png (it is not base64 text)"
    assert found["weights"] == "cannot be read"
    assert found["start"] == "the picture face.png"


@pytest.mark.parametrize(
    ("content", "said"), [(None, "There is no session"), ("{", "is no session"), ("", "empty")]
)
def test_what_is_no_session_ends_with_status_2(
    content: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "thing.json"
    if content is not None:
        path.write_text(content)
    assert run(["session", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "thing.json" in error
    assert said in error
