"""Many pictures by hand: chosen, dropped, projected in the background, counted, looked at, saved."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, choose, drop, error_of, undo, wheel, write
from job_threads import jobs_in_threads
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
)

from latentlab.operations.explore import Explorer
from latentlab.operations.many_pictures import many_pictures
from latentlab.operations.project_many import project_modes
from latentlab.operations.projection_plan import NOTE
from latentlab.operations.projection_table import shift_rows
from latentlab.session.document import ManyView
from latentlab.session.many import settings_of
from latentlab.session.many_table import points
from latentlab.ui import dialogs
from latentlab.ui.views.many import dropped_pictures
from latentlab.ui.widgets.shift_model import CELL

STYLES = ("ink", "clay", "tiles")


@pytest.fixture(autouse=True)
def jobs(monkeypatch) -> Iterator[None]:
    with jobs_in_threads(monkeypatch):
        yield


def paint(folder: Path, count: int) -> Path:
    """Make a folder of random pictures."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(7)
    for k in range(count):
        pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k:03d}.png")
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", 12)


@pytest.fixture
def styled(qtbot, make_window, tiny_cinn_folder: Path, keen_judge_folder: Path) -> Driver:
    driver = Driver(qtbot, make_window())
    driver.workspace.open_checkpoint(str(tiny_cinn_folder), str(keen_judge_folder))
    driver.wait(lambda: driver.workspace.in_step)
    driver.rest()
    return driver


@pytest.fixture
def page(styled):
    styled.window.rail.button("Analogies").click()
    styled.window.analogies.show_view("many")
    rest(styled)
    return styled.window.analogies.many


@pytest.fixture
def explorer(tiny_cinn_folder: Path, keen_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, keen_judge_folder)


@pytest.fixture
def projected(styled, page, pictures: Path, explorer: Explorer) -> dict:
    """What the job would have made of a folder in both modes; the window shows it."""
    show(styled, data=str(pictures), source="ink")
    rest(styled)
    settings = settings_of(page.data.wanted)
    found = project_modes(
        explorer, many_pictures(pictures), settings.results, [0.0, 1.0], source="ink", figures=False
    )
    show(styled, count=511)
    show(styled, count=512)
    styled.wait(lambda: page.data.phase == "ready")
    rest(styled)
    return found


def rest(driver: Driver) -> None:
    driver.wait(lambda: driver.workspace.in_step and driver.window.analogies.at_rest)


def view(driver: Driver) -> ManyView:
    return driver.workspace.session.document.shelf.many


def show(driver: Driver, **changes) -> None:
    driver.screen.intents.shelf.set_many(replace(view(driver), **changes))


def message(driver: Driver) -> str:
    found = driver.window.banner.message
    return "" if found is None else found.text


