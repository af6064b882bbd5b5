"""A model card is made of a checkpoint's record and figures, and never takes the place of a person's own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.checkpoints import describe, load, locate, save
from latentlab.cli.main import run
from latentlab.data.image_set import ImageSet
from latentlab.errors import Cancelled, SettingsError
from latentlab.metrics.report import Report, group_words
from latentlab.metrics.runs import run_classifier, run_reconstruction
from latentlab.operations.card_pictures import in_turn
from latentlab.operations.explore import Explorer
from latentlab.operations.sheet import sheet
from latentlab.operations.write_card import write_card
from latentlab.progress import Progress, Reporter

SECTIONS = (
    "Model details", "Intended use", "Out of scope", "Factors", "Metrics", "Training data", "Evaluation data",
    "Quantitative results", "Bias, risks and limitations", "How it was made",
)  # fmt: skip
COMMAND = "latentlab train vae --data faces:train --out my-vae"


@pytest.fixture(scope="module")
def model_folder(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a training record."""
    checkpoint = load(tiny_model_folder)
    record = {"command": COMMAND, "data": "faces:train", "steps": 12, "settings": {"seed": 0}}
    config = checkpoint.config.model_copy(update={"training": record})
    return save(tmp_path_factory.mktemp("cards") / "my-vae", checkpoint.network, config)


@pytest.fixture(scope="module")
def model_card(model_folder: Path, tiny_predictor_folder: Path) -> str:
    path = write_card(model_folder, "faces:test", predictor=str(tiny_predictor_folder), device="cpu")
    assert path == model_folder / "README.md"
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def model_report(model_card: str, model_folder: Path, tiny_predictor_folder: Path) -> Report:
    predictor = str(tiny_predictor_folder)
    return run_reconstruction(str(model_folder), "faces:test", predictor=predictor, device="cpu")


def test_every_section_stands_in_its_order(model_card: str):
    heads = [line[3:] for line in model_card.splitlines() if line.startswith("## ")]
    assert heads == list(SECTIONS)


def test_the_front_matter_holds_the_measured_figures(model_card: str, model_report: Report):
    start, front, _ = model_card.split("---\n", 2)
    assert start == ""
    lines = front.splitlines()
    for line in (
        "library_name: latentlab",
        "license: apache-2.0",
        "pipeline_tag: unconditional-image-generation",
        '- name: "tiny-vae"',
        '    dataset: {type: "faces", name: "faces:test"}',
    ):
        assert line in lines
    found = re.findall(r"^    - {type: (.*), value: (.*)}$", front, re.MULTILINE)
    expected = {name: estimate.value for name, estimate in model_report.evaluation.metrics.items()}
    assert {json.loads(name): json.loads(value) for name, value in found} == expected


def test_it_names_the_command_the_weights_and_the_judge(model_card: str, model_folder: Path):
    assert f"```\n{COMMAND}\n```" in model_card
    assert locate(model_folder).sha256() in model_card
    assert "latentlab card my-vae --data faces:test --seed 0 --predictor tiny-attributes" in model_card
    assert "The judge is `tiny-attributes`; its own error is not recorded." in model_card
    assert "2,048 images, none of which is in `faces:train`" in model_card
    assert str(model_folder) not in model_card


def test_it_gives_every_groups_figures_with_intervals(model_card: str, model_report: Report):
    for group, metrics in model_report.evaluation.groups.items():
        e = metrics["mae_255"]
        assert f"| {group_words(group)} | 256 | {e.value:.4g} [{e.low:.4g}, {e.high:.4g}] |" in model_card


def test_it_says_where_labels_come_from_and_what_it_is_not_for(model_card: str):
    assert "**race** (constructed): asian, black, brown, white" in model_card
    assert "nobody's identity" in model_card
    assert "identification; surveillance" in model_card


