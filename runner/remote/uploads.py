"""Brings one file or text up into a blob, and makes sure that it arrived whole.

It must not know which blob that is, nor why it is wanted.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import IO

from azure.core.exceptions import AzureError, ResourceNotFoundError

from runner.errors import TransferError, describe_os_error
from runner.frozen import dataclass
from runner.remote.contents import Contents
from runner.remote.lanes import Lanes
from runner.run.transfers.under_way import Moving, UnderWay

MEBIBYTE = 1024 * 1024
# Each thread holds one piece in memory, so pieces are smaller than the SDK's 64 MiB.
MOST_SINGLE_BYTES = 4 * MEBIBYTE
BLOCK_BYTES = 8 * MEBIBYTE
MOST_NEAR_BYTES = 5000 * MEBIBYTE
"""More does not fit into one request (REST, Put Blob)."""
LEAST_NEAR_BYTES = 64 * MEBIBYTE
"""From here on a file goes to a service on this machine in one request.

Nothing is lost on the way there, and several requests are no faster, so that blocks only cost: an
MD5 of each beside that of the whole file. Smaller files go as they go anywhere: it is where runs
are rehearsed.
"""
_PART_BYTES = 262_144
MOST_BYTES = 800 * 1024 * MEBIBYTE
"""Less than 50,000 blocks hold, each as large as may be (REST, Put Block List)."""
_MOST_BLOCKS = 50_000

_TEXT = "text/plain; charset=utf-8"
_BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The blob that a file becomes; `remove` takes it away again."""

    contents: Contents
    container: str
    blob: str
    remove: Callable[[], object]
    under_way: UnderWay = field(default_factory=UnderWay, repr=False)
    """Is told how far a large file is."""

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.container}/{self.blob}"


def upload_file(target: Target, source: Path, lanes: Lanes, check: Callable[[], None]) -> bytes:
    """Brings a file up with its MD5, replacing the blob; `check` may raise between two pieces.

    Gives the MD5 of what was sent.

    `TransferError` where the file cannot be read, or changes meanwhile, be it written to, touched,
    replaced or removed: the blob may be a mixture, and is taken away again.
    """
    try:
        with _open_file(source) as stream:
            before = os.fstat(stream.fileno())
            digest = _upload_stream(target, stream, before.st_size, source, lanes, check)
            after = os.fstat(stream.fileno())
            is_same = _state(before) == _state(after) == _state_at(source)
    except OSError as error:
        raise TransferError(f"cannot read `{source}`: {describe_os_error(error)}") from error
    if digest is None or not is_same:
        raise _changed(target, source)
    return digest


def upload_text(target: Target, text: str) -> None:
    """Brings a text up as UTF-8."""
    _upload_whole(target, text.encode(), _TEXT)


def _open_file(source: Path) -> IO[bytes]:
    """A pipe that took a file's place would have us wait for whoever writes to it."""
    descriptor = os.open(
        source,
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0),
    )
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb", buffering=0)
    os.close(descriptor)
    what = os.strerror(errno.EISDIR) if stat.S_ISDIR(mode) else "not a regular file"
    raise OSError(errno.EINVAL, what)


_State = tuple[int, int, int, int, int]


def _state(status: os.stat_result) -> _State:
    """What is another where a file was written to, touched or replaced.

    Who sets the times of a file back cannot hide when that was (`st_ctime_ns`, but on Windows).
    """
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _state_at(source: Path) -> _State | None:
    """None where there is nothing any more."""
    try:
        return _state(source.stat())
    except FileNotFoundError:
        return None


def _changed(target: Target, source: Path) -> TransferError:
    """The error for a file that changed; its blob is gone, or the hint says that it is not."""
    hint = "run again once nobody writes to it"
    try:
        target.remove()
    except ResourceNotFoundError:
        pass
    except AzureError:
        hint += f"; blob `{target.name}` may be a mixture, and could not be deleted"
    return TransferError(f"`{source}` changed while it was uploaded", hint=hint)


def _upload_stream(
    target: Target,
    stream: IO[bytes],
    size: int,
    source: Path,
    lanes: Lanes,
    check: Callable[[], None],
) -> bytes | None:
    """The MD5 of what was sent; None where that is not what the file was said to be."""
    if size > MOST_BYTES:
        raise TransferError(f"`{source}` is larger than {MOST_BYTES // 1024**3} GiB")
    if size > MOST_SINGLE_BYTES:
        moving = target.under_way.begin(is_up=True, size=size)
        try:
            if LEAST_NEAR_BYTES <= size <= MOST_NEAR_BYTES and target.contents.is_near:
                return _upload_at_once(target, stream, size, moving, check)
            return _Blocks(target, stream, lanes, moving, check).upload(size)
        finally:
            moving.end()
    content = _read_whole(stream, size)
    return None if content is None else _upload_whole(target, content, _BINARY)


def _read_whole(stream: IO[bytes], size: int) -> bytes | None:
    """All of a file, which must be as long as it was said to be."""
    content = stream.read(size + 1)
    while len(content) < size and (more := stream.read(size + 1 - len(content))):
        content += more
    return content if len(content) == size else None