def texts(page) -> list[list[str]]:
    """What the table says, row by row."""
    model = page.shifts.shifts
    return [
        [model.index(row, column).data() for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


# The work


def test_a_folder_is_projected_stopped_resumed_and_found_again(
    styled, page, tmp_path: Path, explorer, make_window, monkeypatch
) -> None:
    assert "Choose a set, a folder or pictures" in page.empty.text()
    assert not page.form.start.isEnabled()
    folder = paint(tmp_path / "many", 150)
    (folder / "zz.png").write_bytes(b"no picture")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_given: str(folder))
    styled.qtbot.mouseClick(page.form.folder, LEFT)
    assert view(styled).data == str(folder)
    assert styled.undo_name == "Set the many pictures"
    choose(page.form.source, "ink")
    styled.qtbot.mouseClick(page.form.modes["follow"], LEFT)
    rest(styled)
    assert page.empty.text().startswith("Nothing has been projected")
    assert page.form.start.text() == "Project"
    styled.qtbot.mouseClick(page.form.start, LEFT)
    styled.wait(lambda: page.data.done > 2)
    assert page.form.stop.isVisible()
    assert not page.form.start.isVisible()
    assert page.form.progress.isVisible()
    assert page.form.progress.maximum() == 151
    assert page.form.status.text().startswith(f"Projecting: {page.data.done} of 151")
    assert styled.window.analogies.at_rest, "the job is no rendering that one waits for"
    styled.qtbot.mouseClick(page.form.stop, LEFT)
    styled.wait(lambda: page.data.phase == "stopped")
    rest(styled)
    count = page.data.found.count
    assert 2 < count < 150
    assert page.form.status.text() == f"Not finished. {count} pictures are projected and kept."
    assert page.form.start.text() == "Resume"
    assert page.shifts.isVisible(), "what is there is counted"
    for path in sorted(folder.glob("[01]*.png"))[count + 6 :]:
        path.unlink()
    styled.qtbot.mouseClick(page.form.start, LEFT)
    styled.wait(lambda: page.data.phase == "ready")
    rest(styled)
    assert page.summary.text() == f"{count + 6} pictures, 1 could not be read"
    assert "zz.png" in page.summary.toolTip()
    assert page.form.start.text() == "Bring up to date"
    again = project_modes(explorer, many_pictures(folder), tmp_path / "again", [0.0], source="ink")
    assert page.data.found.shifts["follow"] == again[0.0].shifts
    shown = texts(page)
    # Another window, such as the next one: nothing is done again.
    document = styled.workspace.session.document
    other = Driver(styled.qtbot, make_window())
    opened = styled.workspace.opened
    other.workspace.open_checkpoint(opened.path, opened.predictor_name)
    other.wait(lambda: other.workspace.in_step)
    other.rest()
    other.window.show_screen("analogies")
    other.window.analogies.show_view("many")
    other.screen.intents.shelf.set_many(document.shelf.many)
    second = other.window.analogies.many
    other.wait(lambda: second.data.phase == "ready")
    rest(other)
    assert texts(second) == shown


def test_closing_the_window_leaves_the_work_running(styled, page, tmp_path: Path) -> None:
    folder = paint(tmp_path / "many", 40)
    show(styled, data=str(folder), source="ink", mode="keep")
    rest(styled)
    page.form.start.click()
    styled.wait(lambda: page.data.done > 1)
    settings = settings_of(page.data.wanted)
    styled.window.close()
    from latentlab.jobs.project_job import find_project_job

    job = find_project_job(settings)
    styled.wait(lambda: job.poll().over)
    assert job.poll().phase == "finished"


def test_what_fails_is_said_in_the_middle(styled, page) -> None:
    write(styled, page.form.data.lineEdit(), "/nowhere/set")
    assert view(styled).data == "/nowhere/set"
    rest(styled)
    page.form.start.click()
    styled.wait(lambda: page.data.phase == "failed")
    assert "There is no image set '/nowhere/set'" in page.empty.text()
    assert page.form.start.isVisible()
    undo(styled)
    rest(styled)
    assert "Choose a set, a folder or pictures" in page.empty.text()


# Choosing


def test_folders_and_pictures_are_dropped_on_the_view(
    styled, page, pictures: Path, face: Path, tmp_path: Path, tiny_cinn_folder: Path
) -> None:
    drop(page, pictures)
    assert view(styled).data == str(pictures)
    data = QMimeData()
    some = [pictures / "003.png", pictures / "001.png"]
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in some])
    enter = QDragEnterEvent(
        QPoint(50, 50), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(page, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(page, event)
    assert view(styled).data == ""
    assert view(styled).pictures == tuple(map(str, some))
    assert page.form.data.currentText() == "2 pictures: 003.png, …"
    page.form.data.lineEdit().editingFinished.emit()
    assert view(styled).pictures == tuple(map(str, some)), "what stands there is no set's name"
    for path in (face, tiny_cinn_folder):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        assert dropped_pictures(data) == [], "one picture, and a checkpoint, are the window's"
    drop(page, face)
    styled.wait(lambda: styled.workspace.explore.state.source is not None)
    assert styled.workspace.explore.state.source.name == "face.png"
    assert view(styled).pictures == tuple(map(str, some))
    rest(styled)


def test_pictures_and_a_folder_for_the_results_are_chosen(
    styled, page, pictures, tmp_path, monkeypatch
) -> None:
    some = [str(pictures / "002.png"), str(pictures / "004.png")]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_given: (some, ""))
    styled.qtbot.mouseClick(page.form.pictures, LEFT)
    assert view(styled).pictures == tuple(some)
    out = tmp_path / "results"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_given: str(out))
    styled.qtbot.mouseClick(page.form.browse, LEFT)
    assert view(styled).out == page.form.out.text() == str(out)
    show(styled, source="ink", mode="keep")
    rest(styled)
    page.form.start.click()
    styled.wait(lambda: page.data.phase == "ready")
    assert sorted(path.name for path in (out / "keep").glob("*.png")) == ["002.png", "004.png"]
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    styled.qtbot.mouseClick(page.form.show_folder, LEFT)
    assert opened == [str(out)]
    page.form.out.setFocus()
    page.form.out.selectAll()
    styled.qtbot.keyClick(page.form.out, Qt.Key.Key_Delete)
    styled.qtbot.keyClick(page.form.out, Qt.Key.Key_Return)
    assert view(styled).out == ""


