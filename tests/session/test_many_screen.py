"""Many pictures without a window: a job makes them, they are found again, counted, and drawn as examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from job_processes import no_process_left
from job_threads import jobs_in_threads
from PIL import Image

from latentlab.operations.explore import Explorer
from latentlab.operations.many_pictures import many_pictures
from latentlab.operations.project_many import ProjectedFolder, paired_shifts, project_modes
from latentlab.session.document import ManyView
from latentlab.session.many import ExampleMaker, ManyData, load_many, settings_of
from latentlab.session.many_code import many_code
from latentlab.session.many_table import points, table_of
from latentlab.session.saved import load_session, session_json
from latentlab.session.session import Message
from latentlab.session.shelf import ShelfIntents

STYLES = ("ink", "clay", "tiles")
PATIENCE = 120.0
"""Seconds that a test waits at most: a job imports torch first, which takes long on a busy machine."""


def paint(folder: Path, count: int, seed: int = 0) -> Path:
    """Make a folder of random pictures."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for k in range(count):
        pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k:03d}.png")
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return paint(tmp_path / "pictures", 9)


@pytest.fixture
def style_desk(desk, tiny_cinn_folder: Path, keen_judge_folder: Path):
    desk.workspace.open_checkpoint(str(tiny_cinn_folder), str(keen_judge_folder))
    desk.wait(lambda: desk.workspace.phase == "ready")
    return desk


class Room:
    """A desk with the many pictures' data, and everything that was told of them."""

    def __init__(self, desk) -> None:
        self.desk, self.workspace = desk, desk.workspace
        self.shelf = ShelfIntents(desk.workspace.session)
        self.data = ManyData(desk.workspace)
        self.examples = ExampleMaker(desk.workspace)
        self.told: list[tuple[str, int, int]] = []
        self.data.changed.connect(
            lambda: self.told.append((self.data.phase, self.data.done, self.data.total))
        )

    def show(self, **changes) -> None:
        self.shelf.set_many(replace(self.shelf.shelf.many, **changes))
        self.data.need()

    def wait(self, phase: str) -> None:
        try:
            self.desk.wait(lambda: self.data.phase == phase, PATIENCE)
        except AssertionError:
            raise AssertionError(f"{self.data.phase} ({self.data.message}), not {phase}") from None

    def close(self) -> None:
        self.examples.close()
        self.data.close()


@pytest.fixture
def new_room(style_desk, monkeypatch) -> Iterator[Callable[[], Room]]:
    rooms: list[Room] = []

    def made() -> Room:
        rooms.append(Room(style_desk))
        return rooms[-1]

    with jobs_in_threads(monkeypatch):
        yield made
        for room in rooms:
            room.close()


@pytest.fixture
def room(new_room) -> Room:
    return new_room()


@pytest.fixture
def explorer(tiny_cinn_folder: Path, keen_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, keen_judge_folder)


def made(room: Room, explorer: Explorer, keeps=(0.0, 1.0)) -> dict[float, ProjectedFolder]:
    """Do what is set where the job would do it."""
    room.data.need()
    assert room.data.wanted is not None
    settings = settings_of(room.data.wanted)
    images = many_pictures(settings.data or settings.pictures, 32, count=settings.count, seed=settings.seed)
    return project_modes(
        explorer,
        images,
        settings.results,
        keeps,
        source=settings.source,
        onto=settings.onto,
        figures=bool(settings.out),
    )


def test_a_process_of_its_own_does_it(style_desk, pictures: Path) -> None:
    with no_process_left():
        room = Room(style_desk)
        room.show(data=str(pictures), source="ink", mode="keep", count=3)
        room.wait("idle")
        room.data.start()
        room.wait("ready")
        assert room.data.found.count == 3
        assert settings_of(room.data.wanted).folder.joinpath("log.txt").read_bytes() == b""
        room.close()


