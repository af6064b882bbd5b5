"""The families of networks: what a checkpoint's ``family`` names, and how its network is built.

Adding a family is one file here and one entry in the tables below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.families.cinn import CINN, CINNConfig
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.families.vae import VAE, VAEConfig
from latentlab.spec import ModelSpec, PredictorSpec

Network = Mapping[str, Any]

MODEL_FAMILIES: dict[str, Callable[[Network, ModelSpec], nn.Module]] = {
    "vae": lambda network, spec: VAE(VAEConfig.model_validate(network), spec),
    "cinn": lambda network, spec: CINN(CINNConfig.model_validate(network), spec),
    "cvae": lambda network, spec: CVAE(CVAEConfig.model_validate(network), spec),
}
"""Latent models by family name."""

PREDICTOR_FAMILIES: dict[str, Callable[[Network, PredictorSpec], nn.Module]] = {
    "attribute_cnn": lambda network, spec: AttributeCNN(AttributeCNNConfig.model_validate(network), spec),
}
"""Attribute predictors by family name."""