def test_the_samples_are_those_of_the_stated_seeds(model_card: str, model_folder: Path):
    assert "](samples.png)" in model_card
    explorer = Explorer.open(model_folder, predictor="")
    grid = np.asarray(Image.open(model_folder / "samples.png"))
    assert grid.shape == (8 * 34 - 2, 8 * 34 - 2, 3)
    for seed in (0, 9, 63):
        y, x = 34 * (seed // 8), 34 * (seed % 8)
        assert np.array_equal(grid[y : y + 32, x : x + 32], explorer.picture(explorer.draw(seed)))


def test_inputs_stand_above_their_reconstructions(model_card: str, model_folder: Path):
    assert "](reconstructions.png)" in model_card
    explorer = Explorer.open(model_folder, predictor="")
    grid = np.asarray(Image.open(model_folder / "reconstructions.png"))
    assert grid.shape == (4 * 34 - 2, 16 * 34 - 2, 3)
    for y, x in ((0, 0), (68, 34 * 15)):
        seen, drawn = grid[y : y + 32, x : x + 32], grid[y + 34 : y + 66, x : x + 32]
        assert np.array_equal(explorer.picture(explorer.encode(seen).latent), drawn)


def test_info_shows_the_cards_first_lines(model_card: str, model_folder: Path):
    first, second, _ = describe(model_folder).card.splitlines()
    assert first.startswith("A VAE of 32 px pictures, trained on `faces:train`")
    assert second.startswith("- Exploring a latent space")


def test_writing_it_again_changes_nothing(model_card: str, model_folder: Path, tiny_predictor_folder: Path):
    before = {path.name: path.read_bytes() for path in model_folder.iterdir()}
    write_card(model_folder, "faces:test", predictor=str(tiny_predictor_folder), device="cpu")
    assert {path.name: path.read_bytes() for path in model_folder.iterdir()} == before


def test_a_predictors_card_has_its_accuracy_and_no_pictures(
    tiny_predictor_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = Path(shutil.copytree(tiny_predictor_folder, tmp_path / "judge"))
    assert run(["card", str(folder), "--data", "faces:test", "--device", "cpu"]) == 0
    assert capsys.readouterr().out == f"Written to {folder / 'README.md'}\n"
    text = (folder / "README.md").read_text(encoding="utf-8")
    e = run_classifier(str(folder), "faces:test", device="cpu").evaluation.metrics["accuracy.race"]
    assert f"| `accuracy.race` | {e.value:.4g} | [{e.low:.4g}, {e.high:.4g}] | 2,048 |" in text
    assert "pipeline_tag: image-classification" in text
    assert "The checkpoint's record does not name it." in text
    assert "![" not in text
    assert "\n\n\n" not in text


def test_a_card_written_by_a_person_is_kept(
    model_folder: Path, tmp_path: Path, tiny_predictor_folder: Path, capfd: pytest.CaptureFixture[str]
):
    folder = Path(shutil.copytree(tiny_predictor_folder, tmp_path / "judge"))
    (folder / "README.md").write_text("# Mine\n")
    call = ["card", str(folder), "--data", "faces:test"]
    assert run(call) == 2
    assert "was not written by this command" in capfd.readouterr().err
    assert (folder / "README.md").read_text() == "# Mine\n"
    assert run([*call, "--replace"]) == 0
    assert "# tiny-attributes" in (folder / "README.md").read_text()


def test_a_single_file_has_no_place_for_a_card(tiny_model_folder: Path, tmp_path: Path):
    path = tmp_path / "alone.safetensors"
    shutil.copy(tiny_model_folder / "model.safetensors", path)
    with pytest.raises(SettingsError, match="is a single file"):
        write_card(path, "faces:test")


def test_a_cancelled_card_leaves_the_folder_as_it_was(tiny_predictor_folder: Path, tmp_path: Path):
    folder = Path(shutil.copytree(tiny_predictor_folder, tmp_path / "judge"))

    def listen(event: Progress) -> None:
        reporter.cancel()

    reporter = Reporter(listen)
    with pytest.raises(Cancelled):
        write_card(folder, "faces:test", reporter=reporter)
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors"}


def test_images_are_chosen_from_each_group_in_turn(tiny_faces: ImageSet):
    chosen = in_turn(tiny_faces, ["gender"], 10, seed=3)
    assert (tiny_faces.codes("gender")[chosen] == np.arange(10) % 2).all()
    assert len(set(chosen.tolist())) == 10
    assert (in_turn(tiny_faces, ["gender"], 10, seed=3) == chosen).all()
    assert len(in_turn(tiny_faces, [], 10_000, seed=3)) == len(tiny_faces)


def test_a_sheet_lays_pictures_out_row_by_row():
    pictures = [np.full((4, 4, 3), k, dtype=np.uint8) for k in range(3)]
    grid = np.asarray(sheet(pictures, 2))
    assert grid.shape == (10, 10, 3)
    assert (grid[0, 0, 0], grid[0, 6, 0], grid[6, 0, 0], grid[6, 6, 0], grid[4, 0, 0]) == (0, 1, 2, 255, 255)
