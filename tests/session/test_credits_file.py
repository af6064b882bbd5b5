"""CREDITS.md: what would be written now, of everything that the program brings and needs."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType

import pytest

from latentlab.cli.main import run
from latentlab.data.avatar_styles import avatar_schema
from latentlab.errors import SettingsError
from latentlab.paths import bundled_models
from latentlab.session.credits import credits_text, installed_libraries, library

ROOT = Path(__file__).resolve().parents[2]
AGAIN = "run python docs/make_credits.py"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_credits", ROOT / "docs" / "make_credits.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the table of libraries, by the library's name."""
    found = {}
    for line in text.partition("## Libraries")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] not in ("library", "---"):
            found[re.sub(r"\[([^\]]*)\].*", r"\1", cells[0])] = cells[1:]
    return found


def test_every_library_of_the_project_stands_there_with_its_range_and_its_licence(maker) -> None:
    found = rows(credits_text())
    wanted = {name: versions for part in maker.requirements().values() for name, versions in part}
    assert {name: row[0] for name, row in found.items()} == {
        name: versions or "any" for name, versions in wanted.items()
    }, AGAIN
    for name, (_, licence, _) in found.items():
        assert licence, AGAIN
        try:
            says = library(name).licence
        except PackageNotFoundError:
            continue  # an extra that is not installed here
        words = {word for word in re.findall(r"[\w.-]+", says) if word not in ("AND", "OR", "WITH")}
        assert words & set(re.findall(r"[\w.-]+", licence)), f"{name} says {says!r}: {AGAIN}"


def test_all_but_the_libraries_is_as_it_would_be_written(maker) -> None:
    assert credits_text().startswith(maker.works()), AGAIN


def test_every_licence_artist_and_model_that_is_brought_is_named() -> None:
    text = credits_text()
    resources = ROOT / "resources"
    for path in resources.rglob("*"):
        if re.match(r"(LICEN[CS]E|OFL|COPYING)", path.name):
            assert path.relative_to(ROOT).as_posix() in text
    for name in bundled_models():
        assert f"`{name}`" in text
    for style in avatar_schema().shippable:
        assert f"| {style} |" in text


def test_the_command_prints_the_file_and_what_is_installed_without_torch(capsys) -> None:
    assert run(["credits"]) == 0
    assert capsys.readouterr().out == credits_text()
    code = (
        "import io, json, sys, contextlib\n"
        "from latentlab.cli.main import run\n"
        "out = io.StringIO()\n"
        "with contextlib.redirect_stdout(out): run(['credits', '--installed'])\n"
        "print(json.dumps([out.getvalue(), 'torch' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, torch = json.loads(done.stdout)
    assert not torch
    lines = dict(line.split("\t", 1) for line in text.splitlines())
    assert {"torch", "numpy"} <= lines.keys()
    assert lines["numpy"].split("\t")[1].startswith("BSD-3-Clause")
    assert "markdown-it-py" in lines, "what the libraries need in turn is listed too"
    assert "pytest" not in lines, "but not what only the tests need"


def test_without_an_installed_package_the_command_says_so() -> None:
    with pytest.raises(SettingsError, match="not installed as a package"):
        installed_libraries("no-such-package")
