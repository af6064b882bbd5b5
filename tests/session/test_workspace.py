from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.checkpoints import locate, save
from latentlab.live.frames import DeviceOverride, Frame
from latentlab.operations.explore import Explorer
from latentlab.session.rendering import GIVEN_UP
from latentlab.session.shelf import ShelfIntents


@pytest.fixture
def face(tmp_path: Path, small_faces) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(small_faces[3]).save(path)
    return path


def test_the_first_picture_waits_for_the_model_and_is_no_step(desk, tiny_model_folder, face) -> None:
    desk.workspace.open_checkpoint(str(tiny_model_folder), "")
    desk.workspace.bring_file(face)
    desk.wait(lambda: desk.workspace.phase == "ready")
    state = desk.workspace.explore.state
    assert state is not None
    assert state.source is not None
    assert state.source.name == "face.png"
    assert desk.workspace.session.history.undo_name is None
    np.testing.assert_array_equal(state.start, state.source.encoded.mean)


def test_a_settled_frame_is_what_the_explorer_renders_to_the_bit(
    open_desk, tiny_model_folder, tiny_predictor_folder, face
) -> None:
    workspace = open_desk.workspace
    workspace.bring_file(face)
    open_desk.wait(lambda: workspace.session.history.undo_name == "Open picture face.png")
    workspace.explore.move(2, 1.25)
    open_desk.wait_settled()
    frame = workspace.rendering.settled_frame
    explorer = Explorer.open(tiny_model_folder, tiny_predictor_folder)
    picture = explorer.picture(workspace.explore.state.latent)
    np.testing.assert_array_equal(frame.pixels[0, ..., 2::-1], picture)
    for name, values in explorer.attributes(picture).items():
        np.testing.assert_array_equal(frame.attributes[name][0], values)


def test_frames_come_in_order_and_none_from_before_a_jump(open_desk) -> None:
    workspace = open_desk.workspace
    shown: list[Frame] = []
    workspace.rendering.edited.connect(shown.append)
    workspace.explore.begin_move(0)
    for k in range(200):
        workspace.explore.move(0, k / 100)
    workspace.explore.end_move()
    workspace.explore.reset_all()
    open_desk.wait_settled()
    generations = [frame.generation for frame in shown]
    assert generations == sorted(set(generations))
    assert shown[-1].settled
    assert len(shown) <= 3, "the 200 moves before the reset were asked for before it: none is shown"


def test_a_bad_checkpoint_leaves_everything_as_it_was(open_desk, tmp_path) -> None:
    workspace = open_desk.workspace
    workspace.explore.move(1, 0.5)
    open_desk.wait_settled()
    before, opened = workspace.session.document, workspace.opened
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"<!doctype html><html></html>")
    workspace.open_checkpoint(str(bad))
    open_desk.wait(lambda: open_desk.messages)
    assert open_desk.messages[-1].kind == "error"
    assert "web page" in open_desk.messages[-1].text
    assert workspace.session.document is before
    assert workspace.opened is opened
    assert workspace.phase == "ready"
    workspace.explore.move(1, 1.0)
    open_desk.wait_settled()


def test_a_bad_first_checkpoint_can_be_followed_by_a_good_one(desk, tmp_path, tiny_model_folder) -> None:
    workspace = desk.workspace
    workspace.open_checkpoint(str(tmp_path / "nothing"))
    desk.wait(lambda: workspace.phase == "failed")
    assert "nothing" in workspace.reason
    workspace.open_checkpoint(str(tiny_model_folder), "")
    desk.wait(lambda: workspace.phase == "ready")
    assert workspace.session.document.explore is not None


@pytest.mark.parametrize(
    ("content", "part"), [(b"", "empty"), (b"this is not a picture", "text"), (b"<html>", "web page")]
)
def test_a_bad_picture_is_a_message_and_changes_nothing(open_desk, tmp_path, content, part) -> None:
    workspace = open_desk.workspace
    before = workspace.session.document
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    workspace.bring_file(path)
    open_desk.wait(lambda: open_desk.messages)
    assert part in open_desk.messages[-1].text
    assert "picture.png" in open_desk.messages[-1].text
    assert workspace.session.document is before
    assert not workspace.busy


