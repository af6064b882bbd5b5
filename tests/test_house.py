"""The house's rules, as tests: style, types, floors, nothing unpickled, no torch in the window's imports."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "latentlab"
RUNS_NETWORKS = {"latentlab.ui.bench_report"}
"""Not part of the window: it compares the window with the bare networks, which it runs itself."""
UNPICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}

TOOLS = {
    "ruff check": [sys.executable, "-m", "ruff", "check", "."],
    "ruff format": [sys.executable, "-m", "ruff", "format", "--check", "."],
    "mypy": [sys.executable, "-m", "mypy"],
    "import-linter": [sys.executable, "-c", "from importlinter.cli import *; lint_imports_command()"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tools_find_nothing(tool: str):
    done = subprocess.run(TOOLS[tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("package", ["latentlab.session", "latentlab.ui"])
def test_no_module_of_the_window_or_the_session_imports_torch(package: str):
    code = f"""
import importlib, pkgutil, sys
package = importlib.import_module({package!r})
names = [found.name for found in pkgutil.walk_packages(package.__path__, {package + "."!r})]
assert names, "no modules were found"
for name in sorted(set(names) - {RUNS_NETWORKS!r}):
    importlib.import_module(name)
    assert "torch" not in sys.modules, f"importing {{name}} imports torch"
"""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def breaches(source: str) -> Iterator[str]:
    """Give every place where code could be unpickled or a string run as code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = []
        for name in names:
            if name.partition(".")[0] in UNPICKLERS or name == "torch.load":
                yield f"line {node.lineno}: imports {name}"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"eval", "exec", "torch.load"}:
                yield f"line {node.lineno}: calls {called}"
            for keyword in node.keywords:
                if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False":
                    yield f"line {node.lineno}: allows pickles"


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('a.pt', weights_only=True)",
        "from torch import load",
        "import numpy as np\nnp.load('a.npy', allow_pickle=True)",
        "eval('1')",
    ],
)
def test_a_breach_would_be_seen(source: str):
    assert list(breaches(source))


def test_nothing_is_ever_unpickled():
    files = sorted(PACKAGE.rglob("*.py"))
    assert len(files) > 30
    found = [f"{file.relative_to(ROOT)}, {breach}" for file in files for breach in breaches(file.read_text())]
    assert found == []
