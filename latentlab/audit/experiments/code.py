"""Copy as Python for an experiment: a program that draws the same figure again."""

from __future__ import annotations

from latentlab.audit.experiments.catalog import experiment
from latentlab.audit.experiments.experiment import Values


def experiment_code(name: str, values: Values | None = None, seed: int = 0) -> str:
    """Return the program's text: it draws the figure, prints its statements and saves its charts and table.

    Raises
    ------
    SettingsError
        If there is no such experiment, or a value cannot be used.
    """
    one = experiment(name)
    whole = one.checked(values)
    given = [f"    {key!r}: {value!r},  # {_words(one.name, key, value)}" for key, value in whole.items()]
    lines = [
        f"# {one.title}: {one.question}",
        "from pathlib import Path",
        "",
        "from latentlab.audit.experiments.catalog import experiment",
        "from latentlab.audit.experiments.save import save_figure_of",
        "",
        "values = {",
        *(line.replace("'", '"') for line in given),
        "}",
        f'figure = experiment("{one.name}").figure(values, seed={seed})',
        'print("\\n".join([*figure.statements, f"What this does not show: {figure.not_shown}"]))',
        f'save_figure_of(Path("{one.name}.png"), figure)  # also .svg or .pdf',
        f'save_figure_of(Path("{one.name}.csv"), figure)  # one row a mark of the charts',
    ]
    return "\n".join(lines) + "\n"


def _words(name: str, key: str, value: float) -> str:
    parameter = next(one for one in experiment(name).parameters if one.name == key)
    return f"{parameter.title}: {parameter.told(value)}"