def test_notes_of_a_picture_are_passed_on(open_desk, tmp_path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(path)
    open_desk.workspace.bring_file(path)
    open_desk.wait(lambda: open_desk.workspace.session.history.undo_name == "Open picture clear.png")
    assert [message.kind for message in open_desk.messages] == ["note"]
    assert "white" in open_desk.messages[0].text


def test_another_model_is_one_step_and_undo_brings_the_first_back(
    open_desk, tmp_path, tiny_model_folder, face
) -> None:
    workspace = open_desk.workspace
    workspace.bring_file(face)
    open_desk.wait(lambda: workspace.session.history.undo_name == "Open picture face.png")
    workspace.explore.move(0, 1.0)
    open_desk.wait_settled()
    before, picture = workspace.session.document, workspace.rendering.settled_frame.pixels
    other = tmp_path / "other"
    shutil.copytree(tiny_model_folder, other)
    workspace.open_checkpoint(str(other), "")
    open_desk.wait(lambda: workspace.in_step)
    after = workspace.session.document
    assert workspace.session.history.undo_name == "Open model tiny-vae"
    assert after.checkpoint.path == str(other)
    assert after.explore.source is not None, "the picture is encoded by the new model too"
    assert not after.explore.edited
    workspace.session.undo()
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.session.document is before
    assert workspace.opened.path == str(tiny_model_folder)
    open_desk.wait_settled()
    np.testing.assert_array_equal(workspace.rendering.settled_frame.pixels, picture)
    workspace.session.redo()
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.session.document is after
    assert workspace.opened.path == str(other)


def test_undo_to_a_checkpoint_that_has_gone_says_so_and_stays(open_desk, tmp_path, tiny_model_folder) -> None:
    workspace = open_desk.workspace
    other = tmp_path / "other"
    shutil.copytree(tiny_model_folder, other)
    workspace.open_checkpoint(str(other), "")
    open_desk.wait(lambda: workspace.in_step)
    workspace.open_checkpoint(str(tiny_model_folder), "")
    open_desk.wait(lambda: workspace.in_step)
    after = workspace.session.document
    shutil.rmtree(other)
    workspace.session.undo()
    open_desk.wait(lambda: open_desk.messages)
    open_desk.wait(lambda: workspace.in_step)
    assert "other" in open_desk.messages[-1].text
    assert workspace.session.document is after
    workspace.explore.move(0, 1.0)
    open_desk.wait_settled()


def test_an_impossible_device_is_a_message_and_the_former_one_returns(open_desk) -> None:
    workspace = open_desk.workspace
    workspace.explore.move(3, 0.75)
    open_desk.wait_settled()
    picture = workspace.rendering.settled_frame.pixels
    workspace.override_device(DeviceOverride(device="cuda:63"))
    open_desk.wait(lambda: open_desk.messages)
    open_desk.wait(lambda: workspace.in_step)
    assert "cuda:63" in open_desk.messages[-1].text
    assert workspace.override == DeviceOverride()
    open_desk.wait_settled()
    np.testing.assert_array_equal(workspace.rendering.settled_frame.pixels, picture)


def test_another_precision_is_taken_and_settled_pictures_stay_the_same(open_desk) -> None:
    workspace = open_desk.workspace
    workspace.explore.move(3, 0.75)
    open_desk.wait_settled()
    picture = workspace.rendering.settled_frame.pixels
    workspace.override_device(DeviceOverride(precision="float32", threads=1))
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.choice.precision == "float32"
    assert workspace.choice.threads == 1
    assert workspace.session.history.undo_name is not None
    open_desk.wait_settled()
    np.testing.assert_array_equal(workspace.rendering.settled_frame.pixels, picture)


def test_a_picture_without_a_model_says_what_is_missing(desk, face) -> None:
    desk.workspace.bring_file(face)
    desk.wait(lambda: desk.messages)
    assert "no model is open" in desk.messages[-1].text


def test_a_waiting_listener_gets_the_settled_frame_of_the_state_once(open_desk) -> None:
    workspace = open_desk.workspace
    got: list[tuple[float, bool]] = []
    workspace.explore.move(0, 2.0)
    lost: list[str] = []
    workspace.rendering.when_settled(
        lambda state, frame: got.append((float(state.latent[0]), frame.settled)),
        lambda why, _details: lost.append(why),
    )
    open_desk.wait(lambda: got)
    assert got == [(2.0, True)]
    workspace.rendering.when_settled(
        lambda state, frame: got.append((float(state.latent[0]), True)),
        lambda why, _details: lost.append(why),
    )
    assert len(got) == 2
    assert not lost


def change_over(workspace, other: Path) -> None:
    workspace.open_checkpoint(str(other), "")


def change_device(workspace, _other: Path) -> None:
    workspace.override_device(DeviceOverride(precision="float32", threads=1))


@pytest.mark.parametrize("change", [change_over, change_device])
def test_what_waits_for_a_settled_frame_is_not_served_by_another_model_but_told(
    open_desk, idle_model_folder: Path, change
) -> None:
    workspace = open_desk.workspace
    got: list[Frame] = []
    lost: list[str] = []

    def wait() -> None:
        workspace.rendering.when_settled(
            lambda _state, frame: got.append(frame), lambda why, _details: lost.append(why)
        )

    workspace.explore.move(0, 2.0)
    wait()
    opened = workspace.opened
    change(workspace, idle_model_folder)
    assert lost == [GIVEN_UP]
    wait()
    assert lost == [GIVEN_UP] * 2, "while no model is attached none will come"
    open_desk.wait(lambda: workspace.in_step and workspace.opened is not opened)
    open_desk.wait_settled()
    assert not got
    wait()
    assert len(got) == 1


def test_a_settled_frame_that_cannot_be_rendered_is_told_to_who_waits_for_it(open_desk) -> None:
    workspace = open_desk.workspace
    good = workspace.session.document
    wrong = np.zeros(5, dtype=np.float32)
    explore = replace(good.explore, start=wrong, latent=wrong)
    got: list[Frame] = []
    lost: list[str] = []
    workspace.session.change("Break it", replace(good, explore=explore))
    workspace.rendering.when_settled(
        lambda _state, frame: got.append(frame), lambda why, _details: lost.append(why)
    )
    open_desk.wait(lambda: lost)
    assert "latents have the shape" in lost[0]
    assert "latents have the shape" in open_desk.messages[-1].text
    workspace.session.undo()
    open_desk.wait_settled()
    assert len(lost) == 1
    assert not got


# Undo to a model that cannot be had any more


@pytest.fixture
def model(tmp_path: Path, tiny_model_folder: Path) -> Path:
    """The tiny model in a folder of its own, which may be moved and changed."""
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "models" / "mine"))


