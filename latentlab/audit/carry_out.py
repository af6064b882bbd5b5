"""How every study is carried out: opened, counted with partial results told, and saved in its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from latentlab.audit.partial import Partial
from latentlab.audit.report import Audit
from latentlab.audit.request_file import kept
from latentlab.audit.study_plan import StudyRequest
from latentlab.device import resolve_device
from latentlab.progress import Reporter

Opened = TypeVar("Opened")
Counted = TypeVar("Counted")


@dataclass(frozen=True)
class Work(Generic[Opened, Counted]):
    """What one kind of study does.

    Parameters
    ----------
    opened
        Opens and checks what a request is of, before any work; given the folder of the results too.
    count
        Does the work in that folder and on a device; it tells what is counted so far by the last of what it
        is given.
    audit
        Makes results of what is counted, of all or of a part; given the device's name too.
    """

    opened: Callable[[StudyRequest, Path | None, Reporter], Opened]
    count: Callable[[Opened, Path | None, str, Reporter, Callable[[Counted], None]], Counted]
    audit: Callable[[Opened, Counted, str], Audit]

    def do(
        self,
        request: StudyRequest,
        out: Path | None = None,
        device: str = "auto",
        reporter: Reporter | None = None,
        on_partial: Callable[[Audit], None] | None = None,
    ) -> Audit:
        """Do a study of a complete request.

        Parameters
        ----------
        out
            A folder that keeps request and results, and where an interrupted study goes on; None keeps
            nothing.
        on_partial
            Told now and then what is known so far.
        """
        reporter, where = reporter or Reporter(), str(resolve_device(device))
        with kept(out, request):
            study, partial = self.opened(request, out, reporter), Partial(on_partial)

            def on_part(counted: Counted) -> None:
                partial.tell(lambda: self.audit(study, counted, where))

            found = self.audit(study, self.count(study, out, device, reporter, on_part), where)
            if out is not None:
                found.save(out)
        return found
