"""Files of torch are read as data: what is in them is never imported, called, decompressed or trusted."""

from __future__ import annotations

import argparse
import collections
import os
import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load, locate
from latentlab.checkpoints.foreign.plain_pickle import MOST_STEPS, Inert, walk
from latentlab.checkpoints.foreign.state import choose_state
from latentlab.checkpoints.foreign.stored import StoredTensor
from latentlab.checkpoints.foreign.torch_file import TorchFile, read_torch_file
from latentlab.errors import CheckpointError

KINDS = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
]


class Harmful:
    """Pickled, it creates a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


def write(path: Path, tree: object, legacy: bool = False) -> Path:
    torch.save(tree, path, _use_new_zipfile_serialization=not legacy)
    return path


def archive(path: Path, data: bytes, members: dict[str, bytes] | None = None, how: int = 0) -> Path:
    """Write an archive of torch whose pickle is ``data``."""
    with zipfile.ZipFile(path, "w", how) as file:
        file.writestr("a/data.pkl", data)
        file.writestr("a/byteorder", "little")
        for name, content in (members or {}).items():
            file.writestr(name, content)
    return path


def tensor_pickle(
    shape: str = "K\x02\x85", stride: str = "K\x01\x85", offset: str = "K\x00", count: str = "K\x02"
) -> bytes:
    """Return the pickle of ``{"w": tensor}``, whose parts can be other instructions."""
    storage = (
        f"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu{count}tQ"
    )
    given = f"{storage}{offset}{shape}{stride}\x89ccollections\nOrderedDict\n)R"
    call = f"ctorch._utils\n_rebuild_tensor_v2\n({given}tR"
    return f"\x80\x02}}X\x01\x00\x00\x00w{call}s.".encode("latin-1")


def number(value: int) -> str:
    return "\x8a\x08" + struct.pack("<q", value).decode("latin-1")


def numbers(stored: object) -> np.ndarray:
    assert isinstance(stored, StoredTensor)
    return stored.floats()


@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_of_every_type_and_layout_are_read_as_torch_reads_them(tmp_path: Path, legacy: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    base = torch.randint(0, 2, (6, 5, 4), generator=generator)
    tree = {
        str(kind): {
            "whole": base.to(kind),
            "turned": base.to(kind).permute(2, 0, 1),
            "part": base.to(kind)[1:4, ::2, 3],
            "single": base.to(kind)[2, 2, 2],
            "none": base.to(kind)[:0],
        }
        for kind in KINDS
    }
    found = read_torch_file(write(tmp_path / "t.pt", tree, legacy))
    assert found.legacy == legacy
    assert isinstance(found.tree, dict)
    for kind in KINDS:
        for name, tensor in tree[str(kind)].items():
            ours = numbers(found.tree[str(kind)][name])
            np.testing.assert_array_equal(
                ours, tensor.float().numpy() if tensor.is_floating_point() else tensor
            )


def test_parameters_and_tied_weights_are_read(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    found = read_torch_file(write(tmp_path / "t.pt", {"a": weight, "b": weight, "c": weight.detach().T}))
    assert isinstance(found.tree, dict)
    np.testing.assert_array_equal(numbers(found.tree["a"]), numbers(found.tree["c"]).T)
    assert found.inert == {}


@pytest.mark.parametrize("legacy", [False, True])
def test_classes_become_placeholders_that_are_listed(tmp_path: Path, legacy: bool) -> None:
    counts = collections.Counter("aab")
    tree = {"settings": argparse.Namespace(width=3), "counts": counts, "weights": {"w": torch.zeros(2)}}
    found = read_torch_file(write(tmp_path / "t.pt", tree, legacy))
    assert {"argparse.Namespace", "collections.Counter"} <= set(found.inert)
    assert isinstance(found.tree, dict)
    settings = found.tree["settings"]
    assert isinstance(settings, Inert)
    assert settings.state == {"width": 3}


@pytest.mark.parametrize("legacy", [False, True])
def test_nothing_in_a_file_is_called(tmp_path: Path, legacy: bool) -> None:
    path = write(tmp_path / "t.pt", {"w": torch.zeros(2), "hook": Harmful(tmp_path / "harm")}, legacy)
    found = read_torch_file(path)
    assert any("touch" in name or "getattr" in name for name in found.inert)
    with pytest.raises(CheckpointError, match="Classes in it were not loaded"):
        load(path)
    assert not (tmp_path / "harm").exists()
    torch.load(path, weights_only=False)  # the proof that it would have done harm
    assert (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "instructions",
    [
        b"cposix\nsystem\n(S'touch harm'\ntR.",
        b"(S'touch harm'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch harm'\no.",
        b"\x8c\x02os\x8c\x06system\x93\x8c\x0atouch harm\x85R.",
        b"cbuiltins\nexec\n(S'import os'\ntR}b.",
        b"cos\nsystem\n)\x81.",
        b"\x82\x01.",
    ],
)
def test_every_way_of_calling_gives_a_placeholder(tmp_path: Path, instructions: bytes) -> None:
    found = read_torch_file(archive(tmp_path / "t.pt", b"\x80\x04" + instructions))
    assert not isinstance(found.tree, dict)
    assert len(found.inert) == 1
    assert not Path("harm").exists()


def bomb_of_references() -> bytes:
    """Return 40 lists, each of which holds the one before ten times: 10^40 entries for whoever walks them."""
    parts = [b"\x80\x02]q\x00"]
    for level in range(1, 41):
        parts.append(
            b"](" + b"h" + bytes([level - 1]) + (b"h" + bytes([level - 1])) * 9 + b"eq" + bytes([level])
        )
    return b"".join(parts) + b"."


def bomb_of_hashes() -> bytes:
    """Return a dict with the key t40, t(n + 1) = (t(n), t(n)): its hash would take 2^40 steps."""
    return b"\x80\x02}K\x01\x85" + b"2\x86" * 40 + b"K\x01s."


def copied(name: bytes, given: bytes) -> bytes:
    """Return a list of what a known call makes of one long value, over and over."""
    calls = (b"h\x01h\x02Ra") * 50_000
    return b"\x80\x02]c" + name + b"\nq\x010" + given + b"\x85q\x020" + calls + b"."


def keys(made: Callable[[int], bytes], count: int) -> bytes:
    return b"\x80\x02}(" + b"".join(made(number) + b"N" for number in range(count)) + b"u."


def tuple_of_ones(number: int) -> bytes:
    """Return one of 2^14 tuples whose hashes are equal: -1 and -2 have the same."""
    signs = (b"J\xff\xff\xff\xff" if number >> place & 1 else b"J\xfe\xff\xff\xff" for place in range(14))
    return b"(" + b"".join(signs) + b"t"


LONG_ROW = b"(" + b"N" * 100_000 + b"t"
LONG_TEXT = b"X" + struct.pack("<I", 1_000_000) + b"a" * 1_000_000
DEEP = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
FORMS: dict[str, tuple[Callable[[], bytes], str | None]] = {
    "references": (bomb_of_references, None),
    "hashes": (bomb_of_hashes, None),
    "depth": (lambda: DEEP, None),
    "itself": (lambda: b"\x80\x02]q\x00h\x00a.", None),
    "copies of a list": (lambda: copied(b"builtins\nlist", LONG_ROW), "at most 600,000 steps"),
    "copies of a text": (lambda: copied(b"torch\nSize", LONG_TEXT), "at most 600,000 steps"),
    "long names": (
        lambda: b"\x80\x04" + LONG_TEXT + b"\x94" + b"h\x00h\x00\x93" * 50_000 + b".",
        "more than 1,000 characters",
    ),
    "equal hashes of numbers": (
        lambda: keys(lambda n: b"\x8a\x10" + (n * (2**61 - 1)).to_bytes(16, "little"), 50_000),
        None,
    ),
    "equal hashes of tuples": (lambda: keys(tuple_of_ones, 2**14), None),
    "steps": (lambda: b"\x80\x02" + b"N0" * (MOST_STEPS // 2 + 1) + b"N.", "at most 600,000 steps"),
    "marks": (lambda: b"\x80\x02" + b"(" * 300_000 + b".", "a value is missing"),
    "length": (lambda: b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"ab.", "is damaged"),
    "frame": (lambda: b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"N.", None),
    "memo": (lambda: b"\x80\x02Nr\xff\xff\xff\x7f.", None),
    "no memo": (lambda: b"\x80\x02h\x07.", "the memo has no entry 7"),
    "whole number": (
        lambda: b"\x80\x02\x8b\x00\x00\x10\x00" + b"\x7f" * 0x100000 + b".",
        "a whole number of",
    ),
    "digits": (lambda: b"I" + b"9" * 100_000 + b"\n.", "is damaged"),
    "name twice": (lambda: b"\x80\x02}(X\x01\x00\x00\x00aNX\x01\x00\x00\x00aNu.", "'a' stands twice"),
    "no end": (lambda: b"\x80\x02NNN", "is damaged"),
    "buffers": (lambda: b"\x80\x05\x97.", "the instruction NEXT_BUFFER"),
    "unknown": (lambda: b"\x80\x02\xff.", "is damaged"),
    "odd": (lambda: b"\x80\x02}(Nu.", "a key without a value"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_pickle_cannot_ask_for_more_than_it_is(tmp_path: Path, form: str) -> None:
    make, said = FORMS[form]
    path = archive(tmp_path / "t.pt", make())
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert "t.pt" in str(caught.value)
    assert (said or "no state dict") in str(caught.value)
    assert "\n" not in str(caught.value)


MISFITS = {
    "absurd shape": (tensor_pickle(shape=number(2**40) + "\x85"), "a tensor of shape"),
    "terabyte": (
        tensor_pickle(count=number(2**38), shape=number(2**38) + "\x85"),
        "a storage of 1,099,511,627,776",
    ),
    "negative shape": (tensor_pickle(shape=number(-2) + "\x85"), "shape is [-2]"),
    "negative stride": (tensor_pickle(stride=number(-1) + "\x85"), "strides is [-1]"),
    "no step": (tensor_pickle(stride="K\x00\x85"), "a tensor of shape [2]"),
    "offset": (tensor_pickle(offset="K\x01"), "a tensor of shape [2]"),
    "far offset": (tensor_pickle(offset=number(2**62)), "offset is"),
    "dimensions": (
        tensor_pickle(shape="(" + "K\x01" * 60 + "t", stride="(" + "K\x01" * 60 + "t"),
        "shape is",
    ),
    "other dimensions": (tensor_pickle(shape="K\x01K\x02\x86"), "with strides [1]"),
    "fraction": (tensor_pickle(shape="G?\xf0\x00\x00\x00\x00\x00\x00\x85"), "shape is"),
    "no storage": (
        tensor_pickle().replace(b"\x000X\x03", b"\x009X\x03"),
        "a storage 9 that the archive lacks",
    ),
    "no count": (tensor_pickle(count="N"), "length is"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_tensor_lies_within_its_file(tmp_path: Path, misfit: str) -> None:
    data, said = MISFITS[misfit]
    path = archive(tmp_path / "t.pt", data, {"a/data/0": bytes(8)})
    with pytest.raises(CheckpointError, match=r"t\.pt is damaged") as caught:
        read_torch_file(path)
    assert said in str(caught.value)


def test_the_hand_written_tensor_is_a_good_one(tmp_path: Path) -> None:
    path = archive(tmp_path / "t.pt", tensor_pickle(), {"a/data/0": np.array([1, 2], "<f4").tobytes()})
    assert list(numbers(choose_state(read_torch_file(path).tree).tensors["w"])) == [1, 2]


def test_a_file_cannot_be_used_over_and_over(tmp_path: Path) -> None:
    big = torch.zeros(1_000_000)
    path = write(tmp_path / "t.pt", {f"w{place}": big[:] for place in range(20)})
    with pytest.raises(CheckpointError, match="more than 4 times"):
        read_torch_file(path)


def test_a_type_that_is_not_read_is_a_placeholder(tmp_path: Path) -> None:
    tree = {"c": torch.zeros(2, dtype=torch.complex64), "w": torch.zeros(2)}
    found = read_torch_file(write(tmp_path / "t.pt", tree))
    assert isinstance(found.tree, dict)
    assert isinstance(found.tree["c"], Inert)
    assert "torch.ComplexFloatStorage" in found.inert


def with_member(path: Path, name: str, content: bytes) -> Path:
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, content)
    return path


def good(folder: Path) -> Path:
    return write(folder / "t.pt", {"w": torch.arange(1000.0)})


def compressed(folder: Path) -> Path:
    return archive(folder / "t.pt", b"\x80\x02N.", {"a/data/0": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)


def twice(folder: Path) -> Path:
    path = folder / "t.pt"
    with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.writestr("a", b"x")
        file.writestr("a", b"y")
    return path


def program(folder: Path) -> Path:
    return with_member(good(folder), "t/code/__torch__.py", b"def forward(): pass")


def big_endian(folder: Path) -> Path:
    path = folder / "t.pt"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/data.pkl", b"\x80\x02N.")
        file.writestr("a/byteorder", "big")
    return path


def many_members(folder: Path) -> Path:
    path = folder / "t.pt"
    directory = 20_000_000
    path.write_bytes(
        b"PK\x03\x04" + bytes(directory) + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, directory, 4, 0)
    )
    return path


def no_pickle(folder: Path) -> Path:
    return with_member(folder / "t.pt", "weights.npy", b"\x93NUMPY")


def nothing_inside(folder: Path) -> Path:
    (folder / "t.pt").write_bytes(b"PK\x05\x06" + bytes(18))
    return folder / "t.pt"


def cut_off(folder: Path) -> Path:
    path = good(folder)
    os.truncate(path, path.stat().st_size - 300)
    return path


def cut_off_legacy(folder: Path) -> Path:
    path = write(folder / "t.pt", {"w": torch.arange(1000.0)}, legacy=True)
    os.truncate(path, path.stat().st_size - 300)
    return path


def nvidia(folder: Path) -> Path:
    path = folder / "t.pt"
    path.write_bytes(
        b"\x80\x03}q\x00X\x01\x00\x00\x00Gctorch_utils.persistence\n_reconstruct_persistent_obj\n)Rs."
    )
    return path


def plain_pickle(folder: Path) -> Path:
    path = folder / "t.pt"
    path.write_bytes(pickle.dumps({"w": [1, 2]}))
    return path


def only_an_optimiser(folder: Path) -> Path:
    state = {
        "state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3)}},
        "param_groups": [{"lr": 0.1}],
    }
    return write(folder / "t.pt", {"optimizer": state, "epoch": 3})


FALSE_STARTS: dict[Callable[[Path], Path], str] = {
    compressed: "should be stored as it is",
    twice: "stands twice",
    program: "TorchScript program, which is code",
    big_endian: "its byte order is",
    many_members: "the directory of its members should have at most",
    no_pickle: "not one of torch: it has no data.pkl; it has weights.npy",
    nothing_inside: "nothing in it",
    cut_off: "is truncated",
    cut_off_legacy: "is truncated or damaged",
    nvidia: "NVIDIA",
    plain_pickle: "can hold code",
    only_an_optimiser: "only an optimiser's state",
}


@pytest.mark.parametrize("start", FALSE_STARTS, ids=lambda start: start.__name__)
def test_a_false_start_is_named_in_one_line(tmp_path: Path, start: Callable[[Path], Path]) -> None:
    path = start(tmp_path)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert FALSE_STARTS[start] in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_with_paths_in_them_lead_nowhere(tmp_path: Path) -> None:
    path = with_member(good(tmp_path), "../../harm", b"x")
    assert choose_state(read_torch_file(path).tree).tensors.keys() == {"w"}
    assert not list(tmp_path.parent.glob("harm"))


def rewritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(0, 0))


def shortened(path: Path) -> None:
    os.truncate(path, 100)


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("change", [rewritten, shortened, replaced])
def test_a_file_that_changes_while_it_is_read_is_noticed(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = good(tmp_path)
    stored = choose_state(read_torch_file(path).tree).tensors["w"]
    change(path)
    with pytest.raises(CheckpointError, match=r"t\.pt was expected to stay as it is"):
        stored.read()


def test_a_folder_or_nothing_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no config\.json"):
        locate(tmp_path)
    with pytest.raises(CheckpointError, match="There is no checkpoint"):
        locate(tmp_path / "t.pt")


def test_a_tree_is_walked_once_however_it_is_tied(tmp_path: Path) -> None:
    found: TorchFile = read_torch_file(archive(tmp_path / "t.pt", bomb_of_references()))
    assert len(list(walk(found.tree))) == 1 + 40 * 10
