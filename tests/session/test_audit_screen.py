"""The audit without a window: a job does the study, it is found again, read, compared, drawn, and deleted."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from job_processes import no_process_left
from job_threads import jobs_in_threads

from latentlab.audit import partial, report
from latentlab.audit.charts import Chart, Mark, charts_text
from latentlab.audit.runs import run_study
from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.errors import SettingsError
from latentlab.jobs.audit_job import AuditSettings
from latentlab.metrics import intervals
from latentlab.session import audit_runs, audit_words
from latentlab.session.audit import AuditData, settings_of
from latentlab.session.audit_beside import INDEPENDENT, differs, together
from latentlab.session.audit_choices import choices_of, number_words, numbers_of, problems
from latentlab.session.audit_code import audit_code
from latentlab.session.audit_folder import StudyFound, is_study, read_study
from latentlab.session.audit_images import BehindMaker, BehindMark
from latentlab.session.audit_intents import AuditIntents
from latentlab.session.audit_runs import AuditRuns, list_runs
from latentlab.session.audit_words import mark_words
from latentlab.session.kinds import kind_of
from latentlab.session.session import Message

PATIENCE = 180.0
"""Seconds that a test waits at most: a job imports torch first, which takes long on a busy machine."""


class Room:
    """A desk with the audit's data, and everything that was told of it."""

    def __init__(self, desk) -> None:
        self.desk, self.workspace = desk, desk.workspace
        self.intents = AuditIntents(desk.workspace.session)
        self.data = AuditData(desk.workspace)
        self.runs = AuditRuns(desk.workspace)
        self.maker = BehindMaker(desk.workspace)
        self.told: list[tuple[str, int, int]] = []
        self.found: list[StudyFound | None] = []
        self.data.changed.connect(
            lambda: self.told.append((self.data.phase, self.data.done, self.data.total))
        )
        self.data.found_study.connect(self.found.append)

    def ask(self, **changes) -> None:
        self.intents.ask(**changes)
        self.data.need()

    def wait(self, phase: str) -> None:
        self.desk.wait(lambda: self.data.phase == phase, PATIENCE)

    def done(self) -> StudyFound:
        """Do the study that is asked for."""
        self.desk.wait(lambda: self.data.phase != "looking", PATIENCE)
        self.data.start()
        self.wait("ready")
        return self.data.found

    def images(self, found: StudyFound, chart: Chart, mark: Mark, most: int = 3) -> BehindMark | Message:
        answers: list[BehindMark | Message] = []
        self.maker.make(found, chart, mark, most, answers.append)
        self.desk.wait(lambda: answers, PATIENCE)
        return answers[0]

    def close(self) -> None:
        self.maker.close()
        self.runs.close()
        self.data.close()


@pytest.fixture(autouse=True)
def own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    monkeypatch.setenv("LATENTLAB_RUNS", str(folder))
    return folder


@pytest.fixture
def new_room(open_desk, monkeypatch) -> Iterator[Callable[[], Room]]:
    rooms: list[Room] = []

    def made() -> Room:
        rooms.append(Room(open_desk))
        return rooms[-1]

    with jobs_in_threads(monkeypatch):
        yield made
        for room in rooms:
            room.close()


@pytest.fixture
def room(new_room) -> Room:
    return new_room()


def chart(name: str = "share.hair", kind: str = "bars", unit: str = "share", **more) -> Chart:
    """A chart made by hand: two classes of one series."""
    marks = (
        Mark("short", "one", 0.6, 0.5, 0.69, 100, 0.62, 0.5, 0.73, images={"hair": "short"}),
        Mark("long", "one", 0.4, 0.31, 0.5, 100, images={"hair": "long"}),
    )
    marks = tuple(replace(one, told=f"{round(100 * one.value)} of 100") for one in marks)
    return replace(Chart(name, "Shares of hair", kind, unit, marks, {"short": 0.5}, "uniform"), **more)


# The work


def test_a_model_that_decides_itself_is_shown_so_and_judged_as_others_are(
    room: Room, tiny_model_folder: Path, tiny_predictor_folder: Path, tmp_path: Path
) -> None:
    model = shutil.copytree(tiny_model_folder, tmp_path / "model")
    own = shutil.copytree(tiny_predictor_folder, model / "detector")
    room.workspace.open_checkpoint(str(model))
    room.desk.wait(lambda: room.workspace.in_step and room.workspace.opened.path == str(model))
    assert room.workspace.opened.predictor_name == str(own)
    room.ask(n=40)
    assert room.data.wish().request.predictor == "", "people in its pictures are judged by who always does it"
    room.workspace.open_checkpoint(str(model), str(tiny_predictor_folder))
    room.desk.wait(lambda: room.workspace.opened.predictor_name == str(tiny_predictor_folder))
    assert room.data.wish().request.predictor == str(tiny_predictor_folder), "unless somebody chose another"


