"""Scripts that build into a folder leave one alone that they did not make."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(("place", "script"), [("packaging", "build"), ("docs", "build_api")])
def test_what_they_did_not_make_is_not_removed(
    place: str, script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / place))
    module = importlib.import_module(script)
    # Nothing is built: it ends before it looks for what a build needs.
    mine = tmp_path / "latentlab" / "mine.py"
    mine.parent.mkdir()
    mine.write_text("work = 1\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="is there and"):
        module.build(tmp_path)
    assert mine.read_text(encoding="utf-8") == "work = 1\n"
