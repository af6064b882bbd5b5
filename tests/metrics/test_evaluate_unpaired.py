"""Datasets that show nobody twice: what each does to the shares of the classes, and why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load, save
from latentlab.cli.main import run
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.joined import join_sets
from latentlab.data.merge import merged
from latentlab.errors import DataError, SettingsError
from latentlab.families.cinn import CINN, CINNConfig
from latentlab.families.flow import FlowConfig
from latentlab.families.vae import VAE
from latentlab.metrics.evaluate_unpaired import _Run, evaluate_unpaired
from latentlab.metrics.projecting import Projector
from latentlab.metrics.report import Evaluation
from latentlab.progress import Reporter
from latentlab.spec import MODE, Attribute, CheckpointConfig, ConditionSchema, ModelSpec
from latentlab.training.affine_layers import begin
from latentlab.training.latent_rows import latent_rows

ATTRIBUTES = ("gender", "race", "glasses", "facial_hair")
TRAIN, TEST = 300, 60


def _part(faces: ImageSet, women: bool) -> ImageSet:
    """Some training and test rows of the faces: every third from two on, or of the others the women."""
    chosen = []
    for split, count in ((0, TRAIN), (2, TEST)):
        rows = np.flatnonzero(faces.splits == split)
        rows = rows[rows % 3 == 0] if women else rows[rows % 3 > 0]
        if women:
            rows = rows[np.asarray(faces.labels["gender"])[rows] == 0]
        chosen.append(rows[:count])
    return faces.select(np.concatenate(chosen))


@pytest.fixture(scope="module")
def two_sets(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Everybody, and women only."""
    faces = open_set("faces", 64)
    folder = tmp_path_factory.mktemp("sets") / "two"
    return join_sets(folder, [("broad", _part(faces, False)), ("women", _part(faces, True))])


def _begun(images: ImageSet, domain: Attribute) -> CINN:
    """A cINN on `faces-vae` that is nothing but its beginning: Gaussian transport, turned in *keep*."""
    vae = load("faces-vae").network
    assert isinstance(vae, VAE)
    spec = ModelSpec(
        family="cinn",
        image_size=64,
        latent_shape=(vae.config.latent,),
        condition=ConditionSchema(attributes=(domain, MODE)),
    )
    torch.manual_seed(0)
    config = CINNConfig(autoencoder=vae.config, flow=FlowConfig(blocks=1, width=8, embedding=2))
    found = CINN(config, spec)
    found.autoencoder.load_state_dict(vae.state_dict())
    rows = latent_rows(vae, images, domain.name, ATTRIBUTES)
    begin(found.flow, rows, len(domain.classes), ATTRIBUTES)
    return found.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def cinn(two_sets: ImageSet) -> CINN:
    return _begun(two_sets.split("train"), two_sets.attribute("dataset"))


@pytest.fixture(scope="module")
def judge():
    """The bundled judge of the faces, which does not know the two sets."""
    return load("faces-attributes").network


@pytest.fixture(scope="module")
def found(two_sets: ImageSet, cinn: CINN, judge) -> Evaluation:
    return evaluate_unpaired(cinn, judge, two_sets.split("test"), train=two_sets.split("train"), count=40)


def test_following_takes_on_the_targets_composition(found: Evaluation) -> None:
    onto_women = found.groups["source=broad,dataset=women"]
    assert 0.3 < onto_women["before.share.gender=female"].value < 0.7
    assert (
        onto_women["follow.share.gender=female"].value > onto_women["before.share.gender=female"].value + 0.15
    )
    shift = onto_women["follow.shift_points.gender=female"]
    assert shift.low > 0.0
    assert shift.value == pytest.approx(
        100.0
        * (onto_women["follow.share.gender=female"].value - onto_women["before.share.gender=female"].value)
    )
    own = found.groups["dataset=women"]
    assert own["truth.share.gender=female"].value > 0.95
    assert own["reconstructed.share.gender=female"].value > 0.9
    gap = onto_women["follow.gap_points.gender"]
    assert gap.value == pytest.approx(
        100.0 * abs(own["truth.share.gender=female"].value - onto_women["follow.share.gender=female"].value)
    )


