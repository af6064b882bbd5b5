from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication

from latentlab.session.kinds import kind_of
from latentlab.session.sample_pictures import sample_pictures


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture)


def drop(window, data: QMimeData) -> bool:
    """Drop data on the window as a file manager does: first it enters, then it is let go."""
    enter = QDragEnterEvent(
        QPoint(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, enter)
    if not enter.isAccepted():
        return False
    fall = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, fall)
    return True


def urls(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


@pytest.fixture
def other_face(tmp_path: Path, small_faces) -> Path:
    path = tmp_path / "other face.png"
    Image.fromarray(small_faces[5]).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("empty.png", b"", "empty"),
        ("text.png", b"only words", "text"),
        ("weights.safetensors", b"", "empty"),
        ("page.safetensors", b"<!doctype html><title>x</title>", "web page"),
        ("lfs.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("old.pt", b"\x80\x02}q\x00.", "pickle"),
        ("config.json", b"{}", "latentlab"),
        ("missing.png", None, "missing.png"),
        ("missing.safetensors", None, "missing.safetensors"),
    ],
)
def test_a_bad_file_is_a_message_and_everything_stays(driver, tmp_path, name, content, part) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    driver.workspace.explore.move(0, 1.0)
    driver.rest()
    document, picture = driver.workspace.session.document, driver.picture.copy()
    driver.window.open_path(path)
    driver.wait(lambda: driver.window.banner.message is not None)
    message = driver.window.banner.message
    assert message.kind == "error"
    assert part in message.text
    assert name in message.text
    assert driver.window.banner.isVisible()
    assert driver.workspace.session.document is document
    driver.rest()
    np.testing.assert_array_equal(driver.picture, picture)
    driver.workspace.explore.move(0, 2.0)
    driver.rest()
    driver.window.banner.dismiss()
    assert not driver.window.banner.isVisible()


def test_the_details_of_a_message_can_be_copied(driver, tmp_path) -> None:
    driver.window.open_path(tmp_path / "nothing.png")
    driver.wait(lambda: driver.window.banner.message is not None)
    driver.window.banner._copy.click()
    assert "nothing.png" in QApplication.clipboard().text()


def test_a_dropped_picture_is_encoded(driver, other_face) -> None:
    assert drop(driver.window, urls(other_face))
    driver.wait(lambda: driver.undo_name == "Open picture other face.png")
    driver.rest()
    shown = driver.screen.stage.input.pixels[..., 2::-1]
    np.testing.assert_array_equal(shown, pixels_of(other_face))


def test_a_dropped_folder_is_opened_as_a_checkpoint(driver, tiny_model_folder, tmp_path) -> None:
    import shutil

    folder = tmp_path / "my model"
    shutil.copytree(tiny_model_folder, folder)
    assert drop(driver.window, urls(folder))
    driver.wait(lambda: driver.workspace.in_step and driver.workspace.opened.path == str(folder))
    driver.rest()
    assert driver.undo_name == "Open model tiny-vae"
    assert driver.screen.stage.input.pixels is not None
    assert driver.window.windowTitle().startswith("tiny-vae")


def test_dropped_text_is_not_taken(driver) -> None:
    data = QMimeData()
    data.setText("words")
    assert not drop(driver.window, data)


def test_a_pasted_picture_is_encoded_without_loss(driver, small_faces) -> None:
    pixels = np.ascontiguousarray(small_faces[6])
    image = QImage(pixels.data, 32, 32, 96, QImage.Format.Format_RGB888).copy()
    QApplication.clipboard().setImage(image)
    driver.window.actions_table["paste"].trigger()
    driver.wait(lambda: driver.undo_name == "Open picture pasted picture")
    driver.rest()
    np.testing.assert_array_equal(driver.screen.stage.input.pixels[..., 2::-1], pixels)


def test_a_pasted_file_is_opened_and_pasted_words_are_not(driver, other_face) -> None:
    QApplication.clipboard().setText("words")
    driver.window.actions_table["paste"].trigger()
    assert "no picture" in driver.window.status.currentMessage()
    QApplication.clipboard().setMimeData(urls(other_face))
    driver.window.actions_table["paste"].trigger()
    driver.wait(lambda: driver.undo_name == "Open picture other face.png")


def test_a_copied_latent_is_pasted_to_the_bit(driver) -> None:
    driver.workspace.explore.move(3, 1.2345678)
    latent = driver.latent.copy()
    driver.window.actions_table["copy_latent"].trigger()
    driver.window.actions_table["randomise"].trigger()
    driver.window.actions_table["paste"].trigger()
    np.testing.assert_array_equal(driver.latent, latent)
    assert driver.undo_name == "Set out from a pasted latent"
    assert driver.screen.stage.start._detail == "a pasted latent"
    driver.rest()
    np.testing.assert_array_equal(driver.screen.stage.start.pixels, driver.screen.stage.edited.pixels)
    driver.window.actions_table["undo"].trigger()
    assert driver.undo_name == "Randomise (seed 0)"


def test_a_latent_that_does_not_fit_says_why_and_changes_nothing(driver) -> None:
    driver.window.actions_table["copy_latent"].trigger()
    text = QApplication.clipboard().text()
    before = driver.latent.copy()
    for wrong, message in (
        (text.replace('"latent":[', '"latent":[0.5,'), "9 dimensions"),
        (text.replace('"version":1', '"version":2'), "version"),
        (text[:-10], "not JSON"),
    ):
        QApplication.clipboard().setText(wrong)
        driver.window.actions_table["paste"].trigger()
        assert message in driver.window.banner.message.text
        np.testing.assert_array_equal(driver.latent, before)


