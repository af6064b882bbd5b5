"""How every study is carried out: opened, counted with partial results told, and saved in its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from latentlab.audit.partial import Partial
from latentlab.audit.report import Audit
from latentlab.audit.request_file import kept
from latentlab.audit.study_plan import StudyRequest
from latentlab.progress import Reporter

Opened = TypeVar("Opened")
Counted = TypeVar("Counted")


def carry_out(
    request: StudyRequest,
    out: Path | None,
    reporter: Reporter | None,
    on_partial: Callable[[Audit], None] | None,
    opened: Callable[[Reporter], Opened],
    count: Callable[[Opened, Reporter, Callable[[Counted], None]], Counted],
    audit: Callable[[Opened, Counted], Audit],
) -> Audit:
    """Do a study.

    Parameters
    ----------
    out
        A folder that keeps request and results, and where an interrupted study goes on; None keeps nothing.
    on_partial
        Told now and then what is known so far.
    opened
        Opens and checks what the study is of, before any work.
    count
        Does the work; it tells what is counted so far by the last of what it is given.
    audit
        Makes results of what is counted, of all or of a part.
    """
    reporter = reporter or Reporter()
    with kept(out, request):
        study, partial = opened(reporter), Partial(on_partial)
        counted = count(study, reporter, lambda so_far: partial.tell(lambda: audit(study, so_far)))
        found = audit(study, counted)
        if out is not None:
            found.save(out)
    return found