def test_the_bias_is_the_difference_of_the_modes(found: Evaluation) -> None:
    for group in ("source=broad,dataset=women", "source=women,dataset=broad"):
        metrics = found.groups[group]
        parts = []
        for label in ("asian", "black", "brown", "white"):
            bias = metrics[f"composition_bias.race={label}"]
            shifts = [metrics[f"{mode}shift_points.race={label}"].value for mode in ("follow.", "")]
            assert bias.value == pytest.approx(shifts[0] - shifts[1])
            assert bias.low <= bias.value <= bias.high
            parts.append(abs(bias.value))
        assert metrics["composition_bias.race"].value == pytest.approx(0.5 * sum(parts))
        for name in ("composition_bias.race", "follow.gap_points.race"):
            assert 0.0 <= metrics[name].low <= metrics[name].value <= metrics[name].high
    mean = np.mean([found.groups[f"dataset={k}"]["composition_bias.race"].value for k in ("broad", "women")])
    assert found.metrics["composition_bias.race"].value == pytest.approx(mean)


def test_everything_is_there_in_both_modes(found: Evaluation) -> None:
    for prefix in ("", "follow."):
        for name in (
            *("target_dataset_share", "attributes_kept", "attributes_kept.glasses", "gap_points.gender"),
            *("gap_points_reconstructed.race", "entropy_ratio.gender", "frechet_target_ratio"),
            *("frechet_sample_ratio", "round_trip_max", "blend_stretch", "dataset_probe_points"),
            "dataset_probe_points@network",
        ):
            assert f"{prefix}{name}" in found.metrics, name
        assert found.metrics[f"{prefix}round_trip_max"].value < 1e-4
        assert 0.0 < found.metrics[f"{prefix}blend_stretch"].value <= 1.0
        assert f"{prefix}dataset_probe_points_matched" in found.metrics
    assert found.metrics["attributes_kept"].value > 0.5
    assert found.metrics["baseline.identity.attributes_kept"].value == 1.0
    for figure, near in (("attributes_kept", 0.1), ("target_dataset_share", 0.1), ("gap_points.gender", 2.0)):
        own, base = (found.metrics[f"{way}.{figure}"] for way in ("follow", "baseline.gaussian_transport"))
        assert own.value == pytest.approx(base.value, rel=0.2, abs=near), (
            "untrained it is that, but for a turn"
        )
    truth = found.groups["dataset=women"]["truth.target_dataset_share"]
    assert truth.value > 0.7, "the likelihood tells women from everybody"
    assert set(found.groups) == {
        *("dataset=broad", "dataset=women", "source=broad,dataset=women", "source=women,dataset=broad")
    }
    assert found.groups["source=broad,dataset=women"]["share.gender=female"].n == 40
    assert found.groups["dataset=women"]["truth.share.gender=female"].n == TEST
    said = " ".join(found.notes)
    for words in ("does not tell the datasets apart", "below 2,000 they vary", "40 of broad"):
        assert words in said


def test_images_of_two_sets_are_resampled_together_and_no_half_shares_one(
    two_sets: ImageSet, cinn, judge
) -> None:
    test = two_sets.split("test")
    names = np.array(["broad:7", *test.names[test.rows][1:-1], "women:7"])
    again = ImageSet(
        test.info,
        test.images,
        {k: v[test.rows] for k, v in test.labels.items()},
        names,
        test.splits[test.rows],
        np.arange(len(test)),
    )
    work = _Run(Projector(cinn, judge, again, torch.device("cpu"), Reporter()), again, 10, 0)
    assert work.whom[0] == work.whom[-1]
    halves = [work._halves(rows) for rows in work.rows]
    first, second = (
        {
            int(one)
            for rows, half in zip(work.rows, halves, strict=True)
            for one in work.whom[rows[half[side]]]
        }
        for side in (0, 1)
    )
    assert not first & second
    assert sum(len(one) + len(two) for one, two in halves) == len(test)


def test_without_training_rows_there_are_no_baselines(two_sets: ImageSet, cinn, judge) -> None:
    few = two_sets.split("test").select(np.arange(50, 70))
    found = evaluate_unpaired(cinn, judge, few, count=3)
    assert not any(name.startswith(("baseline.", "dataset_probe")) for name in found.metrics)
    assert any("No baselines" in note for note in found.notes)


def test_sets_that_do_not_show_the_datasets_are_refused(two_sets: ImageSet, cinn, judge) -> None:
    test = two_sets.split("test")
    codes = np.asarray(test.codes("dataset"))
    with pytest.raises(DataError, match="lacks the dataset\\(s\\) women"):
        evaluate_unpaired(cinn, judge, test.select(codes == 0))
    with pytest.raises(SettingsError, match="at least 4 images"):
        evaluate_unpaired(cinn, judge, test.select(np.r_[np.flatnonzero(codes == 0), np.argmax(codes == 1)]))
    with pytest.raises(SettingsError, match="At least two images"):
        evaluate_unpaired(cinn, judge, test, count=1)


