"""A study's images go out with ids, and what somebody else says of them comes back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.audit.charts import read_charts
from latentlab.audit.export_images import export_images
from latentlab.audit.files import GROUPS, HTML, IMAGES, SETTINGS
from latentlab.audit.images_behind import images_behind
from latentlab.audit.runs import run_generation, run_reconstruction, run_study
from latentlab.audit.study_plan import StudyRequest
from latentlab.cli.main import run
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def filled(template: Path, of: str, classes: tuple[str, ...]) -> list[dict[str, str]]:
    """The template with classes in turn."""
    rows = table(template)
    for k, row in enumerate(rows):
        row[of] = classes[k % len(classes)]
    return rows


@pytest.fixture(scope="module")
def exported(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """70 samples of the tiny model, of which nobody here knows any class."""
    out = tmp_path_factory.mktemp("exported") / "images"
    export_images(StudyRequest("generation", (str(tiny_model_folder),), n=70), out)
    (out / "classes.json").write_text(json.dumps({"mood": ["happy", "sad"], "hat": ["no", "yes", "two"]}))
    return out


def test_images_go_out_with_ids_that_tell_nothing(exported: Path, tiny_model_folder: Path) -> None:
    rows = table(exported / "predictions.csv")
    assert len(rows) == 70
    explorer = Explorer.open(tiny_model_folder, "")
    assert "tiny" not in rows[0]["id"]
    for row in rows:
        picture = np.asarray(Image.open(exported / row["file"]))
        assert picture.shape == (explorer.spec.image_size, explorer.spec.image_size, 3)
    assert len({(exported / row["file"]).read_bytes() for row in rows}) > 60


def test_classes_come_back_and_are_counted_in_our_predictors_place(
    exported: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    rows = [
        {"id": row["id"], "mood": "sad" if k % 7 == 0 else "happy"}
        for k, row in enumerate(table(exported / "predictions.csv"))
    ]
    path = write(exported / "mood.csv", rows[::-1])
    out = tmp_path / "audit"
    audit = run_generation([str(tiny_model_folder)], n=70, predictions=path, out=out)
    groups = {row["class"]: row for row in table(out / GROUPS)}
    assert int(groups["sad"]["count"]) == 10
    assert groups["sad"]["not_corrected"].startswith("not corrected")
    told = {row["image"]: row["mood"] for row in table(out / IMAGES)}
    assert [told[str(k)] for k in range(70)] == [row["mood"] for row in rows], "by id, not by place"
    assert any("not this program" in note for note in audit.report.evaluation.notes)
    summary = " ".join(audit.summary)
    assert "as whoever judged them tells them apart" in summary
    assert audit.summary[0].count("14.3%") == 1
    assert "not corrected" in audit.summary[0]
    assert "the correction holds" not in summary
    assert "predictor" not in summary
    assert len(json.loads((out / SETTINGS).read_text())["predictions_sha256"]) == 64
    # another table is another study
    rows[0]["mood"] = "happy"
    write(path, rows)
    with pytest.raises(SettingsError, match="other settings: predictions_sha256 is"):
        run_generation([str(tiny_model_folder)], n=70, predictions=path, out=out)


def test_their_errors_correct_their_shares(exported: Path, tiny_model_folder: Path) -> None:
    rows = [
        {"id": row["id"], "mood": "sad" if k < 21 else "happy"}
        for k, row in enumerate(table(exported / "predictions.csv"))
    ]
    path = write(exported / "errs.csv", rows)
    confusion = exported / "confusion.csv"
    confusion.write_text(
        "attribute,true,predicted,count\nmood,happy,happy,900\nmood,happy,sad,100\nmood,sad,sad,1000\n"
    )
    audit = run_generation([str(tiny_model_folder)], n=70, predictions=path, predictions_confusion=confusion)
    assert "corrected for the judge's errors" in audit.summary[0]
    assert "the correction holds if the judge errs" in " ".join(audit.summary)
    metrics = audit.report.evaluation.metrics
    assert metrics["share.mood=sad"].value == pytest.approx(0.3)
    assert metrics["corrected_share.mood=sad"].value == pytest.approx((0.3 - 0.1) / 0.9, abs=0.005)
    for wrong, said in (
        ("attribute,true,predicted,count\nmood,happy,glad,1\n", "no class of mood"),
        ("attribute,true,predicted,count\nmood,happy,sad,-1\n", "has the count"),
        (f"attribute,true,predicted,count\nmood,happy,sad,{10**30}\n", "has the count"),
        ("attribute,true,predicted,count\nmood,happy,sad,1\nmood,happy,sad,1\n", "stands twice"),
        ("attribute,true,predicted,count\nhat,no,no,1\n", "tells nothing"),
        ("true,predicted\n", "needs the columns"),
    ):
        confusion.write_text(wrong)
        with pytest.raises(DataError, match=said):
            run_generation([str(tiny_model_folder)], n=70, predictions=path, predictions_confusion=confusion)


def test_probabilities_come_back_too(exported: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    rows = [
        {"id": row["id"], "hat=no": "0.5", "hat=yes": "0.3", "hat=two": "0.2"}
        for row in table(exported / "predictions.csv")
    ]
    path = write(exported / "hat.csv", rows)
    out = tmp_path / "audit"
    run_generation([str(tiny_model_folder)], n=70, predictions=path, out=out)
    groups = {row["class"]: row for row in table(out / GROUPS)}
    assert [int(groups[label]["count"]) for label in ("no", "yes", "two")] == [70, 0, 0]
    assert float(groups["yes"]["mean_probability"]) == pytest.approx(0.3, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[1:], "no row of 1 of"),
        (lambda rows: [*rows, rows[3]], "stands twice"),
        (lambda rows: [*rows, {**rows[0], "id": "x"}], "is no image of this study"),
        (lambda rows: [*rows, {**rows[0], "id": rows[0]["id"][:-1] + "x"}], "no image of this study"),
        (lambda rows: [{**rows[0], "mood": "glad"}, *rows[1:]], "'glad' is no class of mood"),
        (lambda rows: [{**rows[0], "mood": ""}, *rows[1:]], "no mood of 1 images"),
        (lambda rows: [{**row, "mood": ""} for row in rows], "are empty"),
        (lambda rows: [{**row, "size": "3"} for row in rows], "column 'size'"),
        (lambda rows: [{"id": row["id"]} for row in rows], "no column of an attribute"),
        (lambda rows: [{"name": row["id"], "mood": "sad"} for row in rows], "needs the column 'id'"),
        (lambda rows: [{**row, "mood=sad": "1", "mood=happy": "0"} for row in rows], "tells mood twice"),
        (lambda rows: [{"id": row["id"], "mood=sad": "1"} for row in rows], "none 'mood=happy'"),
        (
            lambda rows: [{"id": row["id"], "mood=sad": "0.5", "mood=happy": "0.4"} for row in rows],
            "sum to 1",
        ),
        (
            lambda rows: [{"id": row["id"], "mood=sad": "nan", "mood=happy": "1"} for row in rows],
            "sum to 1",
        ),
        (
            lambda rows: [{"id": row["id"], "mood=sad": "-1", "mood=happy": "2"} for row in rows],
            "0 to 1",
        ),
    ],
)
def test_tables_that_do_not_fit_are_refused_before_any_work(
    exported: Path, tiny_model_folder: Path, tmp_path: Path, change, said: str
) -> None:
    rows = [{"id": row["id"], "mood": "sad"} for row in table(exported / "predictions.csv")]
    path = write(exported / "wrong.csv", change(rows))
    with pytest.raises(DataError, match=said):
        run_generation([str(tiny_model_folder)], n=70, predictions=path, out=tmp_path / "audit")
    assert not (tmp_path / "audit").exists()


def test_any_text_is_a_class_and_none_is_taken_for_a_command(
    exported: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    classes = {"mood": ["happy, calm", "<script>alert(1)</script>"], "$x$": ["$\\foo$", "50% & more"]}
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "classes.json").write_text(json.dumps(classes))
    rows = [
        {"id": row["id"], **{name: labels[k % 2] for name, labels in classes.items()}}
        for k, row in enumerate(table(exported / "predictions.csv"))
    ]
    request = StudyRequest(
        "generation",
        (str(tiny_model_folder),),
        n=70,
        predictions=str(write(folder / "p.csv", rows)),
    )
    run_study(request, tmp_path / "audit")
    page = (tmp_path / "audit" / HTML).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    cells = {row["classes"]: int(row["count"]) for row in table(tmp_path / "audit" / "cells.csv")}
    assert cells["happy, calm,$\\foo$"] == 35
    charts = {one.name: one for one in read_charts(tmp_path / "audit")}
    for mark in charts["cells"].marks:
        assert images_behind(tmp_path / "audit", charts["cells"], mark).n == mark.n


@pytest.mark.parametrize("name", ["model", "seed", "image"])
def test_an_attribute_is_not_called_like_a_column_of_ours(
    exported: Path, tiny_model_folder: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "classes.json").write_text(json.dumps({name: ["a", "b"]}))
    rows = [{"id": row["id"], name: "a"} for row in table(exported / "predictions.csv")]
    path = write(tmp_path / "p.csv", rows)
    with pytest.raises(SettingsError, match=f"column '{name}' of its own"):
        run_generation([str(tiny_model_folder)], n=70, predictions=path, out=tmp_path / "audit")
    assert not (tmp_path / "audit").exists()


def test_other_settings_and_a_second_judge_are_refused(
    exported: Path, tiny_model_folder: Path, tiny_predictor_folder: Path, tmp_path: Path
) -> None:
    rows = [{"id": row["id"], "mood": "sad"} for row in table(exported / "predictions.csv")]
    path = write(exported / "right.csv", rows)
    model = [str(tiny_model_folder)]
    with pytest.raises(DataError, match="another study"):
        run_generation(model, n=70, seeds=(1,), predictions=path)
    with pytest.raises(DataError, match="does not tell hat"):
        run_generation(model, n=70, attributes=("hat",), predictions=path)
    with pytest.raises(SettingsError, match="not both"):
        run_generation(model, n=70, predictions=path, predictor=str(tiny_predictor_folder))
    with pytest.raises(SettingsError, match="no use without"):
        run_generation(model, n=70, predictions_confusion=path)
    with pytest.raises(DataError, match="cannot be read"):
        run_generation(model, n=70, predictions=exported / "absent.csv")
    (exported / "broken").mkdir(exist_ok=True)
    broken = write(exported / "broken" / "p.csv", rows)
    with pytest.raises(DataError, match="No classes are known"):
        run_generation(model, n=70, predictions=broken)
    for classes in (
        "[]",
        '{"mood": ["sad"]}',
        '{"mood": ["sad", "sad"]}',
        '{"id": ["a", "b"]}',
        '{"mood": ["a\\n", "b"]}',
        "{",
    ):
        (broken.parent / "classes.json").write_text(classes)
        with pytest.raises(DataError, match="cannot be read as the classes"):
            run_generation(model, n=70, predictions=broken)


def test_reconstructions_are_judged_by_somebody_else(tmp_path: Path) -> None:
    request = StudyRequest(
        "reconstruction", ("faces-vae",), data="faces:test", groups=("gender",), n=6, attributes=("glasses",)
    )
    exported = export_images(request, tmp_path / "images")
    assert exported.n == 24
    rows = table(exported.template)
    # somebody who sees everything in the originals and no glasses in the reconstructions
    plain = run_reconstruction(
        "faces-vae",
        "faces:test",
        per_group=6,
        groups=("gender",),
        attributes=("glasses",),
        out=tmp_path / "ours",
    )
    ours = table(tmp_path / "ours" / IMAGES)
    for k, row in enumerate(rows):
        row["glasses"] = ours[k // 2]["glasses"] if row["id"].endswith("original") else "no"
    write(exported.template, rows)
    out = tmp_path / "audit"
    call = ["audit", "reconstruction", "faces-vae", "--data", "faces:test", "--per-group", "6"]
    call += ["--groups", "gender", "--predictions", str(exported.template), "--out", str(out)]
    assert run(call) == 0
    theirs = table(out / IMAGES)
    assert [row["error_255"] for row in theirs] == [row["error_255"] for row in ours]
    assert all(row["glasses_input"] == row["glasses"] for row in theirs)
    assert {row["glasses_reconstructed"] for row in theirs} == {"no"}
    assert "predictions from elsewhere" in (out / HTML).read_text()
    assert plain.report.data_n == 12


def test_an_interrupted_export_goes_on_and_leaves_what_was_filled_in(
    tiny_model_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    request = StudyRequest("generation", (str(tiny_model_folder),), n=100)
    reporter = Reporter(lambda progress: reporter.cancel() if progress.done == 64 else None)
    out = tmp_path / "images"
    with pytest.raises(Cancelled):
        export_images(request, out, reporter)
    assert len(list((out / "images").iterdir())) == 64
    first = (out / "images").stat().st_mtime_ns
    call = ["audit", "images", "generation", str(tiny_model_folder), "--n", "100", "--out", str(out)]
    assert run(call) == 0
    assert "100 images" in capfd.readouterr().out
    assert len(list((out / "images").iterdir())) == 100
    assert (out / "images").stat().st_mtime_ns > first
    (out / "predictions.csv").write_text("id,mood\n")
    assert run(call) == 0
    assert (out / "predictions.csv").read_text() == "id,mood\n"
    assert run([*call[:4], "--n", "99", "--out", str(out)]) == 2
    assert "another study" in capfd.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    with pytest.raises(SettingsError, match="other files"):
        export_images(request, tmp_path / "mine")
    with pytest.raises(SettingsError, match="not known"):
        export_images(
            StudyRequest("generation", (str(tiny_model_folder),), n=5, attributes=("hat",)), tmp_path
        )
    with pytest.raises(SettingsError, match="cannot be exported"):
        export_images(StudyRequest("truncation", (str(tiny_model_folder),), n=5), tmp_path)
