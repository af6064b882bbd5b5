"""The lessons on the command line: listed, shown, checked, entered; and refused before a window opens."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from lesson_parts import step, write_lesson

from latentlab.cli.main import run
from latentlab.session.lesson_list import bundled_lessons
from latentlab.session.lesson_words.vocabulary import VOCABULARY


@pytest.fixture
def lesson(tmp_path: Path, tiny_cvae_folder: Path) -> Path:
    return write_lesson(
        tmp_path,
        step("Begin", f"open: {{model: {tiny_cvae_folder}, predictor: none}}", "screen: explore"),
        step("Scale", "scale: {attribute: gender, to: 2}"),
    )


def test_the_bundled_lessons_are_listed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["lessons", "list"]) == 0
    printed = capfd.readouterr().out
    names = [one.name for one in bundled_lessons()[0]]
    assert all(name in printed for name in names)
    assert run(["lessons", "list", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert [one["name"] for one in found["lessons"]] == names
    assert not found["problems"]


def test_a_lesson_is_shown_with_what_its_steps_set(lesson: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["lessons", "show", str(lesson)]) == 0
    printed = capfd.readouterr().out
    assert "A small lesson (2 min)" in printed
    assert "2. Scale\n   - scale: attribute gender, to 2\n" in printed
    assert run(["lessons", "show", str(lesson), "--text"]) == 0
    assert capfd.readouterr().out == lesson.read_text(encoding="utf-8"), "one like it begins with a copy"
    assert run(["lessons", "show", str(lesson), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert [one["title"] for one in found["steps"]] == ["Begin", "Scale", "What this does not show"]


def test_a_good_lesson_is_checked_and_entered(lesson: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["lessons", "check", str(lesson), "--enter"]) == 0
    printed = capfd.readouterr().out
    assert f"{lesson}: 3 steps, 1 question, no faults." in printed
    assert "1. Begin: explore, tiny-cvae, prior mean" in printed


def test_faults_are_listed_and_told_by_the_status(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = write_lesson(tmp_path, step("Begin", "reset", "screen: nowhere"))
    assert run(["lessons", "check", str(bad)]) == 2
    printed = capfd.readouterr().out.splitlines()
    assert len(printed) == 2
    assert all(line.startswith(f"{bad}, line ") for line in printed)
    assert run(["lessons", "check", "no-such-lesson"]) == 2
    assert "There is no lesson 'no-such-lesson'" in capfd.readouterr().err


def test_what_cannot_be_entered_is_told_by_the_status(
    tmp_path: Path, tiny_model_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.png").write_bytes(b"no picture")
    bad = write_lesson(tmp_path, step("Begin", f"open: {tiny_model_folder}", "picture: mine.png"))
    assert run(["lessons", "check", str(bad), "--enter"]) == 2
    assert "1. Begin: The session could not be set as this step needs it. " in capfd.readouterr().out


def test_the_vocabulary_is_printed_whole(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["lessons", "steps"]) == 0
    printed = capfd.readouterr().out
    for word in VOCABULARY.values():
        assert f"  {word.name:17}{word.purpose}\n" in printed
    assert run(["lessons", "steps", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert list(found) == list(VOCABULARY)
    assert found["slide"]["arguments"][0]["expected"] == "a whole number from 0"


def test_the_guide_names_every_word_and_its_example_is_a_lesson(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["lessons", "guide"]) == 0
    printed = capfd.readouterr().out
    assert all(f"\n- `{name}` " in printed for name in VOCABULARY)
    shown = printed[printed.index("    ---\n") : printed.index("- **The front matter**")]
    path = tmp_path / "my-lesson.md"
    path.write_text(textwrap.dedent(shown), encoding="utf-8")
    assert run(["lessons", "check", str(path)]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lesson", "no-such-lesson"], "There is no lesson 'no-such-lesson'"),
        (["--lesson", "{lesson}", "--step", "4"], "has 3 steps; --step is 1 to 3, not 4"),
        (["faces-vae", "--lesson", "{lesson}"], "leave out faces-vae"),
        (["{lesson}", "--step", "4"], "has 3 steps; --step is 1 to 3, not 4"),
        (["{lesson}", "--lesson", "what-a-latent-is"], "leave out "),
        (["no-such-lesson.md"], "There is no file no-such-lesson.md"),
    ],
)
def test_a_lesson_that_cannot_be_held_is_refused_before_a_window_opens(
    lesson: Path, arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["open", *(one.format(lesson=lesson) for one in arguments)]) == 2
    assert said in capfd.readouterr().err
