"""The command line's promises: exit statuses, one line on standard error, help without torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from latentlab import __version__
from latentlab.cli import main as command_line
from latentlab.cli.main import COMMANDS, run
from latentlab.errors import Cancelled, DataError


@pytest.fixture
def behave(monkeypatch: pytest.MonkeyPatch):
    """Return a function that replaces the command ``info`` by one which does what it is told."""

    def install(action) -> None:
        def register(app: typer.Typer) -> None:
            @app.command()
            def info(word: str = "") -> None:
                action(word)

        monkeypatch.setattr("latentlab.cli.info.register", register)

    return install


def raising(error: BaseException):
    def action(word: str) -> None:
        raise error

    return action


def test_what_is_done_exits_with_0(behave, capfd: pytest.CaptureFixture[str]):
    behave(lambda word: print(f"done {word}"))
    assert run(["info", "--word", "well"]) == 0
    assert capfd.readouterr() == ("done well\n", "")


def test_bad_input_exits_with_2_and_one_line(behave, capfd: pytest.CaptureFixture[str]):
    behave(raising(DataError("The set is empty.\nFill it.")))
    assert run(["info"]) == 2
    assert capfd.readouterr() == ("", "latentlab: The set is empty. Fill it.\n")


def test_a_fault_of_ours_exits_with_1_and_shows_where(behave, capfd: pytest.CaptureFixture[str]):
    behave(raising(ZeroDivisionError("division by zero")))
    assert run(["info"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" in err
    assert "ZeroDivisionError" in err
    assert err.splitlines()[-1].startswith("latentlab: this is a fault in LatentLab")


@pytest.mark.parametrize("error", [Cancelled("Stopped on request."), KeyboardInterrupt(), typer.Abort()])
def test_cancelling_exits_with_130(error: BaseException, behave, capfd: pytest.CaptureFixture[str]):
    behave(raising(error))
    assert run(["info"]) == 130
    out, err = capfd.readouterr()
    assert out == ""
    assert err.strip() == "latentlab: cancelled"


def test_a_command_may_set_its_own_status(behave):
    behave(raising(typer.Exit(7)))
    assert run(["info"]) == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["info"], "Missing argument"),
        (["info", "a", "--bogus"], "--bogus"),
        (["info", "a", "b"], "unexpected extra argument"),
    ],
)
def test_arguments_that_cannot_be_used_give_one_line_that_shows_the_way(
    arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
):
    assert run(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
    assert "'latentlab info --help' shows how it is used." in err


def test_a_group_without_its_command_shows_its_help(capfd: pytest.CaptureFixture[str]):
    assert run(["train"]) == 2
    out, err = capfd.readouterr()
    assert "classifier" in out
    assert err == "latentlab: A command is missing. 'latentlab train --help' shows how it is used.\n"


def test_the_version_is_printed(capfd: pytest.CaptureFixture[str]):
    assert run(["--version"]) == 0
    assert capfd.readouterr().out == f"latentlab {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["some/path"], ["--screenshot", "a.png"], ["./info"]])
def test_without_a_command_the_window_opens(arguments: list[str], monkeypatch: pytest.MonkeyPatch):
    asked: list[list[str]] = []

    class Stub:
        def main(self, given: list[str], **_: object) -> None:
            asked.append(given)

    monkeypatch.setattr(command_line, "build_app", lambda commands: commands)
    monkeypatch.setattr(typer.main, "get_command", lambda app: Stub())
    assert run(arguments) == 0
    assert asked == [["open", *arguments]]


def test_the_process_ends_with_the_status():
    call = [sys.executable, "-m", "latentlab", "info", "nowhere"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("latentlab: There is no checkpoint nowhere")
    assert done.stderr.count("\n") == 1


def test_help_lists_every_command_and_imports_no_torch():
    code = (
        "import sys; from latentlab.cli.main import run; "
        "status = run(['--help']); sys.exit(status or ('torch' in sys.modules) * 3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in COMMANDS:
        assert f" {command} " in done.stdout
