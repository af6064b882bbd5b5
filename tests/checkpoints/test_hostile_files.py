"""Files that are made to take for ever, fill the memory or reach other files: each is refused at once."""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx_graphs import LATENT, SIZE, save, write_model
from recorded_originals import Recorded
from safetensors.torch import load_file, save_file
from samples import SAMPLES
from test_restricted_reader import archive, tensor_pickle

from latentlab.checkpoints import load, locate
from latentlab.checkpoints.convert import convert
from latentlab.checkpoints.foreign.torch_file import read_torch_file
from latentlab.errors import CheckpointError
from latentlab.families import onnx_runner
from latentlab.families.onnx_graph import Graph

PIXELS = 3 * SIZE * SIZE


def refused(path: Path, *said: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert all(one in str(caught.value) for one in (path.name, *said)), caught.value
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


# Archives and prefixes


def test_an_archive_cannot_hide_how_large_its_directory_is(tmp_path: Path) -> None:
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, *[0] * 5, 4, 4, 8, *[0] * 6)
    directory = b"".join(entry + b"%08d" % number for number in range(300_000))
    end = struct.Struct("<4sQ2H2I4Q")
    said = end.pack(b"PK\6\6", 44, 20, 20, 0, 0, 1, 1, 46, 0)
    found = end.pack(b"PK\6\6", 44, 20, 20, 0, 0, 300_000, 300_000, len(directory), 64 + len(said))
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 64, 1)
    last = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path = tmp_path / "t.pt"
    path.write_bytes(b"PK\3\4" + bytes(60) + said + directory + found + locator + last)
    refused(path, "directory of its members should have at most")


def test_a_million_prefixes_are_not_all_taken_off(tmp_path: Path) -> None:
    name = b"X" + struct.pack("<I", 7_000_000) + b"module." * 1_000_000
    pickled = tensor_pickle().replace(b"X\x01\x00\x00\x00w", name)
    refused(archive(tmp_path / "t.pt", pickled, {"a/data/0": bytes(8)}), "known format")


# Configurations and headers


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    refused(tmp_path / "pipe.pt", "should be a file or a folder")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"latentlab": ' + "9" * 5000 + "}", "is not valid JSON"),
        ('{"a":"' + "x" * 4_000_000 + '"}', "at most 4,000,000 bytes"),
        ('{"_class_name": "' + "x\\n" * 9999 + '"}', "of diffusers' AutoencoderKL"),
    ],
)
def test_a_configuration_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "config.json").write_text(text)
    refused(tmp_path, said)


def test_a_header_says_each_name_once_and_is_not_too_long(tmp_path: Path) -> None:
    entry = '{"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'
    for header, said in (
        (f'{{"a": {entry}, "a": {entry}}}', "stands twice"),
        ("{" + " " * 4_000_000, "most"),
    ):
        content = len(header).to_bytes(8, "little") + header.encode() + bytes(4)
        (tmp_path / "t.safetensors").write_bytes(content)
        refused(tmp_path / "t.safetensors", said)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x]\n"
        + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        )
        + "model: {target: *i, of: net2net.}",
        "model: {target: 0x" + "f" * 99_999 + ", of: net2net.}",
        "of: !another tag",
        "a: " + "x" * 300_000,
    ],
)
def test_a_configuration_beside_that_is_of_others_is_left_alone(tmp_path: Path, text: str) -> None:
    path = SAMPLES["net2net"](tmp_path)
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text(text)
    foreign = locate(path).foreign
    assert foreign is not None
    assert any("the YAML configuration" in one for one in foreign.missing)


# Networks


@pytest.mark.parametrize("stages", [20, 2000])
def test_an_autoencoder_of_absurdly_many_stages_is_refused(tmp_path: Path, stages: int) -> None:
    path = SAMPLES["diffusers_kl"](tmp_path)
    more = {
        f"encoder.down_blocks.{n}.resnets.0.conv1.weight": torch.zeros(1, 1, 3, 3) for n in range(2, stages)
    }
    weights = path / "diffusion_pytorch_model.safetensors"
    save_file(Recorded("diffusers_kl").state | more, weights)
    refused(path, "field image_size")


def test_a_network_whose_pictures_are_not_numbers_is_refused(tmp_path: Path) -> None:
    state = Recorded("vanilla_vae").state
    name = next(name for name in state if name.startswith("decoder.") and name.endswith("running_var"))
    torch.save(state | {name: torch.full_like(state[name], -1.0)}, tmp_path / "vae.pt")
    refused(tmp_path / "vae.pt", "NaN or infinite numbers")


