"""Open a model and the attribute predictor that fits it, for the renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from latentlab.checkpoints import Checkpoint
from latentlab.checkpoints.companion import load_model, load_predictor, shown_predictor
from latentlab.live.frame_network import FrameNetwork
from latentlab.model import AttributePredictor, LatentModel
from latentlab.progress import Reporter
from latentlab.spec import ModelSpec, PredictorSpec


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model with its predictor, as float32 networks on the CPU."""

    checkpoint: Checkpoint
    predictor_checkpoint: Checkpoint | None
    predictor_name: str

    @property
    def model(self) -> LatentModel:
        """The model."""
        return cast(LatentModel, self.checkpoint.network)

    @property
    def predictor(self) -> AttributePredictor | None:
        """The predictor, None without one."""
        found = self.predictor_checkpoint
        return None if found is None else cast(AttributePredictor, found.network)

    @property
    def spec(self) -> ModelSpec:
        """What the model is."""
        return self.model.spec

    @property
    def predictor_spec(self) -> PredictorSpec | None:
        """What the predictor predicts."""
        return None if self.predictor is None else self.predictor.spec

    def network(self, screen: bool = True) -> FrameNetwork:
        """Return the pass of a frame, made of these networks; without ``screen`` it gives images."""
        return FrameNetwork(self.model, self.predictor, screen).eval()

    def weights(self) -> list[str]:
        """Return the SHA-256 of both networks' weights: how a frame may be rendered rests on them."""
        checkpoints = [self.checkpoint, self.predictor_checkpoint]
        return [found.located.sha256() for found in checkpoints if found is not None]


def load_pair(
    checkpoint: str, predictor: str | None = None, sha256: str = "", reporter: Reporter | None = None
) -> Loaded:
    """Open a model and a predictor by bundled name or path.

    Parameters
    ----------
    predictor
        A predictor's checkpoint; the empty string for none; None for the one that goes with the model
        (`latentlab.checkpoints.companion.shown_predictor`).
    sha256
        What the SHA-256 of the model's weights must be; not looked at if empty.
    reporter
        Is told how far the model's weights have been read, and can stop it.

    Raises
    ------
    CheckpointError
        If one cannot be opened, is of the other kind or has other weights.
    """
    model = load_model(checkpoint, reporter)
    model.located.expect(sha256)
    name = shown_predictor(model.located) if predictor is None else predictor
    return Loaded(model, load_predictor(name) if name else None, name)
