"""Contents on disk: written whole, read in part, and removed with the last reference."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.emulator.blob.core.contents import SMALL_BYTES, Contents, Received
from runner.emulator.blob.core.files import ContentSizeError
from runner.emulator.blob.core.records import ContentId, Segment


class BrokenOffError(Exception):
    """The sender went away."""


async def pieces(content: bytes, *, broken: bool = False) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 70_000):
        yield content[start : start + 70_000]
    if broken:
        raise BrokenOffError


def receive(contents: Contents, content: bytes) -> Received:
    return asyncio.run(contents.receive(pieces(content), len(content)))


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size_bytes", [10, SMALL_BYTES, SMALL_BYTES + 1, 5_000_000])
def test_a_content_is_written_and_digested(tmp_path: Path, size_bytes: int) -> None:
    content = bytes(i % 251 for i in range(1000)) * (size_bytes // 1000 + 1)
    content = content[:size_bytes]
    contents = Contents(tmp_path)

    received = receive(contents, content)

    assert received.md5 == hashlib.md5(content).digest()
    assert [path.read_bytes() for path in files(tmp_path)] == [content]


@pytest.mark.parametrize("size_bytes", [10, 5_000_000])
def test_a_content_that_breaks_off_leaves_nothing(tmp_path: Path, size_bytes: int) -> None:
    contents = Contents(tmp_path)

    with pytest.raises(BrokenOffError):
        asyncio.run(contents.receive(pieces(bytes(size_bytes), broken=True), size_bytes))
    with pytest.raises(ContentSizeError):
        asyncio.run(contents.receive(pieces(bytes(size_bytes)), size_bytes + 1))

    assert files(tmp_path) == []


def test_a_content_goes_with_its_last_reference(tmp_path: Path) -> None:
    contents = Contents(tmp_path)
    received = receive(contents, b"content")
    segment = Segment(content=received.content, size_bytes=7)

    contents.hold([segment])
    contents.release([received.content])
    assert contents.read_small([segment], 2, 3) == b"nte"
    contents.release([received.content])

    assert files(tmp_path) == []


def test_a_reader_that_was_never_read_lets_go(tmp_path: Path) -> None:
    contents = Contents(tmp_path)
    received = receive(contents, b"content")
    reader = contents.open([Segment(content=received.content, size_bytes=7)], 0, 7)
    contents.release([received.content])
    assert len(files(tmp_path)) == 1

    asyncio.run(reader.aclose())

    assert files(tmp_path) == []


def test_files_of_before_are_removed(tmp_path: Path) -> None:
    receive(Contents(tmp_path), b"content")
    (tmp_path / "contents" / "cut-off").write_bytes(b"con")

    Contents(tmp_path).remove_unreferenced()

    assert files(tmp_path) == []


@contextmanager
def opened_below(folder: Path) -> Iterator[list[str]]:
    """The files that are opened below a folder meanwhile."""
    paths: list[str] = []
    listening = True

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event == "open" and str(arguments[0]).startswith(str(folder)):
            paths.append(str(arguments[0]))

    # Such a hook cannot be taken away again.
    sys.addaudithook(hear)
    try:
        yield paths
    finally:
        listening = False


def test_a_hundred_small_contents_are_one_file_that_is_opened_once(tmp_path: Path) -> None:
    contents = Contents(tmp_path)

    with opened_below(tmp_path) as opened:
        segments = [
            Segment(content=contents.write(bytes([i]) * 10_000).content, size_bytes=10_000)
            for i in range(100)
        ]
        found = [contents.read_small([segment], 9_999, 1) for segment in segments]

    assert found == [bytes([i]) for i in range(100)]
    assert opened == [str(path) for path in files(tmp_path)]
    assert len(opened) == 1
    contents.close()


def test_a_large_content_is_opened_once_to_be_written(tmp_path: Path) -> None:
    contents = Contents(tmp_path)

    with opened_below(tmp_path) as opened:
        receive(contents, bytes(5_000_000))

    assert opened == [str(path) for path in files(tmp_path)]


def test_lines_that_are_appended_are_one_file(tmp_path: Path) -> None:
    contents = Contents(tmp_path)
    segments: tuple[Segment, ...] = ()

    for i in range(50):
        received = contents.write(b"%d\n" % i)
        added = Segment(content=received.content, size_bytes=received.size_bytes)
        segments = contents.join(segments, added)

    assert len(segments) == 1
    text = "".join(f"{i}\n" for i in range(50)).encode()
    assert contents.read_small(segments, 0, len(text)) == text
    assert [path.read_bytes() for path in files(tmp_path)] == [text]
    contents.close()


def test_contents_of_a_record_that_is_not_whole_stay_for_others(tmp_path: Path) -> None:
    before = Contents(tmp_path)
    written = [os.urandom(200_000) for _ in range(25)]
    first, *others = [
        Segment(content=before.write(content).content, size_bytes=len(content))
        for content in written
    ]
    before.close()
    lost = Segment(content=ContentId("gone"), size_bytes=1)
    contents = Contents(tmp_path)

    assert contents.adopt([first])
    assert not contents.adopt([*others, lost])
    assert contents.adopt(others)
    contents.remove_unreferenced()

    found = [contents.read_small([each], 0, each.size_bytes) for each in (first, *others)]
    assert found == written
