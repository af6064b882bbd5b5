from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from latentlab.errors import Cancelled, SettingsError
from latentlab.operations.done_file import DONE
from latentlab.operations.explore import Explorer
from latentlab.operations.search_eps import Eps
from latentlab.operations.search_many import ManySearch, search_many
from latentlab.operations.search_plan import Observation, SearchSettings
from latentlab.progress import Progress, Reporter

HOW = ManySearch(
    SearchSettings(observation=Observation(4), restarts=2, steps=6, rate=1.0), Eps(1e-6, "for this test")
)


@pytest.fixture(scope="module")
def explorer(tiny_model_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, predictor="")


@pytest.fixture(scope="module")
def files(explorer: Explorer, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("faces")
    for seed in range(3):
        Image.fromarray(explorer.picture(explorer.draw(800 + seed))).save(folder / f"{seed}.png")
    return sorted(folder.iterdir())


def test_a_folder_that_was_cancelled_goes_on_and_ends_as_if_it_had_not_been(
    explorer: Explorer, files: list[Path], tmp_path: Path
):
    reporter: Reporter

    def listen(progress: Progress) -> None:
        if progress.done >= 9:  # in the midst of the second picture
            reporter.cancel()

    reporter = Reporter(listen)
    with pytest.raises(Cancelled):
        search_many(explorer, files, tmp_path / "a", HOW, reporter=reporter)
    assert len((tmp_path / "a" / DONE).read_text().splitlines()) == 2
    # A line that was cut off is done again.
    with (tmp_path / "a" / DONE).open("a") as file:
        file.write('{"key": "broken')
    gone_on = search_many(explorer, files, tmp_path / "a", HOW)
    assert gone_on.made == 2
    whole = search_many(explorer, files, tmp_path / "b", HOW)
    assert whole.made == 3
    for one, other in zip(gone_on.records, whole.records, strict=True):
        assert one["restarts"] == other["restarts"]
    assert (tmp_path / "a" / "search.csv").read_text() == (tmp_path / "b" / "search.csv").read_text()


def test_a_picture_whose_name_is_taken_has_a_folder_of_its_own(
    explorer: Explorer, files: list[Path], tmp_path: Path
):
    for place, name in enumerate("xy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "face.png").write_bytes(files[place].read_bytes())
    found = search_many(
        explorer, [tmp_path / "x" / "face.png", tmp_path / "y" / "face.png"], tmp_path / "out", HOW
    )
    assert [one["folder"] for one in found.records] == ["face", "face-2"]
    assert json.loads((tmp_path / "out" / "report.json").read_text())["data"]["n"] == 2


def test_a_name_cannot_lead_elsewhere_or_take_a_tables_place(
    explorer: Explorer, files: list[Path], tmp_path: Path
):
    named = [tmp_path / "in" / name for name in ("...png", "search.csv.png", "Face.png", "face.webp")]
    named[0].parent.mkdir()
    for place, path in enumerate(named):
        path.write_bytes(files[place % 3].read_bytes())
    found = search_many(explorer, named, tmp_path / "out", HOW)
    assert [one["folder"] for one in found.records] == ["picture", "search.csv-2", "Face", "face-2"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in", "out"]


def test_a_missing_loop_is_made_and_what_was_found_stays(
    explorer: Explorer, files: list[Path], tmp_path: Path
):
    out, loop = tmp_path / "out", tmp_path / "loop.gif"
    search_many(explorer, files[:1], out, HOW)
    better = search_many(explorer, files[:1], out, HOW, more=40)
    assert "40 steps more each; 2 of 2 nearer" in better.text()
    again = search_many(explorer, files[:1], out, HOW, loop=loop)
    assert again.records == better.records
    assert "steps more" not in again.text()
    assert loop.is_file()


def test_more_steps_that_bring_nothing_nearer_say_so(explorer: Explorer, files: list[Path], tmp_path: Path):
    out = tmp_path / "out"
    first = search_many(explorer, files[:1], out, HOW)
    second = search_many(explorer, files[:1], out, HOW, more=1)  # it looks at where it begins only
    assert "1 step more each; nothing nearer" in second.text()
    assert "the same again would end the same" in second.text()
    (before,), (after,) = first.records, second.records
    assert [one["latent"] for one in before["restarts"]] == [one["latent"] for one in after["restarts"]]


def test_what_lies_in_the_results_is_no_input(explorer: Explorer, files: list[Path], tmp_path: Path):
    out = tmp_path / "out"
    search_many(explorer, files[:1], out, HOW)
    with pytest.raises(SettingsError, match="All of the pictures lie in"):
        search_many(explorer, sorted(out.rglob("*.png")), out, HOW)


def test_a_folder_that_is_damaged_is_told(explorer: Explorer, files: list[Path], tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / DONE).write_text("{oops\n")
    with pytest.raises(SettingsError, match="is damaged"):
        search_many(explorer, files, tmp_path / "out", HOW)
