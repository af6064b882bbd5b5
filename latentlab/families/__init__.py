"""The families of networks: what a checkpoint's ``family`` names, and how its network is built.

Adding a family is one file here and one entry in the tables below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.families.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from latentlab.families.cinn import CINN, CINNConfig
from latentlab.families.conv_vae import ConvVAE, ConvVAEConfig
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.families.dbvae import DBVAE, DBVAEConfig
from latentlab.families.detector import Detector, DetectorConfig
from latentlab.families.mlp_vae import MLPVAE, MLPVAEConfig
from latentlab.families.net2net import Net2Net, Net2NetConfig
from latentlab.families.onnx_graph import ONNXModel, ONNXModelConfig, ONNXPredictor, ONNXPredictorConfig
from latentlab.families.stylegan2 import StyleGAN2, StyleGAN2Config
from latentlab.families.vae import VAE, VAEConfig
from latentlab.spec import ModelSpec, PredictorSpec

Network = Mapping[str, Any]

MODEL_FAMILIES: dict[str, Callable[[Network, ModelSpec], nn.Module]] = {
    "vae": lambda network, spec: VAE(VAEConfig.model_validate(network), spec),
    "cinn": lambda network, spec: CINN(CINNConfig.model_validate(network), spec),
    "cvae": lambda network, spec: CVAE(CVAEConfig.model_validate(network), spec),
    "dbvae": lambda network, spec: DBVAE(DBVAEConfig.model_validate(network), spec),
    "conv_vae": lambda network, spec: ConvVAE(ConvVAEConfig.model_validate(network), spec),
    "mlp_vae": lambda network, spec: MLPVAE(MLPVAEConfig.model_validate(network), spec),
    "net2net": lambda network, spec: Net2Net(Net2NetConfig.model_validate(network), spec),
    "onnx": lambda network, spec: ONNXModel(ONNXModelConfig.model_validate(network), spec),
    "stylegan2": lambda network, spec: StyleGAN2(StyleGAN2Config.model_validate(network), spec),
    "autoencoder_kl": lambda network, spec: AutoencoderKL(AutoencoderKLConfig.model_validate(network), spec),
}
"""Latent models by family name."""

PREDICTOR_FAMILIES: dict[str, Callable[[Network, PredictorSpec], nn.Module]] = {
    "attribute_cnn": lambda network, spec: AttributeCNN(AttributeCNNConfig.model_validate(network), spec),
    "detector": lambda network, spec: Detector(DetectorConfig.model_validate(network), spec),
    "onnx": lambda network, spec: ONNXPredictor(ONNXPredictorConfig.model_validate(network), spec),
}
"""Attribute predictors by family name."""