def test_a_process_of_its_own_does_it(open_desk) -> None:
    with no_process_left():
        room = Room(open_desk)
        room.ask(n=40)
        room.wait("idle")
        found = room.done()
        assert found.images == 40
        assert settings_of(room.data.wanted).folder.joinpath("log.txt").read_bytes() == b""
        room.close()


def test_nothing_begins_until_somebody_asks_and_then_it_is_as_the_command_does_it(
    room: Room, own_runs: Path, tmp_path: Path
) -> None:
    room.ask(n=200, attributes=("gender", "race"))
    room.wait("idle")
    assert room.data.found is None
    assert not list(own_runs.glob("*"))
    found = room.done()
    assert list(dict.fromkeys(phase for phase, _, _ in room.told)) == ["looking", "idle", "running", "ready"]
    running = [(done, total) for phase, done, total in room.told if phase == "running" and total == 200]
    assert running == sorted(running)
    assert running
    assert found.whole
    assert found.study == "generation"
    assert found.images == 200
    request = room.data.wanted.request
    assert request.models == (room.workspace.opened.path,), "without models it is of the open one"
    assert request.predictor == room.workspace.opened.predictor_name, "which is judged as everywhere else"
    assert found.title == "Generation: tiny-vae"
    audit = run_study(request, tmp_path / "again")
    assert found.charts == audit.charts
    assert found.summary == audit.summary
    for name in ("groups.csv", "images.csv"):
        assert (found.folder / name).read_text() == (tmp_path / "again" / name).read_text()
    assert room.workspace.session.history.undo_name == "Set the audit", "the work is no step"
    assert not room.desk.messages


def test_it_streams_and_its_images_can_be_looked_at_while_it_goes_on(room: Room, monkeypatch) -> None:
    monkeypatch.setattr(partial, "SECONDS", 0.0)
    monkeypatch.setattr(partial.Partial.__init__, "__defaults__", (0.0,))
    room.ask(n=20_000)
    room.wait("idle")
    room.data.start()
    room.desk.wait(lambda: room.data.found is not None, PATIENCE)
    first = room.data.found
    assert not first.whole
    assert 0 < first.images < 20_000
    assert first.tables == settings_of(room.data.wanted).results
    shares = first.charts[0]
    made = room.images(first, shares, shares.marks[0], 2)
    assert isinstance(made, BehindMark)
    assert made.n >= shares.marks[0].value * first.images - 1
    room.desk.wait(lambda: room.data.found.images > first.images, PATIENCE)
    room.data.cancel()
    room.wait("stopped")
    assert not room.data.found.whole
    assert room.data.found.images > first.images


def test_what_is_stopped_goes_on_and_is_found_by_the_next(new_room) -> None:
    room = new_room()
    room.ask(n=1500)
    room.wait("idle")
    room.data.start()
    room.desk.wait(lambda: room.data.done > 0, PATIENCE)
    room.data.cancel()
    room.wait("stopped")
    results = settings_of(room.data.wanted).results
    kept = (results / "images.csv").read_text()
    assert 0 < kept.count("\n") < 1500
    room.data.close()
    second = new_room()
    second.data.need()
    second.wait("stopped")
    found = second.done()
    assert found.images == 1500
    assert (results / "images.csv").read_text().startswith(kept)
    third = new_room()
    third.data.need()
    third.wait("ready")
    assert [phase for phase, _, _ in third.told] == ["looking", "ready"]
    third.ask(n=1499)
    third.wait("idle")
    assert third.data.found is None
    assert third.found[-1] is None
    third.workspace.session.undo()
    third.data.need()
    third.wait("ready")


def test_the_folder_is_of_study_weights_and_place(
    room: Room, idle_model_folder: Path, tmp_path: Path
) -> None:
    room.ask(n=30)
    settings = settings_of(room.data.wanted)
    assert settings_of(replace(room.data.wanted, device="cpu")).folder == settings.folder
    request = room.data.wanted.request
    others = [
        replace(room.data.wanted, request=replace(request, n=31)),
        replace(room.data.wanted, request=replace(request, models=(str(idle_model_folder),))),
        replace(room.data.wanted, out=str(tmp_path / "out")),
    ]
    assert len({settings.folder, *(settings_of(one).folder for one in others)}) == 4
    assert AuditSettings.of(json.loads(json.dumps(settings.plain()))) == settings
    with pytest.raises(SettingsError, match="settings of an audit cannot be read"):
        AuditSettings.of({"request": {"study": "generation"}})


