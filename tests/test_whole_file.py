"""A file that is written is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.data.contact_sheet import save_sheet
from latentlab.errors import SettingsError
from latentlab.operations.sheet import save_loop
from latentlab.whole_file import whole_file, write_table, write_whole


def _write_half(path: Path, error: BaseException) -> None:
    with whole_file(path) as part:
        part.write_text("half")
        raise error


def test_what_was_there_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_table(path, ["a", "b"], [[1, "x, y"]])
    assert path.read_bytes() == b'a,b\n1,"x, y"\n'

    def rows():
        assert path.read_text() == 'a,b\n1,"x, y"\n'
        yield [2, "z"]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_table(path, ["a", "b"], rows())
    with pytest.raises(SettingsError, match=r"table\.csv cannot be written: No space left"):
        _write_half(path, OSError(28, "No space left on device"))
    assert path.read_bytes() == b'a,b\n1,"x, y"\n'
    assert [one.name for one in tmp_path.iterdir()] == ["table.csv"]


def test_an_interrupted_writing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _write_half(tmp_path / "a.txt", KeyboardInterrupt())
    assert not list(tmp_path.iterdir())


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    target, link = tmp_path / "kept" / "a.txt", tmp_path / "link.txt"
    link.symlink_to(target)
    write_whole(link, "one\r\ntwo\n")
    assert link.is_symlink()
    assert target.read_bytes() == b"one\r\ntwo\n"


@pytest.mark.parametrize(
    "name", ["sheet.png", "sheet.JPG", "sheet.webp", "loop.gif", "loop.webp", "loop.png"]
)
def test_pictures_that_cannot_be_finished_leave_the_older_one(tmp_path: Path, name: str, monkeypatch) -> None:
    path = tmp_path / name
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    save = save_loop if name.startswith("loop") else save_sheet
    content = [picture, picture + 9] if name.startswith("loop") else picture
    save(path, content)
    before = path.read_bytes()

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SettingsError, match="cannot be written: No space left"):
        save(path, content)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [name]