def test_a_latent_of_other_weights_is_taken_with_a_note(driver) -> None:
    driver.workspace.explore.move(0, 0.75)
    driver.window.actions_table["copy_latent"].trigger()
    latent = driver.latent.copy()
    sha256 = driver.workspace.opened.sha256
    QApplication.clipboard().setText(QApplication.clipboard().text().replace(sha256, "0" * 64))
    driver.window.actions_table["undo"].trigger()
    notes: list[str] = []
    driver.workspace.session.message.connect(lambda message: notes.append(message.text))
    driver.window.actions_table["paste"].trigger()
    np.testing.assert_array_equal(driver.latent, latent)
    assert any("whose weights are others" in note for note in notes)


def test_a_dropped_predictor_judges_the_model_that_is_open(driver, tiny_predictor_folder, tmp_path) -> None:
    import shutil

    before = driver.workspace.opened
    shutil.copytree(tiny_predictor_folder, tmp_path / "my-attributes")
    driver.window.open_path(tmp_path / "my-attributes")
    driver.wait(lambda: driver.workspace.opened is not before and driver.workspace.in_step)
    assert driver.workspace.opened.sha256 == before.sha256
    assert driver.workspace.opened.predictor_name == str(tmp_path / "my-attributes")
    driver.rest()


def test_a_sample_is_one_click(driver) -> None:
    menu = driver.window.header.samples.menu()
    named = {button.accessibleName(): button for button in menu.buttons}
    assert len(named) == len(menu.buttons) == len(sample_pictures())
    named["Face 12"].click()
    driver.wait(lambda: driver.undo_name == "Open picture Face 12")


def test_the_exported_picture_is_the_settled_one(driver, tmp_path) -> None:
    driver.workspace.explore.move(3, 1.5)
    path = tmp_path / "out.png"
    driver.window.exports.picture(path)
    driver.wait(path.exists)
    driver.rest()
    np.testing.assert_array_equal(pixels_of(path), driver.picture)
    with Image.open(path) as picture:
        assert picture.info["Software"] == "LatentLab"
        assert "1 of 8 latent dimensions changed" in picture.info["Description"]


def test_the_exported_table_holds_what_is_shown(driver, tmp_path) -> None:
    driver.workspace.explore.move(3, 1.5)
    path = tmp_path / "out.csv"
    driver.window.exports.table(path, "picture")
    driver.wait(lambda: path.exists() and not driver.window.exports.busy)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 3 * 10
    frame = driver.workspace.rendering.settled_frame
    edited = [row for row in rows if row["picture"] == "edited" and row["attribute"] == "race"]
    expected = [f"{value:.6f}" for value in frame.attributes["race"][0]]
    assert [row["probability"] for row in edited] == expected


def test_the_exported_figure_is_twice_the_size_and_not_empty(driver, tmp_path) -> None:
    path = tmp_path / "figure.png"
    driver.window.exports.figure(path, "picture", driver.window.font())
    driver.wait(path.exists)
    figure = pixels_of(path)
    assert figure.shape[1] == 2 * 880
    assert len(np.unique(figure.reshape(-1, 3), axis=0)) > 100


def test_an_export_that_cannot_be_written_says_so(driver, tmp_path) -> None:
    exports = driver.window.exports
    driver.screen.show_view("grid")
    for write, name in (
        (exports.picture, "x.png"),
        (lambda path: exports.table(path, "picture"), "x.csv"),
        (lambda path: exports.table(path, "grid"), "grid.csv"),
    ):
        driver.window.banner.dismiss()
        write(tmp_path / "no folder" / name)
        driver.wait(lambda: driver.window.banner.message is not None)
        assert driver.window.banner.message.kind == "error"
        assert name in driver.window.banner.message.text


def test_the_copied_picture_is_the_settled_one(driver) -> None:
    driver.workspace.explore.move(2, -1.5)
    driver.window.actions_table["copy_picture"].trigger()
    driver.rest()
    driver.wait(lambda: not QApplication.clipboard().image().isNull())
    image = QApplication.clipboard().image().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(32, image.bytesPerLine())
    np.testing.assert_array_equal(rows[:, :96].reshape(32, 32, 3), driver.picture)


def test_the_copied_program_makes_the_picture_to_the_bit(driver) -> None:
    driver.workspace.explore.move(2, -1.5)
    driver.workspace.explore.move(0, 0.33)
    driver.rest()
    driver.window.actions_table["copy_python"].trigger()
    names: dict[str, object] = {}
    exec(QApplication.clipboard().text(), names)
    np.testing.assert_array_equal(names["picture"], driver.picture)
    for name, values in driver.screen.series()["edited"].items():
        np.testing.assert_array_equal(names["attributes"][name], values)


def test_opened_files_are_remembered_newest_first(
    qtbot, make_window, tiny_model_folder, face, other_face
) -> None:
    window = make_window(keep=True)
    window.settings.clear_recent()
    for path in (tiny_model_folder, face, other_face, face):
        window.open_path(path)
    assert [Path(text).name for text in window.settings.recent()] == [
        "face.png",
        "other face.png",
        "tiny-vae",
    ]
    menu = window.actions_table.submenus["recent"]
    assert menu.actions()[0].text() == "face.png"
    menu.actions()[-1].trigger()
    assert window.settings.recent() == []
    qtbot.waitUntil(lambda: window.workspace.phase == "ready" and not window.workspace.busy, timeout=120_000)


def test_paths_are_told_apart(tmp_path) -> None:
    assert kind_of(tmp_path) == "checkpoint"
    assert kind_of(Path("x.SafeTensors")) == "checkpoint"
    assert kind_of(Path("config.json")) == "checkpoint"
    assert kind_of(Path("x.JPG")) == "picture"
    assert kind_of(Path("no suffix")) == "picture"
