"""``latentlab info`` says what a checkpoint is, without torch."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from latentlab.checkpoints import describe, load, save
from latentlab.cli.main import run


def test_a_description_agrees_with_the_opened_network(tiny_model_folder: Path):
    description = describe(tiny_model_folder)
    network = load(tiny_model_folder).network
    assert description.parameters == sum(parameter.numel() for parameter in network.parameters())
    content = (tiny_model_folder / "model.safetensors").read_bytes()
    assert description.size_bytes == len(content)
    assert description.sha256 == hashlib.sha256(content).hexdigest()
    assert (description.kind, description.family) == ("model", "vae")
    assert (description.image_size, description.latent_shape) == (32, (8,))
    assert "unconditional" in description.cannot["condition"]


def test_a_predictor_names_its_attributes_and_what_it_cannot_do(tiny_predictor_folder: Path):
    description = describe(tiny_predictor_folder)
    assert "race (constructed): asian, black, brown, white" in description.attributes
    assert description.latent_shape == ()
    assert "judges pictures" in description.cannot["decode"]


def test_the_reasons_of_a_specification_are_passed_on(tiny_model_folder: Path, tmp_path: Path):
    checkpoint = load(tiny_model_folder)
    assert checkpoint.config.model is not None
    spec = checkpoint.config.model.model_copy(update={"cannot": {"encode": "it has no encoder"}})
    config = checkpoint.config.model_copy(update={"model": spec})
    assert describe(save(tmp_path / "m", checkpoint.network, config)).cannot["encode"] == "it has no encoder"


def test_the_card_is_shown_by_its_first_lines_of_prose(tiny_model_folder: Path, tmp_path: Path):
    checkpoint = load(tiny_model_folder)
    card = (
        "---\nlicense: apache-2.0\n---\n\n# Faces\n\n![grid](a.png)\nOne.\n\n## Use\n\nTwo.\nThree.\nFour.\n"
    )
    folder = save(tmp_path / "m", checkpoint.network, checkpoint.config, card=card)
    assert describe(folder).card == "One.\nTwo.\nThree."


def test_info_prints_one_json_object(tiny_model_folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["info", str(tiny_model_folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["name"] == "tiny-vae"
    assert printed == json.loads(json.dumps(describe(tiny_model_folder).record()))


def test_info_prints_a_table_for_people(tiny_model_folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["info", str(tiny_model_folder)]) == 0
    out = capsys.readouterr().out
    assert "tiny-vae" in out
    assert "model, family vae" in out
    assert "32 px" in out


def test_info_imports_no_torch(tiny_model_folder: Path):
    code = (
        "import sys; from latentlab.cli.main import run; "
        f"status = run(['info', {str(tiny_model_folder)!r}]); "
        "sys.exit(status or ('torch' in sys.modules) * 3)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
