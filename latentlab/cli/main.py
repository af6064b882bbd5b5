"""The command ``latentlab``: without a command it opens the window, with one it runs that.

Exit status: 0 done, 2 bad input (one line on standard error), 1 a fault of ours, 130 cancelled.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click
import typer

from latentlab.errors import Cancelled, LatentLabError

COMMANDS = ("open", "info", "data", "train", "evaluate", "reconstruct", "bench")
"""Commands, each in the module of its name (``open`` in ``open_window``)."""


def build_app() -> typer.Typer:
    """Put the commands together, importing each one's module (none imports torch)."""
    app = typer.Typer(
        help="Explore the latent spaces of generative models, and see how data biases them.",
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in COMMANDS:
        module = importlib.import_module(f"latentlab.cli.{'open_window' if name == 'open' else name}")
        module.register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; this is the entry point of the installed command."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or (arguments[0] not in COMMANDS and arguments[0] not in ("-h", "--help")):
        arguments.insert(0, "open")
    sys.exit(run(arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    try:
        typer.main.get_command(build_app()).main(
            list(arguments), prog_name="latentlab", standalone_mode=False
        )
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (Cancelled, KeyboardInterrupt, click.Abort):
        print("latentlab: cancelled", file=sys.stderr)
        return 130
    except LatentLabError as error:
        print(f"latentlab: {error}", file=sys.stderr)
        return 2
    return 0
