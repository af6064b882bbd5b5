"""Damage a file where it hurts: within the structure of its format, or anywhere.

A sample is a good file or folder. A mutation knows the format by the file's contents, so that any format
that an importer reads can be a sample; one that it does not know is damaged in its bytes.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickletools
import random
import struct
import zipfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

NUMBERS = (0, 1, -1, 2, 255, 65536, 2**31 - 1, -(2**31), 2**40, 2**63 - 1)
"""Whole numbers that stand in for others."""
NAMES = (
    b"cposix\nsystem\n",
    b"cbuiltins\neval\n",
    b"ctorch.nn.modules.module\nModule\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch\nDoubleStorage\n",
    b"ctorch\nComplexFloatStorage\n",
    b"ccollections\nOrderedDict\n",
    b"cno.such\nthing\n",
)
"""Globals that stand in for others, among them ones that would do harm."""
HARM = (
    b"cposix\nsystem\n(S'touch harm'\ntR",
    b"c__builtin__\nopen\n(S'harm'\nS'w'\ntR",
    b"(S'touch harm'\nios\nsystem\n",
    b"cpathlib\nPath\n(S'harm'\ntR}b",
    b"\x82\x01",
    b"ccopyreg\n_reconstructor\n(cbuiltins\nobject\ncbuiltins\nobject\nNtR",
)
"""Instructions that leave a value, and would run something in a pickle that is unpickled."""
BOMBS = (
    b"]" + b"2e" * 4,
    b"]" * 5000 + b"0" * 5000 + b"N",
    b"(" * 3000,
    b"N" + b"\x85" * 4000,
    b"\x8b\xff\xff\xff\x7f",
    b"\x8e" + struct.pack("<Q", 2**62),
    b"\x95" + struct.pack("<Q", 2**62),
    b"I" + b"9" * 5000 + b"\n",
    b"]q\xfa" + b"h\xfah\xfa\x86h\xfae"[:3] * 200,
    b"N" + b"\x86" * 3,
    b"X" + struct.pack("<I", 2**31),
    b"r" + struct.pack("<I", 2**32 - 1),
)
"""Instructions that ask for much: depth, references to themselves, lengths that are not there."""

_FALSE_STARTS = (
    b"",
    b"<!DOCTYPE html><html>404</html>",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
    b"PK\x05\x06" + bytes(18),
    b"PK\x03\x04",
    b"\x80\x02.",
    b"\x80\x02}q\x00.",
    bytes(64),
)
_JSON_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**40,
    1e308,
    "",
    "x" * 99,
    [],
    {},
    [[[]]],
    [0, -1],
    [3, 10**9, 10**9],
)
_BAD_FLOATS = (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f")


def mutated(content: bytes, draw: random.Random) -> bytes:
    """Return a file's content with one to three damages, in its structure mostly."""
    if draw.random() < 0.03:
        return draw.choice(_FALSE_STARTS)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        try:
            content = _ways(content, draw)(content, draw)
        except Exception:  # an earlier damage left no structure to be found
            content = _bytes(content, draw)
    return content


Way = Callable[[bytes, random.Random], bytes]


def _ways(content: bytes, draw: random.Random) -> Way:
    if draw.random() < 0.2:
        return _bytes
    if content.startswith(b"PK\x03\x04"):
        return draw.choice((_archive_pickle, _archive_pickle, _archive_members, _archive_ends))
    if content[:1] == b"\x80":
        return draw.choice((_row_of_pickles, _row_of_pickles, _numbers))
    if content[8:9] == b"{":
        return draw.choice((_safetensors, _safetensors, _numbers))
    if content.lstrip()[:1] == b"{":
        return _json
    return draw.choice((_bytes, _lines))


def _bytes(content: bytes, draw: random.Random) -> bytes:
    """Damage bytes: flip, cut off, take out, double, overwrite or append some."""
    if not content:
        return bytes(draw.randrange(64))
    data, at = bytearray(content), _place(len(content), draw)
    length = draw.choice((1, 1, 4, 16, 256))
    match draw.randrange(7):
        case 0:
            data[at] ^= 1 << draw.randrange(8)
        case 1:
            del data[at:]
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = data[at : at + length]
        case 4:
            data[at : at + length] = draw.randbytes(length)
        case 5:
            data[at : at + 8] = struct.pack("<q", draw.choice(NUMBERS))
        case _:
            data += draw.randbytes(length)
    return bytes(data)


def _place(size: int, draw: random.Random) -> int:
    """Return a place in a file: anywhere, or near its beginning or end, where formats keep their tables."""
    near = min(size, 4096)
    return draw.choice((draw.randrange(size), draw.randrange(near), size - 1 - draw.randrange(near)))


