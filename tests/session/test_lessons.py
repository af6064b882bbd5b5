"""Holding a lesson: every word, steps in any order, what comes back, and what is said of what fails."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lesson_parts import step, write_lesson
from PIL import Image

from latentlab.audit.charts import charts_text
from latentlab.audit.experiments.catalog import experiment
from latentlab.audit.study_plan import StudyRequest
from latentlab.conditions import weights
from latentlab.session.document import AxisRef, Document, StripView
from latentlab.session.history import History, Step
from latentlab.session.intents import Intents
from latentlab.session.lesson import Figure
from latentlab.session.lesson_check import read_lesson
from latentlab.session.lesson_list import lesson_paths
from latentlab.session.lesson_trial import try_lesson
from latentlab.session.lesson_words import pictures
from latentlab.session.lessons import Lessons
from latentlab.session.python_code import explore_code
from latentlab.session.search_wanted import search_wanted
from latentlab.session.session import Message


class Class:
    """A desk on which lessons are held, and what the window was told."""

    def __init__(self, desk, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.workspace = desk.workspace
        self.intents = Intents(desk.workspace)
        self.lessons = Lessons(desk.workspace, self.intents)
        self.looked: list[tuple[str, str]] = []
        self.begun: list[str] = []
        self.lessons.look.connect(lambda screen, view: self.looked.append((screen, view)))
        self.lessons.begin.connect(self.begun.append)

    def wait(self) -> None:
        self.desk.wait(lambda: not self.lessons.underway)

    def open(self, *steps: str, place: int = 0) -> None:
        """Open a lesson of these steps, and wait until its step is there."""
        assert self.lessons.open(str(write_lesson(self.folder, *steps)), place), self.desk.messages[-1].text
        self.wait()

    def go(self, place: int) -> None:
        self.lessons.go(place)
        self.wait()

    def set(self, *session: str) -> None:
        """Open a lesson that sets the session so, and see that it could."""
        self.open(step("Begin", *session))
        assert not self.lessons.failure

    def close(self) -> None:
        self.lessons.close()
        self.wait()

    @property
    def document(self):
        return self.workspace.session.document

    @property
    def state(self):
        return self.desk.state

    @property
    def shelf(self):
        return self.document.shelf


@pytest.fixture
def room(desk, tmp_path: Path) -> Class:
    return Class(desk, tmp_path)


@pytest.fixture
def vae(tiny_model_folder: Path, tiny_predictor_folder: Path) -> str:
    return f"open: {{model: {tiny_model_folder}, predictor: {tiny_predictor_folder}}}"


@pytest.fixture
def cvae(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> str:
    return f"open: {{model: {tiny_cvae_folder}, predictor: {tiny_predictor_folder}}}"


@pytest.fixture
def cinn(tiny_cinn_folder: Path, tiny_judge_folder: Path) -> str:
    return f"open: {{model: {tiny_cinn_folder}, predictor: {tiny_judge_folder}}}"


def classes_of(room: Class, name: str) -> dict[str, float]:
    """Return the weights of an attribute that the decoder is told."""
    schema = room.workspace.opened.spec.condition
    return weights(schema, room.state.condition, name)


# The words


def test_models_pictures_and_sliders(room: Class, vae: str) -> None:
    room.set(
        vae,
        "screen: {name: explore, view: grid}",
        "sample: face-0012",
        "pin: Face",
        "slide: {dimension: 3, to: 2}",
        "pin: Moved",
        "lock: [3]",
        "direction: {from: Face, to: Moved, name: Third}",
        "along: {direction: Third, to: 1}",
        "compare: Face",
        "grid: {kind: plane, axes: [1, Third], steps: 5}",
        "probe: {axis: 2, attribute: glasses}",
        "map: {count: 100, layout: pca, colour: gender, density: false}",
        "path: {closed: false, steps: 6}",
    )
    assert room.state.source is not None
    assert room.state.source.name == "Face 12", "as the window calls it, by which its labels are known"
    assert room.state.latent[3] == 2.0
    assert room.shelf.locked == {3}
    assert [pin.name for pin in room.shelf.pins] == ["Face", "Moved"]
    assert room.shelf.directions[0].name == "Third"
    assert room.shelf.compared == "Face"
    assert room.shelf.grid.axes == (AxisRef(1), AxisRef(direction="Third"))
    assert (room.shelf.probe.axis, room.shelf.probe.attribute) == (AxisRef(2), "glasses")
    assert (room.shelf.map.count, room.shelf.map.density) == (100, False)
    assert (room.shelf.path.closed, room.shelf.path.steps) == (False, 6)
    assert room.looked == [("explore", "grid")]


def test_a_picture_beside_the_lesson_and_draws(room: Class, vae: str) -> None:
    Image.new("RGB", (40, 40), "red").save(room.folder / "mine.png")
    room.set(vae, "picture: mine.png", "pin: Mine", "randomise: {seed: 4, truncation: 0.5}", "go_to: Mine")
    pins = {pin.name: pin for pin in room.shelf.pins}
    np.testing.assert_array_equal(room.state.latent, pins["Mine"].latent)
    assert (room.state.seed, room.state.truncation) == (4, 0.5)
    room.set(vae, "slide: {dimension: 1, to: 1}", "reset")
    assert not room.state.edited
    room.set(vae, "randomise: 3", "middle")
    assert room.state.origin == "prior mean"


def test_the_condition_at_both_ends(room: Class, cvae: str) -> None:
    room.set(
        cvae,
        "sample: face-0020",
        "class: {attribute: glasses, to: yes}",
        "scale: {attribute: gender, to: 2}",
        "mix: {attribute: race, class: black, weight: 0.5}",
        "tell: {attribute: gender, to: male}",
        "link: false",
    )
    assert classes_of(room, "glasses")["yes"] == 1.0
    assert max(classes_of(room, "gender").values()) == pytest.approx(2.0, abs=1e-5)
    assert classes_of(room, "race")["black"] == 0.5
    assert room.state.told is not None
    assert list(room.state.told[:2]) == [0.0, 1.0], "what the encoder is told was waited for"
    before = classes_of(room, "glasses")
    room.set(cvae, "class: {attribute: glasses, to: yes}", "flip: glasses")
    assert classes_of(room, "glasses") != before
    room.set(cvae, "sample: face-0020", "tell: {attribute: gender, to: male}", "tell: seen")
    np.testing.assert_array_equal(room.state.told, room.state.start_condition)


def test_counterfactuals_and_a_search(room: Class, cvae: str) -> None:
    room.open(
        step(
            "Begin",
            cvae,
            "sample: face-0020",
            "counterfactuals: {attribute: gender, second: glasses, scale: 2, target: male, side: encoder, "
            "count: 8, seed: 3, sort: leakage, threshold: 4}",
            "screen: search",
            "search: {factor: 8, restarts: 4, steps: 20, loss: map, fixed: {gender: female}, beside: row}",
            "begin: search",
        ),
        step("Then", "counterfactuals: {data: picture}"),
    )
    view = room.shelf.counterfactual
    assert (view.attribute, view.second, view.scale, view.target) == ("gender", "glasses", 2.0, "male")
    assert (view.side, view.count, view.sort) == ("encoder", 8, "leakage")
    wanted = search_wanted(room.document, room.workspace.opened.spec)
    assert wanted is not None
    assert (wanted.view.restarts, wanted.view.loss, wanted.free) == (4, "map", ("race", "glasses"))
    assert room.looked == [("search", "")]
    assert room.begun == ["search"]
    room.go(1)
    assert room.begun == ["search"], "something was set since, so it is not begun again"


def test_analogies(room: Class, cinn: str) -> None:
    room.open(
        step(
            "Begin",
            cinn,
            "sample: face-0012",
            "screen: {name: analogies, view: samples}",
            'brush: {points: [[2, 2], [20, 2]], radius: 4, colour: "#ff0000"}',
            "project: {keep: 0.25, dataset: clay}",
            "samples: {rows: 3, seed: 7, truncation: 0.8, with_input: false}",
            "blend: {first: ink, second: tiles, share: 0.3}",
        )
    )
    source = room.state.source
    assert source is not None
    assert source.painted is not None
    assert not source.pending, "that it was encoded anew was waited for"
    np.testing.assert_array_equal(source.painted[2, 10], [255, 0, 0])
    assert (room.shelf.projection.dataset, room.shelf.projection.keep) == ("clay", 0.25)
    samples = room.shelf.samples
    assert [row.seed for row in samples.rows] == [7, 8, 9]
    assert (samples.truncation, samples.with_input) == (0.8, False)
    assert samples.strip == StripView(first="ink", second="tiles", share=0.3)
    assert room.looked == [("analogies", "samples")]


def test_studies_and_trainings_are_set_and_no_training_is_begun(room: Class, vae: str) -> None:
    room.open(
        step(
            "Begin",
            vae,
            "screen: audit",
            "study: {name: generation, n: 50, seeds: [1, 2], truncation: 0.5}",
            "begin: study",
        ),
        step(
            "Train",
            "screen: train",
            'train: {recipe: pair, smoothing: 0.01, rule: max, ratios: ["gender=female:0.2,male:0.8"]}',
        ),
    )
    assert room.begun == ["study"]
    asked = room.document.audit.asked
    assert asked == StudyRequest("generation", n=50, seeds=(1, 2), truncation=0.5)
    room.go(1)
    values = room.document.train.values
    assert room.document.train.recipe == "pair"
    assert values["detection.smoothing"] == 0.01
    assert values["detection.rule"] == "max"
    assert room.begun == ["study"]
    assert room.looked == [("audit", ""), ("train", "")]


def test_a_study_that_was_kept_beside_the_lesson_is_shown(room: Class, vae: str) -> None:
    folder = room.folder / "kept"
    folder.mkdir()
    (folder / "report.json").write_text('{"command": "audit truncation", "data": {"n": 7}}', encoding="utf-8")
    (folder / "summary.txt").write_text("Title\nFirst.\n", encoding="utf-8")
    (folder / "charts.json").write_text(charts_text([]), encoding="utf-8")
    (folder / "request.json").write_text(
        '{"study": "truncation", "models": ["faces-vae"], "n": 7}', encoding="utf-8"
    )
    room.set(vae, "screen: audit", "show_study: kept")
    view = room.document.audit
    assert view.shown == str(folder)
    assert (view.asked.study, view.asked.n) == ("truncation", 7), "the form says how it was asked"


# Steps in any order


@pytest.fixture
def three(room: Class, vae: str, cvae: str) -> Class:
    room.open(
        step("One", vae, "sample: face-0012", "slide: {dimension: 1, to: 1}"),
        step("Two", "slide: {dimension: 2, to: 2}"),
        step("Three", cvae, "sample: face-0020", "scale: {attribute: gender, to: 2}"),
    )
    return room


def test_a_step_shows_the_same_whatever_was_tried_before(three: Class) -> None:
    first = three.state.latent
    three.intents.explore.move(2, -3.0)
    three.intents.explore.move(5, 3.0)
    three.lessons.next()
    three.wait()
    assert three.state.latent[2] == 2.0
    assert three.state.latent[1] == 1.0
    assert three.state.latent[5] == first[5], "what was tried is left"
    second = three.state.latent
    three.go(2)
    three.go(1)
    assert three.state.latent is second, "what steps have led to is kept"
    three.lessons.back()
    three.wait()
    assert three.state.latent is first
    assert three.lessons.is_first


def test_a_step_in_the_middle_can_be_the_first(room: Class, three: Class, vae: str) -> None:
    straight = three
    straight.go(2)
    latent, condition = np.array(straight.state.latent), np.array(straight.state.condition)
    assert straight.lessons.open(str(straight.lessons.lesson.path), 2)
    straight.wait()
    np.testing.assert_array_equal(straight.state.latent, latent)
    np.testing.assert_array_equal(straight.state.condition, condition)
    assert not straight.lessons.failure


def test_begin_anew_hides_the_answers_and_is_as_at_first(three: Class) -> None:
    first = three.document
    three.lessons.show_answer(0)
    assert three.lessons.is_shown(0)
    three.lessons.next()
    three.wait()
    assert not three.lessons.is_shown(0), "it is another step's"
    three.lessons.back()
    three.wait()
    assert three.lessons.is_shown(0)
    three.intents.shelf.pin(name="Mine")
    three.lessons.reset()
    three.wait()
    assert not three.lessons.is_shown(0)
    assert three.document is first
    three.lessons.show_answer(0)
    three.lessons.show_answer(0, False)
    assert not three.lessons.is_shown(0)


def test_a_step_can_be_set_again(three: Class) -> None:
    latent = three.state.latent
    three.intents.explore.move(1, -2.0)
    three.lessons.again()
    three.wait()
    assert three.state.latent is latent


def test_a_model_that_is_open_already_is_not_read_again(
    room: Class, vae: str, tiny_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    room.workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    room.desk.wait(lambda: room.workspace.phase == "ready")
    room.intents.explore.move(1, 2.0)
    opened = room.workspace.opened
    room.set(vae, "slide: {dimension: 2, to: 1}")
    assert room.workspace.opened is opened
    assert room.state.latent[1] == 0.0
    room.set(vae.replace(str(tiny_predictor_folder), "none"))
    assert room.workspace.opened is not opened, "nobody judges it now"
    assert not room.workspace.opened.predictor_name


def test_going_on_while_a_step_is_being_set_ends_at_the_last_one(three: Class) -> None:
    three.lessons.go(2)
    three.lessons.go(1)
    three.lessons.go(2)
    assert three.lessons.underway
    three.wait()
    assert three.lessons.place == 2
    assert three.document.checkpoint.name == "tiny-cvae"
    assert three.state.source.name == "Face 20"


def test_each_step_is_one_for_undo_and_redo(three: Class) -> None:
    before = three.document
    three.go(2)
    after = three.document
    assert three.desk.undo_name == "Lesson A small lesson, step 3"
    three.workspace.session.undo()
    three.desk.wait(lambda: three.workspace.at_rest)
    assert three.document is before
    three.workspace.session.redo()
    three.desk.wait(lambda: three.workspace.at_rest)
    assert three.document is after


def test_a_step_that_makes_one_change_is_undone_as_a_step_of_the_lesson(three: Class) -> None:
    assert three.desk.undo_name == "Lesson A small lesson, step 1", "also where nothing was open before"
    three.go(1)
    assert three.desk.undo_name == "Lesson A small lesson, step 2"
    three.intents.explore.move(5, 3.0)
    three.lessons.again()
    three.wait()
    count = len(three.workspace.session.history)
    three.lessons.again()
    three.wait()
    assert len(three.workspace.session.history) == count, "what was tried is still an undo away"


def test_what_a_person_stopped_to_wait_for_is_undone_with_the_step(three: Class) -> None:
    before = three.document
    three.lessons.go(2)
    three.desk.wait(lambda: three.workspace.busy)
    three.go(1)
    assert three.desk.undo_name == "Lesson A small lesson, step 2"
    three.workspace.session.undo()
    three.desk.wait(lambda: three.workspace.at_rest)
    assert three.document is before


def test_a_model_is_opened_anew_where_reading_its_weights_would_hold_up_the_window(
    room: Class, vae: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.set(vae)
    opened = room.workspace.opened
    monkeypatch.setattr(pictures, "MOST_HASHED", 0)
    room.set(vae)
    assert room.workspace.opened is not opened
    assert room.workspace.opened.sha256 == opened.sha256


def test_the_copied_program_draws_what_a_step_has_set(three: Class) -> None:
    three.go(2)
    three.desk.wait_settled()
    document, frame = three.document, three.workspace.rendering.settled_frame
    names: dict[str, object] = {}
    code = explore_code(document.checkpoint, document.explore, document.threads)
    exec(compile(code, "copied", "exec"), names)
    np.testing.assert_array_equal(names["picture"], frame.pixels[0, ..., 2::-1])


def test_what_was_stopped_is_begun_again_by_its_own_step_only(room: Class, vae: str) -> None:
    room.open(
        step("One", vae, "screen: audit", "study: {name: generation, n: 50}"),
        step("Two", "begin: study"),
        "\n## Three\n\nA text.\n",
    )
    assert not room.begun
    room.go(1)
    room.go(2)
    assert room.begun == ["study"]
    room.go(1)
    assert room.begun == ["study", "study"], "a person comes back to it"
    path = room.lessons.lesson.path
    assert room.lessons.open(str(path), 2)
    room.wait()
    assert len(room.begun) == 3, "a step that follows needs it, and it was never begun"


# What was there before


def test_what_was_open_before_comes_back(room: Class, vae: str, tiny_cvae_folder: Path) -> None:
    room.workspace.open_checkpoint(str(tiny_cvae_folder))
    room.desk.wait(lambda: room.workspace.phase == "ready")
    room.intents.explore.move(2, 1.5)
    room.intents.shelf.pin(name="Mine")
    mine = room.document
    room.open(step("One", vae, "sample: face-0012"), step("Two", "slide: {dimension: 1, to: 1}"))
    assert not room.shelf.pins, "a lesson begins alike, whatever was put aside"
    kept = json.loads(room.workspace.session_text({}))
    assert kept["checkpoint"]["name"] == "tiny-cvae", "a crash in a lesson loses nothing"
    room.go(1)
    room.close()
    assert room.document is mine
    assert room.lessons.lesson is None
    assert room.workspace.opened.name == "tiny-cvae"
    assert room.desk.undo_name == "Close the lesson A small lesson"
    room.desk.wait_settled()
    room.intents.explore.move(3, 1.0)
    assert json.loads(room.workspace.session_text({}))["explore"] is not None
    room.workspace.session.undo()
    room.workspace.session.undo()
    room.desk.wait(lambda: room.workspace.at_rest)
    assert room.state.latent[1] == 1.0, "what was made in the lesson is an undo away"


def test_a_lesson_alone_does_not_replace_the_last_session(room: Class, vae: str) -> None:
    room.workspace.open_checkpoint(vae.split("model: ")[1].partition(",")[0])
    room.desk.wait(lambda: room.workspace.phase == "ready")
    room.set(vae, "slide: {dimension: 1, to: 1}")
    assert not room.workspace.session_text({}), "nobody has worked on anything yet"
    room.close()
    assert not room.workspace.session_text({})
    room.intents.explore.move(2, 1.0)
    assert room.workspace.session_text({})


def test_another_lesson_keeps_what_was_there_before_the_first(room: Class, vae: str, cvae: str) -> None:
    room.set(vae)
    room.lessons.close()
    room.wait()
    mine = room.document
    room.set(vae, "slide: {dimension: 1, to: 1}")
    room.lessons.close()
    room.set(cvae)
    assert room.document is not mine
    room.close()
    assert room.document is mine


def test_where_nothing_was_open_the_lessons_model_stays(room: Class, vae: str) -> None:
    room.set(vae, "slide: {dimension: 1, to: 1}")
    room.close()
    assert room.workspace.opened.name == "tiny-vae"
    assert room.state.latent[1] == 1.0


def test_a_lesson_that_sets_nothing_yet_leaves_what_is_open(room: Class, vae: str) -> None:
    room.set(vae, "slide: {dimension: 1, to: 1}")
    room.close()
    mine = room.document
    room.open("\n## One\n\nA text.\n", step("Two", vae))
    assert room.document is mine
    assert not room.looked
    room.go(1)
    assert room.document is not mine
    room.go(0)
    assert room.document is mine


def test_closing_while_a_step_is_being_set_brings_back_what_was_there(
    room: Class, vae: str, cvae: str
) -> None:
    room.set(vae)
    room.close()
    mine = room.document
    assert room.lessons.open(str(write_lesson(room.folder, step("One", cvae, "sample: face-0012"))))
    room.desk.wait(lambda: room.workspace.busy)
    room.close()
    assert room.document is mine
    assert room.workspace.opened.name == "tiny-vae"


@pytest.fixture
def mine(room: Class, tiny_model_folder: Path) -> Path:
    """A session of one's own, saved, and its document open again on its model."""
    path = room.folder / "mine.json"
    model = shutil.copytree(tiny_model_folder, room.folder / "own")
    room.workspace.open_checkpoint(str(model), "")
    room.desk.wait(lambda: room.workspace.phase == "ready")
    room.intents.explore.move(2, 1.5)
    room.workspace.save_session(path, {})
    room.desk.wait(path.is_file)
    room.desk.wait(lambda: room.workspace.at_rest)
    return path


