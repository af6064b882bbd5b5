"""A study's reports, its section of a model card, and the images behind its marks."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from latentlab.audit.card_sections import write_card_section
from latentlab.audit.chart_figure import chart_figure, svg
from latentlab.audit.chart_layout import height_of, split
from latentlab.audit.charts import CHARTS, Chart, Mark
from latentlab.audit.files import HTML, IMAGES, PDF, REPORT, REQUEST, SETTINGS
from latentlab.audit.folder_results import read_folder
from latentlab.audit.images_behind import drawer, images_behind, notable
from latentlab.audit.report_files import write_reports
from latentlab.audit.runs import run_generation, run_reconstruction
from latentlab.checkpoints import locate
from latentlab.cli.main import run
from latentlab.data.catalog import open_set
from latentlab.errors import CheckpointError, SettingsError
from latentlab.operations.card_parts import card_parts, with_part, with_parts


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reconstruction study of a bundled model, which nobody may change."""
    out = tmp_path_factory.mktemp("study") / "audit"
    run_reconstruction(
        "faces-vae", "faces:test", per_group=30, groups=("gender",), attributes=("glasses",), out=out
    )
    return out


@pytest.fixture
def folder(study: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(study, tmp_path / "audit"))


class Page(HTMLParser):
    """What stands on a page: its ids, images, tables, and what it would load."""

    void = frozenset(("meta", "img", "br", "path", "use", "link", "input"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag not in self.void:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [str(value) for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_needs_nothing_else_and_says_everything(folder: Path) -> None:
    write_reports(folder)
    text = (folder / HTML).read_text()
    page = Page(text)
    found = read_folder(folder)
    words = " ".join(" ".join(page.words).split())
    for sentence in found.summary:
        assert " ".join(sentence.split()) in words
    assert "nobody's identity" in words
    assert found.record["checkpoint"]["sha256"] in words
    assert "latentlab audit reconstruction faces-vae --data faces:test" in words
    assert len(page.ids) == len(set(page.ids)), "ids of several charts do not collide"
    loads = [
        value
        for _, found_attributes in page.tags
        for name, value in found_attributes.items()
        if name in ("src", "href", "xlink:href") and value
    ]
    assert loads
    assert all(one.startswith(("#", "data:image/png;base64,")) for one in loads)
    inside = {one[1:] for one in loads if one.startswith("#")}
    assert inside <= set(page.ids), "what is referred to is there"
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(pictures) == len(found.charts)
    assert all(one.get("role") == "img" and one.get("aria-label") for one in pictures)
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "caption" for tag, _ in page.tags)
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"(?:fill|stroke): #(?!none)", text), "charts take the page's colours"
    # the judge's held-out errors, of all and of each group
    confusion = json.loads((Path("models") / "faces-attributes" / "config.json").read_text())["predictor"]
    for row in confusion["confusion"]["glasses"]["counts"]:
        assert all(str(count) in words for count in row)
    assert "female, asian" in words


def test_reports_are_the_same_every_time_and_written_once(folder: Path) -> None:
    first = [one.read_bytes() for one in write_reports(folder)]
    assert first[1].startswith(b"%PDF")
    times = [(folder / name).stat().st_mtime_ns for name in (HTML, PDF)]
    write_reports(folder, again=False)
    assert [(folder / name).stat().st_mtime_ns for name in (HTML, PDF)] == times
    assert [one.read_bytes() for one in write_reports(folder)] == first
    record = json.loads((folder / REPORT).read_text())
    record["notes"].append("Somebody <b>added</b> this.")
    (folder / REPORT).write_text(json.dumps(record))
    write_reports(folder, again=False)
    text = (folder / HTML).read_text()
    assert "Somebody &lt;b&gt;added&lt;/b&gt; this." in text


def test_an_older_folder_has_a_report_too(folder: Path) -> None:
    (folder / CHARTS).unlink()
    (folder / REQUEST).unlink()
    write_reports(folder)
    text = (folder / HTML).read_text()
    assert "What was asked for is not in the folder" in text
    assert "survival.glasses" in text
    with pytest.raises(SettingsError, match="older one"):
        drawer(folder)


def test_a_report_without_its_model_says_why_it_has_no_images(folder: Path) -> None:
    asked = json.loads((folder / REQUEST).read_text())
    (folder / REQUEST).write_text(json.dumps(asked | {"models": ["moved-away"]}))
    write_reports(folder)
    text = (folder / HTML).read_text()
    assert "None can be drawn here" in text
    assert "moved-away" in text
    (folder / REQUEST).write_text(json.dumps(asked | {"models": ["faces-weak-vae"]}))
    with pytest.raises(CheckpointError, match="other weights"):
        drawer(folder)


def test_what_is_no_study_is_refused(tmp_path: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "report", str(tmp_path / "nothing")]) == 2
    assert "holds no finished study" in capfd.readouterr().err
    (folder / REPORT).write_text('{"command": "audit x"}')
    with pytest.raises(SettingsError, match="cannot be read"):
        read_folder(folder)
    (folder / IMAGES).write_text("image,group\na,b\n")
    chart = Chart("a", "a", "bars", "share", (), worst="error_255")
    with pytest.raises(SettingsError, match="no column 'error_255'"):
        images_behind(folder, chart, Mark("a", "a", 1.0, None, None, 1))
    (folder / IMAGES).unlink()
    with pytest.raises(SettingsError, match="no table of images"):
        images_behind(folder, chart, Mark("a", "a", 1.0, None, None, 1))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (CHARTS, {"version": 2}),
        (CHARTS, {"charts": [{}]}),
        (CHARTS, {"charts": [{"name": "a", "title": "b", "kind": "pies", "unit": "share", "marks": []}]}),
        (REPORT, {"notes": 3}),
        (REPORT, {"settings": 4}),
        (REPORT, {"data": {"path": "x", "n": "many"}}),
        (REQUEST, {"study": "horoscope"}),
        (REQUEST, {"models": 4}),
        (REQUEST, {"seeds": ["one"]}),
        (REQUEST, {"hat": 1}),
    ],
)
def test_a_damaged_folder_is_refused_in_one_line(
    folder: Path, capfd: pytest.CaptureFixture[str], name: str, change: dict[str, object]
) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert run(["audit", "report", str(folder)]) == 2
    assert name in capfd.readouterr().err
    assert not (folder / HTML).exists()