def test_what_fails_says_why_before_any_work(room: Room, tmp_path: Path) -> None:
    room.ask(n=30, attributes=("moods",))
    room.wait("idle")
    room.data.start()
    room.wait("failed")
    assert "moods" in room.data.message
    assert room.data.found is None
    room.ask(attributes=())
    room.intents.set(replace(room.intents.view, out=str(tmp_path / "out")))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    room.data.need()
    room.wait("idle")
    room.data.start()
    room.wait("failed")
    assert "holds other files" in room.data.message
    room.ask(models=("/nowhere/model",))
    room.wait("failed")
    assert "/nowhere/model" in room.data.message


def test_an_open_model_is_needed_only_where_none_is_named(desk) -> None:
    data = AuditData(desk.workspace)
    assert data.wish() is None
    intents = AuditIntents(desk.workspace.session)
    intents.ask(models=("faces-vae",))
    assert data.wish().request.models == ("faces-vae",)
    intents.choose_study("reconstruction")
    wanted = data.wish().request
    assert (wanted.data, wanted.n) == ("faces:test", STUDIES["reconstruction"].n)
    intents.choose_study("training-ratio")
    assert data.wish().request.data == "faces:train"
    data.close()


def test_choosing_a_study_keeps_what_both_ask_for(room: Room) -> None:
    room.ask(models=("faces-vae", "faces-cvae"), n=70, seeds=(3,), data="faces:validation")
    room.intents.choose_study("reconstruction")
    asked = room.intents.view.asked
    assert (asked.models, asked.n, asked.seeds) == (("faces-vae",), 0, (3,))
    assert asked.data == "faces:validation"
    assert room.workspace.session.history.undo_name == "Choose the reconstruction study"
    room.intents.choose_study("training-ratio")
    assert room.intents.view.asked.data == "", "what is looked at is not trained on"
    assert room.intents.view.asked.seeds == (3,), "chosen by a person"
    room.workspace.session.undo()
    room.workspace.session.undo()
    assert room.intents.view.asked.models == ("faces-vae", "faces-cvae")
    assert room.intents.view.asked.n == 70
    room.ask(seeds=(0,))
    room.intents.choose_study("training-ratio")
    assert room.intents.view.asked.seeds == (0, 1, 2), "one training says nothing of chance"


# Earlier studies


def test_studies_are_listed_named_and_deleted(room: Room, own_runs: Path, tmp_path: Path) -> None:
    room.ask(n=40)
    room.wait("idle")
    first = room.done()
    room.intents.set(replace(room.intents.view, out=str(tmp_path / "out")))
    room.ask(seeds=(1,))
    room.wait("idle")
    second = room.done()
    assert second.folder == tmp_path / "out"
    (own_runs / "audit-broken").mkdir()
    (own_runs / "audit-broken" / "settings.json").write_text("{")
    room.runs.refresh()
    room.desk.wait(lambda: len(room.runs.runs) == 2)
    assert [run.results for run in room.runs.runs] == [second.folder, first.folder], "the newest first"
    assert all(run.finished for run in room.runs.runs)
    one = room.runs.of_folder(str(first.folder))
    assert one.title == "Generation: tiny-vae"
    room.runs.rename(one, "  My   first ")
    room.desk.wait(lambda: room.runs.of_folder(str(first.folder)).title == "My first")
    read: list[StudyFound | str] = []
    room.runs.read(str(first.folder), read.append)
    room.desk.wait(lambda: read)
    assert read[0].request == first.request
    deleted = [run.folder for run in room.runs.runs]
    for run in room.runs.runs:
        room.runs.delete(run, lambda: None)
    room.desk.wait(lambda: not room.runs.runs)
    assert not first.folder.exists()
    assert (second.folder / "groups.csv").exists(), "results in a folder of one's own stay"
    for folder in deleted:
        folder.mkdir()  # there each job is told to stop when the test ends
    assert not room.runs.busy