def test_every_setting_is_a_step(styled, page, pictures: Path) -> None:
    form = page.form
    assert [form.source.itemText(k) for k in range(4)] == ["auto", *STYLES]
    assert "faces:test" in [form.data.itemText(k) for k in range(form.data.count())]
    choose(form.data, "faces:test")
    choose(form.source, "clay")
    form.onto["ink"].click()
    assert view(styled).onto == ("clay", "tiles")
    styled.qtbot.mouseClick(form.modes["keep"], LEFT)
    write(styled, form.count, "33")
    write(styled, form.seed, "4")
    assert view(styled) == ManyView("faces:test", (), "clay", ("clay", "tiles"), "keep", 33, 4)
    for _ in range(3):
        undo(styled)
    assert view(styled) == ManyView("faces:test", (), "clay", ("clay", "tiles"))
    assert form.modes["both"].isChecked()
    form.onto["ink"].click()
    assert view(styled).onto == (), "all are said by none"
    for name in ("ink", "clay", "tiles"):
        form.onto[name].click()
    assert view(styled).onto == ("tiles",), "one stays"
    assert [box.isChecked() for box in form.onto.values()] == [False, False, True]
    rest(styled)


# The table


def test_the_table_says_what_was_counted(styled, page, projected) -> None:
    assert page.shown.currentText() == "Composition bias"
    assert page.shifts.isVisible()
    assert page.note.text() == NOTE
    assert "keen-judge" in page.form.judge.text()
    choose(page.shown, "Follow the dataset")
    rest(styled)
    by_name = {(one.dataset, one.label): one for one in projected[0.0].shifts.classes}
    wanted = [
        ["Hair" if label == "short" else "", label.capitalize()]
        + [f"({points(by_name[dataset, label].difference)})" for dataset in ("clay", "tiles")]
        for label in ("short", "long")
    ]
    assert texts(page) == wanted
    choose(page.target, "tiles")
    rest(styled)
    long = by_name["tiles", "long"]
    row = texts(page)[1]
    assert row[2:4] == [f"{100 * long.before:.1f}%", f"{100 * long.after:.1f}%"]
    assert row[4] == row[5] == f"({points(long.difference)})"
    kept = next(
        one for one in projected[0.0].shifts.kept if (one.dataset, one.attribute) == ("tiles", "hair")
    )
    entropy = next(
        one for one in projected[0.0].shifts.diversity if (one.dataset, one.attribute) == ("tiles", "hair")
    )
    first = texts(page)[0]
    assert first[6] == f"{100 * kept.value:.0f}%"
    assert first[7] == ("–" if entropy.ratio is None else f"×{entropy.ratio:.2f}")
    reached = next(one for one in projected[0.0].shifts.reached if one.dataset == "tiles")
    assert page.summary.text() == f"12 pictures, {100 * reached.value:.1f}% become tiles"
    tip = page.shifts.shifts.index(1, 4).data(int(Qt.ItemDataRole.ToolTipRole))
    assert f"(95%: {points(long.low)} to {points(long.high)}), 12 pictures" in tip
    choose(page.shown, "Composition bias")
    rest(styled)
    assert [column.title for column in page.shifts.shifts.columns][2:4] == ["Keep", "Follow"]
    undo(styled)
    assert page.shown.currentText() == "Follow the dataset"