def test_nothing_begins_until_somebody_asks_and_then_it_is_counted(
    room: Room, pictures: Path, explorer: Explorer, tmp_path: Path
) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    room.data.need()
    assert room.data.phase == "none"
    room.show(data=str(pictures), source="ink")
    room.wait("idle")
    assert room.data.found is None
    assert not settings_of(room.data.wanted).folder.exists()
    room.data.start()
    room.wait("ready")
    assert list(dict.fromkeys(phase for phase, _, _ in room.told)) == ["looking", "idle", "running", "ready"]
    running = [(done, total) for phase, done, total in room.told if phase == "running" and total]
    assert running == sorted(running)
    assert {total for _, total in running} == {20}
    found = room.data.found
    assert found.complete
    assert found.count == 9
    assert found.unreadable == (str(pictures / "broken.png"),)
    images = many_pictures(pictures)
    again = project_modes(explorer, images, tmp_path / "again", [0.0, 1.0], source="ink")
    assert found.shifts == {"follow": again[0.0].shifts, "keep": again[1.0].shifts}
    assert any(one.difference for one in found.bias)
    assert found.bias == paired_shifts(again[0.0], again[1.0], explorer.predictor_spec)
    assert room.workspace.session.history.undo_name == "Set the many pictures", "the work is no step"
    assert not room.desk.messages


def test_what_was_made_is_found_again_by_settings_and_weights(
    new_room, pictures: Path, explorer: Explorer, tmp_path: Path
) -> None:
    room = new_room()
    room.show(data=str(pictures), source="ink")
    room.wait("idle")
    made(room, explorer)
    second = new_room()
    second.data.need()
    second.wait("ready")
    assert [phase for phase, _, _ in second.told] == ["looking", "ready"]
    first = second.data.found
    second.show(target="clay", shown="keep", sort="shift")
    assert second.data.found is first, "what is shown is no matter"
    second.show(mode="keep")
    second.wait("ready")
    assert list(second.data.found.folders) == ["keep"]
    assert second.data.found.bias == ()
    second.show(count=4)
    second.wait("idle")
    assert second.data.found is None
    second.workspace.session.undo()
    second.data.need()
    second.wait("ready")
    second.workspace.open_checkpoint(explorer.located.path.as_posix(), "")
    second.desk.wait(lambda: second.workspace.in_step and second.workspace.opened.predictor is None)
    assert second.data.phase == "none", "what is there was judged by another"
    second.data.need()
    second.wait("idle")


def test_what_is_stopped_is_kept_and_goes_on(room: Room, tmp_path: Path) -> None:
    room.show(data=str(paint(tmp_path / "many", 300)), source="ink", mode="follow")
    room.wait("idle")
    room.data.start()
    room.desk.wait(lambda: room.data.done > 3, PATIENCE)
    assert room.data.total == 300
    room.data.cancel()
    room.wait("stopped")
    found = room.data.found
    assert 3 < found.count < 300
    assert not found.complete
    assert found.shifts["follow"].classes[0].n == found.count
    room.data.need()
    assert room.data.phase == "stopped", "nobody has asked for it to go on"
    for path in sorted((tmp_path / "many").iterdir())[found.count + 10 :]:
        path.unlink()
    room.data.start()
    room.wait("ready")
    assert room.data.found.count == found.count + 10
    kept, all_of_it = found.folders["follow"], room.data.found.folders["follow"]
    assert all_of_it.keys[: found.count] == kept.keys


def test_it_goes_on_without_the_window_and_is_found_by_the_next(new_room, tmp_path: Path) -> None:
    first = new_room()
    first.show(data=str(paint(tmp_path / "many", 60)), source="ink", mode="follow")
    first.wait("idle")
    first.data.start()
    first.desk.wait(lambda: first.data.done > 1, PATIENCE)
    first.data.close()
    second = new_room()
    second.data.need()
    second.wait("ready")
    assert second.data.found.count == 60
    folder = settings_of(second.data.wanted).folder
    assert (folder / "events.jsonl").read_text().count('"started"') == 1