def test_a_study_that_goes_on_is_not_deleted(room: Room) -> None:
    room.ask(n=5000)
    room.wait("idle")
    room.data.start()
    room.desk.wait(lambda: room.data.done > 0, PATIENCE)
    run = list_runs()[0]
    assert run.phase == "running"
    with pytest.raises(SettingsError, match="still going on"):
        audit_runs.delete_run(run)
    room.data.cancel()
    room.wait("stopped")


def test_damaged_folders_say_which_file(tmp_path: Path, room: Room) -> None:
    with pytest.raises(SettingsError, match="There is no folder"):
        read_study(tmp_path / "none")
    folder = tmp_path / "study"
    folder.mkdir()
    with pytest.raises(SettingsError, match=r"report\.json is missing"):
        read_study(folder)
    (folder / "report.json").write_text('{"command": "audit generation", "data": {"n": 7}}')
    (folder / "summary.txt").write_text("title\nFirst.\n\nSecond.\n")
    (folder / "charts.json").write_text(charts_text([chart()]))
    assert kind_of(folder) == "study"
    assert is_study(folder)
    found = read_study(folder)
    assert (found.study, found.summary, found.images) == ("generation", ("First.", "Second."), 7)
    assert found.charts == (chart(),)
    assert found.request is None
    for name, text in (("charts.json", "{"), ("request.json", '{"study": "moods"}'), ("report.json", "[]")):
        before = (folder / name).read_text() if (folder / name).exists() else None
        (folder / name).write_text(text)
        with pytest.raises(SettingsError, match=name.replace(".", r"\.")):
            read_study(folder)
        if before is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(before)
    answers: list[StudyFound | str] = []
    room.runs.read(str(tmp_path / "none"), answers.append)
    room.desk.wait(lambda: answers)
    assert "There is no folder" in answers[0]


# What can be asked