def test_it_is_ordered_by_its_headings(styled, page, projected) -> None:
    show(styled, shown="follow", target="clay")
    rest(styled)
    head = page.shifts.horizontalHeader()
    x = head.sectionViewportPosition(4) + 20
    styled.qtbot.mouseClick(head.viewport(), LEFT, pos=QPoint(x, 10))
    assert view(styled).sort == "shift"
    assert page.sort.currentText() == "Largest shift first"
    assert [row[0] for row in texts(page)] == ["Hair", "Hair"], "each says whose class it is"
    styled.qtbot.mouseClick(head.viewport(), LEFT, pos=QPoint(20, 10))
    assert view(styled).sort == "attribute"
    rest(styled)


def test_a_cell_shows_who_changed_by_mouse_and_by_keys(styled, page, projected, explorer) -> None:
    show(styled, shown="follow")
    rest(styled)
    table = page.shifts
    for column, dataset in ((2, "clay"), (3, "tiles")):
        place = table.visualRect(table.shifts.index(1, column)).center()
        styled.qtbot.mouseClick(table.viewport(), LEFT, pos=place)
        assert table.current.dataset == dataset
        rest(styled)
        changed = [
            one
            for one in projected[0.0].found
            if one.reconstructed["hair"].argmax()
            != one.items[STYLES.index(dataset)].attributes["hair"].argmax()
        ]
        assert f"{len(changed)} of 12 pictures changed" in page.cell_said.text()
        assert len(page.strip.pairs) == len(changed) > 0
        for pair in page.strip.pairs:
            one = next(case for case in changed if case.name == pair.example.name)
            assert pair.example.titles == ("before", dataset)
            latent = explorer.latent(one.latent)
            from latentlab.operations.project import condition_on

            expected = explorer.picture(latent, condition_on(explorer, dataset, 0.0))
            np.testing.assert_array_equal(pair.example.pictures[1], expected)
    table.setFocus()
    styled.qtbot.keyClick(table, Qt.Key.Key_Left)
    assert table.current.dataset == "clay"
    styled.qtbot.keyClick(table, Qt.Key.Key_Up)
    assert table.current.label == "short"
    rest(styled)
    assert page.cell_said.text().startswith("Hair short on clay: ")
    assert table.shifts.index(0, 0).data(CELL) is None


def test_without_a_predictor_nothing_is_counted(styled, page, pictures, tiny_cinn_folder: Path) -> None:
    styled.workspace.open_checkpoint(str(tiny_cinn_folder), "")
    styled.wait(lambda: styled.workspace.in_step and styled.workspace.opened.predictor is None)
    rest(styled)
    show(styled, data=str(pictures), source="ink", mode="keep", count=3)
    rest(styled)
    page.form.start.click()
    styled.wait(lambda: page.data.phase == "ready")
    assert "nothing can be counted" in page.empty.text()
    assert "No attribute predictor" in page.form.judge.text()


# Exports


@pytest.fixture
def target(tmp_path: Path, monkeypatch):
    def answer(name: str) -> Path:
        monkeypatch.setattr(dialogs, "ask_target", lambda _window, _name: tmp_path / name)
        return tmp_path / name

    return answer


