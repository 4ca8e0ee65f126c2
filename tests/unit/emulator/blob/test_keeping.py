"""A storage account that comes back with its blobs, and never loses what is still referred to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.emulator.blob.core.blobs import Writing, delete_blob, write_blob
from runner.emulator.blob.core.catalogue import Catalogue
from runner.emulator.blob.core.conditions import NO_CONDITIONS
from runner.emulator.blob.core.contents import SMALL_BYTES, Contents
from runner.emulator.blob.core.kinds import KINDS
from runner.emulator.blob.core.records import (
    Blob,
    BlobKey,
    Block,
    BlockKey,
    Container,
    ContainerKey,
    ContentHeaders,
    Segment,
)
from runner.emulator.blob.core.state import State
from runner.emulator.blob.keeping import restore
from runner.emulator.storage.journal import Journal

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
KEY = BlobKey(container="c", blob="b")


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def write(state: State, key: BlobKey, content: bytes, now: datetime = NOW) -> Blob:
    received = await state.contents.receive(_pieces(content), len(content))
    segment = Segment(content=received.content, size_bytes=len(content))
    writing = Writing(key=key, headers=ContentHeaders(), metadata=())
    return write_blob(state, writing, (segment,), now)


def run(directory: Path, work: Callable[[State, Journal], Awaitable[None]]) -> None:
    """Works with an account that comes back from what is on disk."""

    async def main() -> None:
        contents = Contents(directory)
        state = State(catalogue=Catalogue(), contents=contents, container_delete_delay=timedelta(0))
        with closing(Journal(directory / "state.db", KINDS)) as journal:
            restore(state, journal)
            contents.remove_unreferenced()
            if state.catalogue.container("c") is None:
                key = ContainerKey(container="c")
                state.catalogue.put(Container(key=key, etag="0x1", modified=NOW, metadata=()))
            await work(state, journal)

    asyncio.run(main())


def large(content: bytes) -> bytes:
    """A content that has a file by itself."""
    return content.ljust(SMALL_BYTES + 1)


def files(directory: Path) -> list[bytes]:
    return sorted(path.read_bytes().rstrip() for path in (directory / "contents").iterdir())


def test_a_content_goes_after_the_record_that_referred_to_it(tmp_path: Path) -> None:
    async def work(state: State, journal: Journal) -> None:
        await write(state, KEY, large(b"old"))
        await journal.settled()
        await write(state, KEY, large(b"new"))
        # Killed now, the record on disk would still be the old one.
        assert files(tmp_path) == [b"new", b"old"]
        await journal.settled()
        assert files(tmp_path) == [b"new"]
        delete_blob(state, KEY, NO_CONDITIONS, None, NOW)
        assert files(tmp_path) == [b"new"]
        await journal.settled()
        assert files(tmp_path) == []

    run(tmp_path, work)


def test_blobs_blocks_and_etags_come_back(tmp_path: Path) -> None:
    blobs: list[Blob] = []

    async def make(state: State, journal: Journal) -> None:
        blobs.append(await write(state, KEY, b"content"))
        for block_id in ("QQ==", "Qg==", "AA=="):
            received = await state.contents.receive(_pieces(b"x"), 1)
            key = BlockKey(container="c", blob="b", block_id=block_id)
            segment = Segment(content=received.content, size_bytes=1, block_id=block_id)
            state.catalogue.put(Block(key=key, segment=segment))

    async def look(state: State, journal: Journal) -> None:
        found = state.catalogue.blob("c", "b")
        assert found == blobs[0]
        assert state.contents.read_small(found.segments, 0, 7) == b"content"
        assert list(state.catalogue.blocks("c", "b")) == ["QQ==", "Qg==", "AA=="]
        # A clock that was set back gives no ETag again.
        later = await write(state, BlobKey(container="c", blob="d"), b"", NOW - timedelta(days=1))
        assert int(later.etag, 16) > int(found.etag, 16)

    run(tmp_path, make)
    run(tmp_path, look)


def test_a_container_takes_all_with_it(tmp_path: Path) -> None:
    async def make(state: State, journal: Journal) -> None:
        await write(state, KEY, b"content")
        await journal.settled()
        state.contents.release([s.content for s in state.catalogue.contents("c")])
        state.catalogue.delete(ContainerKey(container="c"))

    async def look(state: State, journal: Journal) -> None:
        assert state.catalogue.blob_names("c") == []

    run(tmp_path, make)
    assert files(tmp_path) == [b"content"], "what is due after a commit is left to the next start"
    run(tmp_path, look)
    assert files(tmp_path) == []


def test_what_the_power_took_is_dropped_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def make(state: State, journal: Journal) -> None:
        await write(state, KEY, large(b"content"))
        await write(state, BlobKey(container="c", blob="whole"), large(b"more"))

    async def look(state: State, journal: Journal) -> None:
        assert list(state.catalogue.blob_names("c")) == ["whole"]

    run(tmp_path, make)
    for path in (tmp_path / "contents").iterdir():
        if path.read_bytes().startswith(b"content"):
            path.write_bytes(b"cont")
    with caplog.at_level(logging.WARNING):
        run(tmp_path, look)
        run(tmp_path, look)
    assert caplog.messages == [f"its content is not on disk, so it is dropped: {KEY}"]
    assert files(tmp_path) == [b"more"]


def test_of_small_contents_too_what_the_power_took_is_dropped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = BlobKey(container="c", blob="whole")

    async def make(state: State, journal: Journal) -> None:
        await write(state, whole, b"more")
        await write(state, KEY, b"content")

    async def look(state: State, journal: Journal) -> None:
        assert list(state.catalogue.blob_names("c")) == ["whole"]
        kept = state.catalogue.blob("c", "whole")
        assert kept is not None
        assert state.contents.read_small(kept.segments, 0, 4) == b"more"

    run(tmp_path, make)
    (pack,) = (tmp_path / "contents").iterdir()
    assert pack.read_bytes() == b"morecontent"
    pack.write_bytes(b"morecont")
    with caplog.at_level(logging.WARNING):
        run(tmp_path, look)
        run(tmp_path, look)
    assert caplog.messages == [f"its content is not on disk, so it is dropped: {KEY}"]


def test_a_small_content_goes_after_the_record_that_referred_to_it(tmp_path: Path) -> None:
    async def work(state: State, journal: Journal) -> None:
        await write(state, KEY, b"old,")
        await journal.settled()
        await write(state, KEY, b"new")
        assert files(tmp_path) == [b"old,new"]
        await journal.settled()
        delete_blob(state, KEY, NO_CONDITIONS, None, NOW)
        assert files(tmp_path) == [b"old,new"]
        await journal.settled()
        assert files(tmp_path) == []

    run(tmp_path, work)


def test_what_is_added_after_a_start_is_not_put_to_what_is_there(tmp_path: Path) -> None:
    other = BlobKey(container="c", blob="other")

    async def make(state: State, journal: Journal) -> None:
        await write(state, KEY, b"first")

    async def go_on(state: State, journal: Journal) -> None:
        await write(state, other, b"second")

    async def look(state: State, journal: Journal) -> None:
        delete_blob(state, KEY, NO_CONDITIONS, None, NOW)
        await journal.settled()
        assert files(tmp_path) == [b"second"]

    run(tmp_path, make)
    run(tmp_path, go_on)
    assert files(tmp_path) == [b"first", b"second"]
    run(tmp_path, look)


def test_a_killed_upload_leaves_nothing(tmp_path: Path) -> None:
    async def make(state: State, journal: Journal) -> None:
        await write(state, KEY, b"kept")
        # Written, and never said to be a blob's.
        await state.contents.receive(_pieces(b"lost"), 4)
        await state.contents.receive(_pieces(large(b"lost")), SMALL_BYTES + 1)

    async def look(state: State, journal: Journal) -> None:
        assert files(tmp_path) == [b"keptlost"], "one that is alone is removed"
        delete_blob(state, KEY, NO_CONDITIONS, None, NOW)
        await journal.settled()
        assert files(tmp_path) == []

    run(tmp_path, make)
    run(tmp_path, look)