def test_the_file_that_is_opened_is_the_one_that_was_given(tmp_path: Path) -> None:
    folder = SAMPLES["pythae"](tmp_path)
    (folder / "model.pt").rename(folder / "best.pt")
    located = locate(folder / "best.pt")
    assert located.weights == folder / "best.pt"
    assert len(read_torch_file(folder / "best.pt").inert) == len(located.foreign.ignored)  # type: ignore[union-attr]


# ONNX graphs


def outside(place: str, length: bytes) -> Callable[[Path], None]:
    """Return what puts a tensor into a graph whose numbers are in another file."""

    def spoil(folder: Path) -> None:
        model = onnx.load(folder / "decoder.onnx")
        tensor = next(one for one in model.graph.initializer if one.name == "A")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", place
        content = model.SerializeToString()
        assert b"\x0a\x08location" in content
        (folder / "decoder.onnx").write_bytes(
            content.replace(b"\x0a\x08location", b"\x0a" + length + b"location")
        )

    return spoil


def rewrite(nodes: list[Any], functions: list[Any] | None = None, **other: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "decoder.onnx"
        inputs = {"z": ["rows", LATENT], "y": ["rows", 2]}
        weights = np.ones((LATENT, PIXELS), np.float32)
        after = [
            helper.make_node("MatMul", ["w", "A"], ["f"]),
            helper.make_node("Reshape", ["f", "shape"], ["x"]),
        ]
        more = {"M": np.array(2**62), "C": np.array(True), "A": weights} | other
        save(path, [*nodes, *after], inputs, {"x": ["rows", 3, SIZE, SIZE]}, **more)
        if functions:
            model = onnx.load(path)
            model.functions.extend(functions)
            model.opset_import.append(helper.make_opsetid("own", 1))
            onnx.save(model, path)

    return spoil


def loop() -> Any:
    """Return a loop of 2^62 rounds."""
    kinds = {"i": TensorProto.INT64, "c": TensorProto.BOOL, "v": TensorProto.FLOAT}
    given = [
        helper.make_tensor_value_info(name, kind, None if name == "v" else []) for name, kind in kinds.items()
    ]
    made = [
        helper.make_tensor_value_info("c2", TensorProto.BOOL, []),
        helper.make_tensor_value_info("v2", TensorProto.FLOAT, None),
    ]
    nodes = [helper.make_node("Identity", [name], [f"{name}2"]) for name in "cv"]
    return helper.make_graph(nodes, "body", given, made)


def functions(count: int) -> list[Any]:
    """Return functions each of which calls the one before twice; the first does nothing, or calls itself."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    made = []
    for number in range(count):
        before = f"F{number - 1}" if number else "Identity"
        nodes = [
            helper.make_node(before, ["a"], ["m"], domain="own" if number else ""),
            helper.make_node(before, ["m"], ["b"], domain="own" if number else ""),
        ]
        made.append(helper.make_function("own", f"F{number}", ["a"], ["b"], nodes, opsets))
    return made


def sparse() -> Any:
    """Return a weight of 2 GiB, of which one number is in the file."""
    number = numpy_helper.from_array(np.ones(1, np.float32), "big")
    place = numpy_helper.from_array(np.zeros(1, np.int64), "place")
    return helper.make_sparse_tensor(number, place, [2**29])


MEAN = [
    helper.make_node("ReduceMean", ["big"], ["m"], keepdims=0),
    helper.make_node("Mul", ["z", "m"], ["w"]),
]

HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "another file": (outside("../../etc/passwd", b"\x08"), "in another file"),
    "a loop": (
        rewrite([helper.make_node("Loop", ["M", "C", "z"], ["w"], body=loop())]),
        "within 1 seconds",
    ),
    "a loop of constants": (
        rewrite(
            [
                helper.make_node("Loop", ["M", "C", "A"], ["A2"], body=loop()),
                helper.make_node("ReduceMean", ["A2"], ["m"], keepdims=0),
                helper.make_node("Mul", ["z", "m"], ["w"]),
            ]
        ),
        "within 1 seconds",
    ),
    "a large picture within": (
        rewrite([helper.make_node("ConstantOfShape", ["M"], ["big"]), *MEAN], M=np.array([2**30])),
        "at most 2 GB of memory beside its weights",
    ),
    "a large sparse weight": (
        rewrite([helper.make_node("Constant", [], ["big"], sparse_value=sparse()), *MEAN]),
        "at most 2 GB of memory beside its weights",
    ),
    "functions": (
        rewrite([helper.make_node("F39", ["z"], ["w"], domain="own")], functions(40)),
        "at most 1,000,000 operations",
    ),
}


@pytest.mark.parametrize("form", HOSTILE)
def test_a_hostile_graph_is_refused(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_runner, "LONGEST", 1.0)
    spoil, said = HOSTILE[form]
    write_model(tmp_path, condition=None, encoder=None)
    described = json.loads((tmp_path / "latentlab-onnx.json").read_text())
    described["decoder"]["condition"] = ""
    (tmp_path / "latentlab-onnx.json").write_text(json.dumps(described))
    spoil(tmp_path)
    if form != "another file":  # the condition that the sample has
        model = onnx.load(tmp_path / "decoder.onnx")
        del model.graph.input[1]
        onnx.save(model, tmp_path / "decoder.onnx")
    refused(tmp_path, said)


def test_pictures_too_large_together_are_drawn_one_after_another(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Shape", ["z"], ["s"], end=1),
        helper.make_node("Concat", ["s", "n"], ["sn"], axis=0),
        helper.make_node("ConstantOfShape", ["sn"], ["big"]),
        helper.make_node("ReduceSum", ["big", "one"], ["sum"], keepdims=1),
        helper.make_node("Add", ["z", "sum"], ["x"]),
    ]
    more = {"n": np.array([150_000_000]), "one": np.array([1])}
    save(tmp_path / "g.onnx", nodes, {"z": ["rows", 1]}, {"x": ["rows", 1]}, **more)
    content = np.fromfile(tmp_path / "g.onnx", np.uint8)
    graph = Graph(content.size)
    graph.graph = torch.from_numpy(content)
    z = torch.arange(4.0).unsqueeze(1)
    assert torch.equal(graph.run({"z": z}, ["x"])[0], z)


def test_a_graph_runs_again_after_its_process_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network: Any = load(write_model(tmp_path)).network
    z, c = torch.ones(2, LATENT), torch.eye(2)
    expected = network.decode(z, c)
    monkeypatch.setattr(onnx_runner, "LONGEST", 0.0)
    with pytest.raises(CheckpointError, match="it takes longer"):
        network.decode(z, c)
    monkeypatch.undo()
    assert torch.equal(network.decode(z, c), expected)


def test_a_length_that_is_written_longer_hides_no_file(tmp_path: Path) -> None:
    from latentlab.checkpoints.foreign.onnx_bytes import look_at_graph

    for tag, length in ((b"\x0a", b"\x88\x00"), (b"\x0a", b"\x88\x80\x00"), (b"\x8a\x00", b"\x08")):
        with pytest.raises(CheckpointError, match="in another file"):
            look_at_graph(tmp_path, b"\x08\x07" + tag + length + b"location")


def test_a_native_checkpoint_hides_no_file_either(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "other").mkdir()
    native = convert(write_model(tmp_path / "own"), tmp_path / "native")
    write_model(tmp_path / "other")
    outside("weights.bin", b"\x08")(tmp_path / "other")
    graph = (tmp_path / "other" / "decoder.onnx").read_bytes()
    tensors = load_file(native.weights)
    tensors["decoder.graph"] = torch.frombuffer(bytearray(graph), dtype=torch.uint8)
    save_file(tensors, native.weights)
    config = json.loads((native.path / "config.json").read_text())
    config["network"]["decoder"]["size"] = len(graph)
    (native.path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="in another file"):
        load(native.path)


def test_a_latent_of_a_terabyte_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    refused(write_model(tmp_path, latent_shape=[10**12]), "a latent should have at most")


def test_a_description_opens_by_its_own_name(tmp_path: Path) -> None:
    (write_model(tmp_path) / "latentlab-onnx.json").rename(tmp_path / "mine.json")
    assert load(tmp_path / "mine.json").located.name == "mine"


def test_an_endless_graph_is_given_up_when_it_is_interrupted(tmp_path: Path) -> None:
    nodes = [helper.make_node("Loop", ["M", "C", "z"], ["x"], body=loop())]
    more = {"M": np.array(2**62), "C": np.array(True)}
    save(tmp_path / "g.onnx", nodes, {"z": ["rows", 1]}, {"x": ["rows", 1]}, **more)
    content = np.fromfile(tmp_path / "g.onnx", np.uint8)
    graph = Graph(content.size)
    graph.graph = torch.from_numpy(content)
    graph._runner()
    timer = threading.Timer(0.5, graph.interrupt)
    timer.start()
    try:
        with pytest.raises(CheckpointError):
            graph.run({"z": torch.ones(1, 1)}, ["x"])
        assert not timer.is_alive(), "it ended by itself"
    finally:
        timer.join()