def test_table_figure_example_and_program_agree(
    styled, page, projected, target, tmp_path: Path, monkeypatch
) -> None:
    show(styled, shown="follow")
    rest(styled)
    actions = styled.window.actions_table
    path = target("shifts.csv")
    actions["export_table"].trigger()
    styled.wait(lambda: message(styled) == f"Saved as {path} and shifts-pictures.csv.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = [
        {"mode": mode, **{name: str(value) for name, value in row.items()}}
        for mode, keep in (("follow", 0.0), ("keep", 1.0))
        for row in shift_rows(projected[keep].shifts)
    ]
    assert rows == wanted
    both = [(projected[keep].out / "projections.csv").read_text().splitlines() for keep in (0.0, 1.0)]
    beside = (tmp_path / "shifts-pictures.csv").read_text().splitlines()
    assert beside == [*both[0], *both[1][1:]]
    path = target("shifts.png")
    actions["export_figure"].trigger()
    styled.wait(lambda: message(styled) == f"Saved as {path}.")
    with Image.open(path) as picture:
        assert picture.width == 2 * 1080
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    page.shifts.choose("tiles", "hair", "long")
    rest(styled)
    assert len(page.strip.pairs) > 1
    pair = page.strip.pairs[-1]
    styled.qtbot.mouseClick(pair, LEFT)
    path = target("example.png")
    actions["export_picture"].trigger()
    styled.wait(lambda: message(styled) == f"Saved as {path}.")
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), pair.example.pictures[1])
    actions["copy_picture"].trigger()
    assert message(styled) == "The example was copied."
    actions["copy_python"].trigger()
    monkeypatch.chdir(tmp_path)
    exec(compile(QApplication.clipboard().text(), "copied", "exec"), {})
    for name in ("follow/shifts.csv", "keep/projections.csv", "composition.csv"):
        made = projected[1.0].out.parent / name
        assert (tmp_path / "projected" / name).read_text() == made.read_text()
    show(styled, shown="bias")
    rest(styled)
    path = target("bias.csv")
    actions["export_table"].trigger()
    styled.wait(lambda: message(styled).startswith(f"Saved as {path}"))
    assert path.read_text() == (projected[1.0].out.parent / "composition.csv").read_text()


def test_there_is_nothing_to_save_before(styled, page, target) -> None:
    actions = styled.window.actions_table
    for action, said in (
        ("export_picture", "No example is shown"),
        ("export_figure", "There is no table yet"),
        ("export_table", "There are no projections yet"),
        ("copy_picture", "No example is shown"),
        ("copy_python", "There are no projections yet"),
    ):
        styled.window.banner.dismiss()
        target("x.png")
        actions[action].trigger()
        assert said in error_of(styled)


# By hand


def test_every_control_has_a_name_and_is_reached_by_the_tab_key(styled, page, projected) -> None:
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit)
    controls = [
        widget
        for kind in kinds
        for widget in page.findChildren(kind)
        if widget.isVisible()
        and not widget.objectName().startswith("qt_")
        and not (kind is QLineEdit and isinstance(widget.parent(), (QAbstractSpinBox, QComboBox)))
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
    ]
    names = [widget.accessibleName() or widget.text() for widget in controls]
    assert all(names)
    assert len(set(names)) == len(names) >= 16
    assert all(widget.toolTip() for widget in controls)
    styled.window.activateWindow()
    styled.wait(styled.window.isActiveWindow)
    styled.window.rail.button("Analogies").setFocus()
    visited = []
    while QApplication.focusWidget() not in visited:
        visited.append(QApplication.focusWidget())
        styled.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    missed = [name for one, name in zip(controls, names, strict=True) if one not in visited]
    # Of buttons that exclude one another the chosen one has the focus; arrow keys go to the others.
    pairs = {pair.accessibleName() for pair in page.strip.pairs}
    assert not set(missed) - pairs
    order = [visited.index(one) for one in page.form.controls if one.isVisible()]
    assert order == sorted(order)
    assert page.shifts in visited
    before = styled.workspace.session.document
    styled.window.rail.button("Analogies").setFocus()
    for control in (page.form.data, page.form.source, page.form.count, page.target, page.shown):
        wheel(control, -1, QPointF(8, 8))
    assert styled.workspace.session.document is before, "scrolling changes nothing"


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (960, 620)])
def test_nothing_is_cut_off(styled, page, projected, size: tuple[int, int]) -> None:
    styled.window.resize(*size)
    show(styled, shown="follow", target="clay")
    rest(styled)
    QApplication.processEvents()
    for child in (page.form, page.note, page.shifts, page.strip, page.sort, page.form.start):
        place = child.mapTo(styled.window, child.rect().topLeft())
        assert place.x() >= 0
        assert place.x() + child.width() <= size[0]
        assert place.y() + child.height() <= size[1]
    assert page.shifts.horizontalScrollBar().maximum() == 0
    form = page.form
    assert form.pictures.mapTo(form, QPoint(form.pictures.width(), 0)).x() <= form.width() - 8
    styled.window.actions_table["show_pixels"].trigger()
    assert all(not pair.smooth for pair in page.strip.pairs)
    styled.window.actions_table["show_pixels"].trigger()