def is_kept(room: Class, pin: str) -> bool:
    """Whether a pin would be there after a crash."""
    return json.dumps(pin) in room.workspace.session_text({})


def test_a_session_opened_in_a_lesson_is_kept_and_stays(room: Class, cvae: str, mine: Path) -> None:
    room.set(cvae)
    room.workspace.open_session(mine)
    room.desk.wait(lambda: not room.workspace.at_rest)
    room.desk.wait(lambda: room.workspace.at_rest)
    room.intents.shelf.pin(name="Mine")
    work = room.document
    assert is_kept(room, "Mine")
    room.close()
    assert room.document is work
    assert "stays" in room.desk.messages[-1].text
    assert not room.lessons.moved_on


def test_a_model_of_ones_own_in_a_lesson_is_kept_and_comes_back_after_the_next_step(
    room: Class, vae: str, cvae: str, mine: Path
) -> None:
    room.open(step("One", cvae), step("Two", "scale: {attribute: gender, to: 2}"))
    room.intents.explore.move(1, 1.0)
    assert not room.lessons.moved_on, "that is tried on the lesson's model"
    room.workspace.open_checkpoint(str(room.folder / "own"))
    room.desk.wait(lambda: not room.workspace.at_rest)
    room.desk.wait(lambda: room.workspace.at_rest)
    room.intents.shelf.pin(name="Mine")
    work = room.document
    assert room.lessons.moved_on
    assert is_kept(room, "Mine")
    room.go(1)
    assert room.document.checkpoint.name == "tiny-cvae"
    assert is_kept(room, "Mine")
    room.close()
    assert room.document is work


