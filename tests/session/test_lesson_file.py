"""Lessons' files: what is read of one, and every kind of fault with its line, what was expected and found."""

from __future__ import annotations

from pathlib import Path

import pytest
from lesson_parts import ABOUT, ASKED, FRONT, LIMITS, block, step, write_lesson

from latentlab.errors import LatentLabError, SettingsError
from latentlab.session.lesson import Figure, Hint, Question, Text
from latentlab.session.lesson_check import check_lesson, read_lesson
from latentlab.session.lesson_list import bundled_lessons, find_lesson, lesson_paths
from latentlab.session.lesson_words.vocabulary import VOCABULARY

OPEN = "open: faces-vae"
FACES = FRONT.replace("---\n", "needs: [faces-vae]\n---\n").replace("needs: [faces-vae]\n", "", 1)


def faults_of(path: Path) -> list[str]:
    return [str(fault) for fault in check_lesson(path)[1]]


def line_of(path: Path, text: str) -> int:
    """Return the number of the first line that holds a text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


# What is read


def test_everything_in_a_lesson_is_read(tmp_path: Path) -> None:
    text = (
        "First *words*.\n\n```python\n## no heading\n```\n\n**Try:** move one,\nthen another.\n\n"
        "**Look for:** the change.\n\nLast words.\n\n```figure\nexperiment: linear-vae\nshare: 0.2\n```\n"
    )
    path = write_lesson(
        tmp_path, step("Begin", OPEN, "slide: {dimension: 3, to: 2}", text=text), step("End"), front=FACES
    )
    lesson = read_lesson(path)
    assert (lesson.name, lesson.title, lesson.order, lesson.minutes) == ("a-lesson", "A small lesson", 3, 2)
    assert (lesson.summary, lesson.needs) == ("Two models, one after the other.", ("faces-vae",))
    assert lesson.introduction == "What it is about."
    assert [one.title for one in lesson.steps] == ["Begin", "End", "What this does not show"]
    begin = lesson.steps[0]
    first, tried, looked, last, figure, asked = begin.parts
    assert first == Text("First *words*.\n\n```python\n## no heading\n```"), "what is fenced stays as it is"
    assert tried == Hint("try", "move one,\nthen another.")
    assert looked == Hint("look", "the change.")
    assert last == Text("Last words.")
    assert isinstance(figure, Figure)
    assert (figure.experiment, figure.values, figure.seed) == ("linear-vae", {"share": 0.2}, 0)
    assert asked == Question("What happens?", "This.")
    assert begin.questions == (asked,)
    assert [one.words for one in begin.session] == ["open: faces-vae", "slide: dimension 3, to 2"]
    assert begin.session[1].line == line_of(path, "slide:")


def test_what_yaml_takes_for_true_is_a_class_called_yes(tmp_path: Path) -> None:
    told = step("Begin", "open: faces-cvae", "class: {attribute: glasses, to: yes}")
    front = FACES.replace("faces-vae", "faces-cvae")
    lesson = read_lesson(write_lesson(tmp_path, told, front=front))
    assert lesson.steps[0].session[1].arguments == {"attribute": "glasses", "to": "yes"}


def test_windows_line_ends_and_a_byte_order_mark_are_read_too(tmp_path: Path) -> None:
    path = write_lesson(tmp_path, step("Begin", OPEN), front=FACES)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(read_lesson(path).steps) == 2


def test_a_study_and_a_training_are_asked_what_they_know(tmp_path: Path) -> None:
    lesson = read_lesson(
        write_lesson(
            tmp_path,
            step(
                "Begin",
                "study: {name: generation, models: [faces-vae], n: 100, seeds: 1, attributes: gender}",
                'train: {recipe: pair, smoothing: 0.01, ratios: ["gender=female:0.2,male:0.8"]}',
            ),
            front=FACES,
        )
    )
    study, train = (one.arguments for one in lesson.steps[0].session)
    assert study["seeds"] == (1,)
    assert study["attributes"] == ("gender",)
    assert train["smoothing"] == 0.01


# What is wrong with its form

FORMS = {
    "no front matter": ({"front": "# A lesson\n"}, 1, "a line '---' is expected", "found '# A lesson'"),
    "no end of it": ({"front": "---\ntitle: x\n"}, 1, "a second line '---' is expected", "found none"),
    "no YAML": ({"front": "---\ntitle: [x\n---\n"}, 2, "the front matter: plain YAML is expected", ""),
    "a tag": ({"front": "---\ntitle: !!python/name:os.system x\n---\n"}, 2, "plain values", "a tag"),
    "an alias": ({"front": "---\ntitle: &a x\nsummary: *a\n---\n"}, 2, "plain values", "an anchor"),
    "a name twice": (
        {"front": "---\ntitle: x\ntitle: y\n---\n"},
        3,
        "'title' stands there twice",
        "keep one",
    ),
    "a strange field": (
        {"front": FRONT.replace("order", "author: me\norder")},
        3,
        "the front matter has title, order",
        "found 'author'",
    ),
    "a field missing": ({"front": FRONT.replace("minutes: 2\n", "")}, 1, "minutes is missing", "Write it"),
    "a wrong number": (
        {"front": FRONT.replace("order: 3", "order: first")},
        3,
        "order should be a whole number from 1",
        "found 'first'",
    ),
    "too long": (
        {"front": FRONT.replace("minutes: 2", "minutes: 90")},
        4,
        "minutes should be 60 at most",
        "found 90",
    ),
    "no introduction": ({"about": ""}, 1, "a paragraph is expected before the first step", "found none"),
    "a figure too early": (
        {"about": ABOUT + "\n```figure\nexperiment: linear-vae\n```\n"},
        9,
        "a step's heading '## ...' is expected before a figure",
        "found none",
    ),
    "no question": ({"asked": ""}, 1, "a question with its answer is expected", "found none"),
    "no answer": (
        {"asked": "\n```question\nWhat?\n```\n\nSomething else.\n"},
        17,
        "an answer is expected right after a question",
        "found none",
    ),
    "no question before it": (
        {"asked": ASKED + "\n```answer\nThat.\n```\n"},
        25,
        "a question is expected right before an answer",
        "found none",
    ),
    "an empty question": (
        {"asked": "\n```question\n```\n\n```answer\nThat.\n```\n"},
        17,
        "something is expected in a question",
        "found nothing",
    ),
    "an open block": (
        {"limits": "\n```session\n- reset\n" + LIMITS},
        25,
        "the block that ```session begins has no end",
        "",
    ),
    "no limits": (
        {"limits": ""},
        9,
        "'## What this does not show' is expected as the last section",
        "'## Begin'",
    ),
    "limits too early": (
        {"limits": LIMITS + "\n## More\n\nA text.\n"},
        29,
        "'## What this does not show' is expected",
        "'## More'",
    ),
    "empty limits": (
        {"limits": "\n## What this does not show\n"},
        25,
        "honest limits are expected",
        "found none",
    ),
    "a step without a title": (
        {"limits": "\n##\n\nA text.\n" + LIMITS},
        25,
        "a title is expected after '##'",
        "found none",
    ),
    "a step without a text": (
        {"limits": "\n## Next\n" + block("reset") + LIMITS},
        25,
        "a text is expected in every step",
        "found none",
    ),
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_fault_of_form_is_told_with_its_line(tmp_path: Path, kind: str) -> None:
    changes, line, expected, found = FORMS[kind]
    path = write_lesson(tmp_path, step("Begin", "screen: explore"), **changes)
    said = faults_of(path)
    place = f"{path}, line {line}: "
    assert any(one.startswith(place) and expected in one and found in one for one in said), said
    with pytest.raises(SettingsError, match="line"):
        read_lesson(path)


def test_a_lesson_that_sets_nothing_is_none(tmp_path: Path) -> None:
    path = write_lesson(tmp_path, step("Begin"))
    assert any("a session or a figure is expected" in one for one in faults_of(path))


def test_every_fault_of_a_file_is_told_at_once_and_the_first_by_opening_it(tmp_path: Path) -> None:
    path = write_lesson(tmp_path, step("Begin", "opn: x", "slide: {dimension: 1}"), asked="")
    assert len(faults_of(path)) == 3
    with pytest.raises(SettingsError, match="There are 2 more faults"):
        read_lesson(path)


def test_a_file_that_is_no_lesson_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LatentLabError, match="cannot be read"):
        read_lesson(tmp_path / "nowhere.md")
    path = tmp_path / "a-lesson.md"
    path.write_bytes(b"---\n\xff\xfe")
    with pytest.raises(LatentLabError, match="UTF-8"):
        read_lesson(path)
    path.write_bytes(b"x" * 200_001)
    with pytest.raises(LatentLabError, match="at most 200,000 bytes"):
        read_lesson(path)
    named = write_lesson(tmp_path, step("Begin", "screen: explore"), name="My Lesson.md")
    assert any("lower-case words with hyphens" in one for one in faults_of(named))


# What is wrong with its steps

STEPS = {
    "opn: faces-vae": "a session step is expected (open, screen",
    "reset": "a model is expected to be open for 'reset'",
    "open: no-such-model": "a bundled model (",
    "open: faces-attributes": "a model is expected; faces-attributes is a predictor",
    "{open: faces-vae, predictor: none}": "one session step is expected",
    "screen: nowhere": "name should be explore or counterfactuals",
    "screen: {name: explore, view: samples}": "the screen explore has picture or grid",
    "screen: {name: audit, view: grid}": "no views: leave it out",
    "begin: training": "what should be search or study or many",
    "begin: study": "the screen audit is expected to be shown",
    "study: {n: 100}": "study needs name, generation or reconstruction",
    "study: {name: generation, models: [nowhere]}": "a bundled model (",
    "study: {name: generation, models: [faces-vae], reference: nowhere}": "a set (faces",
    "train: {smoothing: 0.1}": "train needs recipe, pair or dbvae",
    "study: {name: nothing}": "name should be generation or",
    "study: {name: generation}": "give models, or open one before",
    "study: {name: generation, models: [faces-vae], ratios: 0.5}": "study takes name, models",
    "study: {name: generation, models: [faces-vae], attributes: [shoes]}": "shoes is not judged",
    "study: {name: projection, models: [faces-vae]}": "faces-vae is no conditional INN",
    "show_study: nowhere": "There is no folder",
    "train: {recipe: pair, smoothing: 7}": "smoothing should be a number from 1e-05 to 1",
    'train: {recipe: pair, ratios: ["gender=female"]}': "gender=female",
    "train: {recipe: vae, data: nowhere}": "There is no set or folder",
}
OPENED = {
    "sample: face-9999": "a sample picture is expected (avatar-3501",
    "picture: nowhere.png": "a picture's file beside the lesson is expected",
    "slide: {dimension: 3}": "slide needs to, a number from -10 to 10; it is missing",
    "slide: {dimension: 3, to: far}": "to should be a number from -10 to 10; found 'far'",
    "slide: {dimension: 999, to: 1}": "a dimension from 0 to",
    "slide: {dimension: 1.5, to: 1}": "dimension should be a whole number",
    "slide: {dimension: 1, to: 1, by: 2}": "slide takes dimension, to; found 'by'",
    "reset: now": "reset takes no arguments",
    "class: {attribute: gender, to: female}": "a conditional model is expected for 'class'",
    "project: 0.5": "does not project onto datasets",
    "brush: {points: [[1, 1]]}": "a picture is expected for 'brush'",
    "go_to: Nobody": "a pin is expected that was made before (none",
    "along: {direction: Smile, to: 1}": "a direction is expected that was made before",
    "grid: {axes: [3, Smile]}": "a direction is expected that was made before",
    "grid: {kind: plane, axes: [3]}": "two axes are expected for a plane",
    "map: {data: nowhere}": "a set (faces",
    "path: {closed: true}": "two pins at least",
    "search: {factor: 7}": "a factor that divides 64 px is expected",
    "search: {loss: map, eps: 2}": "eps should be a number from 0 to 1",
}
STYLES = {
    "project: {keep: 2}": "keep should be a number from 0 to 1",
    "project: {dataset: nowhere}": "a dataset is expected (",
    "blend: {first: nowhere}": "a dataset is expected (",
    "samples: {rows: 99}": "rows should be a whole number from 1 to 12",
    "many: {data: nowhere}": "a set (faces",
    "many: {data: faces:test, onto: [nowhere]}": "a dataset is expected (",
    "many: {onto: [nowhere]}": "many needs data, a text; it is missing",
}
TOLD = {
    "class: {attribute: shoes, to: red}": "has no attribute 'shoes'",
    "class: {attribute: gender, to: neither}": "has no class 'neither'",
    "scale: {attribute: gender, to: 9}": "to should be a number from -3 to 3",
    "tell: {attribute: gender, to: male}": "a picture is expected, of which the encoder is told",
    "counterfactuals: {attribute: gender, target: neither}": "has no class 'neither'",
    "search: {fixed: {gender: neither}}": "has no class 'neither'",
    "search: {fixed: gender}": "names with a class each",
}


@pytest.mark.parametrize(
    ("before", "wrong", "expected"),
    [
        *(("screen: explore", one, said) for one, said in STEPS.items()),
        *((OPEN, one, said) for one, said in OPENED.items()),
        *(("open: faces-cvae", one, said) for one, said in TOLD.items()),
        *(("open: styles-cinn", one, said) for one, said in STYLES.items()),
    ],
)
def test_a_step_that_cannot_be_done_is_told_with_its_line(
    tmp_path: Path, before: str, wrong: str, expected: str
) -> None:
    front = FRONT.replace("summary", "needs: [faces-vae, faces-cvae, styles-cinn, faces]\nsummary")
    path = write_lesson(tmp_path, step("Begin", before, wrong), front=front)
    (said,) = faults_of(path)
    assert said.startswith(f"{path}, line {line_of(path, '- ' + wrong)}: ")
    assert expected in said


@pytest.mark.parametrize(
    ("figure", "line", "expected"),
    [
        ("share: 0.1", 25, "a figure should have a line 'experiment: NAME'"),
        ("experiment: nothing", 25, "There is no experiment 'nothing'"),
        ("experiment: linear-vae\nshoes: 1", 25, "has no parameter 'shoes'"),
        ("experiment: linear-vae\nshare: 7", 25, "is a number from"),
        ("experiment: linear-vae\nshare: much", 27, "share should be a number; found 'much'"),
        ("experiment: linear-vae\nseed: 1.5", 27, "seed should be a whole number; found 1.5"),
        ("experiment: linear-vae\nseed: -1", 25, "seed should be a whole number from 0"),
        ("- linear-vae", 26, "lines of the form 'name: value' are expected"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_told_with_its_line(
    tmp_path: Path, figure: str, line: int, expected: str
) -> None:
    path = write_lesson(
        tmp_path, step("Begin", "screen: explore"), limits=f"\n```figure\n{figure}\n```\n{LIMITS}"
    )
    (said,) = faults_of(path)
    assert said.startswith(f"{path}, line {line}: ")
    assert expected in said


def test_what_is_opened_stands_in_the_front_matter(tmp_path: Path) -> None:
    opened = step("Begin", OPEN, "map: {data: faces:test}")
    (said,) = faults_of(write_lesson(tmp_path, opened, front=FACES))
    assert "needs should name what the steps open; faces is missing" in said
    (said,) = faults_of(
        write_lesson(tmp_path, step("Begin", "screen: explore"), front=FACES.replace("vae", "vaes"))
    )
    assert "found 'faces-vaes'" in said


@pytest.mark.parametrize(
    "wrong",
    [
        "open: " + "x" * 300,
        'open: "a\\0b"',
        "open: ~nobody-at-all/model",
        "picture: ~nobody-at-all/picture.png",
        "slide: {dimension: " + "9" * 400 + ", to: 1}",
        "slide: {dimension: " + "9" * 5000 + ", to: 1}",
        "slide: {dimension: 1, to: .inf}",
        "slide: {dimension: 1, to: .nan}",
        "slide: " + "[" * 3000,
        "lock: [[1]]",
        "grid: {axes: [{a: b}]}",
        "brush: {points: [1, [2]]}",
        "search: {fixed: {gender: [a]}}",
        "2026-01-01",
        "[open, faces-vae]",
        "null",
        "{}",
    ],
    ids=lambda text: text[:24],
)
def test_nothing_that_stands_in_a_lesson_is_more_than_a_fault(tmp_path: Path, wrong: str) -> None:
    path = write_lesson(tmp_path, step("Begin", OPEN, "sample: face-0012", wrong), front=FACES)
    assert all(f"{path}, line " in one for one in faults_of(path))
    assert faults_of(path)


# The list


def test_a_lesson_is_found_by_its_name_or_its_file(tmp_path: Path) -> None:
    path = write_lesson(tmp_path, step("Begin", OPEN), front=FACES)
    assert find_lesson(str(path)) == path.resolve()
    with pytest.raises(SettingsError, match="There is no lesson 'nothing'"):
        find_lesson("nothing")


def test_the_bundled_lessons_are_listed_in_their_order() -> None:
    lessons, problems = bundled_lessons()
    assert not problems
    assert sorted(one.path for one in lessons) == lesson_paths()
    assert [one.order for one in lessons] == sorted({one.order for one in lessons}), (
        "each has a place of its own"
    )


def test_a_file_that_is_no_lesson_does_not_keep_the_others_from_being_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = write_lesson(tmp_path, step("Begin", OPEN), front=FACES)
    (tmp_path / "bad.md").write_text("nothing", encoding="utf-8")
    (tmp_path / "worse.md").write_bytes(b"\xff")
    monkeypatch.setattr("latentlab.session.lesson_list.bundled", lambda *_parts: tmp_path)
    lessons, problems = bundled_lessons()
    assert [one.path for one in lessons] == [good]
    assert len(problems) == 2


def test_every_word_says_what_it_does_and_what_it_takes() -> None:
    for name, word in VOCABULARY.items():
        assert word.name == name
        assert word.purpose.endswith(".")
        assert all(one.tip and one.expected for one in word.arguments)
