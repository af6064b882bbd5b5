"""The command ``latentlab``: without a command it opens the window, with one it runs that.

Exit status: 0 done, 2 bad input (one line on standard error), 1 a fault of ours, 130 cancelled.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Sequence

import typer

from latentlab import __version__
from latentlab.errors import Cancelled, LatentLabError

COMMANDS = (
    "open",
    "info",
    "convert",
    "export",
    "data",
    "train",
    "evaluate",
    "audit",
    "experiment",
    "card",
    "reconstruct",
    "traverse",
    "interpolate",
    "directions",
    "probe",
    "counterfactual",
    "project",
    "samples",
    "map",
    "search",
    "session",
    "lessons",
    "bench",
    "credits",
)
"""Commands, each in the module of its name (``open`` in ``open_window``)."""

_HELP = (
    "Explore the latent spaces of generative models, and see how data biases them.\n\n"
    "Without a command, or with the path of a checkpoint or a picture, it opens the window: latentlab "
    "[PATH]. The window's options are those of latentlab open; latentlab --version tells the version."
)
_CANCELLED = 130
_USAGE_ERROR: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)
# What typer raises for arguments it cannot use: click's own class, or that of the copy typer carries.


def build_app(commands: Sequence[str] = COMMANDS) -> typer.Typer:
    """Put commands together, importing only their modules (none imports torch)."""
    app = typer.Typer(
        help=_HELP,
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(help=_HELP)(_keep_command_names)
    for name in commands:
        module = importlib.import_module(f"latentlab.cli.{'open_window' if name == 'open' else name}")
        module.register(app)
    _unwrap(app)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process; this is the entry point of the installed command."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status.

    Arguments that begin with neither a command nor a general option are those of ``open``:
    ``latentlab PATH`` opens the checkpoint at PATH.
    """
    arguments = list(arguments)
    if arguments == ["--version"]:
        print(f"latentlab {__version__}")
        return 0
    if not arguments or arguments[0] not in (*COMMANDS, "-h", "--help"):
        arguments.insert(0, "open")
    try:
        app = build_app((arguments[0],) if arguments[0] in COMMANDS else COMMANDS)
        status = typer.main.get_command(app).main(arguments, prog_name="latentlab", standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        status = _CANCELLED  # newer typers return it for Ctrl+C, older ones abort
    except LatentLabError as error:
        _say(str(error))
        return 2
    except _USAGE_ERROR as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "latentlab")
        _say(f"{_message(error)} '{command} --help' shows how it is used.")
        return 2
    except Exception:
        traceback.print_exc()
        _say("this is a fault in LatentLab, not in your input; please report it with the lines above")
        return 1
    if status == _CANCELLED:
        _say("cancelled")
    return status if isinstance(status, int) else 0


def _unwrap(app: typer.Typer) -> None:
    """Join the lines of each paragraph of the commands' help: the terminal says where they break."""
    for command in app.registered_commands:
        paragraphs = inspect.cleandoc(command.help or getattr(command.callback, "__doc__", "") or "")
        command.help = "\n\n".join(" ".join(one.split()) for one in paragraphs.split("\n\n"))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _unwrap(group.typer_instance)


def _keep_command_names() -> None:
    """Do nothing: without a callback an app of a single command would drop that command's name."""


def _say(message: str) -> None:
    """Write one line on standard error."""
    print(f"latentlab: {' '.join(message.split())}", file=sys.stderr)


def _message(error: BaseException) -> str:
    message = str(error.format_message() if hasattr(error, "format_message") else error).strip()
    if not message or "\n" in message:  # a group without its command, whose help was shown
        return "A command is missing."
    return message if message.endswith((".", "?", ")")) else f"{message}."