def test_what_is_worked_on_after_undoing_a_lesson_is_kept(room: Class, cvae: str, mine: Path) -> None:
    before = room.document
    room.set(cvae)
    room.workspace.session.undo()
    room.desk.wait(lambda: room.workspace.at_rest)
    assert room.document is before
    room.workspace.session.redo()
    room.desk.wait(lambda: room.workspace.at_rest)
    room.intents.explore.move(1, 1.0)
    assert not room.lessons.moved_on
    room.workspace.session.undo()
    room.workspace.session.undo()
    room.desk.wait(lambda: room.workspace.at_rest)
    room.intents.shelf.pin(name="Mine")
    assert is_kept(room, "Mine")
    room.close()
    assert [pin.name for pin in room.shelf.pins] == ["Mine"]


# What goes wrong


def test_an_error_of_something_else_does_not_stop_a_step(room: Class, vae: str) -> None:
    room.set(vae)
    path = write_lesson(room.folder, step("One", vae, "sample: face-0012"))
    room.workspace.busy_changed.connect(
        lambda text: text and room.workspace.session.message.emit(Message("error", "The disk is full."))
    )
    assert room.lessons.open(str(path))
    room.wait()
    assert any("disk" in one.text for one in room.desk.messages)
    assert not room.lessons.failure
    assert room.state.source.name == "Face 12"


