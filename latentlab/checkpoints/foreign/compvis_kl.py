"""The ``AutoencoderKL`` of CompVis' latent-diffusion: ``.ckpt``, by itself or within a diffusion model's.

Keys ``encoder.down.*``, ``decoder.up.*``, ``quant_conv``, ``post_quant_conv``, in a whole diffusion model
after ``first_stage_model.``. A configuration beside is not needed: shapes tell all but the picture size.
"""

from __future__ import annotations

from latentlab.checkpoints.foreign.expect import Expected
from latentlab.checkpoints.foreign.importer import Imported
from latentlab.checkpoints.foreign.kl_grid import (
    OPTIONS,
    USUAL_SIZE,
    Grid,
    from_compvis,
    grid_config,
    ignored,
    told,
)
from latentlab.checkpoints.foreign.source import Source
from latentlab.checkpoints.foreign.stored import StoredTensor
from latentlab.checkpoints.header import FLOATS
from latentlab.errors import CheckpointError

__all__ = ["OPTIONS", "TITLE", "recognise"]

TITLE = "AutoencoderKL (CompVis latent-diffusion)"

WITHIN = "first_stage_model."
_SIGN = "encoder.down.0.block.0.conv1.weight"
_CODES = ("quantize.embedding.weight", "quantize.embed.weight")


def recognise(source: Source) -> Imported | None:
    """Import an autoencoder's checkpoint, or the autoencoder within a diffusion model's."""
    whole = source.state
    state = whole if _SIGN in whole.tensors else whole.under(WITHIN)
    if _SIGN not in state.tensors:
        return None
    if any(name in state.tensors for name in _CODES):
        raise CheckpointError(
            f"{source.path} is a VQGAN (its tensor {next(n for n in _CODES if n in state.tensors)} holds a "
            "codebook): its latents are codes from a list, between which nothing can be explored. Choose an "
            "AutoencoderKL."
        )
    found = Expected(source.path, "CompVis' AutoencoderKL", from_compvis(state.tensors))
    scale = _scale(source, whole.tensors.get("scale_factor"))
    native = grid_config(source, source.path.stem, found, Grid(scale=1.0 if scale is None else scale))
    if found.size("encoder.conv_out.weight", 0, 4) % 2 or "quant_conv.weight" not in found.tensors:
        raise CheckpointError(
            f"{source.path} looks like CompVis' AutoencoderKL and lacks quant_conv.weight: it holds a part "
            "of one. Choose the file that the training saved whole."
        )
    missing = (
        () if scale is not None else ("scale_factor, which a diffusion model sets: latents are as encoded",)
    )
    return Imported(
        format=TITLE,
        config=native,
        tensors=found.tensors,
        recognised=(*state.found, told(native)),
        ignored=ignored(state),
        missing=missing,
        notes=(
            f"the size that it was trained on is not in the file; it is opened at "
            f"{native.spec.image_size} px (option image_size, often {USUAL_SIZE})",
        ),
    )


def _scale(source: Source, stored: StoredTensor | None) -> float | None:
    """Return what a diffusion model multiplies the latents by; None where the file does not tell."""
    if stored is None or stored.numel != 1 or stored.dtype not in FLOATS:
        return None
    found = float(stored.floats().reshape(-1)[0])
    if not 1e-6 < found < 1e6:
        raise CheckpointError(
            f"{source.path}: scale_factor should be a positive number; it is {found:g}. Copy or download the "
            "file again."
        )
    return found