@pytest.fixture
def retrain(model: Path) -> Callable[..., None]:
    """Put other weights in the place of the model's."""

    def change(latent: int = 8) -> None:
        import torch

        from latentlab.families.vae import VAE, VAEConfig

        config = locate(model).config
        made = VAEConfig.model_validate({**config.network, "latent": latent})
        with torch.random.fork_rng():
            torch.manual_seed(5)
            network = VAE(made)
        shutil.rmtree(model)
        new = {"model": network.spec, "network": made.model_dump(mode="json")}
        save(model, network, config.model_copy(update=new))

    return change


def go_over(desk, folder: Path) -> None:
    desk.workspace.open_checkpoint(str(folder), "")
    desk.wait(lambda: desk.workspace.in_step)
    assert desk.workspace.opened.path == str(folder)


def shows(desk, folder: Path, latent: np.ndarray) -> bool:
    """Whether document, open model and settled picture are all of that model at that latent."""
    workspace = desk.workspace
    desk.wait_settled()
    picture = workspace.rendering.settled_frame.pixels[0, ..., 2::-1]
    return (
        workspace.session.document.checkpoint.path == workspace.opened.path == str(folder)
        and workspace.session.document.checkpoint.sha256 == workspace.opened.sha256
        and np.array_equal(workspace.explore.state.latent, latent)
        and np.array_equal(picture, Explorer.open(folder, "").picture(latent))
    )


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_however_often_undo_was_pressed_a_model_that_has_gone_leaves_what_is_rendered(
    open_desk, model: Path, idle_model_folder: Path, steps: int
) -> None:
    workspace = open_desk.workspace
    go_over(open_desk, model)
    workspace.explore.move(0, 1.0)
    workspace.explore.move(1, 1.0)
    go_over(open_desk, idle_model_folder)
    workspace.explore.move(2, 1.0)
    latent = workspace.explore.state.latent
    model.rename(model.parent / "elsewhere")
    for _ in range(1 + steps):
        workspace.session.undo()
    open_desk.wait(lambda: open_desk.messages)
    open_desk.wait(lambda: workspace.in_step)
    assert len(open_desk.messages) == 1
    assert str(model) in open_desk.messages[0].text
    workspace.session.redo()
    assert shows(open_desk, idle_model_folder, latent)
    (model.parent / "elsewhere").rename(model)
    for _ in range(1 + steps):
        workspace.session.undo()
    open_desk.wait(lambda: workspace.in_step and workspace.opened.path == str(model))
    assert workspace.session.document.checkpoint.path == str(model)