def test_what_is_wrong_is_said_field_by_field(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> None:
    def wrong(**changes) -> dict[str, str]:
        request = replace(StudyRequest("generation", ("faces-vae",), n=10), **changes)
        return problems(request, choices_of(request))

    assert wrong() == {}
    assert wrong(models=()) == {
        "models": "Choose a model.",
        "predictor": "No attribute predictor fits. Choose one.",
    }
    assert "/nowhere/a" in wrong(models=("/nowhere/a",))["models"]
    assert "is an attribute predictor" in wrong(models=("faces-attributes",))["models"]
    assert wrong(attributes=("moods",)) == {"attributes": "moods is not judged."}
    assert wrong(reference="moods") == {"reference": "There is no set or folder 'moods'."}
    assert wrong(reference="training") == {}
    assert wrong(reference="faces:test") == {}
    assert wrong(condition="gender=female") == {"condition": "faces-vae knows no condition."}
    assert wrong(truncation=0.0) == {"truncation": "A number above 0, up to 1."}
    assert wrong(seeds=(1, 1)) == {"seeds": "A number stands there twice."}
    assert wrong(seeds=(-1,))["seeds"].startswith("Write whole numbers from 0")
    assert wrong(n=10_000_000) == {"n": "From 1 to 1,000,000."}
    own = (str(tiny_cvae_folder),)
    assert wrong(models=own) == {"predictor": "No attribute predictor fits. Choose one."}
    assert wrong(models=own, predictor=str(tiny_predictor_folder), condition="gender=male") == {}
    assert wrong(models=own, reference="training", predictor=str(tiny_predictor_folder)) == {
        "reference": "tiny-cvae does not say what it was trained on."
    }
    assert wrong(predictor="faces-vae")["predictor"].startswith("faces-vae is no attribute predictor")
    projection = {"study": "projection", "data": "faces:test"}
    assert wrong(**projection) == {"models": "faces-vae is no conditional INN."}
    assert wrong(**projection, models=("faces-triple-cinn",)) == {}
    assert wrong(study="reconstruction") == {"data": "Choose a set, or a folder."}
    assert wrong(study="reconstruction", data="faces:test", groups=("moods",)) == {
        "groups": "Nothing is known of moods."
    }
    assert wrong(study="truncation", truncations=(1.0, 1.5))["truncations"].startswith(
        "Write numbers above 0"
    )
    assert wrong(study="conditioning", data="faces:test", scales=())["scales"].startswith("Write numbers")
    ratio = {"study": "training-ratio", "models": (), "data": "faces:train"}
    assert wrong(**ratio) == {}
    assert wrong(**ratio, ratio_attribute="race") == {"ratio_attribute": "race has 4 classes, not two."}
    assert wrong(**ratio, ratios=(0.5, 1.0))["ratios"].startswith("Write shares between 0 and 1")


def test_there_is_to_choose_from_what_the_models_share() -> None:
    found = choices_of(StudyRequest("generation", ("faces-vae", "faces-cvae")))
    assert {"faces-vae", "faces-cvae", "styles-cinn"} <= set(found.models)
    assert "faces-attributes" not in found.models
    assert found.sets[:2] == ("faces:validation", "faces:test")
    assert list(found.attributes) == ["gender", "race", "glasses", "facial_hair"]
    assert found.judge == "faces-attributes"
    assert choices_of(StudyRequest("generation", ("faces-vae", "styles-cinn"))).attributes.keys() < {
        "gender",
        "race",
        "glasses",
    }, "what both judges know alike"
    assert choices_of(StudyRequest("projection", ("faces-triple-cinn",))).datasets


@pytest.mark.parametrize(
    ("text", "whole", "numbers"),
    [
        ("0, 1,2", True, (0, 1, 2)),
        ("1 0.5;0.25", False, (1.0, 0.5, 0.25)),
        ("0.5", True, None),
        ("one", False, None),
        ("nan", False, None),
        ("", False, ()),
    ],
)
def test_numbers_are_read(text: str, whole: bool, numbers) -> None:
    found = numbers_of(text, whole)
    assert found == numbers
    if numbers:
        assert numbers_of(number_words(numbers), whole) == numbers
        assert all(isinstance(one, int) is whole for one in found)


# Side by side


def test_a_difference_has_newcombes_interval() -> None:
    first, second = (Mark("a", "", k / n, low, high, n) for k, n, low, high in _rates())
    d, low, high = differs(first, second)
    # Newcombe (1998), table II, method 10: 56/70 against 48/80 is 0.2000, from 0.0524 to 0.3339
    assert d == pytest.approx(-0.2)
    assert (low, high) == (pytest.approx(-0.3339, abs=2e-4), pytest.approx(-0.0524, abs=2e-4))
    assert differs(replace(first, value=None), second) is None
    assert differs(replace(first, low=None), second)[1:] == (None, None)
    corrected = replace(first, corrected=0.9, corrected_low=0.8, corrected_high=0.95)
    assert differs(corrected, second)[0] == pytest.approx(-0.2), "what only one has is not mixed with counts"
    both = replace(second, corrected=0.5, corrected_low=0.4, corrected_high=0.6)
    assert differs(corrected, both)[0] == pytest.approx(-0.4)


def _rates() -> list[tuple[int, int, float, float]]:
    from latentlab.metrics.intervals import wilson

    found = []
    for k, n in ((56, 70), (48, 80)):
        low, high = wilson(k, n)
        found.append((k, n, float(low), float(high)))
    return found


def test_charts_of_the_same_name_become_one() -> None:
    one = chart()
    two = chart(marks=tuple(replace(mark, series="other", value=mark.value / 2) for mark in one.marks))
    shown = together([one, chart("alone")], [two, chart("also")])
    assert [one.chart.title for one in shown] == [
        "Shares of hair",
        "Shares of hair (A only)",
        "Shares of hair (B only)",
    ]
    both = shown[0]
    assert both.chart.labels == ("short", "long")
    assert both.chart.series == ("A", "B"), "series of one each belong together"
    assert [origin[0] for origin in both.origins] == [0, 1, 0, 1]
    assert both.origins[1][1] is two.marks[0]
    assert set(both.differences) == {1, 3}
    assert both.differences[1][0] == pytest.approx(two.marks[0].corrected - one.marks[0].corrected)
    assert INDEPENDENT in both.chart.note
    assert shown[2].origins[0][0] == 1
    several = tuple(replace(mark, series=name) for mark in one.marks for name in ("x", "y"))
    fewer = together([chart(marks=several)], [chart(marks=several[::2])])[0]
    assert fewer.chart.series == ("A x", "B x", "A y")
    assert len(fewer.differences) == 2
    other_kind = together([one], [chart(kind="gaps", unit="points")])
    assert len(other_kind) == 2


def test_tables_of_intersections_stand_side_by_side_with_what_differs() -> None:
    cells = chart("cells", "cells")
    second = replace(
        cells, marks=tuple(replace(m, value=m.value + 0.1, corrected=None, small=True) for m in cells.marks)
    )
    first, other, difference = together([cells], [second])
    assert [one.chart.title[-3:] for one in (first, other)] == ["(A)", "(B)"]
    assert difference.chart.unit == "points"
    assert [mark.value for mark in difference.chart.marks] == [pytest.approx(0.1)] * 2
    assert all(mark.small for mark in difference.chart.marks), "one of both is of few images"
    assert difference.origins == (None, None)


def test_what_the_window_says_by_itself_is_what_the_studies_say() -> None:
    assert audit_words.SMALL == intervals.SMALL
    assert audit_words.PERCEIVED == report.PERCEIVED


def test_a_mark_is_told_in_full() -> None:
    one = chart(kind="bars")
    lines = mark_words(one, one.marks[0], (0.02, -0.01, 0.05))
    assert lines == [
        "short",
        "Counted 60.0% (95%: 50.0% to 69.0%)",
        "Corrected for the predictor's errors 62.0% (95%: 50.0% to 73.0%)",
        "uniform: 50.0%",
        "B minus A: +2.0 points (95%: −1.0 to +5.0)",
        "60 of 100",
    ]
    small = replace(one.marks[1], small=True, told="", value=None)
    assert mark_words(one, small)[1:] == [
        "Nothing could be counted.",
        "Fewer than 30 images are behind this.",
    ]
    steps = Chart("e", "Error", "bars", "steps", (Mark("a", "x", 12.345, None, None, 9),))
    assert mark_words(steps, steps.marks[0]) == ["a", "12.35; 9 images"]


# Images and programs


def test_the_images_behind_a_mark_are_drawn_the_worst_first(room: Room) -> None:
    room.ask(n=120, attributes=("race",), seeds=(4, 2))
    room.wait("idle")
    found = room.done()
    shares = found.charts[0]
    mark = max(shares.marks, key=lambda one: one.value)
    made = room.images(found, shares, mark)
    assert isinstance(made, BehindMark)
    assert made.n >= len(made.images) == 3
    sure = [float(image.words[-1].split(": ")[1].split("%")[0]) for image in made.images]
    assert sure == sorted(sure)
    assert made.images[0].name.startswith("tiny-vae, seed ")
    assert f"race: {mark.label}" in made.images[0].known
    for _, pixels in made.images[0].pictures:
        assert pixels.dtype == np.uint8
        assert pixels.shape == (32, 32, 3)
    gone = replace(mark, images={"moods": "good"})
    answer = room.images(found, shares, gone)
    assert isinstance(answer, Message)
    assert "moods" in answer.text


def test_only_the_newest_wish_is_answered(room: Room) -> None:
    room.ask(n=40, attributes=("gender",))
    room.wait("idle")
    found = room.done()
    answers: list[object] = []
    for most in (1, 2):
        room.maker.make(found, found.charts[0], found.charts[0].marks[0], most, answers.append)
    room.desk.wait(lambda: answers, PATIENCE)
    room.maker.close()
    assert len(answers) == 1
    assert len(answers[0].images) <= 2


def test_the_program_does_the_same_study(room: Room, tmp_path: Path, monkeypatch) -> None:
    room.ask(n=64, attributes=("glasses", "race"), truncation=0.7, seeds=(2,))
    room.wait("idle")
    found = room.done()
    code = audit_code(room.data.wanted.request, "cpu")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "copied", "exec"), {})
    for name in ("groups.csv", "images.csv", "charts.json"):
        assert (tmp_path / "audited" / name).read_text() == (found.folder / name).read_text()
    assert "truncation=0.7" in code
    assert "reference" not in code, "what is as usual is not written"


def test_settings_come_back_and_damage_is_left_out(room: Room) -> None:
    from latentlab.session.saved import read_session, session_json

    room.intents.choose_study("truncation")
    room.ask(truncations=(1.0, 0.25), seeds=(5,))
    room.intents.put_beside("/some/folder")
    text = session_json(room.workspace.session.document, {})
    assert read_session(text, "a").audit == room.intents.view
    data = json.loads(text)
    data["audit"]["asked"]["seeds"] = ["five"]
    data["audit"]["asked"]["moods"] = 1
    found = read_session(json.dumps(data), "a")
    assert found.audit == replace(room.intents.view, asked=replace(room.intents.view.asked, seeds=(0,)))
    assert len(found.left_out) == 2
    data["audit"]["asked"]["study"] = "moods"
    found = read_session(json.dumps(data), "a")
    assert found.audit.asked == StudyRequest("generation")
    assert any("there is no study 'moods'" in one for one in found.left_out)
    assert math.isclose(found.audit.asked.truncation, 1.0)
