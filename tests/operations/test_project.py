"""Projections onto datasets: of one picture, of many into a folder, and the command."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.cli.main import run
from latentlab.errors import Cancelled, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.many_pictures import list_images
from latentlab.operations.project import Projected, Projection, condition_on, likelihoods, project
from latentlab.operations.project_many import DONE, LISTING, project_many
from latentlab.operations.projection_figure import projection_figure
from latentlab.operations.projection_plan import changes, mode_words
from latentlab.operations.projection_table import projection_rows, shift_rows, shifts
from latentlab.progress import Reporter

STYLES = ("ink", "clay", "tiles")


@pytest.fixture(scope="module")
def explorer(tiny_cinn_folder: Path, tiny_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, tiny_judge_folder)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)


def test_its_own_dataset_is_the_reconstruction_and_the_others_differ(explorer, picture) -> None:
    found = project(explorer, picture, source="clay", name="one")
    assert [item.dataset for item in found.items] == list(STYLES)
    network = explorer.network
    x = torch.from_numpy(found.source.copy())[None].permute(0, 3, 1, 2).float() / 255.0
    with torch.inference_mode():
        again = network.autoencoder.decode(network.autoencoder.encode(x).mean)
    wanted = (again[0].permute(1, 2, 0).numpy() * 255.0).round()
    assert np.abs(found.items[1].picture - wanted).max() <= 1
    assert np.abs(found.items[0].picture.astype(int) - found.items[2].picture).max() > 2
    assert found.round_trip < 1e-4
    assert found.norm == pytest.approx(np.linalg.norm(found.latent) / np.sqrt(6))
    np.testing.assert_allclose(
        explorer.encode(picture, condition_on(explorer, "clay")).latent, found.latent, atol=1e-5
    )
    assert not found.guessed


def test_the_modes_differ_and_there_is_a_way_between(explorer, picture) -> None:
    made = [project(explorer, picture, source="ink", onto=["tiles"], keep=k) for k in (0.0, 0.5, 1.0)]
    pictures = [one.items[0].picture.astype(int) for one in made]
    assert np.abs(pictures[0] - pictures[2]).max() > 2
    assert np.abs(pictures[0] - pictures[1]).max() > 0
    assert all(one.round_trip < 1e-3 for one in made)
    np.testing.assert_array_equal(condition_on(explorer, "clay", 0.25), [0, 1, 0, 0.75, 0.25])


def test_the_dataset_is_guessed_by_the_predictor_or_else_by_likelihood(
    explorer, tiny_cinn_folder: Path, picture
) -> None:
    found = project(explorer, picture)
    said = explorer.attributes(found.source)["style"]
    assert found.guessed
    assert found.source_dataset == STYLES[int(said.argmax())]
    alone = Explorer.open(tiny_cinn_folder, "")
    nats = likelihoods(alone, found.source)
    assert set(nats) == set(STYLES)
    assert project(alone, picture).source_dataset == max(nats, key=nats.get)
    assert project(alone, picture).attributes == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": "oil"}, "knows no dataset 'oil'; it knows ink, clay, tiles"),
        ({"onto": ["oil"]}, "knows no dataset 'oil'"),
        ({"keep": 1.5}, "between 0 .follow. and 1"),
    ],
)
def test_what_cannot_be_is_refused(explorer, picture, settings: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        project(explorer, picture, **settings)


def test_another_family_does_not_project(tiny_model_folder: Path, picture) -> None:
    with pytest.raises(SettingsError, match="of the family vae, and a cinn does"):
        project(Explorer.open(tiny_model_folder, ""), picture)


def test_a_cinn_is_explored_like_every_conditional_model(explorer, picture) -> None:
    seen = explorer.encode(picture)
    assert seen.std is None
    assert seen.condition[3:].tolist() == [0.0, 1.0], "the mode is keep where nobody says otherwise"
    assert seen.condition[:3].sum() == 1.0
    first = explorer.first_condition()
    np.testing.assert_array_equal(first, [1, 0, 0, 0, 1])
    assert explorer.picture(explorer.draw(3), first).shape == (32, 32, 3)


def _case(name: str, before: int, after: int, dataset: str = "clay") -> Projected:
    sure = np.eye(2, dtype=np.float32)
    nothing = np.zeros((0, 0, 3), dtype=np.uint8)
    style = np.array([1, 0, 0], dtype=np.float32)
    item = Projection(dataset, nothing, {"hair": sure[after], "style": style})
    attributes = {"hair": sure[before], "style": style}
    return Projected(name, nothing, "ink", False, 1.0, np.zeros(6), 1.0, 0.0, attributes, (item,))


def test_shifts_are_counted_with_intervals_and_lost_diversity(explorer) -> None:
    cases = [_case(f"{k}", k % 2, 1) for k in range(40)] + [_case("own", 0, 1, "ink")]
    found = shifts(cases, explorer.predictor_spec)
    assert {one.dataset for one in found.classes} == {"clay"}, "its own dataset is no projection"
    long = next(one for one in found.classes if (one.attribute, one.label) == ("hair", "long"))
    assert (long.before, long.after, long.n) == (0.5, 1.0, 40)
    assert 0.3 < long.low < long.difference < long.high < 0.7
    entropy = next(one for one in found.diversity if one.attribute == "hair")
    assert entropy.before == pytest.approx(np.log(2.0))
    assert entropy.after == 0.0
    assert entropy.ratio == 0.0
    assert next(one for one in found.diversity if one.attribute == "style").ratio is None
    rows = shift_rows(found)
    assert len(rows) == 5
    assert {row["entropy_after"] for row in rows} == {"0.0000"}


def test_the_figure_names_what_changes(explorer, picture) -> None:
    found = project(explorer, picture, source="ink", name="one")
    sheet = projection_figure(found, explorer.predictor_spec, "style")
    assert sheet.width > 4 * 128
    sure = np.eye(2, dtype=np.float32)
    classes = {"hair": ("short", "long")}
    assert changes({"hair": sure[0]}, {"hair": sure[1]}, classes) == ["hair: short to long (100%)"]
    assert changes({"hair": sure[0]}, {"hair": sure[0]}, classes) == []
    assert mode_words(0.25) == "25% keep the content, 75% follow the dataset"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    for k, name in enumerate(("a.png", "b.png", "deep/a.png")):
        pixels = np.random.default_rng(k).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name)
    (folder / "c.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    return folder


class StopAfterOne(Reporter):
    def __init__(self, out: Path) -> None:
        super().__init__()
        self.out = out

    @property
    def cancelled(self) -> bool:
        return (self.out / "a.png").is_file()


def test_a_folder_that_was_interrupted_goes_on_and_ends_the_same(explorer, pictures: Path, tmp_path) -> None:
    images = list_images([pictures])
    whole = project_many(explorer, images, tmp_path / "whole", source="ink")
    out = tmp_path / "broken"
    with pytest.raises(Cancelled):
        project_many(explorer, images, out, source="ink", reporter=StopAfterOne(out))
    done = (out / DONE).read_text().splitlines()
    assert len(done) == 2
    (out / DONE).write_text("\n".join([*done, '{"name": "b", "sour']) + "\n")  # cut off in the middle
    before = (out / "a.png").stat().st_mtime_ns
    found = project_many(explorer, images, out, source="ink")
    assert (out / "a.png").stat().st_mtime_ns == before, "what is done is not done again"
    assert {path.name for path in out.iterdir()} == {
        "a.png", "b.png", "a-2.png", DONE, LISTING, "projections.csv", "shifts.csv",
    }  # fmt: skip
    for name in ("projections.csv", "shifts.csv"):
        assert (out / name).read_text() == (tmp_path / "whole" / name).read_text()
    assert found.record()["metrics"] == whole.record()["metrics"]
    assert [Path(name).name for name in found.unreadable] == ["c.png"]
    rows = list(csv.DictReader((out / "projections.csv").read_text().splitlines()))
    assert len(rows) == 9
    assert {row["name"] for row in rows} == {"a", "b", "a-2"}
    assert projection_rows(found.found, explorer.predictor_spec)[0]["dataset"] == "ink"
    out.joinpath("b.png").unlink()
    assert [one.name for one in project_many(explorer, images, out, source="ink").found] == ["a", "b", "a-2"]
    assert not (out / "a-3.png").exists(), "its own figures are no input"
    within = list_images([pictures.parent])
    assert len(project_many(explorer, within, out, source="ink").found) == len(within) - 1 - len(
        [path for path in within if path.is_relative_to(out)]
    )
    with pytest.raises(SettingsError, match="with other settings: keep is"):
        project_many(explorer, images, out, source="ink", keep=0.0)
    for damage in (b"{}}", b"[]", b"\xff\xfe", b""):
        (out / DONE).write_bytes(damage)
        with pytest.raises(SettingsError, match="is damaged"):
            project_many(explorer, images, out, source="ink")


def test_another_picture_of_the_same_name_is_another(explorer, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = project_many(explorer, [pictures / "a.png"], out, source="ink")
    second = project_many(explorer, [pictures / "deep" / "a.png"], out, source="ink")
    assert [one.name for one in second.found] == ["a-2"]
    assert not np.array_equal(first.found[0].latent, second.found[0].latent)
    both = project_many(explorer, [pictures / "deep" / "a.png", pictures / "a.png"], out, source="ink")
    assert [one.name for one in both.found] == ["a-2", "a"]
    alone = Explorer.open(explorer.located.path, "")
    with pytest.raises(SettingsError, match="predictor is"):
        project_many(alone, [pictures / "a.png"], out, source="ink")


def test_the_command(
    tiny_cinn_folder: Path, tiny_judge_folder: Path, pictures: Path, tmp_path: Path, capfd
) -> None:
    common = [
        "project",
        str(tiny_cinn_folder),
        str(pictures / "a.png"),
        "--predictor",
        str(tiny_judge_folder),
    ]
    common += ["--from", "ink"]
    out = tmp_path / "out"
    assert run([*common, "--to", "clay,tiles", "--mode", "follow", "--out", str(out), "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["command"] == "project"
    assert record["settings"]["keep"] == 0.0
    assert record["data"]["n"] == 1
    assert "shift.tiles.hair=long" in record["metrics"]
    assert run([*common, "--to", "clay,tiles", "--mode", "follow", "--out", str(out)]) == 0
    assert "1 pictures projected (follow the dataset)" in capfd.readouterr().out
    for more, said in (
        (["--mode", "sideways"], "not 'sideways'"),
        (["--to", "oil"], "no dataset 'oil'"),
        (["--from", "oil"], "no dataset 'oil'"),
    ):
        assert run([*common, *more, "--out", str(tmp_path / "other")]) == 2
        assert said in capfd.readouterr().err
        assert not (tmp_path / "other").exists(), "nothing is begun that cannot be done"
    assert run(["project", str(tiny_cinn_folder), str(tmp_path / "no"), "--out", str(out)]) == 2
    assert "no picture or folder" in capfd.readouterr().err
