"""The charts of the generation and the reconstruction study, and what is told while they go on."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from latentlab.audit import partial as partial_module
from latentlab.audit.charts import Chart, read_charts
from latentlab.audit.files import GROUPS, HTML, IMAGES, PDF, REPORT, REQUEST
from latentlab.audit.images_behind import images_behind
from latentlab.audit.report import Audit
from latentlab.audit.request_file import read_request
from latentlab.audit.runs import run_generation, run_reconstruction, run_study
from latentlab.audit.study_plan import StudyRequest
from latentlab.errors import Cancelled, SettingsError
from latentlab.progress import Reporter

RECONSTRUCTION = {"per_group": 9, "groups": ("gender",), "attributes": ("gender", "glasses")}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def chart_of(audit: Audit, name: str) -> Chart:
    return next(one for one in audit.charts if one.name == name)


@pytest.fixture
def every_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell after every part, however quick it was."""
    told = partial_module.Partial.tell

    def tell(self, make) -> None:
        self._seconds, self._last = 0.0, float("-inf")
        told(self, make)

    monkeypatch.setattr(partial_module.Partial, "tell", tell)


def test_generation_charts_are_its_tables(
    tiny_model_folder: Path, idle_model_folder: Path, tiny_predictor_folder: Path, tmp_path: Path
) -> None:
    models = [str(tiny_model_folder), str(idle_model_folder)]
    out = tmp_path / "audit"
    audit = run_generation(models, n=40, seeds=(0, 1), predictor=str(tiny_predictor_folder), out=out)
    assert read_charts(out) == audit.charts
    assert len({one.name for one in audit.charts}) == len(audit.charts)
    share = chart_of(audit, "share.race")
    assert share.series[:2] == ("tiny-vae", "tiny-vae, seed 0")
    assert share.references == dict.fromkeys(("asian", "black", "brown", "white"), 0.25)
    rows = table(out / GROUPS)
    images = table(out / IMAGES)
    for chart in audit.charts:
        for mark in chart.marks:
            behind = [row for row in images if all(row[k] == v for k, v in mark.images.items())]
            found = images_behind(out, chart, mark, 5)
            assert found.n == len(behind)
            if chart.name.startswith("share."):
                seed = mark.images.get("seed", "all")
                (row,) = [
                    one
                    for one in rows
                    if (one["model"], one["seed"]) == (mark.images["model"], seed)
                    and one["attribute"] == chart.name[6:]
                    and one["class"].replace("_", " ") == mark.label
                ]
                assert int(row["count"]) == len(behind)
                assert mark.value == pytest.approx(len(behind) / mark.n)
                assert (mark.low, mark.high) == pytest.approx(
                    (float(row["low"]), float(row["high"])), abs=1e-5
                )
                sure = [float(one.values[mark.worst.removeprefix("-")]) for one in found.rows]
                assert sure == sorted(sure)
    cells = chart_of(audit, "cells")
    assert cells.series == ("tiny-vae", "idle-vae")
    assert sum(mark.n for mark in cells.marks if mark.series == "idle-vae") == 80
    gaps = chart_of(audit, "gap.glasses")
    assert {mark.series for mark in gaps.marks} == {"idle-vae"}


def test_reconstruction_charts_are_its_tables(tmp_path: Path) -> None:
    out = tmp_path / "audit"
    audit = run_reconstruction("faces-vae", "faces:test", out=out, **RECONSTRUCTION)
    names = [one.name for one in audit.charts]
    assert names == [
        "survival.gender",
        "survival.glasses",
        "error_255",
        "gaps.survival",
        "gaps.error_255",
        "confusion.gender",
        "confusion.glasses",
        "bias_amplification",
    ]
    images = table(out / IMAGES)
    survival = chart_of(audit, "survival.glasses")
    for mark in survival.marks:
        found = images_behind(out, survival, mark, 100)
        column = mark.wrong[0]
        wrong = [row.values[column] != row.values["glasses"] for row in found.rows]
        assert found.wrong == sum(wrong)
        assert mark.value == pytest.approx(1.0 - found.wrong / found.n)
        assert wrong == sorted(wrong, reverse=True), "those that are wrong come first"
        errors = [
            float(row.values["error_255"]) for row, bad in zip(found.rows, wrong, strict=True) if not bad
        ]
        assert errors == sorted(errors, reverse=True)
    confusion = chart_of(audit, "confusion.glasses")
    for mark in confusion.marks:
        assert images_behind(out, confusion, mark).n == mark.n
    assert sum(mark.n for mark in confusion.marks) == len(images)
    assert "Holm" in chart_of(audit, "gaps.survival").marks[0].told
    assert chart_of(audit, "gaps.error_255").unit == "steps"


