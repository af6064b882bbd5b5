"""Damaged and hostile copies of every format: each opens or is refused with its name, and none does anything.

Thousands of cases more by command: ``python -m latentlab.checkpoints.fuzz --cases 10000 SAMPLE...``.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from samples import SAMPLES

from latentlab.checkpoints.foreign import IMPORTERS
from latentlab.checkpoints.fuzz.cases import Cases, Watch
from latentlab.checkpoints.native import locate

CASES, GRAPHS = 30, 12
"""Cases of a format; of ONNX graphs fewer, since each begins processes."""


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.mark.parametrize("name", SAMPLES)
def test_every_case_opens_or_is_refused_by_name(name: str, watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    sample = SAMPLES[name](tmp_path / "good")
    cases = Cases(sample, tmp_path, 1, watch)
    ends = [cases.run(number) for number in range(GRAPHS if name == "onnx_files" else CASES)]
    assert [outcome for outcome in ends if outcome.end == "failed"] == []
    assert Counter(outcome.end for outcome in ends)["refused"] > len(ends) / 4


def test_every_format_has_a_sample(tmp_path: Path) -> None:
    found = set()
    for name, write in SAMPLES.items():
        (tmp_path / name).mkdir()
        foreign = locate(write(tmp_path / name)).foreign
        assert foreign is not None
        found.add(foreign.format)
    assert found == {importer.TITLE for importer in IMPORTERS}


def test_what_a_case_does_would_be_seen(watch: Watch, tmp_path: Path) -> None:
    watch.on = True
    (tmp_path / "harm").write_text("x")
    subprocess.run([sys.executable, "-c", ""], check=True)
    watch.on = False
    assert any("writes" in seen for seen in watch.seen)
    assert any("subprocess.Popen" in seen for seen in watch.seen)
    watch.seen.clear()


def test_the_command_counts_and_runs_the_same_cases_again(tmp_path: Path) -> None:
    sample = SAMPLES["pythae"](tmp_path)
    command = [sys.executable, "-m", "latentlab.checkpoints.fuzz", "--cases", "4", str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pythae: 4 cases, ")
    assert " 0 failed" in done.stdout