def _lines(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = draw.randrange(len(lines))
    lines[at : at + 1] = draw.choice(
        ([], [lines[at]] * 2, [b"  " + lines[at]], [b"a: &a [*a]"], [b"[" * 9999])
    )
    return b"\n".join(lines)


def _numbers(content: bytes, draw: random.Random) -> bytes:
    """Put numbers that are not finite among the weights."""
    if len(content) < 1024:
        return _bytes(content, draw)
    at = (len(content) // 2 + draw.randrange(len(content) // 4)) & ~3
    return content[:at] + draw.choice(_BAD_FLOATS) + content[at + 4 :]


def _archive_pickle(content: bytes, draw: random.Random) -> bytes:
    members = _members(content)
    names = [name for name in members if name.endswith("data.pkl")]
    if not names:
        return _bytes(content, draw)
    members[names[0]] = _pickle(members[names[0]], draw)
    return _archive(list(members.items()))


def _archive_members(content: bytes, draw: random.Random) -> bytes:
    members = list(_members(content).items())
    if not members:
        return _bytes(content, draw)
    at = draw.randrange(len(members))
    name, inner = members[at]
    way = draw.randrange(8)
    if way == 0:
        del members[at]
    elif way == 1:
        members.append((name, inner))
    elif way == 2:
        renamed = draw.choice(
            (f"../../{name}", "/etc/harm", "harm\x00.txt", f"{name}/data.pkl", "data.pkl", "a" * 9999)
        )
        members[at] = (renamed, inner)
    elif way == 3:
        members[at] = (name, inner[: draw.randrange(len(inner) + 1)])
    elif way == 4:
        members[at] = (name, inner + bytes(draw.choice((1, 64, 100_000))))
    elif way == 5:
        members[at] = (name, _numbers(inner, draw))
    elif way == 6:
        members[at] = (name, members[draw.randrange(len(members))][1])
    else:
        return _archive(members, zipfile.ZIP_DEFLATED)
    return _archive(members)


def _archive_ends(content: bytes, draw: random.Random) -> bytes:
    """Damage an archive's tables: its directory, its end, or the numbers in them."""
    signs = (b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04", b"PK\x06\x06", b"PK\x06\x07")
    at = content.rfind(draw.choice(signs))
    if at < 0:
        return _bytes(content, draw)
    data, at = bytearray(content), at + 4 + draw.randrange(42)
    width = draw.choice((2, 4, 8))
    data[at : at + width] = (draw.choice(NUMBERS) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
    return bytes(data)


def _members(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (
        zipfile.BadZipFile,
        ValueError,
        NotImplementedError,
        OSError,
        RuntimeError,
        EOFError,
        struct.error,
    ):
        return {}


def _archive(members: Sequence[tuple[str, bytes]], how: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, inner in members:
            archive.writestr(zipfile.ZipInfo(name), inner, how)
    return out.getvalue()


def _row_of_pickles(content: bytes, draw: random.Random) -> bytes:
    """Damage one of the pickles that stand one after another before the numbers."""
    stream, ends = io.BytesIO(content), [0]
    with contextlib.suppress(ValueError, IndexError, OverflowError, struct.error):
        for _ in range(5):
            for _ in pickletools.genops(stream):
                pass
            ends.append(stream.tell())
    if len(ends) < 2:
        return _bytes(content, draw)
    which = draw.randrange(len(ends) - 1)
    begin, end = ends[which], ends[which + 1]
    return content[:begin] + _pickle(content[begin:end], draw) + content[end:]


def _pickle(content: bytes, draw: random.Random) -> bytes:
    """Damage a pickle between or within its instructions."""
    parts = _instructions(content)
    if len(parts) < 3:
        return _bytes(content, draw)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at = draw.randrange(1, len(parts))
        way = draw.randrange(9)
        if way == 0:
            del parts[at]
        elif way == 1:
            parts.insert(at, parts[at])
        elif way == 2:
            other = draw.randrange(1, len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        elif way == 3:
            parts.insert(at, draw.choice(HARM))
        elif way == 4:
            parts.insert(at, draw.choice(BOMBS))
        elif way == 5:
            parts = _with_another(parts, b"c", draw.choice(NAMES), draw)
        elif way == 6:
            parts = _with_another(parts, b"KMJ", b"\x8a\x08" + struct.pack("<q", draw.choice(NUMBERS)), draw)
        elif way == 7:
            parts = _with_another(parts, b"X", b"X\x03\x00\x00\x00abc", draw)
        else:
            parts[at:] = []
    return b"".join(parts)


def _with_another(parts: list[bytes], starts: bytes, new: bytes, draw: random.Random) -> list[bytes]:
    places = [place for place, part in enumerate(parts) if part[:1] in [bytes([c]) for c in starts]]
    if places:
        parts[draw.choice(places)] = new
    return parts or [b"."]


def _instructions(content: bytes) -> list[bytes]:
    places: list[int] = []
    with contextlib.suppress(ValueError, IndexError, OverflowError, struct.error):
        for _, _, place in pickletools.genops(content):
            places.append(place or 0)
    return [content[a:b] for a, b in pairwise([*places, len(content)])]


def _safetensors(content: bytes, draw: random.Random) -> bytes:
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + length])
    except ValueError:
        return _bytes(content, draw)
    text = json.dumps(_changed(header, draw)).encode()
    if draw.random() < 0.2:
        text = text.replace(b"{", b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},', 1)
    claimed = len(text) if draw.random() < 0.9 else draw.choice(NUMBERS) & (2**64 - 1)
    return claimed.to_bytes(8, "little") + text + content[8 + length :]


def _json(content: bytes, draw: random.Random) -> bytes:
    try:
        found = json.loads(content)
    except ValueError:
        return _bytes(content, draw)
    if draw.random() < 0.05:
        return b'{"a":' * 50_000
    return json.dumps(_changed(found, draw)).encode()


def _changed(value: Any, draw: random.Random) -> Any:
    """Change one value, somewhere within lists and dicts."""
    if isinstance(value, dict) and value and draw.random() < 0.95:
        key = draw.choice(list(value))
        if draw.random() < 0.15:
            return {other: inner for other, inner in value.items() if other != key}
        return value | {key: _changed(value[key], draw)}
    if isinstance(value, list) and value and draw.random() < 0.8:
        at = draw.randrange(len(value))
        return [*value[:at], _changed(value[at], draw), *value[at + 1 :]]
    if isinstance(value, int) and draw.random() < 0.5:
        return draw.choice(NUMBERS)
    return draw.choice(_JSON_VALUES)
