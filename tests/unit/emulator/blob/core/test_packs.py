"""Small contents in larger files: found again, and gone with the last of them."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from runner.emulator.blob.core.packs import Packs, find_fallocate, place_of
from runner.emulator.blob.core.records import ContentId

PIECE = os.urandom(200_000)


def make_packs(folder: Path, prefix: str = "p") -> Packs:
    names = (f"{prefix}{number}" for number in itertools.count())
    return Packs(f"{folder}/", names)


def remove(packs: Packs, *contents: ContentId) -> None:
    for path in packs.remove(contents):
        Path(path).unlink()


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def disk_bytes(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.iterdir())


def test_contents_are_found_again(tmp_path: Path) -> None:
    packs = make_packs(tmp_path)
    contents = [os.urandom(size) for size in (1, 10_000, 7)]

    ids = [packs.write(content) for content in contents]

    assert [packs.read(i, 0, len(c)) for i, c in zip(ids, contents, strict=True)] == contents
    assert packs.read(ids[1], 5, 20) == contents[1][5:25]
    assert [place_of(i) for i in ids] == [("p0", 0, 1), ("p0", 1, 10_000), ("p0", 10_001, 7)]
    packs.close()
    assert packs.read(ids[0], 0, 1) == contents[0], "closed files are opened again"
    packs.close()


def test_a_pack_has_an_end_and_goes_with_the_last_content_in_it(tmp_path: Path) -> None:
    packs = make_packs(tmp_path)
    ids = [packs.write(PIECE) for _ in range(100)]
    assert len(list(tmp_path.iterdir())) == 2

    remove(packs, *ids[:-1])

    assert [path.name for path in tmp_path.iterdir()] == ["p1"]
    assert packs.read(ids[-1], 0, len(PIECE)) == PIECE
    remove(packs, ids[-1])
    assert list(tmp_path.iterdir()) == []
    assert packs.read(packs.write(b"new"), 0, 3) == b"new"
    packs.close()


def test_more_packs_than_files_that_are_kept_open(tmp_path: Path) -> None:
    ids = []
    for number in range(40):
        packs = make_packs(tmp_path, f"{number}-")
        ids.append(packs.write(bytes([number])))
        packs.close()
    packs = make_packs(tmp_path, "new")
    before = open_files()

    assert all(packs.adopt(content) for content in ids)
    found = [packs.read(content, 0, 1) for content in [*ids, *ids]]

    assert found == [bytes([number]) for number in range(40)] * 2
    assert open_files() <= before + 32
    packs.close()
    assert open_files() == before


def test_the_disk_gets_back_what_lies_between(tmp_path: Path) -> None:
    packs = make_packs(tmp_path)
    ids = [packs.write(PIECE) for _ in range(80)]
    full = disk_bytes(tmp_path)

    for content in ids[1:-1]:
        remove(packs, content)

    if os.uname().sysname == "Linux":
        assert disk_bytes(tmp_path) < full / 3
    assert packs.read(ids[0], 0, len(PIECE)) == PIECE
    assert packs.read(ids[-1], 0, len(PIECE)) == PIECE
    packs.close()


def test_what_was_reserved_is_a_place_of_its_own(tmp_path: Path) -> None:
    packs = make_packs(tmp_path)
    first = packs.write(b"first")
    reserved = packs.reserve(3)
    last = packs.write(b"last")
    name, offset, size_bytes = place_of(reserved)
    with (tmp_path / name).open("r+b") as file:
        file.seek(offset)
        file.write(b"own")

    assert size_bytes == 3
    found = [packs.read(content, 0, place_of(content)[2]) for content in (first, reserved, last)]
    assert found == [b"first", b"own", b"last"]
    for content in (first, last):
        remove(packs, content)
    assert packs.read(reserved, 0, 3) == b"own"
    remove(packs, reserved)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size_bytes", [0, 10])
def test_of_before_only_what_is_whole_is_adopted(tmp_path: Path, size_bytes: int) -> None:
    packs = make_packs(tmp_path)
    whole, cut = packs.write(b"whole"), packs.write(b"content")
    packs.close()
    os.truncate(tmp_path / "p0", size_bytes)

    later = make_packs(tmp_path, "later")

    assert later.adopt(whole) is (size_bytes == 10)
    assert not later.adopt(cut)
    assert not make_packs(tmp_path / "elsewhere").adopt(whole)
    assert later.holds("p0") is (size_bytes == 10)
    later.close()


def test_space_is_given_back_whatever_the_c_library_calls_it() -> None:
    def plain() -> int:
        return 0

    def large() -> int:
        return 0

    assert find_fallocate(SimpleNamespace(fallocate=plain)) is plain
    assert find_fallocate(SimpleNamespace(fallocate=plain, fallocate64=large)) is large