def test_settings_without_their_model_leave_a_report_without_images(folder: Path) -> None:
    (folder / SETTINGS).write_text("{}")
    write_reports(folder)
    assert "None can be drawn here" in (folder / HTML).read_text()


def test_pictures_behind_rows_are_those_that_were_judged(folder: Path) -> None:
    found = read_folder(folder)
    draw = drawer(folder)
    faces = open_set("faces:test", 64)
    places = {name: k for k, name in enumerate(faces.names[faces.rows].tolist())}
    chart, mark = notable(found.charts, 1)[0]
    for row in images_behind(folder, chart, mark, 3).rows:
        pictures = draw(row)
        assert list(pictures) == ["original", "reconstruction"]
        np.testing.assert_array_equal(pictures["original"], faces.pixels([places[row.values["image"]]])[0])
        difference = pictures["original"].astype(float) - pictures["reconstruction"].astype(float)
        assert np.abs(difference).mean() == pytest.approx(float(row.values["error_255"]), abs=0.5)


def test_samples_behind_rows_are_judged_alike(
    tiny_model_folder: Path, tiny_predictor_folder: Path, tmp_path: Path
) -> None:
    from latentlab.operations.explore import Explorer

    out = tmp_path / "audit"
    predictor = str(tiny_predictor_folder)
    audit = run_generation([str(tiny_model_folder)], n=70, seeds=(0, 4), predictor=predictor, out=out)
    explorer = Explorer.open(tiny_model_folder, predictor)
    chart = next(one for one in audit.charts if one.name == "share.gender")
    draw = drawer(out)
    for mark in chart.marks:
        for row in images_behind(out, chart, mark, 2).rows:
            said = explorer.judged(draw(row)["sample"])["gender"]
            told = [float(row.values[f"gender={label}"]) for label in ("female", "male")]
            np.testing.assert_allclose(said, told, atol=0.01)


def test_finding_images_takes_constant_memory(tmp_path: Path) -> None:
    import tracemalloc

    def peak(n: int) -> int:
        with (tmp_path / IMAGES).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["image", "group", "error_255"])
            writer.writerows((f"i{k}", "ab"[k % 2], (k * 7919) % 1000) for k in range(n))
        chart = Chart("e", "e", "bars", "steps", (), worst="error_255")
        tracemalloc.start()
        found = images_behind(tmp_path, chart, Mark("a", "r", 1.0, None, None, n, images={"group": "a"}), 5)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.n == n // 2
        assert [float(row.values["error_255"]) for row in found.rows] == [998.0] * 5
        assert [row.place for row in found.rows] == sorted(row.place for row in found.rows)
        return top

    assert peak(40_000) < 1.5 * peak(10_000)


def test_the_card_has_the_study_once_and_keeps_the_rest(folder: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree("models/faces-vae", tmp_path / "model"))
    before = (model / "README.md").read_text()
    assert run(["audit", "report", str(folder), "--card", str(model)]) == 0
    card = (model / "README.md").read_text()
    assert card.startswith(before.rstrip())
    front = card.split("---\n")[1]
    assert front == before.split("---\n")[1]
    part = card_parts(card)["audit-reconstruction"]
    for heading in (
        "### Bias, risks and limitations",
        "### Recommendations",
        "### Out-of-scope use",
        "### Testing data",
        "### Factors",
        "### Metrics",
        "### Results",
    ):
        assert part.count(heading) == 1
    found = read_folder(folder)
    assert found.record["checkpoint"]["sha256"] in part
    assert "Confusion of glasses" in part
    write_card_section(found, model)
    assert (model / "README.md").read_text() == card, "written again it takes its own place"
    (model / "README.md").unlink()
    write_card_section(found, model)
    assert (model / "README.md").read_text().startswith("# ")


