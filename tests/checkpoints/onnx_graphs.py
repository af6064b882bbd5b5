"""Small ONNX graphs, made with onnx itself, and what they compute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE, LATENT, CLASSES = 8, 4, 2
_PIXELS = 3 * SIZE * SIZE


def matrix(seed: int, rows: int, columns: int) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((rows, columns)) * 0.5).astype(np.float32)


def write_model(folder: Path, rows: int | str = "rows", **changes: Any) -> Path:
    """Write a decoder tanh([z, c] A) in [-1, 1], an encoder x B, and the JSON of both."""
    picture, z, c = [rows, 3, SIZE, SIZE], [rows, LATENT], [rows, CLASSES]
    decoder = [
        helper.make_node("Concat", ["z", "y"], ["zy"], axis=1),
        helper.make_node("MatMul", ["zy", "A"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["logits"]),
        helper.make_node("Tanh", ["logits"], ["x"]),
    ]
    encoder = [
        helper.make_node("Flatten", ["x"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "B"], ["mu"]),
    ]
    save(folder / "decoder.onnx", decoder, {"z": z, "y": c}, {"x": picture}, A=matrix(0, 6, _PIXELS))
    save(folder / "encoder.onnx", encoder, {"x": picture}, {"mu": z}, B=matrix(1, _PIXELS, LATENT))
    description = {
        "latentlab_onnx": 1,
        "image_size": SIZE,
        "latent_shape": [LATENT],
        "condition": [{"name": "shade", "classes": ["light", "dark"]}],
        "decoder": {
            "file": "decoder.onnx",
            "latent": "z",
            "condition": "y",
            "image": "x",
            "range": [-1, 1],
        },
        "encoder": {"file": "encoder.onnx", "image": "x", "mean": "mu", "range": [-1, 1]},
    }
    return describe(folder, description, changes)


def write_classifier(folder: Path, **changes: Any) -> Path:
    """Write a classifier whose logits are x C, and its JSON."""
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "C"], ["y"]),
    ]
    picture = ["rows", 3, SIZE, SIZE]
    save(folder / "judge.onnx", nodes, {"x": picture}, {"y": ["rows", 2]}, C=matrix(2, _PIXELS, 2))
    description = {
        "latentlab_onnx": 1,
        "image_size": SIZE,
        "attributes": [{"name": "shade", "classes": ["light", "dark"]}],
        "classifier": {
            "file": "judge.onnx",
            "image": "x",
            "range": [0, 255],
            "outputs": {"shade": "y"},
            "logits": True,
        },
    }
    return describe(folder, description, changes)


def describe(folder: Path, description: dict[str, Any], changes: dict[str, Any]) -> Path:
    described = {k: v for k, v in (description | changes).items() if v is not None}
    (folder / "latentlab-onnx.json").write_text(json.dumps(described))
    return folder


def save(
    path: Path, nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], **weights: Any
) -> None:
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    constants.append(numpy_helper.from_array(np.array([-1, 3, SIZE, SIZE], np.int64), "shape"))
    values = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in given.items()]
        for given in (inputs, outputs)
    ]
    graph = helper.make_graph(nodes, "graph", *values, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path)