def test_a_lesson_with_a_fault_is_not_opened_and_it_is_said_why(room: Class, vae: str) -> None:
    assert not room.lessons.open(str(write_lesson(room.folder, step("One", "slide: far"))))
    assert "line 14: slide: dimension should be" in room.desk.messages[-1].text
    assert room.lessons.lesson is None
    assert not room.lessons.open("no-such-lesson")
    assert "There is no lesson 'no-such-lesson'" in room.desk.messages[-1].text


def test_a_lesson_whose_model_is_damaged_says_so_and_can_be_closed(
    room: Class, vae: str, tiny_model_folder: Path
) -> None:
    weights_file = Path(shutil.copytree(tiny_model_folder, room.folder / "broken")) / "model.safetensors"
    room.set(vae)
    room.close()
    mine = room.document
    room.open(step("One", vae), step("Two", "open: broken", "slide: {dimension: 1, to: 1}"))
    weights_file.write_bytes(b"nothing")
    room.go(1)
    assert "could not be set as this step needs it" in room.lessons.failure
    assert "broken" in room.lessons.failure
    room.go(0)
    assert not room.lessons.failure
    room.go(1)
    room.close()
    assert room.document is mine


def test_a_picture_that_cannot_be_read_is_said_with_the_step(room: Class, vae: str) -> None:
    (room.folder / "mine.png").write_bytes(b"no picture")
    room.open(step("One", vae, "picture: mine.png", "slide: {dimension: 1, to: 1}"))
    assert "mine.png" in room.lessons.failure
    assert room.state.latent[1] == 0.0, "what comes after it is not done"


