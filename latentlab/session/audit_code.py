"""Copy as Python for a study: a program that does it again and writes the same tables."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from latentlab.audit.study_plan import OUTSIDE, StudyRequest, study_of
from latentlab.paths import bundled_models
from latentlab.session.python_code import comment

FOLDER = "audited"
"""The folder into which the program writes."""


def audit_code(request: StudyRequest, device: str = "auto", checked: tuple[str, ...] = ()) -> str:
    """Return the program's text: a `StudyRequest`, and `run_study` of it.

    Parameters
    ----------
    checked
        The SHA-256 of the models' weights, in order, where they are known: the program says so.
    """
    kind = study_of(request.study)
    usual = {one.name: one.default for one in fields(StudyRequest)}
    bundled = {str(path): name for name, path in bundled_models().items()}

    def written(value: object) -> str:
        if isinstance(value, str):
            return repr(bundled.get(value, value))
        if isinstance(value, tuple):
            inner = ", ".join(map(written, value))
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        return repr(value)

    given = [
        f"    {name}={written(value)},"
        for name in (*kind.fields, *OUTSIDE)
        if (value := getattr(request, name)) != usual[name]
    ]
    weights = [
        comment(f"{Path(name).name}: weights SHA-256 {sha256}")
        for name, sha256 in zip(request.models, checked, strict=False)
        if sha256
    ]
    lines = [
        comment(f"The {kind.title.lower()} study. {kind.purpose}"),
        *weights,
        "from pathlib import Path",
        "",
        "from latentlab.audit.runs import run_study",
        "from latentlab.audit.study_plan import StudyRequest",
        "",
        "request = StudyRequest(",
        f"    {request.study!r},",
        *given,
        ")",
        f"audit = run_study(request, Path({FOLDER!r}), device={device!r})",
        'print("\\n".join(audit.summary))  # tables, charts and report are in the folder',
    ]
    return "\n".join(lines) + "\n"