@pytest.mark.usefixtures("every_part")
def test_what_is_told_on_the_way_is_what_is_counted_so_far(
    tiny_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    told: list[Audit] = []
    asked = {"n": 150, "seeds": (0, 1), "predictor": str(tiny_predictor_folder)}
    whole = run_generation([str(tiny_model_folder)], on_partial=told.append, **asked)
    assert [one.report.data_n for one in told] == [64, 128, 150, 214, 278, 300]
    silent = run_generation([str(tiny_model_folder)], **asked)
    for one in (told[-1], whole):
        assert one.report.json() == silent.report.json()
        assert (one.charts, one.summary, one.rows) == (silent.charts, silent.summary, silent.rows)
    first = chart_of(told[0], "share.gender")
    assert first.series == ("tiny-vae",)
    assert {mark.n for mark in first.marks} == {64}


@pytest.mark.usefixtures("every_part")
def test_reconstruction_tells_of_the_groups_it_has_come_to() -> None:
    told: list[Audit] = []
    asked = {"per_group": 40, "groups": ("race",), "attributes": ("glasses",)}
    whole = run_reconstruction("faces-vae", "faces:test", on_partial=told.append, **asked)
    assert [len(chart_of(one, "error_255").marks) for one in told] == [2, 4, 4]
    assert told[-1].report.json() == whole.report.json()
    assert told[-1].charts == whole.charts


def test_an_interrupted_studys_report_is_that_of_one_that_was_not(
    tiny_model_folder: Path, tiny_predictor_folder: Path, tmp_path: Path
) -> None:
    request = StudyRequest(
        "generation",
        (str(tiny_model_folder),),
        n=100,
        attributes=("gender",),
        predictor=str(tiny_predictor_folder),
    )
    reporter = Reporter(lambda progress: reporter.cancel() if progress.done >= 64 else None)
    twice, whole = tmp_path / "twice", tmp_path / "whole"
    with pytest.raises(Cancelled):
        run_study(request, twice, reporter=reporter)
    assert not (twice / HTML).exists()
    assert read_request(twice) == request, "what was asked for is there although the study is not done"
    run_study(request, twice)
    run_study(request, whole)
    names = sorted(one.name for one in whole.iterdir())
    assert {HTML, PDF, REPORT, REQUEST, IMAGES} <= set(names)
    assert sorted(one.name for one in twice.iterdir()) == names
    for name in names:
        assert (twice / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_request_that_is_refused_leaves_nothing(tiny_model_folder: Path, tmp_path: Path) -> None:
    request = StudyRequest("generation", (str(tiny_model_folder),), n=10)
    with pytest.raises(SettingsError, match="Nobody judges"):
        run_study(request, tmp_path / "audit")
    assert not (tmp_path / "audit").exists()
    with pytest.raises(SettingsError, match="no predictions"):
        run_study(replace(request, study="truncation", predictions="a.csv"), tmp_path / "audit")


def test_paths_that_were_asked_for_are_found_from_elsewhere(
    tiny_model_folder: Path, tiny_predictor_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model_folder.parent)
    out = tmp_path / "audit"
    run_generation([tiny_model_folder.name], n=5, predictor=str(tiny_predictor_folder), out=out)
    assert read_request(out).models == (str(tiny_model_folder.resolve()),)
    (out / REQUEST).write_text("[]")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_request(out)
    (out / REQUEST).write_text(json.dumps({"study": "generation", "colour": 3}))
    with pytest.raises(SettingsError, match="colour"):
        read_request(out)
