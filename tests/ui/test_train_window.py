"""Train and debias by hand: set, started, paused, gone on with, given up, compared, saved, opened, left."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, choose, drag_slider, goes_back_and_forth, undo, write
from job_threads import jobs_in_threads
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QMessageBox

from latentlab.jobs.train_job import find_train_job
from latentlab.session.train_plan import RECIPES, key_of, value_of
from latentlab.training import detection_pair
from latentlab.training.debiasing import DetectionRecipe
from latentlab.ui import dialogs

pytest_plugins = ["debiasing_parts"]

TINY = {"epochs": 2, "count": 64, "batch": 32, "latent": 4, "filters": 4, "image_size": 32, "threads": 1}
LONG = 400


@pytest.fixture(autouse=True)
def own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_task) -> Iterator[Path]:
    folder = tmp_path / "runs"
    monkeypatch.setenv("LATENTLAB_RUNS", str(folder))
    monkeypatch.setattr(detection_pair, "open_detection", small_task)
    with jobs_in_threads(monkeypatch):
        yield folder


@pytest.fixture
def screen(driver):
    driver.window.actions_table["screen_train"].trigger()
    for name, value in TINY.items():
        driver.window.train._intents.ask(name, value)
    rest(driver)
    return driver.window.train


def rest(driver: Driver) -> None:
    driver.wait(lambda: driver.window.train.at_rest)


def trained(driver: Driver, screen) -> None:
    """Start what is asked for, and wait until it is done."""
    rest(driver)
    driver.qtbot.mouseClick(screen.form.start, LEFT)
    driver.wait(lambda: screen.work.phase in ("ready", "failed"))
    assert screen.work.phase == "ready", screen.work.message
    rest(driver)


def begun(driver: Driver, screen) -> None:
    """Start a long training, and wait for its first figures."""
    screen._intents.choose_recipe("dbvae")
    screen._intents.ask("epochs", LONG)
    rest(driver)
    driver.qtbot.mouseClick(screen.form.start, LEFT)
    driver.wait(lambda: screen.work.found is not None and screen.results.losses.lines)


# What is asked


def test_shares_on_sliders_show_what_comes_of_them(driver, screen) -> None:
    field = screen.form.fields["ratios"]
    assert list(field.sliders) == ["race", "gender"]
    assert len(screen.faces.found.groups) == 4
    assert screen.faces.found.total == 64
    _, slider, label = field.sliders["race"]
    assert label.text().startswith("90% light")
    before = screen.faces.found.groups
    drag_slider(driver, slider, -60)
    rest(driver)
    assert driver.undo_name == "Set faces trained on"
    assert screen.faces.found.groups != before
    assert field.counts.accessibleDescription().count(",") == 7
    undo(driver)
    rest(driver)
    assert screen.faces.found.groups == before, "a drag is one step"
    driver.qtbot.mouseClick(field.as_in_set, LEFT, pos=QPoint(8, field.as_in_set.height() // 2))
    assert value_of(screen.view, "ratios") == ()
    rest(driver)
    undo(driver)
    write(driver, screen.form.fields["count"].box, "8000")
    rest(driver)
    assert "ask for at most" in field.reason.text()
    assert not screen.form.start.isEnabled()
    undo(driver)
    log = screen.form.fields["smoothing"]
    log.slider.setFocus()
    driver.qtbot.keyClick(log.slider, Qt.Key.Key_Right)
    assert 0.001 < value_of(screen.view, "smoothing") < 0.002
    driver.qtbot.keyClick(log.slider, Qt.Key.Key_Delete)
    assert value_of(screen.view, "smoothing") == 0.001
    choose(screen.form.fields["budget"].box, "minutes")
    assert screen.form.fields["minutes"].isVisibleTo(screen.form)
    assert not screen.form.fields["epochs"].isVisibleTo(screen.form)
    goes_back_and_forth(driver, "Set budget")


def test_every_recipe_shows_what_it_needs_and_every_control_says_what_it_is(driver, screen) -> None:
    screen.form.more.click()
    for name, recipe in RECIPES.items():
        choose(screen.form.recipe, recipe.title)
        rest(driver)
        assert screen.view.recipe == name
        assert set(screen.form.fields) == {one.name for one in recipe.fields}
        assert screen.form.purpose.text() == recipe.purpose
        for control in [*screen.form.controls, *screen.results.controls]:
            if isinstance(control, (QAbstractSpinBox, QComboBox, QLineEdit)):
                assert control.accessibleName(), f"{name}: {control}"
            if control not in (screen.results.tabs, screen.results.histograms):
                assert control.toolTip(), f"{name}: {control.accessibleName() or control}"
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus or control is screen.results.tabs
    choose(screen.form.recipe, "Conditional INN")
    rest(driver)
    assert "needs the autoencoder" in screen.form.fields["autoencoder"].reason.text()
    assert not screen.form.start.isEnabled()


# The work


def test_a_pair_is_trained_shown_compared_saved_and_opened(
    driver, screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "press Start" in screen.results.empty.text()
    screen._intents.ask("seeds", 2)
    trained(driver, screen)
    results = screen.results
    assert [line.arm for line in results.losses.lines] == ["baseline", "baseline", "debiased", "debiased"]
    assert "seed 1" in results.losses.accessibleDescription()
    assert results.losses.tip_at(results.losses._area().center().toPoint()).count("\n") == 3
    assert len(results.pairs.pixels) % 2 == 0
    assert results.samples.places()
    results.show_view("Resampling")
    assert "effective sample size" in results.worth.text()
    epoch = screen.work.found.drawing.epoch
    likely = screen.work.found.drawing.likely
    assert len(likely) == min(40, len(epoch.p))
    assert [arm.name for arm in results.shares.shown.arms] == ["in the set", "as drawn"]
    assert sum(results.shares.shown.arms[1].heights.values()) == pytest.approx(100.0)
    assert len(results.histograms.shown) == 4
    results.show_view("Groups")
    driver.wait(results.groups.isVisible)
    bars = results.groups.shown
    assert "test rows" in bars.title
    left, width = results.groups._bar(0, 1)
    assert "debiased" in results.groups.tip_at(QPoint(round(left + width / 2), 150))
    assert set(results.figures()) == {"baseline", "debiased"}

    exports = driver.window.train_exports
    for path, write_it in (
        (tmp_path / "t.png", exports.picture),
        (tmp_path / "t.svg", exports.figure),
        (tmp_path / "t.csv", exports.table),
    ):
        write_it(path)
        driver.wait(path.is_file)
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["arm"] for row in rows} == {"baseline", "debiased"}
    assert any(row["figure"] == "recall" and row["kind"] == "now" for row in rows)
    driver.window.actions_table["copy_python"].trigger()
    assert "train_pair(asked, out, settings, seeds=2)" in QApplication.clipboard().text()
    driver.window.actions_table["copy_picture"].trigger()
    assert not QApplication.clipboard().image().isNull()

    first = screen.work.found.out
    screen._intents.choose_recipe("cnn")
    trained(driver, screen)
    results.show_view("Trainings")
    driver.wait(lambda: len(screen.runs.runs) == 2)
    pages = results.runs
    item = next(
        pages.list.topLevelItem(k)
        for k in range(pages.list.topLevelItemCount())
        if pages.list.topLevelItem(k).data(0, int(Qt.ItemDataRole.UserRole)).out == first
    )
    pages.list.setCurrentItem(item)
    driver.qtbot.mouseClick(pages.beside, LEFT)
    driver.wait(lambda: results.beside is not None)
    assert [arm.name[:2] for arm in results.groups.shown.arms] == ["A:", "B:", "B:"]
    assert results.title.text().startswith("A: CNN baseline")
    driver.qtbot.mouseClick(pages.nothing_beside, LEFT)
    assert results.beside is None
    driver.qtbot.mouseClick(pages.show_button, LEFT)
    driver.wait(lambda: screen.work.found is not None and screen.work.found.out == first)
    rest(driver)
    driver.qtbot.mouseClick(results.explore, LEFT)
    assert driver.window.screen_name == "explore"
    driver.wait(lambda: driver.workspace.opened.spec.family == "dbvae")
    driver.rest()
    np.testing.assert_array_equal(driver.workspace.opened.spec.latent_shape, [4])
    driver.window.show_screen("train")
    rest(driver)
    driver.qtbot.mouseClick(results.audit, LEFT)
    assert driver.window.screen_name == "audit"
    driver.wait(lambda: driver.workspace.in_step)


def test_it_is_paused_gone_on_with_and_given_up(driver, screen, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(driver, screen)
    assert screen.form.stop.isVisible()
    driver.qtbot.mouseClick(screen.form.stop, LEFT)
    driver.wait(lambda: screen.work.phase == "stopped")
    assert "Paused" in screen.form.status.text()
    assert screen.form.start.text() == "Resume"
    out = Path(screen.work.found.out)
    state = out / "run" / "state" / "state.safetensors"
    before = state.stat().st_mtime_ns
    reached = screen.results.losses.lines[0].curve.steps[-1]
    driver.qtbot.mouseClick(screen.form.start, LEFT)
    driver.wait(lambda: screen.results.losses.lines[0].curve.steps[-1] > reached + 4)
    assert state.stat().st_mtime_ns > before
    monkeypatch.setattr(dialogs, "may_go_on", lambda *_asked: False)
    driver.qtbot.mouseClick(screen.form.give_up, LEFT)
    assert screen.work.phase == "running"
    monkeypatch.setattr(dialogs, "may_go_on", lambda *_asked: True)
    driver.qtbot.mouseClick(screen.form.give_up, LEFT)
    driver.wait(lambda: screen.work.phase == "idle")
    assert "given up" in screen.form.status.text()
    assert not out.exists()
    assert screen.results.found is None


def test_a_loss_that_is_not_finite_is_told_and_the_last_state_stays(
    driver, screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = DetectionRecipe.step

    def step(self, fabric, parts, step):
        figures = plain(self, fabric, parts, step)
        return {name: value * float("nan") for name, value in figures.items()} if step.number > 6 else figures

    monkeypatch.setattr(DetectionRecipe, "step", step)
    screen._intents.choose_recipe("dbvae")
    rest(driver)
    driver.qtbot.mouseClick(screen.form.start, LEFT)
    driver.wait(lambda: screen.work.phase == "failed")
    assert "not finite" in screen.form.status.text()
    assert screen.form.start.text() == "Resume"
    assert (Path(screen.work.wanted.out) / "run" / "state" / "state.safetensors").is_file()


# Closing


def test_closing_asks_and_what_is_left_running_is_found_again(driver, screen, make_window) -> None:
    begun(driver, screen)
    window = driver.window
    for answer, closed in (("Cancel", False), ("Yes", True)):
        window.close()
        box = window._leaving_training
        assert box is not None
        assert "DB-VAE" in box.text()
        driver.qtbot.mouseClick(box.button(getattr(QMessageBox.StandardButton, answer)), LEFT)
        driver.wait(lambda closed=closed: window.isVisible() is not closed)
    again = make_window()
    other = Driver(driver.qtbot, again)
    other.wait(lambda: again.banner.message is not None)
    assert "A training goes on: DB-VAE" in again.banner.message.text
    again.actions_table["screen_train"].trigger()
    other.wait(lambda: again.train.going_on and again.train.results.losses.lines)
    assert again.workspace.opened is None, "it needs no model"
    again.close()
    driver.qtbot.mouseClick(again._leaving_training.button(QMessageBox.StandardButton.No), LEFT)
    other.wait(lambda: not again.isVisible())
    job = find_train_job(Path(again.workspace.session.document.train.shown))
    other.wait(lambda: job.poll().phase == "cancelled")


def test_how_it_is_set_is_undone_and_kept_by_key(driver, screen) -> None:
    choose(screen.form.recipe, "DB-VAE")
    assert value_of(screen.view, "latent") == 4, "what both are asked stays"
    goes_back_and_forth(driver, "Choose DB-VAE")
    choose(screen.form.fields["rule"].box, "max: the laboratory's")
    assert screen.view.values[key_of("dbvae", "rule")] == "max"
    assert key_of("pair", "rule") == key_of("dbvae", "rule")