def test_a_model_that_a_person_stops_is_said_with_the_step(room: Class, vae: str, cvae: str) -> None:
    room.set(vae)
    room.lessons.close()
    room.wait()
    path = write_lesson(room.folder, step("One", cvae, "scale: {attribute: gender, to: 2}"))
    room.workspace.busy_changed.connect(lambda _text: room.workspace.stop_opening())
    assert room.lessons.open(str(path))
    room.wait()
    assert room.lessons.failure.endswith("The model was not opened.")


# The history


def test_folding_makes_one_step_of_several_and_leaves_what_it_does_not_know() -> None:
    documents = [Document(threads=k) for k in range(5)]
    history = History()
    for before, after in pairwise(documents):
        history.push(Step("x", before, after))
    assert not history.fold(Document(), "y")
    assert history.fold(documents[3], "y")
    assert (len(history), history.undo_name) == (4, "y"), "one step gets the name"
    assert not history.fold(documents[4], "z"), "nothing was done since"
    assert history.fold(documents[1], "z")
    assert (len(history), history.undo_name) == (2, "z")
    for after in (documents[1], documents[4]):  # back to where several steps begin
        history.push(Step("x", documents[4] if after is documents[1] else documents[1], after))
    assert history.fold(documents[1], "w")
    assert (len(history), history.undo_name) == (4, "w"), "the last time counts"
    assert history.undo().before is documents[1]
    assert not history.fold(documents[0], "y"), "what was undone stays"


# The bundled lessons


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_every_step_of_a_bundled_lesson_can_be_entered(path: Path) -> None:
    lesson = read_lesson(path)
    tried = try_lesson(path)
    assert [one.title for one in tried] == [one.title for one in lesson.steps]
    assert not [one for one in tried if one.failure]
    for part in (part for one in lesson.steps for part in one.parts if isinstance(part, Figure)):
        assert experiment(part.experiment).figure(part.values, part.seed).charts
