"""The audit by hand: chosen, started, stopped, gone on with, looked at, compared, saved, found again."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, answer, choose, drop, error_of, goes_back_and_forth, redo, undo, wheel, write
from job_threads import jobs_in_threads
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QMessageBox,
)

from latentlab.audit.charts import Chart, Mark, charts_text
from latentlab.audit.runs import run_study
from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.session.audit_beside import alone
from latentlab.session.document import AuditView
from latentlab.session.session import Message
from latentlab.ui import dialogs
from latentlab.ui.theme import DARK, LIGHT, Theme
from latentlab.ui.widgets.audit_chart import AuditChart
from latentlab.ui.widgets.audit_columns import columns_of
from latentlab.ui.widgets.audit_plot import axis_of, folded, lay_out, ticks
from latentlab.ui.widgets.audit_runs_dialog import AuditRunsDialog, when_words


@pytest.fixture(autouse=True)
def own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "runs"
    monkeypatch.setenv("LATENTLAB_RUNS", str(folder))
    with jobs_in_threads(monkeypatch):
        yield folder


@pytest.fixture
def screen(driver):
    driver.window.rail.button("Audit").click()
    rest(driver)
    return driver.window.audit


@pytest.fixture(scope="module")
def studied_once(tiny_model_folder: Path, tiny_predictor_folder: Path, tmp_path_factory) -> Path:
    """A study in a folder of its own, as a command would have done it."""
    request = StudyRequest(
        "generation", (str(tiny_model_folder),), n=200, seeds=(0, 1), predictor=str(tiny_predictor_folder)
    )
    folder = tmp_path_factory.mktemp("studied") / "study"
    run_study(request, folder)
    return folder


@pytest.fixture
def studied(studied_once: Path, tmp_path: Path) -> Path:
    """That study, for a test that may spoil it."""
    return shutil.copytree(studied_once, tmp_path / "studied")


def rest(driver: Driver) -> None:
    driver.wait(lambda: driver.window.at_rest)


def view(driver: Driver) -> AuditView:
    return driver.workspace.session.document.audit


def message(driver: Driver) -> str:
    found = driver.window.banner.message
    return "" if found is None else found.text


def show_folder(driver: Driver, screen, folder: Path) -> None:
    screen.show_folder(folder)
    driver.wait(lambda: screen.study is not None and screen.study.folder == folder)
    rest(driver)


def click_mark(driver: Driver, screen, chart: int, mark: int) -> None:
    widget = screen.results.columns.charts[chart]
    driver.qtbot.mouseClick(widget, LEFT, pos=widget.mark_area(mark).center().toPoint())


def do(driver: Driver, screen) -> None:
    """Start the study that is asked for, and wait until it is done."""
    driver.wait(lambda: screen.form.start.isEnabled())
    driver.qtbot.mouseClick(screen.form.start, LEFT)
    driver.wait(lambda: screen.data.phase == "ready")
    rest(driver)


# The work


def test_a_study_is_started_stopped_gone_on_with_saved_and_found_again(
    driver, screen, make_window, tmp_path: Path
) -> None:
    form, results = screen.form, screen.results
    assert "Press Start to begin" in results.empty.text()
    assert form.purpose.text() == STUDIES["generation"].purpose
    write(driver, form.fields["n"].box, "1500")
    assert view(driver).asked.n == 1500
    goes_back_and_forth(driver, "Set the audit")
    rest(driver)
    driver.wait(lambda: form.start.isEnabled())
    driver.qtbot.mouseClick(form.start, LEFT)
    driver.wait(lambda: screen.data.done > 0)
    assert form.stop.isVisible()
    assert not form.start.isVisible()
    assert form.progress.isVisible()
    assert " of 1,500" in form.status.text()
    assert driver.window.at_rest, "what goes on in the background is waited for by nobody"
    driver.qtbot.mouseClick(form.stop, LEFT)
    driver.wait(lambda: screen.data.phase == "stopped")
    assert form.start.text() == "Resume"
    assert form.status.text().startswith("Stopped.")
    driver.qtbot.mouseClick(form.start, LEFT)
    driver.wait(lambda: screen.data.phase == "ready")
    rest(driver)
    assert results.title.text() == "Generation: tiny-vae"
    assert results.note.text().startswith("1,500 images, seed 0")
    assert not form.start.isEnabled()
    assert [chart.shown.chart.title for chart in results.columns.charts]
    assert results.columns.summaries[0].heading.text() == "What can and cannot be concluded"
    assert driver.undo_name == "Set the audit", "the work is no step"

    path = tmp_path / "session.json"
    driver.workspace.save_session(path, {})
    driver.wait(lambda: path.exists())
    other = Driver(driver.qtbot, make_window())
    other.workspace.open_session(path)
    other.wait(lambda: other.workspace.in_step)
    assert view(other) == view(driver)
    other.window.rail.button("Audit").click()
    other.wait(lambda: other.window.audit.data.phase == "ready")
    rest(other)
    assert other.window.audit.results.title.text() == "Generation: tiny-vae"
    assert other.workspace.session.message.emit.__self__ is not None
    undo(driver)
    driver.wait(lambda: screen.data.phase == "idle")
    assert screen.study is None
    redo(driver)
    driver.wait(lambda: screen.data.phase == "ready")


def test_a_click_shows_the_images_behind_and_one_goes_on_in_explore(driver, screen, studied: Path) -> None:
    show_folder(driver, screen, studied)
    results = screen.results
    charts = [chart.shown.chart for chart in results.columns.charts]
    race = next(k for k, chart in enumerate(charts) if chart.name == "share.race")
    marks = charts[race].marks
    place = max(range(len(marks)), key=lambda k: marks[k].value)
    assert not results.images.isVisible()
    click_mark(driver, screen, race, place)
    rest(driver)
    assert results.images.isVisible()
    assert results.columns.charts[race].current == place
    count = round(marks[place].value * marks[place].n)
    tiles = results.strip.tiles
    assert len(tiles) == min(24, count)
    assert all("sure" in tile.lines[-1] for tile in tiles)
    assert results.said.text().startswith(marks[place].label.capitalize())
    driver.qtbot.mouseClick(tiles[-1], LEFT)
    assert results.image is tiles[-1].behind
    driver.window.actions_table["show_pixels"].trigger()
    assert not tiles[0].smooth
    driver.window.actions_table["show_pixels"].trigger()
    picture = results.image.pictures[0][1]
    driver.qtbot.mouseClick(results.explore, LEFT)
    driver.wait(lambda: driver.window.screen_name == "explore")
    driver.wait(lambda: driver.workspace.explore.state.source.name == tiles[-1].behind.name)
    driver.rest()
    np.testing.assert_array_equal(driver.workspace.explore.state.source.picture, picture)
    driver.window.rail.button("Audit").click()
    rest(driver)
    assert results.images.isVisible()
    screen.setFocus()
    driver.qtbot.keyClick(screen, Qt.Key.Key_Escape)
    assert not results.images.isVisible()


def test_keys_go_among_the_marks_and_enter_shows_the_images(driver, screen, studied: Path) -> None:
    show_folder(driver, screen, studied)
    chart = screen.results.columns.charts[0]
    driver.window.activateWindow()
    driver.wait(driver.window.isActiveWindow)
    screen.results.runs.setFocus()
    driver.qtbot.keyClick(screen.results.runs, Qt.Key.Key_Tab)
    focused = QApplication.focusWidget()
    while not isinstance(focused, AuditChart):
        driver.qtbot.keyClick(focused, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
    assert focused is chart
    first = chart.accessibleDescription()
    assert "female" in first
    assert "95%" in first
    driver.qtbot.keyClick(chart, Qt.Key.Key_Down)
    assert chart.accessibleDescription() != first
    driver.qtbot.keyClick(chart, Qt.Key.Key_End)
    assert "male" in chart.accessibleDescription()
    driver.qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.accessibleDescription() == first
    driver.qtbot.keyClick(chart, Qt.Key.Key_Return)
    rest(driver)
    assert chart.current == 0
    assert screen.results.images.isVisible()
    tip = chart.tip_at(chart.mark_area(0).center().toPoint())
    assert "of 400" in tip
    assert "95%" in tip
    assert tip.endswith("Click to see the images behind it")
    assert chart.tip_at(QPoint(3, 3)) == ""


# Asking


def test_what_cannot_be_used_is_marked_with_the_reason_before_it_is_begun(driver, screen) -> None:
    form = screen.form
    seeds = form.fields["seeds"]
    write(driver, seeds.line, "one, two")
    assert seeds.reason.isVisible()
    assert "whole numbers by commas" in seeds.reason.text()
    assert not form.start.isEnabled()
    write(driver, seeds.line, "3, 3")
    driver.wait(lambda: "twice" in seeds.reason.text())
    rest(driver)
    assert not form.start.isEnabled()
    write(driver, seeds.line, "3, 4")
    rest(driver)
    assert not seeds.reason.isVisible()
    assert form.start.isEnabled()
    assert view(driver).asked.seeds == (3, 4)
    reference = form.fields["reference"]
    write(driver, reference.line, "/nowhere/set")
    rest(driver)
    assert reference.reason.text() == "There is no set or folder '/nowhere/set'."
    assert reference.box.accessibleDescription() == reference.reason.text()
    undo(driver)
    rest(driver)
    assert not reference.reason.isVisible()
    condition = form.fields["condition"]
    write(driver, condition.line, "gender=female")
    rest(driver)
    assert condition.reason.text() == "tiny-vae knows no condition."
    condition.line.selectAll()
    driver.qtbot.keyClick(condition.line, Qt.Key.Key_Delete)
    driver.qtbot.keyClick(condition.line, Qt.Key.Key_Return)
    rest(driver)
    assert form.start.isEnabled()


def test_each_study_has_the_form_that_it_asks_for_itself(driver, screen) -> None:
    form = screen.form
    for name, kind in STUDIES.items():
        choose(form.study, kind.title)
        rest(driver)
        assert view(driver).asked.study == name
        assert tuple(form.fields) == kind.fields
        assert form.purpose.text() == kind.purpose
        assert all(control.accessibleName() or control.text() for control in form.controls)
    undo(driver)
    rest(driver)
    assert form.study.currentText() == "Truncation"
    assert view(driver).asked.n == 0
    assert form.fields["n"].box.value() == STUDIES["truncation"].n


def test_every_setting_is_a_step(driver, screen, idle_model_folder: Path, tmp_path, monkeypatch) -> None:
    form = screen.form
    form.fields["models"].boxes["faces-vae"].click()
    rest(driver)
    assert view(driver).asked.models == ("faces-vae", str(driver.workspace.opened.path))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_given: str(idle_model_folder))
    driver.qtbot.mouseClick(form.fields["models"].button, LEFT)
    rest(driver)
    assert view(driver).asked.models[-1] == str(idle_model_folder)
    assert form.fields["models"].boxes[str(idle_model_folder)].isChecked()
    assert form.fields["predictor"].reason.isVisible(), "the tiny models have no predictor of their own"
    for _ in range(2):
        undo(driver)
    rest(driver)
    form.fields["attributes"].boxes["race"].click()
    assert view(driver).asked.attributes == ("gender", "glasses", "facial_hair")
    form.fields["attributes"].boxes["race"].click()
    assert view(driver).asked.attributes == (), "all are said by none"
    choose(form.fields["reference"].box, "faces:test")
    write(driver, form.fields["truncation"].box, "0.5")
    asked = view(driver).asked
    assert (asked.reference, asked.truncation) == ("faces:test", 0.5)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_given: str(tmp_path / "out"))
    driver.qtbot.mouseClick(form.browse, LEFT)
    assert view(driver).out == form.out.text() == str(tmp_path / "out")
    choose(form.study, "Reconstruction")
    rest(driver)
    form.fields["groups"].boxes["race"].click()
    assert view(driver).asked.groups == ("race",)
    form.fields["groups"].boxes["race"].click()
    assert view(driver).asked.groups == (), "none stand for the usual ones"
    choose(form.fields["models"].box, "faces-cvae")
    rest(driver)
    assert view(driver).asked.models == ("faces-cvae",)
    assert form.fields["data"].box.currentText() == "faces:test", "what was held out from it"
    rest(driver)


# Earlier studies


def test_two_studies_side_by_side_and_their_list(driver, screen, studied: Path, monkeypatch) -> None:
    results = screen.results
    write(driver, screen.form.fields["n"].box, "100")
    do(driver, screen)
    first = screen.study
    show_folder(driver, screen, studied)
    assert view(driver).asked.seeds == (0, 1), "the form is as it was asked"
    assert driver.undo_name == "Show another study"
    titles = [results.beside.itemText(k) for k in range(results.beside.count())]
    assert len(titles) == 2
    assert titles[1].startswith("Beside: Generation: tiny-vae, today")
    choose(results.beside, titles[1])
    driver.wait(lambda: len(results.studies) == 2)
    rest(driver)
    assert results.title.text() == "A: Generation: tiny-vae"
    assert len(results.columns.summaries) == 2
    gender = results.columns.charts[0].shown
    assert {origin[0] for origin in gender.origins if origin} == {0, 1}
    assert gender.differences
    second = next(
        k for k, (study, mark) in enumerate(gender.origins) if study == 1 and mark.value and mark.value > 0.5
    )
    click_mark(driver, screen, 0, second)
    rest(driver)
    mark = gender.origins[second][1]
    assert len(results.strip.tiles) == min(24, round(mark.value * mark.n)) > 0
    undo(driver)
    rest(driver)
    assert len(results.studies) == 1

    def named(dialog: AuditRunsDialog) -> None:
        monkeypatch.setattr(QInputDialog, "getText", lambda *_given, **_more: ("My study", True))
        assert dialog.list.topLevelItemCount() == 1
        driver.qtbot.mouseClick(dialog.rename, LEFT)
        driver.wait(lambda: dialog.list.topLevelItem(0).text(0) == "My study")
        driver.qtbot.mouseClick(dialog.show_button, LEFT)

    answer(AuditRunsDialog, named)
    driver.qtbot.mouseClick(results.runs, LEFT)
    driver.wait(lambda: screen.study is not None and screen.study.folder == first.folder)
    rest(driver)
    asked: list[str] = []

    def deleted(dialog: AuditRunsDialog) -> None:
        no, yes = QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes
        for said in (no, yes):
            monkeypatch.setattr(
                QMessageBox, "question", lambda *given, said=said: (asked.append(given[2]), said)[1]
            )
            driver.qtbot.mouseClick(dialog.delete, LEFT)
            driver.wait(lambda: not screen.runs.busy)
            assert first.folder.exists() is (said is no)
        driver.wait(lambda: dialog.list.topLevelItemCount() == 0)
        assert dialog.empty.isVisible()

    answer(AuditRunsDialog, deleted)
    driver.qtbot.mouseClick(results.runs, LEFT)
    assert len(asked) == 2
    assert "My study" in asked[0]
    first.folder.parent.mkdir()  # there the job is told to stop when the test ends
    driver.wait(lambda: screen.study is None)
    rest(driver)
    assert "There is no folder" in results.empty.text()


def test_a_folder_is_dropped_and_a_damaged_one_gives_a_message(driver, screen, studied, tmp_path) -> None:
    driver.window.show_screen("explore")
    drop(driver.window, studied)
    driver.wait(lambda: screen.study is not None)
    assert driver.window.screen_name == "audit"
    assert screen.study.folder == studied
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for name in ("charts.json", "report.json"):
        (damaged / name).write_text("{")
    drop(driver.window, damaged)
    driver.wait(lambda: error_of(driver))
    assert "damaged" in error_of(driver)
    assert "cannot be read" in error_of(driver)
    assert screen.study.folder == studied, "what was shown stays"
    driver.window.banner.dismiss()
    (studied / "charts.json").write_text("{")
    driver.screen.intents.audit.put_beside(str(studied))
    driver.screen.intents.audit.show(str(damaged))
    rest(driver)
    assert "cannot be read" in screen.results.empty.text()


def test_the_program_begins_with_a_study(qtbot, make_window, studied: Path) -> None:
    driver = Driver(qtbot, make_window())
    driver.window.begin_with_study(studied)
    driver.wait(lambda: driver.window.audit.study is not None)
    rest(driver)
    assert driver.window.screen_name == "audit"
    assert driver.workspace.opened.name == "faces-vae"
    assert driver.window.audit.study.folder == studied
    assert driver.window.audit.form.fields["n"].box.value() == 200


# Exports


@pytest.fixture
def target(tmp_path: Path, monkeypatch):
    def answered(name: str) -> Path:
        monkeypatch.setattr(dialogs, "ask_target", lambda _window, _name: tmp_path / name)
        return tmp_path / name

    return answered


def export(driver: Driver, action: str, path: Path) -> None:
    driver.window.banner.dismiss()
    driver.window.actions_table[action].trigger()
    driver.wait(lambda: message(driver) == f"Saved as {path}.")


def test_picture_figure_table_report_and_program(
    driver, screen, studied, target, tmp_path: Path, monkeypatch
) -> None:
    show_folder(driver, screen, studied)
    path = target("audit.png")
    export(driver, "export_picture", path)
    with Image.open(path) as picture:
        assert picture.width == 2 * 1080
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    for name, begins in (("audit.pdf", b"%PDF"), ("audit.svg", b"<?xml")):
        path = target(name)
        export(driver, "export_figure", path)
        assert path.read_bytes().startswith(begins)
    path = target("groups.csv")
    export(driver, "export_table", path)
    assert path.read_text() == (studied / "groups.csv").read_text()
    for name in ("audit.html", "audit.pdf"):
        path = target(name)
        export(driver, "export_report", path)
        assert path.read_bytes() == (studied / f"report{path.suffix}").read_bytes()
    driver.window.actions_table["copy_picture"].trigger()
    assert message(driver) == "The charts were copied."
    assert QApplication.clipboard().image().width() == 2 * 1080
    driver.window.actions_table["copy_python"].trigger()
    monkeypatch.chdir(tmp_path)
    exec(compile(QApplication.clipboard().text(), "copied", "exec"), {})
    assert (tmp_path / "audited" / "groups.csv").read_text() == (studied / "groups.csv").read_text()
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    driver.qtbot.mouseClick(screen.results.folder, LEFT)
    assert opened == [str(studied)]
    driver.screen.intents.audit.put_beside(str(tmp_path / "audited"))
    driver.wait(lambda: len(screen.results.studies) == 2)
    path = target("both.csv")
    export(driver, "export_table", path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["study"] for row in rows] == ["A"] * (len(rows) // 2) + ["B"] * (len(rows) // 2)


def test_there_is_nothing_to_save_before(driver, screen, target) -> None:
    actions = driver.window.actions_table
    for action in ("export_picture", "export_figure", "export_table", "export_report", "copy_picture"):
        driver.window.banner.dismiss()
        target("x.png")
        actions[action].trigger()
        assert "There are no results yet" in error_of(driver)
    driver.window.show_screen("explore")
    assert not actions["export_report"].isEnabled()


# Charts


def cells(labels: list[str], series: list[str]) -> Chart:
    marks = [Mark(label, one, 0.1, 0.05, 0.2, 40) for label in labels for one in series]
    return Chart("cells", "Cells", "cells", "share", tuple(marks))


@pytest.mark.parametrize("kind", ["bars", "gaps", "cells", "lines"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_chart_is_painted_with_each_mark_where_it_is_clicked(
    qtbot, qapp, kind: str, scheme: str
) -> None:
    theme = Theme(qapp)
    theme.choose(scheme)
    marks = tuple(
        Mark(label, series, value, value - 0.05, value + 0.05, 200, small=value > 0.28, images={"a": label})
        for label, value in (("1", 0.1), ("0.5", 0.3))
        for series in ("first", "second")
    )
    unit = "points" if kind == "gaps" else "share"
    chart = Chart("c", "A chart", kind, unit, marks, {"1": 0.2, "0.5": 0.2}, "uniform", note="A note.")
    widget = AuditChart(alone(chart), theme)
    qtbot.addWidget(widget)
    widget.resize(520, widget.height_for(520))
    widget.show()
    plot = widget.plot
    assert widget.height() >= plot.note.bottom()
    chosen: list[int] = []
    widget.chosen.connect(chosen.append)
    for place, area in enumerate(plot.marks):
        assert plot.mark_at(area.center()) == place
        assert widget.rect().contains(area.toRect())
        qtbot.mouseClick(widget, LEFT, pos=area.center().toPoint())
    assert chosen == list(range(4))
    reached = {0}
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Left) * 4:
        reached |= {plot.neighbour(one, key) for one in reached}
    assert reached == set(range(4)), "arrow keys reach every mark"
    image = widget.grab().toImage()
    colours = DARK if scheme == "dark" else LIGHT
    assert image.pixelColor(image.width() // 2, 6).name() == colours.surface
    assert len({image.pixelColor(x, y).name() for x in range(0, 520, 3) for y in range(0, 100, 3)}) > 5


def test_axes_are_round_and_hold_what_is_shown() -> None:
    bars = Chart("b", "", "bars", "share", (Mark("a", "", 0.12, 0.1, 0.143, 50),), {"a": 0.31})
    assert axis_of(bars) == (0.0, pytest.approx(0.4))
    assert axis_of(replace(bars, kind="gaps", unit="points", references={})) == (
        pytest.approx(-0.15),
        pytest.approx(0.15),
    )
    assert ticks(0.0, 0.4) == [pytest.approx(0.1 * k) for k in range(5)]
    assert ticks(-0.15, 0.15) == [-0.1, 0.0, 0.1]
    whole = Chart("w", "", "bars", "share", (Mark("a", "", 1.0, 0.96, 1.0, 50),))
    assert axis_of(whole) == (0.0, 1.0)
    none = Chart("n", "", "bars", "number", (Mark("a", "", None, None, None, 0),))
    low, high = axis_of(none)
    assert low < high


def test_intersections_of_one_series_stand_in_a_square_table() -> None:
    labels = [f"{a}, {b}, {c}" for a in ("f", "m") for b in ("x", "y", "z") for c in ("no", "yes")]
    places = folded(cells(labels, ["one"]))
    assert len(set(places)) == 12
    assert {row for row, _ in places} == {f"{a}, {b}" for a in "fm" for b in "xyz"}
    assert {column for _, column in places} == {"no", "yes"}
    assert folded(cells(labels[:-1], ["one"])) == [(label, "one") for label in labels[:-1]], "one is missing"
    assert folded(cells(labels, ["one", "two"]))[1] == (labels[0], "two")
    plot = lay_out(alone(cells(labels, ["one"])), 500, QApplication.font())
    assert len({area.top() for area in plot.marks}) == 6


def test_charts_stand_in_columns() -> None:
    assert [place.x() for place in columns_of([100, 100, 100], 400)] == [0, 0, 0]
    two = columns_of([300, 100, 100], 1000)
    assert [place.x() > 0 for place in two] == [False, True, True]
    assert two[2].top() > two[1].bottom()
    assert columns_of([], 1000) == []


def test_when_is_said_as_people_say_it() -> None:
    import time

    then = time.mktime((2026, 3, 5, 14, 7, 0, 0, 0, -1))
    assert when_words(then, lambda: then + 60) == "today 14:07"
    assert when_words(then, lambda: then + 40 * 86_400) == "5 March 14:07"
    assert when_words(then, lambda: then + 400 * 86_400) == "5 March 2026 14:07"


def test_more_of_a_study_comes_in_without_losing_what_is_chosen(driver, screen, studied: Path) -> None:
    show_folder(driver, screen, studied)
    results = screen.results
    click_mark(driver, screen, 1, 1)
    rest(driver)
    tiles = list(results.strip.tiles)
    first = screen.study
    charts = tuple(
        replace(chart, marks=tuple(replace(mark, n=mark.n + 1) for mark in chart.marks))
        for chart in first.charts
    )
    results.show_studies(replace(first, charts=charts, whole=False), None)
    assert results.strip.tiles == tiles
    assert results.columns.charts[1].current == 1
    assert results.note.text().startswith("So far ")
    results.show_studies(replace(first, charts=charts[:1]), None)
    assert not results.images.isVisible(), "the chosen mark is gone"
    assert results.columns.charts[0].shown.chart.marks[0].n == first.charts[0].marks[0].n + 1


# By hand


def test_every_control_has_a_name_and_is_reached_by_the_tab_key(driver, screen, studied: Path) -> None:
    show_folder(driver, screen, studied)
    click_mark(driver, screen, 0, 0)
    rest(driver)
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit)
    controls = [
        widget
        for kind in kinds
        for widget in screen.findChildren(kind)
        if widget.isVisible()
        and widget.isEnabled()
        and not widget.objectName().startswith("qt_")
        and not (kind is QLineEdit and isinstance(widget.parent(), (QAbstractSpinBox, QComboBox)))
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
    ]
    names = [widget.accessibleName() or widget.text() for widget in controls]
    assert all(names)
    assert len(set(names)) == len(names) >= 20
    assert all(widget.toolTip() for widget in controls)
    driver.window.activateWindow()
    driver.wait(driver.window.isActiveWindow)
    driver.window.rail.button("Audit").setFocus()
    visited = []
    while QApplication.focusWidget() not in visited:
        visited.append(QApplication.focusWidget())
        driver.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    missed = {name for one, name in zip(controls, names, strict=True) if one not in visited}
    # Of buttons that exclude one another the chosen one has the focus; arrow keys go to the others.
    assert not missed - {tile.accessibleName() for tile in screen.results.strip.tiles}
    order = [visited.index(one) for one in screen.form.controls if one in visited]
    assert order == sorted(order)
    assert set(screen.results.columns.charts) <= set(visited)
    before = driver.workspace.session.document
    driver.window.rail.button("Audit").setFocus()
    fields = screen.form.fields
    for control in (screen.form.study, fields["n"].box, fields["truncation"].box, fields["reference"].box):
        wheel(control, -1, QPointF(8, 8))
    assert driver.workspace.session.document is before, "scrolling changes nothing"


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (960, 620)])
def test_nothing_is_cut_off(driver, screen, studied: Path, size: tuple[int, int]) -> None:
    driver.window.resize(*size)
    show_folder(driver, screen, studied)
    click_mark(driver, screen, 0, 0)
    rest(driver)
    QApplication.processEvents()
    results = screen.results
    for child in (screen.form, results.beside, results.runs, results.folder, results.images, results.explore):
        place = child.mapTo(driver.window, QPoint(0, 0))
        assert place.x() >= 0
        assert place.x() + child.width() <= size[0]
        assert place.y() + child.height() <= size[1]
    assert results.columns.horizontalScrollBar().maximum() == 0
    assert results.columns.height() >= 150
    for chart in results.columns.charts:
        assert chart.height() >= chart.height_for(chart.width())
    for field in screen.form.fields.values():
        for control in field.controls:
            assert control.mapTo(screen.form, QPoint(control.width(), 0)).x() <= screen.form.width() - 8


def test_a_long_summary_is_folded_and_keeps_its_caveats(driver, screen, tmp_path: Path) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    (folder / "charts.json").write_text(charts_text([]))
    (folder / "report.json").write_text(json.dumps({"command": "audit generation", "notes": []}))
    (folder / "summary.txt").write_text("title\n" + "".join(f"Sentence {k}.\n" for k in range(9)))
    driver.window.open_path(folder)
    driver.wait(lambda: screen.study is not None)
    rest(driver)
    summary = screen.results.columns.summaries[0]
    before = summary.height()
    assert [k for k in range(9) if f"Sentence {k}." in summary.words.text()] == [0, 1, 2, 3, 7, 8]
    assert summary.all.text() == "Show all 9"
    assert "Sentence 5." in summary.words.accessibleDescription()
    driver.qtbot.mouseClick(summary.all, Qt.MouseButton.LeftButton)
    assert all(f"Sentence {k}." in summary.words.text() for k in range(9))
    assert summary.all.text() == "Show fewer"
    assert summary.height() > before


def test_without_charts_it_still_shows_the_summary(driver, screen, target, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "charts.json").write_text(charts_text([]))
    (folder / "report.json").write_text(json.dumps({"command": "audit generation", "notes": []}))
    (folder / "summary.txt").write_text("title\nIt <b>cannot</b> be told.\n")
    driver.window.open_path(folder)
    driver.wait(lambda: screen.study is not None)
    rest(driver)
    assert "&lt;b&gt;" in screen.results.columns.summaries[0].words.text()
    assert screen.results.columns.charts == []
    assert not driver.window.banner.message or driver.window.banner.message.kind != "error"
    target("x.csv")
    driver.window.actions_table["export_table"].trigger()
    assert "no table of groups" in error_of(driver)
    assert isinstance(driver.window.banner.message, Message)
