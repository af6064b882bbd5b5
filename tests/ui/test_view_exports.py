"""What each view gives away: figure, table, loop and program, read back and compared with the window."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hands import drop, error_of, two_pins, undo
from PIL import Image
from PySide6.QtWidgets import QApplication, QFileDialog

from latentlab.operations.direction import unit_direction
from latentlab.operations.explore import Explorer
from latentlab.operations.latent_map import LatentMap
from latentlab.operations.map_info import MapInfo
from latentlab.operations.probe import probe
from latentlab.session.document import AxisRef, GridView, PathView, ProbeView
from latentlab.ui import exports
from latentlab.ui.figure import compose
from latentlab.ui.widgets.probe_plot import Probe


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture.convert("RGB"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(driver, path: Path) -> Path:
    """Wait until a file is there and the message about it too."""
    driver.wait(lambda: path.exists() and not driver.window.exports.busy)
    return path


@pytest.fixture
def save_as(monkeypatch):
    """Answer the question where to save."""

    def say(path: Path) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_arguments: (str(path), ""))

    return say


@pytest.fixture
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


@pytest.fixture
def program(driver, tmp_path, monkeypatch):
    """Copy the view as Python, run the program in an empty folder, and return its names and the folder."""

    def run() -> tuple[dict[str, object], Path]:
        driver.window.actions_table["copy_python"].trigger()
        folder = tmp_path / "program"
        folder.mkdir()
        monkeypatch.chdir(folder)
        names: dict[str, object] = {}
        exec(compile(QApplication.clipboard().text(), "copied", "exec"), names)
        return names, folder

    return run


def show(driver, view: str) -> None:
    driver.screen.show_view(view)
    page = driver.screen._pages[view]
    if view == "grid":
        driver.wait(lambda: not page.follower.waiting)
    if view == "probe":
        driver.wait(lambda: page.follower.curve and page.follower.bands)
    driver.rest()


def add_direction(driver) -> str:
    way = unit_direction("smile", np.linspace(-1.0, 1.0, 8), 0.75)
    return driver.screen.intents.shelf.add_directions([way])[0]


GRIDS = {
    "strongest": GridView(steps=3),
    "strips": GridView("strips", (AxisRef(2), AxisRef(direction="smile")), 4, 1.5),
    "plane": GridView("plane", (AxisRef(direction="smile"), AxisRef(6)), 3),
}


@pytest.mark.parametrize("which", GRIDS)
def test_the_program_of_a_grid_makes_the_exported_sheet_to_the_bit(
    driver, program, save_as, tmp_path, which: str
) -> None:
    add_direction(driver)
    driver.workspace.explore.move(1, 0.7)
    driver.screen.intents.shelf.set_grid(GRIDS[which])
    show(driver, "grid")
    save_as(tmp_path / "window.png")
    driver.window.actions_table["export_figure"].trigger()
    exported = pixels_of(written(driver, tmp_path / "window.png"))
    names, folder = program()
    np.testing.assert_array_equal(pixels_of(folder / "grid.png"), exported)
    np.testing.assert_array_equal(names["series"].latents, driver.screen.grid.follower.plan.latents)


def test_the_table_of_a_grid_is_what_its_program_predicts(driver, program, save_as, tmp_path) -> None:
    driver.screen.intents.shelf.set_grid(GridView("strips", (AxisRef(2), AxisRef(5)), 3))
    show(driver, "grid")
    save_as(tmp_path / "grid.csv")
    driver.window.actions_table["export_table"].trigger()
    rows = rows_of(written(driver, tmp_path / "grid.csv"))
    names, folder = program()
    names["series"].save_table(folder / "grid.csv")
    assert rows == rows_of(folder / "grid.csv")
    assert len({row["picture"] for row in rows}) == 6


def test_the_program_of_the_picture_makes_the_exported_one_to_the_bit(
    driver, program, save_as, tmp_path
) -> None:
    driver.workspace.explore.move(4, -1.25)
    save_as(tmp_path / "edited.png")
    driver.window.actions_table["export_picture"].trigger()
    exported = pixels_of(written(driver, tmp_path / "edited.png"))
    names, _ = program()
    np.testing.assert_array_equal(names["picture"], exported)
    driver.rest()
    np.testing.assert_array_equal(names["picture"], driver.picture)


@pytest.mark.parametrize("axis", ["dimension", "direction"])
def test_the_table_of_the_probe_is_what_its_program_measures(
    driver, program, save_as, tmp_path, axis: str
) -> None:
    name = add_direction(driver)
    driver.workspace.explore.move(1, 0.7)
    chosen = AxisRef(direction=name) if axis == "direction" else AxisRef(4)
    driver.screen.intents.shelf.set_probe(ProbeView(chosen, "glasses"))
    show(driver, "probe")
    save_as(tmp_path / "probe.csv")
    driver.window.actions_table["export_table"].trigger()
    rows = rows_of(written(driver, tmp_path / "probe.csv"))
    _, folder = program()
    again = rows_of(folder / "probe.csv")
    assert len(rows) == len(again) == 25 * 10
    for one, other in zip(rows, again, strict=True):
        same = ("axis", "attribute", "class", "n")
        assert [one[name] for name in same] == [other[name] for name in same]
        for number in ("value", "probability", "mean", "low", "high"):
            assert (one[number] == "") == (other[number] == "")
            if one[number]:
                assert float(one[number]) == pytest.approx(float(other[number]), abs=1e-6), "settled ones"


def test_the_figure_of_the_probe_draws_settled_curves_and_says_of_what_the_mean_is(
    driver, save_as, tmp_path, explorer, monkeypatch
) -> None:
    driver.screen.intents.shelf.set_probe(ProbeView(AxisRef(4), "glasses"))
    show(driver, "probe")
    chart = driver.screen.probe.chart
    assert chart.probe.of_what == "random draws"
    drawn: list[Probe] = []
    picture = chart.picture
    monkeypatch.setattr(
        chart, "picture", lambda *size, probe: (drawn.append(probe), picture(*size, probe=probe))[1]
    )
    save_as(tmp_path / "probe.png")
    driver.window.actions_table["export_figure"].trigger()
    written(driver, tmp_path / "probe.png")
    ((axis, of_what, here, curve, mean),) = [
        (one.axis, one.of_what, one.here, one.curve, one.mean) for one in drawn
    ]
    expected = probe(explorer, driver.latent, 4)
    assert (axis, of_what, here) == ("Dimension 4", "random draws", driver.latent[4])
    np.testing.assert_array_equal(curve, expected.curve["glasses"])
    np.testing.assert_array_equal(mean.mean, expected.bands["glasses"].mean)
    assert mean.count == 200


def test_the_figure_of_the_probe_shows_the_curves_on_white(driver, save_as, tmp_path) -> None:
    show(driver, "probe")
    save_as(tmp_path / "probe.png")
    driver.window.actions_table["export_figure"].trigger()
    figure = pixels_of(written(driver, tmp_path / "probe.png"))
    assert figure.shape == (960, 1760, 3)
    assert (figure[0, 0] == 255).all()
    assert len(np.unique(figure.reshape(-1, 3), axis=0)) > 20


def test_while_a_map_is_there_the_mean_is_that_of_its_images(driver) -> None:
    opened = driver.workspace.opened
    latents = np.random.default_rng(5).normal(size=(30, 8)).astype(np.float32)
    show(driver, "probe")
    follower = driver.screen.probe.follower
    assert follower.count == 200
    info = MapInfo(
        model=opened.name,
        sha256=opened.sha256,
        data="my faces",
        count=30,
        seed=0,
        available=30,
        fingerprint="f" * 64,
        image_size=32,
        latent_shape=(8,),
    )
    made = LatentMap(
        info=info,
        rows=np.arange(30),
        names=np.array([str(k) for k in range(30)]),
        latents=latents,
        labels={},
        places={"pca": latents[:, :2].copy()},
        mean=latents.mean(0),
        components=np.eye(2, 8, dtype=np.float32),
        shares=np.array([0.5, 0.5], np.float32),
    )
    driver.screen.map.data._take(made, None)
    driver.wait(lambda: follower.count == 30 and follower.bands)
    assert follower.of_what == "images of my faces"
    given = follower.bands
    driver.screen.map.data._take(replace(made), None)  # more of it has been made: its latents are the same
    assert follower.bands is given
    driver.window.exports.copy_python("probe")
    assert "data=found.latents" in QApplication.clipboard().text()
    driver.rest()


# What is compared with


@pytest.fixture
def compared(driver) -> None:
    """A pin that is compared with, named like a picture of the view, and an edit since."""
    driver.workspace.explore.move(2, 1.5)
    driver.screen.intents.shelf.pin(name="Edited")
    driver.workspace.explore.move(2, -1.5)
    driver.screen.intents.shelf.compare_with("Edited")
    driver.rest()


def test_the_table_of_the_picture_has_the_pin_that_is_compared_with(
    driver, compared, save_as, tmp_path, explorer
) -> None:
    save_as(tmp_path / "attributes.csv")
    driver.window.actions_table["export_table"].trigger()
    rows = rows_of(written(driver, tmp_path / "attributes.csv"))
    assert list(dict.fromkeys(row["picture"] for row in rows)) == [
        "input",
        "reconstruction",
        "pin: Edited",
        "edited",
    ]
    pin = driver.workspace.session.document.shelf.pin("Edited")
    for picture, latent in (("pin: Edited", pin.latent), ("edited", driver.latent)):
        expected = explorer.attributes(explorer.picture(latent))["race"]
        found = [float(one["probability"]) for one in rows if one["picture"] == picture]
        np.testing.assert_allclose(found[2:6], expected, atol=1e-6)


@pytest.mark.parametrize("difference", [False, True])
def test_the_figure_shows_the_pin_that_is_compared_with_and_the_changes_since(
    driver, compared, save_as, tmp_path, explorer, monkeypatch, difference: bool
) -> None:
    made: list[tuple] = []
    monkeypatch.setattr(exports, "compose", lambda *given: (made.append(given), compose(*given))[1])
    driver.window.actions_table["difference"].setChecked(difference)
    driver.screen.stage.set_difference(difference)
    save_as(tmp_path / "figure.png")
    driver.window.actions_table["export_figure"].trigger()
    written(driver, tmp_path / "figure.png")
    ((pictures, spec, series, caption, _, _, changes),) = made
    shown = ["Input", "Reconstruction", "Edited", *(["Difference"] if difference else []), "Edited"]
    assert [one.title for one in pictures] == shown
    assert spec is driver.workspace.opened.predictor
    assert [one.title for one in series] == ["Input", "Edited", "Edited"]
    assert changes
    pin = driver.workspace.session.document.shelf.pin("Edited")
    expected = explorer.attributes(explorer.picture(pin.latent))
    np.testing.assert_allclose(series[1].probabilities["race"], expected["race"], atol=1e-6)
    assert "Changes in points since Edited." in caption
    assert ("Difference from Edited: red where lighter" in caption) == difference
    assert pixels_of(tmp_path / "figure.png").shape[1] == 2 * 880


def test_the_figure_compares_with_the_reconstruction_otherwise(driver, tmp_path, monkeypatch) -> None:
    made: list[tuple] = []
    monkeypatch.setattr(exports, "compose", lambda *given: (made.append(given), compose(*given))[1])
    driver.window.exports.figure(tmp_path / "figure.png", "picture", driver.window.font())
    written(driver, tmp_path / "figure.png")
    assert [one.title for one in made[0][0]] == ["Input", "Reconstruction", "Edited"]
    assert [one.title for one in made[0][2]] == ["Input", "Reconstruction", "Edited"]
    assert not made[0][-1]


# Loops


LOOPS = ("gif", "webp", "png", "mp4")


def frames_of(path: Path) -> tuple[int, float]:
    """Return how many frames a loop has, and how many it shows in a second."""
    if path.suffix == ".mp4":
        import av

        with av.open(str(path)) as film:
            rate = film.streams.video[0].average_rate
            return sum(1 for _ in film.decode(video=0)), float(rate)
    with Image.open(path) as loop:
        loop.seek(1)
        loop.load()
        return loop.n_frames, 1000.0 / loop.info["duration"]


@pytest.mark.parametrize("suffix", LOOPS)
def test_a_loop_has_every_picture_of_the_path_at_its_speed(driver, save_as, tmp_path, suffix: str) -> None:
    two_pins(driver)
    driver.screen.intents.shelf.set_path(PathView("spherical", 4, True))
    driver.screen.picture.bar.speed.setValue(10)
    save_as(tmp_path / f"loop.{suffix}")
    driver.window.actions_table["export_loop"].trigger()
    frames, fps = frames_of(written(driver, tmp_path / f"loop.{suffix}"))
    assert frames == 8, "what is closed ends before its beginning comes again"
    assert fps == pytest.approx(10.0)


def test_the_pictures_of_a_loop_are_the_settled_ones(driver, save_as, tmp_path, explorer) -> None:
    two_pins(driver)
    driver.screen.intents.shelf.set_path(PathView("linear", 3, False))
    save_as(tmp_path / "loop.webp")
    driver.window.actions_table["export_loop"].trigger()
    with Image.open(written(driver, tmp_path / "loop.webp")) as loop:
        assert loop.n_frames == 4
        for k, latent in enumerate(driver.screen.picture.follower.latents):
            loop.seek(k)
            found = np.array(loop.convert("RGB"))
            assert found.shape == (256, 256, 3)
            np.testing.assert_array_equal(found, np.kron(explorer.picture(latent), np.ones((8, 8, 1))))


def test_a_path_of_pins_that_were_pinned_in_another_view_is_saved_too(driver, save_as, tmp_path) -> None:
    show(driver, "grid")
    two_pins(driver)
    driver.screen.intents.shelf.set_path(PathView("spherical", 3, True))
    save_as(tmp_path / "loop.webp")
    driver.window.actions_table["export_loop"].trigger()
    assert frames_of(written(driver, tmp_path / "loop.webp"))[0] == 6
    driver.screen.intents.shelf.pin()
    driver.window.actions_table["export_loop"].trigger()
    driver.wait(lambda: not driver.window.exports.busy)
    assert frames_of(tmp_path / "loop.webp")[0] == 9, "it is the path through the pins as they are now"
    assert driver.screen.view == "grid"


def test_a_loop_too_fast_for_its_format_says_so(driver, tmp_path) -> None:
    two_pins(driver)
    driver.window.exports.loop(tmp_path / "loop.gif", 60)
    driver.wait(lambda: error_of(driver))
    assert "1 to 50 pictures a second as GIF" in error_of(driver)
    assert not (tmp_path / "loop.gif").exists()


# What cannot be given away is said


def test_a_grid_that_is_none_is_said_and_nothing_is_saved(driver, tmp_path) -> None:
    driver.screen.intents.shelf.set_grid(GridView("plane", (AxisRef(3),)))
    driver.screen.show_view("grid")
    exports = driver.window.exports
    for tell in (
        lambda: exports.figure(tmp_path / "grid.png", "grid", driver.window.font()),
        lambda: exports.table(tmp_path / "grid.csv", "grid"),
        lambda: exports.copy_python("grid"),
    ):
        driver.window.banner.dismiss()
        tell()
        assert "A plane needs two axes" in error_of(driver)
    assert list(tmp_path.glob("grid*")) == []


def test_a_map_that_is_not_there_is_said(driver, tmp_path) -> None:
    driver.screen.show_view("map")
    exports = driver.window.exports
    for tell in (lambda: exports.copy_python("map"), lambda: exports.table(tmp_path / "map.csv", "map")):
        driver.window.banner.dismiss()
        tell()
        assert "no map yet" in error_of(driver)


# Directions


def test_directions_are_saved_and_come_back_by_dropping_their_file(driver, save_as, tmp_path) -> None:
    add_direction(driver)
    driver.screen.intents.shelf.set_reach("smile", 5.0)
    before = driver.screen.intents.shelf.shelf.directions
    save_as(tmp_path / "ways.json")
    driver.window.actions_table["save_directions"].trigger()
    path = written(driver, tmp_path / "ways.json")
    driver.screen.intents.shelf.remove_direction("smile")
    drop(driver.window, path)
    assert driver.screen.intents.shelf.shelf.directions == before
    assert driver.undo_name == "Load directions of ways.json"
    drop(driver.window, path)
    names = [one.name for one in driver.screen.intents.shelf.shelf.directions]
    assert names == ["smile", "smile 2"], "what is there stays"
    undo(driver)
    undo(driver)
    assert driver.screen.intents.shelf.shelf.directions == ()


def test_a_file_of_directions_that_is_damaged_or_does_not_fit_says_so(driver, save_as, tmp_path) -> None:
    add_direction(driver)
    save_as(tmp_path / "ways.json")
    driver.window.actions_table["save_directions"].trigger()
    path = written(driver, tmp_path / "ways.json")
    text = path.read_text(encoding="utf-8")
    before = driver.workspace.session.document
    path.write_text(text[:-40], encoding="utf-8")
    drop(driver.window, path)
    assert "not JSON" in error_of(driver)
    path.write_text(text.replace('"vector":[', '"vector":[0.0,').replace('"vector": [', '"vector": [0.0,'))
    driver.window.banner.dismiss()
    drop(driver.window, path)
    assert "none has the 8 numbers" in error_of(driver)
    assert driver.workspace.session.document is before
