"""What a person can do with the settings of the Audit screen; each a named step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.session.document import AuditView
from latentlab.session.session import Session


class AuditIntents:
    """Changes which study is asked for, and which results are shown.

    Attributes
    ----------
    folder_brought
        The folder (`Path`) of a study was opened or dropped: its results are to be read and shown.
    """

    folder_brought = Signal(Path)

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def view(self) -> AuditView:
        """How the audit is set now."""
        return self._session.document.audit

    def set(self, view: AuditView, name: str = "Set the audit") -> None:
        """Audit otherwise, or show something else."""
        if view != self.view:
            self._session.change(name, replace(self._session.document, audit=view))

    def ask(self, **changes: Any) -> None:
        """Ask the study for something else; what has come of it is shown instead of an earlier one."""
        view = self.view
        asked = replace(view.asked, **changes)
        if asked != view.asked:  # what was only passed through by the Tab key is no other wish
            self.set(replace(view, asked=asked, shown=""))

    def choose_study(self, study: str) -> None:
        """Do another study: what both ask for stays, where it means the same."""
        asked = self.view.asked
        trains = ["models" not in STUDIES[one].fields for one in (asked.study, study)]
        data = asked.data if trains[0] == trains[1] else ""  # one trains on it, the other looks at it
        models = asked.models if STUDIES[study].several_models else asked.models[:1]
        usual = asked.seeds == STUDIES[asked.study].seeds
        seeds = STUDIES[study].seeds if usual else asked.seeds
        if study != asked.study:
            other = replace(asked, study=study, n=0, models=models, data=data, seeds=seeds)
            view = replace(self.view, asked=other, shown="")
            self.set(view, f"Choose the {STUDIES[study].title.lower()} study")

    def show(self, folder: str, asked: StudyRequest | None = None) -> None:
        """Show the results of an earlier study; its settings too, where they are known."""
        view = self.view
        self.set(replace(view, shown=folder, asked=asked or view.asked), "Show another study")

    def put_beside(self, folder: str) -> None:
        """Show another study beside the one that is shown; the empty string for none."""
        self.set(replace(self.view, beside=folder), "Compare studies" if folder else "Compare no studies")
