"""The text of a model card: ``README.md`` with Hugging Face front matter, in Mitchell et al.'s sections.

Everything in it is read from the checkpoint's configuration and from an evaluation's report; nothing is
typed by hand, so that a card can be made again after every training.

References
----------
Mitchell, M. et al. (2019). Model Cards for Model Reporting. FAT* 2019.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from latentlab.checkpoints.companion import fitting_predictor
from latentlab.metrics.projection_shares import BEFORE, RECONSTRUCTED, TRUTH
from latentlab.operations.card_facts import CardFacts
from latentlab.operations.card_shares import composition_tables
from latentlab.operations.card_tables import confusions, extremes, figures, judges_error, table

MARK = "<!-- Written by `latentlab card`; run it again rather than editing. -->"
"""Stands in every card that was written here, and only such cards are overwritten unasked."""

_FAMILIES = {
    "vae": "a variational autoencoder (Kingma & Welling 2014), convolutional and residual, without "
    "normalisation: a picture's result never depends on its neighbours in a batch",
    "cvae": "a conditional variational autoencoder (Sohn et al. 2015), convolutional and residual, without "
    "normalisation; the condition enters encoder and decoder separately",
    "cinn": "a conditional invertible network (Rombach, Esser & Ommer 2020) on the latents of a variational "
    "autoencoder, in one network for both modes: *keep* the content and *follow* the dataset; it projects a "
    "picture onto another dataset",
    "dbvae": "a debiasing variational autoencoder (Amini et al. 2019): one convolutional encoder gives the "
    "logit of being a face and the latent, and rare faces were drawn more often",
    "detector": "a convolutional network that says whether a picture shows a face; the baseline, or the "
    "decision of a debiasing variational autoencoder",
    "attribute_cnn": "a convolutional residual network with one head an attribute; its probabilities are "
    "calibrated by one temperature an attribute (Guo et al. 2017)",
}
_MEANINGS = {
    "accuracy": "share recognised, averaged over the attribute's classes that occur (balanced accuracy)",
    "calibration_error": "expected calibration error of the most probable class (Naeini et al. 2015)",
    "mae_255": "mean absolute error of reconstructions over all pixels and channels, 0 to 255",
    "agreement": "balanced accuracy of the judge on reconstructions / on the originals of the same images",
    "frechet_reconstruction": "squared Frechet distance of reconstructions to other held-out originals, in "
    "the judge's last hidden layer; smaller is nearer",
    "frechet_sample": "the same of random samples to originals",
    "active_dimensions": "latent dimensions whose posterior mean varies over the images (Burda et al. 2016)",
    "effectiveness": "share of images that are predicted as another class, drawn at random, when the decoder "
    "is told that class; `@S` at scale S, `@both` when the encoder is told it too, `@both@S` both at scale S",
    "leakage_points": "share of images whose other predicted attributes change under that flip, minus the "
    "share that reconstruction alone changes, in points, averaged over the other attributes; `@encoder` when "
    "only the encoder is told",
    "encoder_flip_effect": "share of images whose predicted attribute changes when only the encoder is told "
    "another class",
    "monotone_share": "share of images whose probability of a class never falls by more than .01 while its "
    "scale goes from 0 to 2 in steps of .25",
    "scale_rise": "by how much that probability rises from scale 0 to scale 2, on average",
    "true_counterfactual_ratio": "error to the true counterfactual over the pixels that truly change / the "
    "error there without the flip",
    "composition_mae_255": "mean absolute error of the picture under its own condition, 0 to 255",
    "reversibility_mae_255": "the same after a flip there and back, over images whose own class is known",
    "target_dataset_share": "share of projections that are taken for the target dataset's, by the judge or, "
    "where it does not tell the datasets apart, by likelihood; figures that begin with `follow.` are of the "
    "mode follow, the others of keep",
    "attributes_kept": "share of projections that are predicted as what the identity has, where both "
    "datasets can draw it (skin within one band, hair colour not of bald heads), averaged over the "
    "attributes; where no identity stands in all datasets: as what their reconstruction is predicted as. "
    "`truth.` of the true drawings, `baseline.` of closed-form maps between the same latents",
    "share": "share of the pictures that are predicted as a class; `before.` of the inputs' reconstructions, "
    "`truth.` of the target's held-out pictures, `reconstructed.` of their reconstructions",
    "shift_points": "share after the projection minus the share in the inputs' reconstructions, in points",
    "gap_points": "the largest difference, over the attribute's classes, between the share after the "
    "projection and the target's own, in points",
    "gap_points_reconstructed": "the same to the share in the target's reconstructions",
    "attributes_kept_of_truth": "the projection's attributes_kept / that of the true drawings",
    "top1": "share of projections whose true counterpart is the nearest of the true drawings, in the judge's "
    "last hidden layer; `top10` among the ten nearest",
    "lead": "the projection's figure minus a baseline's, identity by identity",
    "round_trip_max": "largest error of an entry of a latent through the flow and back",
    "dataset_probe_points": "balanced accuracy above chance, in points, of a linear probe that reads the "
    "dataset from z; `@network` of a network with a hidden layer",
    "dataset_probe_points_matched": "the same on images with the same shares of the judged attributes in "
    "every dataset: what z keeps of these tells datasets of different composition apart",
    "blend_stretch": "how much conditions between two datasets leave of the direction that the flow's affine "
    "layers shrink most / the least of the two datasets; near 0 nothing can be encoded under them",
    "frechet_target_ratio": "squared Frechet distance of projected latents to the target's own held-out "
    "ones / that of two halves of the target's",
    "frechet_sample_ratio": "squared Frechet distance of pictures of sampled z to held-out ones / that of "
    "reconstructions, in the judge's last hidden layer",
    "composition_bias": "how far apart the shares of the predicted classes are in the two modes, in points "
    "(total variation): what the dataset's composition does beside its style; of one class, its share in the "
    "mode follow minus that in keep",
    "entropy_ratio": "entropy of the predicted classes after / before the projection",
    "condition_probe_points": "balanced accuracy above chance, in points, of a linear probe that reads the "
    "condition from the latent; `@network` of a network with a hidden layer",
}


def model_card(facts: CardFacts) -> str:
    """Write the whole card.

    Returns
    -------
    str
        Markdown with YAML front matter, ending in a line break.
    """
    sections = [
        _front_matter(facts),
        [f"# {facts.located.name}", "", MARK, "", _summary(facts)],
        *([_pictures(facts.pictures)] if facts.pictures else []),
        ["## Model details", "", *_details(facts)],
        ["## Intended use", "", *_intended(facts)],
        ["## Out of scope", "", *_out_of_scope(facts)],
        ["## Factors", "", *_factors(facts)],
        ["## Metrics", "", *_metrics(facts)],
        ["## Training data", "", *_training_data(facts)],
        ["## Evaluation data", "", *_evaluation_data(facts)],
        ["## Quantitative results", "", *_results(facts)],
        ["## Bias, risks and limitations", "", *_risks(facts)],
        ["## How it was made", "", *_how(facts)],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _front_matter(facts: CardFacts) -> list[str]:
    """Return the YAML block; scalars are written as JSON, which YAML contains."""
    model = facts.located.config.kind == "model"
    task = "unconditional-image-generation" if model else "image-classification"
    lines = ["---", "library_name: latentlab", f"pipeline_tag: {task}"]
    if facts.trained_on_faces and facts.data.name == "faces":
        lines.append(f"license: {facts.data.licence.lower()}")
    lines += ["tags:", "- latent-space", "- bias", f"- {facts.located.config.spec.family}"]
    lines += ["model-index:", f"- name: {_scalar(facts.located.name)}", "  results:"]
    lines += [f"  - task: {{type: {task}}}"]
    lines += [f"    dataset: {{type: {_scalar(facts.data.name)}, name: {_scalar(facts.report.data_path)}}}"]
    lines += ["    metrics:"]
    for name, estimate in facts.report.evaluation.metrics.items():
        lines.append(f"    - {{type: {_scalar(name)}, value: {_scalar(estimate.value)}}}")
    return [*lines, "---"]


def _scalar(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _summary(facts: CardFacts) -> str:
    spec, names = facts.located.config.spec, _join(a.name.replace("_", " ") for a in facts.attributes)
    training = facts.located.config.training.get("data", "images that its record does not name")
    if facts.located.config.kind == "model":
        model = facts.located.config.model
        told = [] if model is None else [a.name.replace("_", " ") for a in model.condition.attributes]
        under = f", under any condition of {_join(told)}" if told else ""
        return (
            f"A {spec.family.upper()} of {spec.image_size} px pictures, trained on `{training}`: it encodes "
            f"a picture as a latent vector, and draws a picture from any latent vector{under}."
        )
    return (
        f"An attribute predictor for {spec.image_size} px pictures, trained on `{training}`: it says how "
        f"probable each class of {names} is."
    )


def _pictures(pictures: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for file, caption in pictures.items():
        lines += ["", f"![{caption}]({file})", "", f"*{caption}*"]
    return lines[1:]


def _details(facts: CardFacts) -> list[str]:
    config, header = facts.located.config, facts.located.header
    precision = ", ".join(sorted({entry.dtype for entry in header.tensors.values()}))
    rows = {
        "kind": f"{config.kind}: {_FAMILIES.get(config.spec.family, f'family {config.spec.family}')}",
        "picture": f"{config.spec.image_size} x {config.spec.image_size} px, RGB",
    }
    if config.model is not None:
        latent = " x ".join(map(str, config.model.latent_shape))
        rows["latent"] = f"{latent}, prior {config.model.prior.replace('_', ' ')}"
        conditions = [attribute.name for attribute in config.model.condition.attributes]
        rows["condition"] = ", ".join(conditions) or "none: it is unconditional"
        rows |= {f"cannot {ability}": reason for ability, reason in config.model.cannot.items()}
    rows["parameters"] = f"{header.parameters:,}, stored as {precision}, computed in float32"
    rows["SHA-256 of the weights"] = f"`{facts.report.checkpoint_sha256}`"
    rows["written by"] = f"LatentLab {config.training.get('latentlab_version', facts.report.version)}"
    return table(("", ""), list(rows.items()))


def _intended(facts: CardFacts) -> list[str]:
    if facts.located.config.kind == "model":
        return [
            "- Exploring a latent space, live, on any computer: what each dimension does, what lies between "
            "two pictures, what the model cannot draw.",
            "- Teaching how training data shapes what a generative model can say.",
            "- A reference for audits: its reconstructions and samples are measured below, group by group.",
        ]
    return [
        "- Showing, beside a generated picture, which attributes a classifier sees in it.",
        "- Judging reconstructions, samples and edits of such pictures in audits, together with its own "
        "error below, by which the shares it counts are to be corrected. It must stand in no training loss "
        "of a model that it judges.",
    ]


def _out_of_scope(facts: CardFacts) -> list[str]:
    pictures = "Photographs" if facts.origins == {"constructed"} else "Pictures of another kind"
    lines = [
        f"- {pictures}. It knows pictures like those it was trained on and nothing else; what it answers for "
        "others has no meaning.",
        "- Any statement about a real person's gender, race or other trait; identification; surveillance; "
        "decisions about people.",
    ]
    if facts.located.config.kind == "model":
        return [
            *lines,
            "- Recovering what a degraded picture showed: the model draws what its training pictures make "
            "likely, not what was there.",
        ]
    return lines


def _factors(facts: CardFacts) -> list[str]:
    lines = [f"- **{a.name}** ({a.origin}): {', '.join(a.classes) or 'a number'}" for a in facts.attributes]
    if "constructed" in facts.origins:
        lines += [
            "",
            "Constructed attributes are settings of the program that drew the pictures, named as the program "
            "names them. They are nobody's identity and say nothing about real people.",
        ]
    if "perceived" in facts.origins:
        lines += ["", "Perceived attributes are what people said that they saw. They are nobody's identity."]
    groups = facts.report.evaluation.settings.get("groups") or []
    if groups:
        lines += ["", f"Results are given for every intersection of {_join(groups)}."]
    return lines


def _metrics(facts: CardFacts) -> list[str]:
    kinds = dict.fromkeys(_kind(name) for name in facts.report.evaluation.metrics)
    return [
        *(f"- `{kind}`: {_MEANINGS.get(kind, kind)}." for kind in kinds),
        "",
        "Square brackets hold 95% intervals: rates and what is made of them by Wilson's limits (balanced "
        "over classes by MOVER), errors and projections by the bootstrap. Frechet distances have none.",
    ]


def _kind(name: str) -> str:
    """Return what a figure is a figure of: ``top1`` of ``follow.baseline.ridge_pairs.top1``."""
    parts = name.split(".")
    if parts[0] == "follow":
        parts = parts[1:]
    if parts[0] == "baseline":
        parts = parts[2:]
    elif parts[0] in (TRUTH, RECONSTRUCTED, BEFORE):
        parts = parts[1:]
    return parts[0]


def _training_data(facts: CardFacts) -> list[str]:
    training = facts.located.config.training
    name = training.get("data")
    if not name:
        return ["The checkpoint's record does not name it."]
    lines = [f"`{name}`."]
    if facts.trained_on_faces and facts.data.name == "faces":
        lines[0] += (
            f" {facts.data.credit} (licence {facts.data.licence}): illustrated faces, balanced over gender "
            "and race, with glasses and facial hair drawn independently of race. No photograph and "
            "no real person is in it."
        )
    elif training.get("styles") and facts.data.name.startswith("avatars"):
        styles = _join(training["styles"])
        licences = facts.data.source.get("styles", {})
        named = "; ".join(
            f"“{licences[one]['title']}” by {licences[one]['creator']} ({licences[one]['licence']})"
            for one in training["styles"]
            if one in licences
        )
        lines[0] += (
            f" Illustrated people who do not exist, in the style {styles}: {named}. Drawn with DiceBear, "
            "changed. No photograph and no real person is in it."
        )
    return lines


def _evaluation_data(facts: CardFacts) -> list[str]:
    name, trained_on = facts.report.data_path, str(facts.located.config.training.get("data", ""))
    if name == trained_on:
        seen = "**the same that it was trained on**"
    elif name.rpartition(":")[0] and name.rpartition(":")[0] == trained_on.rpartition(":")[0]:
        seen = f"none of which is in `{trained_on}`"
    else:
        seen = "whether any of them was trained on is not known here"
    text = f"`{name}`: {facts.report.data_n:,} images, {seen}."
    if facts.data.credit:
        text += f" {facts.data.credit}; licence {facts.data.licence or 'not stated'}."
    return [text]


def _results(facts: CardFacts) -> list[str]:
    found = facts.report.evaluation
    lines = [*figures(found), *composition_tables(found, facts.attributes)]
    if facts.judge is not None and facts.judge.config.predictor is not None:
        lines += ["", judges_error(facts.judge.name, facts.judge.config.predictor)]
    elif facts.located.config.predictor is not None:
        lines += confusions(facts.located.config.predictor)
    return [*lines, *([""] if found.notes else []), *(f"- {note}" for note in found.notes)]


def _risks(facts: CardFacts) -> list[str]:
    lines = [f"- {text}" for text in extremes(facts.report.evaluation)]
    if lines:
        lines.append(
            "- With several groups the best and the worst differ by chance too. Read the intervals before "
            "calling a difference a bias; where they overlap, these images do not show one."
        )
    if facts.located.config.kind == "model":
        lines += [
            "- Small and rare details are what reconstructions lose first; equal counts of groups can hide "
            "unequal quality.",
            "- Samples repeat the training set's shares at best; near the prior's centre lie its most common "
            "pictures.",
        ]
    else:
        lines.append(
            "- Its error on generated pictures can differ from its error on those it was tested on; "
            "hand-label some before relying on a small difference."
        )
    if "constructed" in facts.origins:
        lines.append(
            "- A drawing program's categories are coarse and its stylisation is its authors'. A result on "
            "such pictures demonstrates a mechanism; it is no finding about people."
        )
    return lines


def _how(facts: CardFacts) -> list[str]:
    training = facts.located.config.training
    command = str(training.get("command", ""))
    lines = ["Made by", "", "```", command, "```"] if command else ["The command is not recorded."]
    settings = {name: value for name, value in training.items() if name != "command"}
    if settings:
        lines += [
            "",
            *table(("record", ""), [(name, f"`{_scalar(value)}`") for name, value in settings.items()]),
        ]
    report, judge = facts.report, facts.judge
    options = f"--data {report.data_path} --seed {report.seed}"
    if judge is not None and judge.name != fitting_predictor(facts.located.config):
        options += f" --predictor {judge.name}"
    return [
        *lines,
        "",
        "Measured, and this card written, by",
        "",
        "```",
        f"latentlab card {facts.located.path.name} {options}",
        "```",
        "",
        f"with LatentLab {report.version} on {report.device}.",
    ]


def _join(names: Iterable[str]) -> str:
    """Write names with commas and an "and" before the last."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