def _saved(cinn: CINN, folder: Path) -> Path:
    described = CheckpointConfig(
        kind="model",
        name="begun",
        model=cinn.spec,
        network=cinn.config.model_dump(mode="json"),
        training={"predictor": "faces-attributes", "data": "two:train"},
    )
    return save(folder, cinn, described)


def test_the_command_chooses_by_what_the_set_shows(two_sets: ImageSet, cinn, tmp_path: Path, capfd) -> None:
    folder, sets = _saved(cinn, tmp_path / "begun"), Path(two_sets.images.filename).parent
    common = ["evaluate", "projection", str(folder), "--data", f"{sets}:test"]
    assert run([*common, "--count", "5", "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["settings"]["modes"] == ["keep", "follow"]
    assert record["groups"]["source=broad,dataset=women"]["share.gender=female"]["n"] == 5
    assert run([*common, "--mode", "follow"]) == 2
    assert "Leave --mode out" in capfd.readouterr().err


def test_its_card_tells_what_each_dataset_does_to_people(two_sets: ImageSet, cinn, tmp_path: Path) -> None:
    folder, sets = _saved(cinn, tmp_path / "begun"), Path(two_sets.images.filename).parent
    assert run(["card", str(folder), "--data", f"{sets}:test"]) == 0
    card = (folder / "README.md").read_text()
    assert "broad projected onto women, share of each class:" in card
    assert "| gender: female |" in card
    assert 'type: "follow.gap_points.gender"' in card
    for kind in ("gap_points", "composition_bias", "dataset_probe_points_matched", "blend_stretch"):
        assert f"- `{kind}`: " in card
    assert "- `before`" not in card


def test_a_merged_dataset_is_known_by_its_name(two_sets: ImageSet, judge, tmp_path: Path) -> None:
    """Three sets of which two are one condition: their pictures count as the merged one's."""
    parts = two_sets.split("train"), two_sets.split("test")
    codes = [np.asarray(part.codes("dataset")) for part in parts]
    bodies = [
        ("broad", parts[0].select(codes[0] == 0)),
        ("broad", parts[1].select(codes[1] == 0)),
        ("women", parts[0].select(codes[0] == 1)),
        ("women", parts[1].select(codes[1] == 1)),
        ("others", parts[0].select(codes[0] == 0)),
        ("others", parts[1].select(codes[1] == 0)),
    ]
    three = join_sets(tmp_path / "three", bodies)
    domain = merged(three.attribute("dataset"), {"everybody": ("broad", "others")})
    cinn = _begun(two_sets.split("train"), two_sets.attribute("dataset"))
    spec = cinn.spec.model_copy(update={"condition": ConditionSchema(attributes=(domain, MODE))})
    known = CINN(cinn.config, spec)
    known.load_state_dict(cinn.state_dict())
    found = evaluate_unpaired(known.eval().requires_grad_(False), judge, three.split("test"), count=3)
    assert found.groups["dataset=everybody"]["truth.share.gender=female"].n == 2 * TEST
    assert "source=everybody,dataset=women" in found.groups


def test_a_blend_that_cannot_be_undone_is_told(two_sets: ImageSet, cinn: CINN, judge) -> None:
    """Decoding under a mixture mixes the first layer's answers; only encoding needs its inverse."""
    found = CINN(cinn.config, cinn.spec)
    found.load_state_dict(cinn.state_dict())
    with torch.no_grad():  # in *keep*, the second dataset is the opposite of the first
        found.flow.affine.matrix[3].copy_(-found.flow.affine.matrix[1])
    found.eval().requires_grad_(False).verify()
    projector = Projector(found, judge, two_sets, torch.device("cpu"), Reporter())
    assert projector.blend_stretch("keep").value < 1e-6
    assert projector.blend_stretch("follow").value > 0.1
    z = torch.randn(4, found.flow.size, generator=torch.Generator().manual_seed(0))
    ends = torch.eye(4)[[1, 3]]
    with torch.no_grad():
        u = z
        e = found.flow.embedder(0.5 * ends.sum(0, keepdim=True)).repeat(4, 1)
        for block in reversed(found.flow.blocks()):
            u = block.inverse(u, e)
        parts = [found.flow.affine.inverse(u, one[None].repeat(4, 1)) for one in ends]
        blend = found.flow.inverse(z, (0.5 * ends.sum(0, keepdim=True)).repeat(4, 1))
    torch.testing.assert_close(blend, 0.5 * (parts[0] + parts[1]), atol=1e-4, rtol=0)
