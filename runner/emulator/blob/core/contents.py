"""Keeps contents as files, named by an id of ours, for as long as anything refers to them.

It must not know what a content belongs to, nor the name it has there.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from runner.emulator.blob.core.files import (
    PIECE_BYTES,
    ContentSizeError,
    remove_file,
    remove_files,
    write_at,
    write_large,
)
from runner.emulator.blob.core.packs import Packs, is_packed, place_of
from runner.emulator.blob.core.records import ContentId, Segment
from runner.emulator.privacy import make_private_directory
from runner.emulator.storage.journal import Journal

# Up to this size a content is held in memory and goes through in one call: a hop to a thread
# costs more than writing or reading so little of the page cache.
SMALL_BYTES = 256 * 1024
# A content that grows ends here, and the next begins.
_LARGEST_JOINED_BYTES = 64 * 1024 * 1024


class Received(NamedTuple):
    """A content that lies on disk whole, with one reference to it."""

    content: ContentId
    size_bytes: int
    md5: bytes


class Contents:
    """The contents of one account; each is deleted with the last reference to it.

    A large one is a file, small ones lie in packs. It is written where it stays: it counts from
    when a record refers to it, and what has none is removed at the next start. A reader holds
    references too, so that what it reads stays as it is while the blob is replaced or deleted.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "contents"
        # Joined as text: paths of `pathlib` cost more than the files that they name.
        self._folder = f"{self._directory}{os.sep}"
        self._references: dict[ContentId, int] = {}
        self._journal: Journal | None = None
        # Names never come twice, over restarts too: files of before may still be there.
        start = secrets.token_hex(6)
        self._names = (f"{start}-{number:x}" for number in itertools.count())
        self._packs = Packs(self._folder, self._names)
        make_private_directory(directory)
        make_private_directory(self._directory)

    def keep(self, journal: Journal) -> None:
        """From now on a content is deleted only when no record on disk refers to it any more."""
        self._journal = journal

    def close(self) -> None:
        """Closes the files that are kept open; what is used again is opened again."""
        self._packs.close()

    def adopt(self, segments: Sequence[Segment]) -> bool:
        """Adds a reference to the contents of before; or none, and False, where one is not whole.

        A file may be longer: what follows is of a request that was never finished.
        """
        references = self._references
        new = [segment for segment in segments if segment.content not in references]
        # All before any: what was adopted and is given up might be of a record that is still to
        # come, and its space must not be given back.
        if not all(map(self._is_whole, new)):
            return False
        for content in {segment.content for segment in new if is_packed(segment.content)}:
            self._packs.adopt(content)
        for segment in segments:
            references[segment.content] = references.get(segment.content, 0) + 1
        return True

    def _is_whole(self, segment: Segment) -> bool:
        if is_packed(segment.content):
            return self._packs.is_whole(segment.content)
        try:
            return os.stat(self._folder + segment.content).st_size >= segment.size_bytes  # noqa: PTH116 - of many files
        except FileNotFoundError:
            return False

    def remove_unreferenced(self) -> None:
        """Removes the files of before that nothing refers to, those that were cut off too."""
        with os.scandir(self._directory) as entries:
            for entry in entries:
                name = entry.name
                if ContentId(name) not in self._references and not self._packs.holds(name):
                    remove_file(entry.path)

    def place_of(self, content: ContentId) -> tuple[str, int]:
        """The file of a content and where it begins there; the rest of the file is of others."""
        if is_packed(content):
            name, offset, _ = place_of(content)
            return self._folder + name, offset
        return self._folder + content, 0

    def reserve(self, size_bytes: int) -> ContentId:
        """A place for a content that is still to be written, by whoever asks; see `take`."""
        if size_bytes <= SMALL_BYTES:
            return self._packs.reserve(size_bytes)
        return ContentId(next(self._names))

    def take(self, content: ContentId) -> None:
        """What was reserved is written whole: it has one reference now."""
        self._references[content] = 1

    def discard(self, content: ContentId) -> None:
        """What was reserved will not be written, or not whole."""
        self._remove((content,))

    def write(self, content: bytes, md5: bytes | None = None) -> Received:
        """Takes in a content of at most `SMALL_BYTES` that is there as a whole.

        Its MD5 is taken, unless it is given.
        """
        name = self._packs.write(content)
        self._references[name] = 1
        if md5 is None:
            md5 = hashlib.md5(content, usedforsecurity=False).digest()
        return Received(content=name, size_bytes=len(content), md5=md5)

    async def receive(self, pieces: AsyncIterator[bytes], size_bytes: int) -> Received:
        """Writes a content as it arrives and takes its MD5; raises `ContentSizeError`."""
        if size_bytes <= SMALL_BYTES:
            content = b"".join([piece async for piece in pieces])
            if len(content) != size_bytes:
                raise ContentSizeError
            return self.write(content)
        name = ContentId(next(self._names))
        md5 = hashlib.md5(usedforsecurity=False)
        try:
            await write_large(self._folder + name, pieces, size_bytes, md5)
        except BaseException:
            remove_file(self._folder + name)
            raise
        self._references[name] = 1
        return Received(content=name, size_bytes=size_bytes, md5=md5.digest())

    def hold(self, segments: Iterable[Segment]) -> None:
        """Adds one reference to each segment's content."""
        for segment in segments:
            self._references[segment.content] += 1

    def release(self, contents: Iterable[ContentId]) -> None:
        """Takes one reference from each content, and deletes what has none left."""
        references = self._references
        gone = []
        for content in contents:
            left = references[content] - 1
            if left:
                references[content] = left
            else:
                del references[content]
                gone.append(content)
        if not gone:
            return
        if self._journal is None:
            self._remove(gone)
        else:
            self._journal.after_commit(partial(self._remove, gone))

    def _remove(self, contents: Iterable[ContentId]) -> None:
        packed: list[ContentId] = []
        paths: list[str] = []
        for content in contents:
            if is_packed(content):
                packed.append(content)
            else:
                paths.append(self._folder + content)
        if packed:
            paths += self._packs.remove(packed)
        if paths:
            remove_files(paths)

    def join(self, segments: tuple[Segment, ...], segment: Segment) -> tuple[Segment, ...]:
        """The segments with one more at the end; references stay with what is given back.

        A small one gets a file by itself, behind whose end the next are written while nobody else
        refers to it: a blob that grows by lines is one file.
        """
        if segment.size_bytes > SMALL_BYTES:
            return (*segments, segment)
        last = segments[-1] if segments else None
        added = self._read(segment.content, 0, segment.size_bytes)
        if (
            last is None
            or is_packed(last.content)
            or last.size_bytes >= _LARGEST_JOINED_BYTES
            or self._references[last.content] > 1
        ):
            content = ContentId(next(self._names))
            write_at(self._folder + content, added, 0)
            self._references[content] = 1
            grown = (*segments, replace(segment, content=content))
        else:
            # Not at the file's end: what lies there may be of a request that was never finished.
            write_at(self._folder + last.content, added, last.size_bytes)
            size_bytes = last.size_bytes + segment.size_bytes
            grown = (*segments[:-1], replace(last, size_bytes=size_bytes))
        self.release((segment.content,))
        return grown

    def read_small(self, segments: Sequence[Segment], offset: int, size_bytes: int) -> bytes:
        """A stretch of at most `SMALL_BYTES`, at once."""
        return b"".join(
            [
                self._packs.read(segment.content, start, count)
                if is_packed(segment.content)
                else self._read(segment.content, start, count)
                for segment, start, count in _cut(segments, offset, size_bytes)
            ]
        )

    def open(self, segments: Sequence[Segment], offset: int, size_bytes: int) -> ContentReader:
        """A stretch piece by piece; to be closed, read or not."""
        return ContentReader(self, segments, offset, size_bytes)

    async def read_piece(self, content: ContentId, offset: int, size_bytes: int) -> bytes:
        """A piece of one content, read in a thread."""
        return await asyncio.to_thread(self._read, content, offset, size_bytes)

    def _read(self, content: ContentId, start: int, size_bytes: int) -> bytes:
        # Not by the files that the packs keep open: they are of the loop's thread alone.
        path, offset = self.place_of(content)
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(file, size_bytes, offset + start)
        finally:
            os.close(file)


