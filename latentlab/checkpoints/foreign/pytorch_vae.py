"""AntixK/PyTorch-VAE: VanillaVAE, BetaVAE, ConditionalVAE and the project's models of the same networks.

The Lightning checkpoint's names and shapes tell the whole network. What they do not tell is whether its
pictures were in [0, 1] (as the project loads them today) or in [-1, 1] (as it did before): the mean of the
training pictures tells that, which the first batch normalisation has kept.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from latentlab.checkpoints.foreign.expect import Expected
from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.options import one_of
from latentlab.checkpoints.foreign.source import Source
from latentlab.checkpoints.foreign.stored import Derived, StoredTensor
from latentlab.errors import CheckpointError
from latentlab.spec import Attribute, CheckpointConfig, ConditionSchema, ModelSpec

TITLE = "PyTorch-VAE (AntixK)"
OPTIONS: Mapping[str, str] = {"values": "the pictures it was trained on, unit [0, 1] or signed [-1, 1]"}

_WHAT = "a VAE of AntixK/PyTorch-VAE"
_SIGNS = ("fc_mu.weight", "fc_var.weight", "decoder_input.weight", "encoder.0.1.running_mean")
_NORM = ("weight", "bias", "running_mean", "running_var")
_COUNTER = "num_batches_tracked"
_PSEUDO_INPUTS = "embed_pseudo."
CELEBA = [
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
]
"""CelebA's attributes in the order of its file, which the project conditions on."""


def recognise(source: Source) -> Imported | None:
    """Import a checkpoint of the project; its condition's labels are numbers, 0 and 1 as trained."""
    state = source.state
    if "model.fc_mu.weight" in state.tensors:
        state = state.under("model.")
    if not all(name in state.tensors for name in _SIGNS):
        return None
    found = Expected(source.path, _WHAT, state.tensors)
    widths = tuple(
        found.size(f"encoder.{stage}.0.weight", 0, 4) for stage in range(found.count("encoder.{}.0.weight"))
    )
    latent = found.size("fc_mu.weight", 0, 2)
    labels = found.size("embed_class.weight", 1, 2) if "embed_class.weight" in state.tensors else 0
    size = 2 << len(widths)
    if size > 1024 or len(widths) < 2:
        raise CheckpointError(
            f"{source.path} looks like {_WHAT}, which should have 2 to 9 stages; it has {len(widths)}. "
            "Choose the file that the training saved."
        )
    tensors = _tensors(found, widths, latent, labels, size)
    values, reason = _values(source, tensors, bool(labels))
    pseudo = any(name.startswith(_PSEUDO_INPUTS) for name in state.tensors)
    names = CELEBA if labels == len(CELEBA) else [f"label_{place}" for place in range(labels)]
    schema = ConditionSchema(
        attributes=tuple(Attribute(name=name, kind="continuous", span=(0.0, 1.0)) for name in names)
    )
    notes = [reason]
    if values == "unit":
        notes.append("its decoder ends in tanh and can give values below 0, which are shown as 0")
    if labels:
        known = (
            "CelebA's attributes, in the order of its file" if names is CELEBA else "not named in the file"
        )
        notes.append(f"its condition's {labels} labels are {known}")
    return Imported(
        format=TITLE,
        config=CheckpointConfig(
            kind="model",
            model=ModelSpec(
                family="conv_vae",
                image_size=size,
                latent_shape=(latent,),
                prior="other" if pseudo else "standard_normal",
                condition=schema,
            ),
            network={"latent": latent, "widths": list(widths), "labels": labels, "values": values},
        ),
        tensors=tensors,
        recognised=(
            *state.found,
            f"{'ConditionalVAE' if labels else 'VanillaVAE, BetaVAE or a model of the same networks'}: "
            f"stages of {', '.join(map(str, widths))} channels, {size} px, {latent} latent entries",
        ),
        ignored=(*state.ignored, *(name for name in state.tensors if name not in tensors)),
        missing=("its prior of pseudo-inputs: samples are drawn from a standard normal",) if pseudo else (),
        notes=tuple(notes),
    )


def _tensors(
    found: Expected, widths: tuple[int, ...], latent: int, labels: int, size: int
) -> dict[str, StoredTensor | Derived]:
    """Return every tensor of the network, whose shapes are made sure of."""
    shapes: dict[str, tuple[int, ...]] = {}
    if labels:
        shapes |= {"embed_class.weight": (size**2, labels), "embed_class.bias": (size**2,)}
        shapes |= {"embed_data.weight": (3, 3, 1, 1), "embed_data.bias": (3,)}
    inputs = (4 if labels else 3, *widths)
    for stage, width in enumerate(widths):
        shapes |= _stage(f"encoder.{stage}", (width, inputs[stage], 3, 3), width)
    cells = 4 * widths[-1]
    for name in ("fc_mu", "fc_var"):
        shapes |= {f"{name}.weight": (latent, cells), f"{name}.bias": (latent,)}
    shapes |= {"decoder_input.weight": (cells, latent + labels), "decoder_input.bias": (cells,)}
    back = widths[::-1]
    for stage, width in enumerate(back[1:]):
        shapes |= _stage(f"decoder.{stage}", (back[stage], width, 3, 3), width)
    shapes |= _stage("final_layer", (widths[0], widths[0], 3, 3), widths[0])
    shapes |= {"final_layer.3.weight": (3, widths[0], 3, 3), "final_layer.3.bias": (3,)}
    tensors: dict[str, StoredTensor | Derived] = {}
    for name, shape in shapes.items():
        tensors[name] = found.tensor(name, *shape)
        if name.endswith("running_var"):
            counter = f"{name.removesuffix('running_var')}{_COUNTER}"
            tensors[counter] = _counted(found.tensors.get(counter))
    return tensors


def _counted(stored: StoredTensor | None) -> StoredTensor | Derived:
    """Return a normalisation's counter of steps, which nothing depends on; 0 where there is none."""
    if stored is not None and (stored.dtype, stored.shape) == ("I64", ()):
        return stored
    return Derived("I64", (), (), lambda: np.zeros((), np.int64))


def _stage(name: str, weight: tuple[int, ...], width: int) -> dict[str, tuple[int, ...]]:
    norm: dict[str, tuple[int, ...]] = {f"{name}.1.{part}": (width,) for part in _NORM}
    return {f"{name}.0.weight": weight, f"{name}.0.bias": (width,)} | norm


def _values(source: Source, tensors: Mapping[str, StoredTensor | Derived], labelled: bool) -> tuple[str, str]:
    """Return what its pictures' values are, and in words how that is known.

    The first normalisation's mean is what the first convolution makes of the mean picture, so that the mean
    picture's colour is the least-squares answer; one below 0 is of pictures in [-1, 1].
    """
    if "values" in source.options:
        chosen = one_of(source, "values", ("unit", "signed"))
        return chosen, f"its pictures' values are taken as {chosen}, as was said"
    mean = tensors["encoder.0.1.running_mean"].floats()
    if labelled or not mean.any():
        return (
            "unit",
            "its pictures' values are taken to lie in [0, 1], as the project loads them (option values)",
        )
    kernel = tensors["encoder.0.0.weight"].floats().sum((2, 3)).astype(np.float64)
    colour = np.linalg.lstsq(kernel, mean - tensors["encoder.0.0.bias"].floats(), rcond=None)[0]
    values = "signed" if float(colour.mean()) < 0 else "unit"
    lie = "[-1, 1]" if values == "signed" else "[0, 1]"
    return values, (
        f"its training pictures had a mean of about {float(colour.mean()):.2f}, so their values are taken to "
        f"lie in {lie} (option values)"
    )
