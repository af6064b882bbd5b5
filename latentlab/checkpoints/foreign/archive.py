"""The members of a zip archive that torch wrote, read where they lie: nothing is decompressed or unpacked."""

from __future__ import annotations

import struct
import zipfile

from latentlab.checkpoints.foreign.plain_pickle import shown
from latentlab.checkpoints.foreign.stored import ForeignFile
from latentlab.errors import CheckpointError

MOST_MEMBERS = 50_000
"""The most members of an archive; a large network has a few thousand tensors."""
MEMBER, EMPTY = b"PK\x03\x04", b"PK\x05\x06"
"""What an archive begins with, and one that has no member."""
_LOCAL = struct.Struct("<4s5H3I2H")
_END, _END_64, _LOCATOR = struct.Struct("<4s4H2IH"), struct.Struct("<4sQ2H2I4Q"), struct.Struct("<4sIQI")
_LOCATOR_SIGN = b"PK\x06\x07"
_LONGEST_TAIL = 66_000
_ENTRY_BYTES = 300


class Archive:
    """The members of a zip archive, none of which is compressed, read where they lie."""

    def __init__(self, file: ForeignFile) -> None:
        self.file = file
        self._members = {
            entry.filename: (entry.header_offset, entry.file_size) for entry in _entries_of(file)
        }

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        """Return the members' names."""
        return list(self._members)

    def place(self, name: str) -> tuple[int, int]:
        """Return where a member's bytes begin, and how many there are."""
        at, size = self._members[name]
        signature, *_, name_bytes, extra_bytes = _LOCAL.unpack(self.file.read(at, _LOCAL.size))
        begin = at + _LOCAL.size + name_bytes + extra_bytes
        if signature != MEMBER or begin + size > self.file.size:
            raise CheckpointError(
                f"{self.file.path} is truncated or damaged: its member {shown(name)} should have "
                f"{size:,} bytes from byte {begin:,}. Download or copy it again."
            )
        return begin, size

    def read(self, name: str, most: int) -> bytes:
        """Return a member's bytes, of which there may be so many."""
        begin, size = self.place(name)
        if size > most:
            raise CheckpointError(
                f"{self.file.path}: its member {shown(name)} should have at most {most:,} bytes; it has "
                f"{size:,}. It holds more than weights; save the network's state_dict() alone."
            )
        return self.file.read(begin, size)


def _entries_of(file: ForeignFile) -> list[zipfile.ZipInfo]:
    path = file.path
    damaged = f"{path} is truncated or damaged: its directory of members"
    most = MOST_MEMBERS * _ENTRY_BYTES
    try:
        found = _directory_bytes(file)
        if found > most:
            raise CheckpointError(
                f"{path}: the directory of its members should have at most {most:,} bytes; it has {found:,}. "
                "It is no checkpoint."
            )
        with path.open("rb") as opened, zipfile.ZipFile(opened) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OverflowError) as error:
        raise CheckpointError(
            f"{damaged} cannot be read ({shown(error)}). Download or copy it again."
        ) from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from None
    of_torch = any(entry.filename.rpartition("/")[2] == "data.pkl" for entry in entries)
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        if name in seen:
            raise CheckpointError(
                f"{path}: each member should stand once in the archive; {shown(name)} stands twice. "
                "Download it again from its source."
            )
        seen.add(name)
        if of_torch and (
            entry.compress_type != zipfile.ZIP_STORED
            or entry.file_size != entry.compress_size
            or entry.flag_bits & 1
        ):
            raise CheckpointError(
                f"{path}: its member {shown(name)} should be stored as it is, as torch does; it is "
                "compressed or encrypted. Save the checkpoint again with torch."
            )
    return entries


def _directory_bytes(file: ForeignFile) -> int:
    """Return how many bytes the directory of an archive has, as its end says."""
    length = min(file.size, _LONGEST_TAIL)
    tail = file.read(file.size - length, length)
    end = tail.rfind(EMPTY)
    if end < 0 or len(tail) - end < _END.size:
        raise CheckpointError(
            f"{file.path} is truncated: a zip archive ends with the directory of its members; it has "
            "none. Download or copy it again."
        )
    size = int(_END.unpack_from(tail, end)[5])
    if end < _LOCATOR.size or not tail.startswith(_LOCATOR_SIGN, end - _LOCATOR.size):
        return size
    # An archive of the larger format says it elsewhere: where its locator points to, or just before that one,
    # which is where Python looks.
    said = _LOCATOR.unpack_from(tail, end - _LOCATOR.size)[2]
    before = file.size - length + end - _LOCATOR.size - _END_64.size
    sizes = [_END_64.unpack(file.read(at, _END_64.size))[8] for at in (said, before)]
    return int(max(size if size < 0xFFFFFFFF else 0, *sizes))