def test_the_other_mode_is_still_to_come(room: Room, pictures: Path, explorer: Explorer) -> None:
    room.show(data=str(pictures), source="ink")
    room.wait("idle")
    made(room, explorer, [0.0])
    room.show(count=511)
    room.show(count=512)
    room.wait("stopped")
    found = room.data.found
    assert list(found.folders) == ["follow"]
    assert not found.complete
    assert found.shown(room.data.view) == "follow", "there is nothing to compare with yet"
    room.data.start()
    room.wait("ready")
    assert room.data.found.shown(room.data.view) == "bias"
    first, second = found.folders["follow"], room.data.found.folders["follow"]
    assert first.keys == second.keys


def test_what_fails_says_why(room: Room, pictures: Path, explorer: Explorer, tmp_path: Path) -> None:
    room.show(data="/nowhere/set")
    room.wait("idle")
    room.data.start()
    room.wait("failed")
    assert "There is no image set '/nowhere/set'" in room.data.message
    out = tmp_path / "out"
    room.show(data=str(pictures), source="ink", mode="keep", out=str(out))
    room.wait("idle")
    made(room, explorer, [1.0])
    assert len(list((out / "keep").glob("*.png"))) == 9
    room.show(source="clay")
    room.wait("failed")
    assert "holds projections with other settings: source is" in room.data.message
    room.show(source="oil")
    room.desk.wait(lambda: room.data.phase == "failed")
    assert room.data.wanted.view.source == "", "a dataset that the model does not know is guessed"


def test_a_folder_of_ones_own_shows_only_what_was_asked_for(
    room: Room, pictures: Path, tmp_path: Path
) -> None:
    others = paint(tmp_path / "others", 4, seed=5)
    chosen = {"source": "ink", "mode": "keep", "out": str(pictures / "out")}
    room.show(data=str(pictures), **chosen)
    room.wait("idle")
    room.data.start()
    room.wait("ready")
    first = room.data.found.folders["keep"].keys
    assert len(first) == 9
    room.show(data=str(others))
    room.wait("idle")
    assert room.data.found is None, "these pictures are not projected yet, although others are"
    room.data.start()
    room.wait("ready")
    assert room.data.found.count == 4
    room.show(data=str(pictures))
    room.wait("idle")
    room.data.start()
    room.wait("ready")
    assert room.data.found.folders["keep"].keys == first, "figures of the results are no pictures"


def test_a_model_that_does_not_project_wants_nothing(room: Room, pictures, tiny_cvae_folder: Path) -> None:
    room.show(data=str(pictures))
    room.wait("idle")
    room.workspace.open_checkpoint(str(tiny_cvae_folder), "")
    room.desk.wait(lambda: room.workspace.in_step)
    room.show(data=str(pictures))
    assert (room.data.phase, room.data.wanted) == ("none", None)