def _upload_whole(target: Target, content: bytes, kind: str) -> bytes:
    """Puts the content in one request, compares the MD5 of what has arrived, and gives it."""
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    received = target.contents.put(target.container, target.blob, content, kind=kind, md5=digest)
    if received is not None and received != digest:
        raise TransferError(f"blob `{target.name}` did not arrive whole: its MD5 differs")
    return digest


def _upload_at_once(
    target: Target, stream: IO[bytes], size: int, moving: Moving, check: Callable[[], None]
) -> bytes | None:
    """Sends a file as it is read, and compares the MD5 of what has arrived.

    None where the file has become shorter; raises its `OSError`.
    """
    reading = _Reading(stream, size, moving, check)
    try:
        received = target.contents.put_as_read(
            target.container, target.blob, reading, size, kind=_BINARY
        )
    except _ReadingError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None
        return None
    digest = reading.digest()
    if received != digest:
        raise TransferError(f"blob `{target.name}` did not arrive whole: its MD5 differs")
    return digest


class _ReadingError(Exception):
    """A file could not be read to its end; an `OSError` would be taken for the connection's."""


class _Reading:
    """A file as the content of a request: read anew, from its first byte, for each try."""

    def __init__(
        self, stream: IO[bytes], size: int, moving: Moving, check: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._size = size
        self._moving = moving
        self._check = check
        self._md5 = hashlib.md5(usedforsecurity=False)

    def __iter__(self) -> Iterator[memoryview]:
        """Pieces, each to be sent before the next is asked for; raises `_ReadingError`."""
        self._md5 = hashlib.md5(usedforsecurity=False)
        left = self._size
        try:
            self._stream.seek(0)
            with memoryview(bytearray(_PART_BYTES)) as part:
                while left:
                    self._check()
                    count = self._stream.readinto(part[: min(left, _PART_BYTES)])  # type: ignore[attr-defined]
                    if not count:
                        raise _ReadingError
                    piece = part[:count]
                    self._md5.update(piece)
                    left -= count
                    yield piece
                    self._moving.done = self._size - left
        except OSError as error:
            raise _ReadingError from error

    def digest(self) -> bytes:
        """The MD5 of what was read."""
        return self._md5.digest()


class _Blocks:
    """A large file on its way: read once and in order, and sent by several threads."""

    def __init__(
        self,
        target: Target,
        stream: IO[bytes],
        lanes: Lanes,
        moving: Moving,
        check: Callable[[], None],
    ) -> None:
        self._target = target
        self._stream = stream
        self._lanes = lanes
        self._moving = moving
        self._check = check
        self._sending: deque[tuple[Future[None], bytearray]] = deque()

    def upload(self, size: int) -> bytes | None:
        """The MD5 of what was sent; None where the file has become shorter."""
        whole = hashlib.md5(usedforsecurity=False)
        blocks: list[str] = []
        # Of this upload alone: blocks of another that has broken off may still be there.
        mark = uuid.uuid4().hex
        block_bytes = max(BLOCK_BYTES, -(-size // _MOST_BLOCKS))
        sent = 0
        try:
            while sent < size:
                self._check()
                buffer = self._buffer(block_bytes)
                length = min(block_bytes, size - sent)
                block = base64.b64encode(f"{mark}{len(blocks):08d}".encode()).decode()
                send = partial(self._send, block, buffer, length)
                sending = None
                try:
                    if not self._fill(buffer, length):
                        return None
                    sending = self._lanes.submit(send)
                    self._sending.append((sending, buffer))
                finally:
                    if sending is None:
                        self._lanes.give(buffer)
                with memoryview(buffer) as view:
                    whole.update(view[:length])
                blocks.append(block)
                sent += length
            while self._sending:
                self._lanes.give(self._end_oldest())
        finally:
            self._give_up()
        self._check()
        target, digest = self._target, whole.digest()
        target.contents.put_block_list(
            target.container, target.blob, blocks, kind=_BINARY, md5=digest
        )
        return digest

    def _buffer(self, size: int) -> bytearray:
        """One that is free, or else, while we hold some, the one that is free next of these."""
        buffer = self._lanes.try_take()
        if buffer is None:
            buffer = self._end_oldest() if self._sending else self._lanes.take()
        if len(buffer) < size:
            buffer.extend(bytes(size - len(buffer)))
        return buffer

    def _fill(self, buffer: bytearray, length: int) -> bool:
        """Reads a block; false where the file ends within it."""
        filled = 0
        with memoryview(buffer) as view:
            while filled < length:
                count = self._stream.readinto(view[filled:length])  # type: ignore[attr-defined]
                if not count:
                    return False
                filled += count
        return True

    def _send(self, block: str, buffer: bytearray, length: int) -> None:
        self._check()
        target = self._target
        with memoryview(buffer) as whole, whole[:length] as content:
            digest = hashlib.md5(content, usedforsecurity=False).digest()
            target.contents.put_block(target.container, target.blob, block, content, md5=digest)
        self._moving.add(length)

    def _end_oldest(self) -> bytearray:
        """Waits until a block is there, and gives its buffer; raises what went wrong."""
        future, buffer = self._sending[0]
        future.result()
        self._sending.popleft()
        return buffer

    def _give_up(self) -> None:
        """Waits for what is still being sent."""
        for future, buffer in self._sending:
            future.cancel()
            if not future.cancelled():
                future.exception()
            self._lanes.give(buffer)
        self._sending.clear()
