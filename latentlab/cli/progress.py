"""A progress line on standard error for everything that takes long; Ctrl+C asks the work to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from latentlab.progress import Progress, Reporter


@contextmanager
def show_progress() -> Iterator[Reporter]:
    """Give a reporter whose events move a line; the first Ctrl+C cancels gently, the second at once."""
    console = Console(stderr=True)
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # a file of standard error holds messages only
    )
    with bar:
        task = bar.add_task("Starting", total=None, figures="")

        def listen(event: Progress) -> None:
            figures = "  ".join(f"{name} {value:.4g}" for name, value in event.values.items())
            bar.update(
                task,
                description=event.stage,
                completed=event.done,
                total=event.total or None,
                figures=figures,
            )

        reporter = Reporter(listen)

        def interrupt(number: int, frame: FrameType | None) -> None:
            if reporter.cancelled:
                raise KeyboardInterrupt
            reporter.cancel()

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield reporter
        finally:
            signal.signal(signal.SIGINT, before)