def test_a_card_that_is_written_again_keeps_its_audits(folder: Path, tmp_path: Path) -> None:
    from latentlab.operations.write_card import _check_place, _write

    model = Path(shutil.copytree("models/faces-vae", tmp_path / "model"))
    write_card_section(read_folder(folder), model)
    part = card_parts((model / "README.md").read_text())["audit-reconstruction"]
    _write(model, "# faces-vae\n\nMeasured again.\n", {})
    card = (model / "README.md").read_text()
    assert card.startswith("# faces-vae\n\nMeasured again.\n")
    assert card_parts(card) == {"audit-reconstruction": part}
    (model / "README.md").write_text(card.replace("<!-- end of latentlab", "<!-- the end of"))
    with pytest.raises(SettingsError, match="does not end"):
        _check_place(locate(model), replace=True)


def test_the_card_of_another_checkpoint_is_not_written(
    folder: Path, tiny_model_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = read_folder(folder)
    for other in (str(tiny_model_folder), "faces-attributes"):
        with pytest.raises(SettingsError, match="was not audited"):
            write_card_section(found, other)
    assert run(["audit", "report", str(folder), "--card", str(tiny_model_folder)]) == 2
    assert "was not audited" in capfd.readouterr().err
    assert not (folder / HTML).exists(), "nothing was written before the refusal"


def test_parts_of_a_card_replace_their_like_only() -> None:
    card = with_part(with_part("# A card\n", "one", "first"), "two", "second")
    again = with_part(card, "one", "another")
    assert "first" not in again
    assert again.index("another") < again.index("second")
    assert with_part(again, "one", "first") == card
    assert card_parts(with_parts("# New\n", card_parts(card))) == card_parts(card)
    assert with_parts("# New\n", {}) == "# New\n"
    with pytest.raises(SettingsError, match="does not end"):
        card_parts(card.replace("<!-- end of latentlab part: two -->", ""))


def chart(kind, unit="share", labels=("a", "b"), series=("x", "y"), **more) -> Chart:
    marks = tuple(
        Mark(label, s, 0.2 + 0.1 * k, 0.1, 0.6, 20 + k, small=not k, told="p = 0.003 (Holm)", **more)
        for k, label in enumerate(labels)
        for s in series
    )
    return Chart(f"test.{kind}", "A & B < C", kind, unit, marks, {"a": 0.5}, "uniform", note="A note.")


@pytest.mark.parametrize(("kind", "labels"), [("bars", ("a", "b")), ("lines", ("a", "b"))])
def test_symbols_are_the_windows(kind, labels) -> None:
    one = replace(chart(kind, labels=labels, corrected=0.3), references={"a": 0.55})
    figure = chart_figure(one)
    drawn = {
        float(x): line.get_marker()
        for line in figure.axes[0].lines
        for x in (line.get_xdata() if kind == "bars" else line.get_ydata())
        if line.get_marker() != "None"
    }
    assert (drawn[0.3], drawn[0.55]) == ("o", "D")
    box = figure.legends[0]
    shown = dict(zip([text.get_text() for text in box.get_texts()], box.legend_handles, strict=True))
    assert shown["corrected"].get_marker() == "o"
    assert shown["reference: uniform"].get_marker() == "D"
    assert "as counted" in shown
    if kind == "bars":
        assert shown["few images"].get_hatch()


@pytest.mark.parametrize("kind", ["bars", "gaps", "cells", "lines"])
def test_every_kind_of_chart_is_drawn_within_its_figure(kind) -> None:
    labels = (
        ("0.5", "1.0")
        if kind == "lines"
        else ("a", "a label, of an intersection, that is too long for a line")
    )
    one = chart(kind, labels=labels, corrected=0.3, corrected_low=0.2, corrected_high=0.4)
    figure = chart_figure(one, note=True)
    figure.draw_without_rendering()
    wide, high = figure.get_size_inches() * figure.dpi
    box = figure.get_tightbbox().padded(0.0)
    assert box.x0 * figure.dpi > -2
    assert box.y0 * figure.dpi > -2
    assert box.x1 * figure.dpi < wide + 2
    assert box.y1 * figure.dpi < high + 2
    text = svg(one, "c1")
    assert text == svg(one, "c1")
    assert set(re.findall(r'\bid="(c1)-', text)) == {"c1"}
    assert "var(--series-0" in text


def test_a_chart_that_is_too_high_for_a_page_is_told_in_parts() -> None:
    one = chart("cells", labels=tuple(f"group {k}" for k in range(60)))
    parts = split(one, 9.0)
    assert len(parts) > 1
    assert sum((part.marks for part in parts), ()) == one.marks
    assert all(height_of(part, note=True) <= 9.0 for part in parts)