def test_undo_over_two_models_that_have_gone_returns_to_the_one_that_is_rendered(
    open_desk, model: Path, idle_model_folder: Path, tmp_path: Path
) -> None:
    workspace = open_desk.workspace
    other = Path(shutil.copytree(model, tmp_path / "models" / "other"))
    go_over(open_desk, idle_model_folder)
    go_over(open_desk, other)
    go_over(open_desk, model)
    go_over(open_desk, idle_model_folder)
    before = workspace.session.document
    shutil.rmtree(model)
    shutil.rmtree(other)
    workspace.session.undo()
    workspace.session.undo()
    open_desk.wait(lambda: open_desk.messages)
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.session.document is before
    assert shows(open_desk, idle_model_folder, workspace.explore.state.latent)


def test_a_bad_checkpoint_that_is_opened_on_the_way_back_leaves_what_is_rendered(
    open_desk, model: Path, idle_model_folder: Path, tmp_path: Path
) -> None:
    workspace = open_desk.workspace
    go_over(open_desk, model)
    go_over(open_desk, idle_model_folder)
    before = workspace.session.document
    workspace.session.undo()
    workspace.open_checkpoint(str(tmp_path / "nothing"))
    open_desk.wait(lambda: open_desk.messages)
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.session.document is before
    assert shows(open_desk, idle_model_folder, workspace.explore.state.latent)


def test_a_step_made_on_the_way_to_a_model_that_has_gone_does_not_stay_there(
    open_desk, model: Path, idle_model_folder: Path
) -> None:
    workspace = open_desk.workspace
    go_over(open_desk, model)
    workspace.explore.move(0, 1.0)
    go_over(open_desk, idle_model_folder)
    before = workspace.session.document
    shutil.rmtree(model)
    workspace.session.undo()
    ShelfIntents(workspace.session).pin()
    open_desk.wait(lambda: open_desk.messages)
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.session.document is before
    assert workspace.session.history.undo_name == "Return to model idle-vae"
    assert shows(open_desk, idle_model_folder, workspace.explore.state.latent)


def test_a_device_that_fails_while_undo_leads_to_a_model_that_has_gone_is_given_up_too(
    open_desk, model: Path, idle_model_folder: Path
) -> None:
    workspace = open_desk.workspace
    go_over(open_desk, model)
    go_over(open_desk, idle_model_folder)
    shutil.rmtree(model)
    workspace.override_device(DeviceOverride(device="cuda:63"))
    workspace.session.undo()
    open_desk.wait(lambda: open_desk.messages)
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.override == DeviceOverride()
    assert shows(open_desk, idle_model_folder, workspace.explore.state.latent)


@pytest.mark.parametrize("latent", [8, 6])
def test_undo_to_a_model_with_other_weights_says_so_and_stays(
    open_desk, model: Path, idle_model_folder: Path, retrain, latent: int
) -> None:
    workspace = open_desk.workspace
    go_over(open_desk, model)
    workspace.explore.move(0, 1.0)
    go_over(open_desk, idle_model_folder)
    before = workspace.session.document
    retrain(latent)
    workspace.session.undo()
    open_desk.wait(lambda: open_desk.messages)
    open_desk.wait(lambda: workspace.in_step)
    assert "has other weights than expected" in open_desk.messages[-1].text
    assert workspace.session.document is before
    assert shows(open_desk, idle_model_folder, workspace.explore.state.latent)


def test_another_device_for_a_model_with_other_weights_keeps_the_latent_and_says_so(
    open_desk, model: Path, retrain
) -> None:
    workspace = open_desk.workspace
    go_over(open_desk, model)
    workspace.explore.move(0, 1.0)
    ShelfIntents(workspace.session).pin(name="mine")
    before = workspace.explore.state.latent
    retrain()
    workspace.override_device(DeviceOverride(precision="float32", threads=1))
    open_desk.wait(lambda: workspace.in_step and workspace.opened.choice.precision == "float32")
    assert "tiny-vae has other weights than this session was made with" in open_desk.messages[-1].text
    assert workspace.session.history.undo_name == "Open model tiny-vae"
    assert workspace.session.document.shelf.pin("mine") is not None
    assert shows(open_desk, model, before)


def test_another_device_for_a_model_of_another_size_opens_it_with_the_picture(
    open_desk, model: Path, face: Path, retrain
) -> None:
    workspace = open_desk.workspace
    workspace.bring_file(face)
    open_desk.wait(lambda: workspace.session.history.undo_name == "Open picture face.png")
    go_over(open_desk, model)
    workspace.explore.move(0, 1.0)
    retrain(6)
    workspace.override_device(DeviceOverride(precision="float32", threads=1))
    open_desk.wait(lambda: workspace.in_step and workspace.opened.spec.latent_size == 6)
    assert "so it was left out" in open_desk.messages[-1].text
    np.testing.assert_array_equal(workspace.explore.state.latent, workspace.explore.state.source.encoded.mean)
    assert shows(open_desk, model, workspace.explore.state.latent)