class ContentReader:
    """Reads a stretch of some segments, and holds them until it is closed."""

    def __init__(
        self, contents: Contents, segments: Sequence[Segment], offset: int, size_bytes: int
    ) -> None:
        parts = list(_cut(segments, offset, size_bytes))
        self._contents = contents
        self._held = [segment for segment, _, _ in parts]
        self._pieces = iter(
            [
                (segment.content, start + step, min(PIECE_BYTES, count - step))
                for segment, start, count in parts
                for step in range(0, count, PIECE_BYTES)
            ]
        )
        contents.hold(self._held)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces in order."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece."""
        for content, offset, size_bytes in self._pieces:
            return await self._contents.read_piece(content, offset, size_bytes)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Lets go of the contents; the reader cannot be used any more."""
        held, self._held = self._held, []
        self._pieces = iter([])
        self._contents.release(segment.content for segment in held)


def _cut(
    segments: Sequence[Segment], offset: int, size_bytes: int
) -> Iterable[tuple[Segment, int, int]]:
    """Which stretch of which segment makes up the stretch of the whole: segment, start, count."""
    end = offset + size_bytes
    position = 0
    for segment in segments:
        start, stop = max(offset, position), min(end, position + segment.size_bytes)
        if start < stop:
            yield segment, start - position, stop - start
        position += segment.size_bytes
        if position >= end:
            return
