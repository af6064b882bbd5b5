"""A saved session opens again: the same state, the same picture, or a word about what differs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.checkpoints import locate, save
from latentlab.live.frames import Frame
from latentlab.operations.direction import unit_direction
from latentlab.operations.explore import Explorer
from latentlab.session.document import AxisRef, GridView
from latentlab.session.saved import Saved, load_session
from latentlab.session.shelf import ShelfIntents


@pytest.fixture
def face(tmp_path: Path, small_faces) -> Path:
    path = tmp_path / "face.png"
    wide = np.concatenate([small_faces[3], small_faces[4]], axis=1)
    Image.fromarray(wide.repeat(3, axis=0).repeat(3, axis=1)).save(path)
    return path


@pytest.fixture
def model(tmp_path: Path, tiny_model_folder: Path) -> Path:
    """The tiny model in a folder of its own, which may be moved and changed."""
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "models" / "tiny-vae"))


@pytest.fixture
def other_weights(tmp_path: Path, model: Path) -> Callable[[int], None]:
    """Put another model in the place of the first: of the same latent size or another."""

    def change(latent: int) -> None:
        import torch

        from latentlab.families.vae import VAE, VAEConfig

        config = locate(model).config
        made = VAEConfig.model_validate({**config.network, "latent": latent})
        with torch.random.fork_rng():
            torch.manual_seed(5)
            network = VAE(made)
        new = config.model_copy(update={"model": network.spec, "network": made.model_dump(mode="json")})
        shutil.rmtree(model)
        save(model, network, new)

    return change


class Opened:
    """A desk on which a session is opened, and what the workspace told of it."""

    def __init__(self, desk) -> None:
        self.desk, self.workspace = desk, desk.workspace
        self.sessions: list[Saved] = []
        self.missing: list[tuple[Saved, str]] = []
        self.workspace.session_opened.connect(self.sessions.append)
        self.workspace.checkpoint_missing.connect(lambda saved, path: self.missing.append((saved, path)))

    def open(self, path: Path) -> None:
        count = len(self.sessions)
        self.workspace.open_session(path)
        assert self.workspace.busy
        self.desk.wait(lambda: len(self.sessions) > count)
        assert self.workspace.in_step
        assert self.workspace.phase == "ready"

    def picture(self) -> np.ndarray:
        self.desk.wait_settled()
        frame: Frame = self.workspace.rendering.settled_frame
        return frame.pixels

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.desk.messages]


@pytest.fixture
def again(desk) -> Iterator[Opened]:
    """A second program, in which nothing is open yet."""
    second = type(desk)()
    yield Opened(second)
    second.workspace.close()


@pytest.fixture
def made(desk, model: Path, tiny_predictor_folder: Path, face: Path, tmp_path: Path):
    """A session with everything in it, saved: its file, its document, its settled picture."""
    workspace = desk.workspace
    workspace.open_checkpoint(str(model), str(tiny_predictor_folder))
    workspace.bring_file(face)
    desk.wait(lambda: workspace.phase == "ready")
    workspace.crop((50, 10, 80))
    desk.wait(lambda: workspace.session.history.undo_name == "Crop picture")
    workspace.explore.move(2, 1.25)
    workspace.explore.move(5, -0.1)
    shelf = ShelfIntents(workspace.session)
    shelf.pin()
    workspace.explore.move(0, 3e-42)
    shelf.pin(name="Second")
    shelf.add_directions([unit_direction("Smile", np.arange(8) + 1.0, 0.5)])
    shelf.add_group(np.linspace(-1, 1, 8, dtype=np.float32), 4, "Four")
    shelf.lock({1, 3}, True)
    shelf.compare_with("Second")
    shelf.set_grid(GridView("plane", (AxisRef(direction="Smile"), AxisRef(3)), 5, 2.0))
    workspace.session.change("Threads", replace(workspace.session.document, threads=2))
    desk.wait_settled()
    path = tmp_path / "smile.json"
    saved: list[tuple[Path, object]] = []
    workspace.session_saved.connect(lambda *answer: saved.append(answer))
    workspace.save_session(path, {"view": "grid"})
    assert workspace.busy == "Saving the session"
    desk.wait(lambda: saved)
    assert not workspace.busy
    assert saved == [(path, workspace.session.document)]
    assert desk.messages[-1].text == f"Saved as {path}."
    return path, workspace.session.document, workspace.rendering.settled_frame


def assert_same_state(found, expected) -> None:
    assert found.latent.tobytes() == expected.latent.tobytes()
    assert found.start.tobytes() == expected.start.tobytes()
    assert found.latent.shape == expected.latent.shape
    assert (found.seed, found.truncation, found.origin) == (
        expected.seed,
        expected.truncation,
        expected.origin,
    )


def test_a_session_opens_again_with_the_same_picture_to_the_bit(made, again: Opened) -> None:
    path, before, frame = made
    again.open(path)
    after = again.workspace.session.document
    assert again.texts == []
    assert after.checkpoint == before.checkpoint
    assert after.threads == 2
    assert_same_state(after.explore, before.explore)
    source = after.explore.source
    np.testing.assert_array_equal(source.picture, before.explore.source.picture)
    assert source.crop == (50, 10, 80)
    np.testing.assert_array_equal(source.encoded.source, before.explore.source.encoded.source)
    np.testing.assert_array_equal(source.encoded.mean, after.explore.start)
    np.testing.assert_array_equal(again.picture(), frame.pixels)
    shelf, former = after.shelf, before.shelf
    assert [pin.name for pin in shelf.pins] == ["Pin 1", "Second"]
    for pin, old in zip(shelf.pins, former.pins, strict=True):
        np.testing.assert_array_equal(pin.latent, old.latent)
    assert shelf.directions == former.directions
    assert (shelf.locked, shelf.compared, shelf.grid) == (former.locked, former.compared, former.grid)
    assert again.sessions[0].window == {"view": "grid"}
    assert again.workspace.session.history.undo_name is None, "history begins anew"


def test_what_was_open_before_comes_back_with_undo(
    made, again: Opened, tiny_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    path, before, frame = made
    workspace = again.workspace
    workspace.open_checkpoint(str(tiny_model_folder), "")
    again.desk.wait(lambda: workspace.phase == "ready")
    workspace.explore.randomise(workspace.opened.spec, 3)
    ShelfIntents(workspace.session).pin(name="Mine")
    mine, picture = workspace.session.document, again.picture()
    again.open(path)
    assert workspace.session.history.undo_name == "Open session smile.json"
    np.testing.assert_array_equal(again.picture(), frame.pixels)
    assert workspace.opened.predictor_name == str(tiny_predictor_folder)
    workspace.session.undo()
    again.desk.wait(lambda: workspace.in_step)
    assert workspace.session.document is mine
    assert workspace.opened.predictor_name == ""
    np.testing.assert_array_equal(again.picture(), picture)
    workspace.session.redo()
    again.desk.wait(lambda: workspace.in_step)
    assert_same_state(workspace.session.document.explore, before.explore)
    np.testing.assert_array_equal(again.picture(), frame.pixels)
    assert again.texts == []


def test_a_draw_without_a_picture_comes_back(desk, again: Opened, model: Path, tmp_path: Path) -> None:
    workspace = desk.workspace
    workspace.open_checkpoint(str(model), "")
    desk.wait(lambda: workspace.phase == "ready")
    workspace.explore.randomise(workspace.opened.spec, 11, 0.5)
    workspace.explore.move(1, -2.0)
    desk.wait_settled()
    workspace.save_session(tmp_path / "draw.json", {})
    desk.wait(lambda: desk.messages)
    again.open(tmp_path / "draw.json")
    state = again.workspace.session.document.explore
    assert_same_state(state, workspace.session.document.explore)
    assert (state.source, state.origin) == (None, "random, seed 11, truncation 0.5")
    np.testing.assert_array_equal(again.picture(), workspace.rendering.settled_frame.pixels)


def test_things_put_aside_for_other_models_stay(made, again: Opened, model: Path, tiny_model_folder) -> None:
    path, before, _ = made
    data = json.loads(path.read_text())
    sha = before.checkpoint.sha256
    data["shelves"]["f" * 64] = data["shelves"][sha]
    path.write_text(json.dumps(data))
    workspace = again.workspace
    workspace.open_checkpoint(str(model), "")
    again.desk.wait(lambda: workspace.phase == "ready")
    shelf = ShelfIntents(workspace.session).shelf
    document = workspace.session.document
    workspace.session.change("Put aside", replace(document, shelves={"e" * 64: shelf}))
    again.open(path)
    assert set(workspace.session.document.shelves) == {sha, "e" * 64, "f" * 64}


def test_a_model_that_was_moved_is_asked_for_and_the_session_goes_on(
    made, again: Opened, model: Path, tmp_path: Path
) -> None:
    path, before, frame = made
    moved = tmp_path / "elsewhere" / "renamed"
    moved.parent.mkdir()
    model.rename(moved)
    workspace = again.workspace
    workspace.open_session(path)
    again.desk.wait(lambda: again.missing)
    assert workspace.phase == "failed"
    assert str(model) in workspace.reason
    saved, missing = again.missing[0]
    assert missing == str(model)
    assert workspace.session.document.checkpoint is None
    workspace.open_session_with(saved, moved)
    again.desk.wait(lambda: again.sessions)
    assert workspace.opened.path == str(moved)
    assert_same_state(workspace.session.document.explore, before.explore)
    np.testing.assert_array_equal(again.picture(), frame.pixels)
    assert again.texts == []


def test_a_missing_model_leaves_what_is_open_as_it_is(
    made, again: Opened, model: Path, tiny_model_folder: Path
) -> None:
    workspace = again.workspace
    workspace.open_checkpoint(str(tiny_model_folder), "")
    again.desk.wait(lambda: workspace.phase == "ready")
    document = workspace.session.document
    shutil.rmtree(model)
    workspace.open_session(made[0])
    again.desk.wait(lambda: again.missing)
    assert workspace.session.document is document
    assert (workspace.phase, workspace.in_step, workspace.busy) == ("ready", True, "")


def test_a_model_beside_the_session_is_found_if_its_weights_are_the_same(
    made, again: Opened, model: Path, tmp_path: Path, other_weights
) -> None:
    path, _, frame = made
    beside = tmp_path / "tiny-vae"
    shutil.copytree(model, beside)
    shutil.rmtree(model)
    again.open(path)
    assert again.workspace.opened.path == str(beside)
    np.testing.assert_array_equal(again.picture(), frame.pixels)
    beside.rename(model)
    other_weights(8)
    model.rename(beside)
    again.workspace.open_session(path)
    again.desk.wait(lambda: again.missing)


def test_a_bundled_model_is_found_by_its_name_and_weights(
    made, again: Opened, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "other installation" / "tiny-vae"
    installed.parent.mkdir()
    model.rename(installed)
    monkeypatch.setattr("latentlab.session.restore.bundled_models", lambda: {"tiny-vae": installed})
    again.open(made[0])
    assert again.workspace.opened.path == str(installed)
    assert again.texts == []


def test_a_model_with_other_weights_opens_with_a_word(
    made, again: Opened, model: Path, other_weights, tiny_predictor_folder: Path
) -> None:
    path, before, frame = made
    other_weights(8)
    again.open(path)
    assert [message.kind for message in again.desk.messages] == ["error"]
    assert "tiny-vae has other weights than smile.json was made with" in again.texts[0]
    document = again.workspace.session.document
    assert document.checkpoint.sha256 != before.checkpoint.sha256
    assert_same_state(document.explore, before.explore)
    assert [pin.name for pin in document.shelf.pins] == ["Pin 1", "Second"], "what was put aside goes along"
    assert before.checkpoint.sha256 in document.shelves
    picture = again.picture()
    assert not np.array_equal(picture, frame.pixels)
    expected = Explorer.open(model, "", threads=2).picture(document.explore.latent)
    np.testing.assert_array_equal(picture[0, ..., 2::-1], expected)


def test_a_model_of_another_latent_size_opens_with_the_picture_only(
    made, again: Opened, other_weights
) -> None:
    path, before, _ = made
    other_weights(5)
    again.open(path)
    assert "has 8 numbers and one of tiny-vae has 5, so it was left out" in again.texts[0]
    document = again.workspace.session.document
    state = document.explore
    assert state.start.shape == (5,)
    assert not state.edited
    np.testing.assert_array_equal(state.start, state.source.encoded.mean)
    np.testing.assert_array_equal(state.source.picture, before.explore.source.picture)
    assert state.source.crop == (50, 10, 80)
    assert document.shelf.pins == ()
    assert len(document.shelves[before.checkpoint.sha256].pins) == 2, "they stay for their own model"
    again.desk.wait_settled()


def test_a_predictor_that_has_gone_is_said(made, again: Opened) -> None:
    path, _, frame = made
    data = json.loads(path.read_text())
    data["checkpoint"]["predictor"] = "/gone/judge"
    path.write_text(json.dumps(data))
    again.open(path)
    assert again.texts == [
        "The attribute predictor /gone/judge is gone; the one that goes with the model judges instead."
    ]
    np.testing.assert_array_equal(again.picture(), frame.pixels)


def test_a_damaged_session_opens_and_says_what_is_left_out(made, again: Opened) -> None:
    path, before, frame = made
    data = json.loads(path.read_text())
    shelf = data["shelves"][before.checkpoint.sha256]
    shelf["pins"][0]["latent"][2] = float("nan")
    shelf["directions"][0]["vector"] = "none"
    data["explore"]["source"]["picture"] = "none"
    data["threads"] = 2
    path.write_text(json.dumps(data))
    again.open(path)
    (message,) = again.desk.messages
    assert message.text.startswith(
        "smile.json was opened without what could not be read: the picture face.png"
    )
    assert message.text.endswith("; and 1 more.")
    assert len(message.details.splitlines()) == 4
    assert "pin Pin 1" in message.text
    document = again.workspace.session.document
    assert document.explore.source is None
    assert document.explore.origin == "the picture face.png"
    assert [pin.name for pin in document.shelf.pins] == ["Second"]
    np.testing.assert_array_equal(again.picture(), frame.pixels)


def test_a_session_that_is_cut_off_opens_with_the_same_picture_and_says_so(made, again: Opened) -> None:
    path, _, frame = made
    text = path.read_text()
    path.write_text(text[: text.index('"pins"')])
    again.open(path)
    (message,) = again.desk.messages
    assert "the rest of the field 'shelves' (line 8 is damaged or cut off)" in message.text
    np.testing.assert_array_equal(again.picture(), frame.pixels)
    assert again.workspace.session.document.explore.source is not None
    assert again.workspace.session.document.shelf.pins == ()


def test_a_session_without_its_checkpoint_asks_for_it(made, again: Opened, model: Path) -> None:
    path, _, frame = made
    data = json.loads(path.read_text())
    del data["checkpoint"]
    path.write_text(json.dumps(data))
    again.workspace.open_session(path)
    again.desk.wait(lambda: again.missing)
    saved, missing = again.missing[0]
    assert missing == ""
    again.workspace.open_session_with(saved, model)
    again.desk.wait(lambda: again.sessions)
    assert "its SHA-256 is missing" in again.texts[0]
    np.testing.assert_array_equal(again.picture(), frame.pixels)


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is empty"), ('{"format": "latentlab-session", "version": 9}', "version 9"), ("{", "not JSON")],
)
def test_what_is_no_session_changes_nothing(open_desk, tmp_path: Path, content: str, said: str) -> None:
    workspace = open_desk.workspace
    workspace.explore.move(1, 0.5)
    before = workspace.session.document
    path = tmp_path / "bad.json"
    path.write_text(content)
    for wrong in (path, tmp_path / "nothing.json"):
        open_desk.messages.clear()
        workspace.open_session(wrong)
        open_desk.wait(lambda: open_desk.messages)
        assert open_desk.messages[0].kind == "error"
        assert wrong.name in open_desk.messages[0].text
        assert said in open_desk.messages[0].text or wrong is not path
        assert workspace.session.document is before
        assert (workspace.phase, workspace.busy) == ("ready", "")


def test_a_first_session_that_fails_can_be_followed_by_a_model(again: Opened, tmp_path: Path, model) -> None:
    workspace = again.workspace
    workspace.open_session(tmp_path / "nothing.json")
    assert workspace.phase == "loading"
    again.desk.wait(lambda: workspace.phase == "failed")
    assert "nothing.json" in workspace.reason
    assert again.texts == [workspace.reason]
    workspace.open_checkpoint(str(model), "")
    again.desk.wait(lambda: workspace.phase == "ready")


def test_a_session_whose_model_is_broken_leaves_everything_as_it_was(
    made, again: Opened, model: Path, tiny_model_folder: Path
) -> None:
    workspace = again.workspace
    workspace.open_checkpoint(str(tiny_model_folder), "")
    again.desk.wait(lambda: workspace.phase == "ready")
    workspace.explore.move(1, 0.5)
    document = workspace.session.document
    (model / "model.safetensors").unlink()  # the first program has mapped it
    (model / "model.safetensors").write_bytes(b"<html>")
    workspace.open_session(made[0])
    again.desk.wait(lambda: again.texts)
    assert "web page" in again.texts[0]
    assert workspace.session.document is document
    again.desk.wait_settled()
    assert again.sessions == []


def test_a_checkpoint_that_is_opened_meanwhile_is_what_is_wanted(
    made, again: Opened, tiny_model_folder: Path
) -> None:
    workspace = again.workspace
    workspace.open_session(made[0])
    workspace.open_checkpoint(str(tiny_model_folder), "")
    again.desk.wait(lambda: workspace.phase == "ready" and not workspace.busy)
    assert workspace.opened.path == str(tiny_model_folder)
    assert again.sessions == []


def test_the_same_session_is_written_again_as_it_was(made, again: Opened, tmp_path: Path) -> None:
    path, _, _ = made
    again.open(path)
    again.workspace.save_session(tmp_path / "again.json", again.sessions[0].window)
    again.desk.wait(lambda: again.texts)
    assert (tmp_path / "again.json").read_text() == path.read_text()
    assert again.workspace.session_text({"view": "grid"}) == path.read_text()
    assert load_session(path).left_out == ()


def test_a_session_that_cannot_be_written_is_said_and_the_file_stays(made, desk, tmp_path: Path) -> None:
    path, _, _ = made
    before = path.read_text()
    blocked = tmp_path / "face.png" / "a.json"
    desk.messages.clear()
    for wrong in (blocked, tmp_path / "nowhere" / "a.json", tmp_path / f"{'x' * 300}.json"):
        desk.workspace.save_session(wrong, {})
    desk.wait(lambda: len(desk.messages) == 3)
    assert all(message.kind == "error" for message in desk.messages)
    assert all("cannot be written" in message.text for message in desk.messages)
    assert "nowhere" in desk.messages[1].text
    assert path.read_text() == before
    assert not list(tmp_path.glob(".*.part"))


def test_nothing_open_is_nothing_to_save(desk, tmp_path: Path) -> None:
    desk.workspace.save_session(tmp_path / "a.json", {})
    assert "nothing to save" in desk.messages[0].text
    assert not (tmp_path / "a.json").exists()
    assert desk.workspace.session_text({}) == ""


def test_what_is_being_written_is_finished_before_the_program_ends(made, desk, tmp_path: Path) -> None:
    target = tmp_path / "last moment.json"
    desk.workspace.save_session(target, {"view": "grid"})
    desk.workspace.close()
    assert target.read_text() == made[0].read_text()


def test_a_crop_is_a_step_and_shows_the_model_that_square(open_desk, face: Path) -> None:
    workspace = open_desk.workspace
    workspace.bring_file(face)
    open_desk.wait(lambda: workspace.session.history.undo_name == "Open picture face.png")
    before = workspace.session.document
    workspace.crop((96, 0, 96))
    open_desk.wait(lambda: workspace.session.history.undo_name == "Crop picture")
    source = workspace.explore.state.source
    assert source.crop == (96, 0, 96)
    assert source.picture is before.explore.source.picture, "the original stays"
    right = source.picture[:, 96:]
    np.testing.assert_array_equal(source.encoded.source, right.reshape(32, 3, 32, 3, 3)[:, 1, :, 1])
    assert not np.array_equal(source.encoded.mean, before.explore.source.encoded.mean)
    workspace.crop(None)
    open_desk.wait(lambda: workspace.explore.state.source.crop is None)
    np.testing.assert_array_equal(workspace.explore.state.start, before.explore.start)
    workspace.session.undo()
    assert workspace.explore.state.source is source
    workspace.session.undo()
    assert workspace.session.document is before


def test_another_model_keeps_the_crop(open_desk, face: Path, model: Path) -> None:
    workspace = open_desk.workspace
    workspace.bring_file(face)
    open_desk.wait(lambda: workspace.session.history.undo_name == "Open picture face.png")
    workspace.crop((10, 20, 64))
    open_desk.wait(lambda: workspace.session.history.undo_name == "Crop picture")
    source = workspace.explore.state.source
    workspace.open_checkpoint(str(model), "")
    open_desk.wait(lambda: workspace.in_step)
    after = workspace.explore.state.source
    assert after.crop == (10, 20, 64)
    assert after.picture is source.picture
    np.testing.assert_array_equal(after.encoded.source, source.encoded.source)


def test_a_crop_that_cannot_be_is_said_and_changes_nothing(open_desk, face: Path) -> None:
    workspace = open_desk.workspace
    workspace.crop((0, 0, 10))
    assert "no picture" in open_desk.messages[-1].text
    workspace.bring_file(face)
    open_desk.wait(lambda: workspace.session.history.undo_name == "Open picture face.png")
    document = workspace.session.document
    for wrong in ((0, 0, 97), (-1, 0, 10), (183, 0, 10), (0, 90, 10), (0, 0, 0)):
        open_desk.messages.clear()
        workspace.crop(wrong)
        assert "not inside the picture" in open_desk.messages[0].text
    workspace.crop(None)
    assert not workspace.busy, "that is how it is already"
    assert workspace.session.document is document