def test_the_table_has_a_cell_for_each_dataset_and_class(
    room: Room, pictures: Path, explorer: Explorer
) -> None:
    room.show(data=str(pictures), source="ink")
    room.wait("idle")
    made(room, explorer)
    room.data._begin(room.data.wanted, start=False)
    room.wait("ready")
    found, judge, spec = room.data.found, explorer.predictor_spec, explorer.spec
    table = table_of(found, "follow", judge, spec)
    assert table.datasets == ("clay", "tiles"), "onto its own nothing is counted"
    assert table.classes == (("hair", "short"), ("hair", "long")), "the dataset itself is left out"
    by_name = {(one.dataset, one.attribute, one.label): one for one in found.shifts["follow"].classes}
    for key, cell in table.cells.items():
        one = by_name[key]
        assert (cell.first, cell.second, cell.low, cell.high) == (one.before, one.after, one.low, one.high)
        assert cell.small, "there are but 9 pictures"
    assert set(table.notes) == {("clay", "hair"), ("tiles", "hair")}
    assert set(table.reached) == {"clay", "tiles"}
    bias = table_of(found, "bias", judge, spec)
    for (dataset, attribute, label), cell in bias.cells.items():
        shifts = [table_of(found, mode, judge, spec) for mode in ("keep", "follow")]
        keep, follow = (one.cells[dataset, attribute, label].difference for one in shifts)
        assert (cell.first, cell.second) == (pytest.approx(keep), pytest.approx(follow))
    sizes = [
        max(abs(table.cells[one, *key].difference) for one in table.datasets)
        for key in table.ordered("", "shift")
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert table.ordered("clay", "attribute") == table.classes
    assert [points(x) for x in (0.1794, -0.031, 0.0002, -0.0002)] == ["+17.9", "−3.1", "0.0", "0.0"]


def test_examples_of_a_cell_are_drawn_and_only_the_newest_wish_is_answered(
    room: Room, pictures: Path, explorer: Explorer
) -> None:
    room.show(data=str(pictures), source="ink")
    room.wait("idle")
    made(room, explorer)
    room.data._begin(room.data.wanted, start=False)
    room.wait("ready")
    answers: list[object] = []
    found, judge = room.data.found, explorer.predictor_spec
    for most in (1, 2):
        room.examples.make(found, judge, "follow", ("clay", "hair", "long"), most, answers.append)
    room.desk.wait(lambda: answers)
    room.examples.close()
    assert len(answers) == 1
    assert not isinstance(answers[0], Message)
    count, examples = answers[0]
    items = [(one.reconstructed, one.items[1].attributes) for one in found.folders["follow"].found]
    changed = sum(int(a["hair"].argmax() != b["hair"].argmax()) for a, b in items)
    assert count == changed > 1
    assert len(examples) == 2, "the newest wish"


def test_the_program_writes_the_same_tables(
    room: Room, pictures: Path, explorer: Explorer, tmp_path: Path, monkeypatch
) -> None:
    room.show(data=str(pictures), source="ink", onto=("tiles", "clay"), count=6, seed=2)
    room.wait("idle")
    before = made(room, explorer)
    code = many_code(room.workspace.session.document, room.data.wanted)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "copied", "exec"), {})
    for keep, one in before.items():
        mode = "keep" if keep else "follow"
        for name in ("shifts.csv", "projections.csv"):
            assert (tmp_path / "projected" / mode / name).read_text() == (one.out / name).read_text()
        assert len(one.found) == 6
        assert [item.dataset for item in one.found[0].items] == ["clay", "tiles"]
    several = (str(pictures / "003.png"), str(pictures / "001.png"))
    room.show(data="", pictures=several, mode="keep")
    assert "data = [\n    " in many_code(room.workspace.session.document, room.data.wanted)


def test_settings_come_back_with_a_session_and_damage_is_left_out(room: Room, tmp_path: Path) -> None:
    view = ManyView(
        data="faces:test",
        pictures=("a.png", "b.png"),
        source="clay",
        onto=("ink", "tiles"),
        mode="follow",
        count=33,
        seed=4,
        out="/somewhere",
        shown="keep",
        target="tiles",
        sort="shift",
    )
    room.shelf.set_many(view)
    text = session_json(room.workspace.session.document, {})
    (tmp_path / "session.json").write_text(text)
    saved = load_session(tmp_path / "session.json")
    assert saved.left_out == ()
    (shelf,) = saved.shelves.values()
    assert shelf.many == view
    content = json.loads(text)
    (part,) = content["shelves"].values()
    part["many"] |= {"mode": "sideways", "count": 0, "onto": "ink"}
    (tmp_path / "session.json").write_text(json.dumps(content))
    saved = load_session(tmp_path / "session.json")
    (shelf,) = saved.shelves.values()
    assert shelf.many == replace(view, mode="both", count=512, onto=())
    assert len(saved.left_out) == 3


def test_what_there_is_can_be_loaded_without_a_predictor(room: Room, pictures, tiny_cinn_folder) -> None:
    room.workspace.open_checkpoint(str(tiny_cinn_folder), "")
    room.desk.wait(lambda: room.workspace.in_step and room.workspace.opened.predictor is None)
    room.show(data=str(pictures), source="ink", mode="keep")
    room.wait("idle")
    made(room, Explorer.open(tiny_cinn_folder, ""), [1.0])
    wanted = room.data.wanted
    found = load_many(wanted, settings_of(wanted), room.workspace.opened.spec, None)
    assert found.complete
    assert found.shifts == {}
    assert found.bias == ()
