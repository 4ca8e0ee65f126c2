"""Storage that lies on the machine of the node: files come from it and go to it without HTTP.

Where it will not have something, for whatever reason, HTTP is asked, and says why. It must not know
whose storage that is, nor how it is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Protocol, TypeVar

from runner.emulator.batch.node.connections import PIECE_BYTES, TransferError
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.launch import ResourceFile
from runner.emulator.batch.node.urls import blob_url
from runner.emulator.storage.record import record

T = TypeVar("T")

SMALL_BYTES = PIECE_BYTES
"""Up to this size a content is read and written at once."""
# What else is to be done on the loop must not wait for a container with thousands of blobs.
_HELD_AT_ONCE = 64
_MOST_AT_ONCE = 16
_DIGEST_OF_NOTHING = hashlib.md5(usedforsecurity=False).digest()


class Stretch(Protocol):
    """So many bytes of a file from an offset on."""

    @property
    def path(self) -> str: ...
    @property
    def offset(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...


class Held(Protocol):
    """The content of a blob, which stays as it is until `release` is called, on the loop."""

    @property
    def stretches(self) -> Sequence[Stretch]: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def md5(self) -> bytes | None: ...
    @property
    def is_on_disk(self) -> bool: ...
    @property
    def release(self) -> Callable[[], None]: ...


@record(frozen=True, slots=True)
class Incoming:
    """A content that may be put: it is to be written into `path` from `offset` on.

    Then `commit` makes it the blob's, by its MD5, and says so; or it is gone, as with `drop`. One
    of them is to be called, on the loop.
    """

    path: str
    offset: int
    commit: Callable[[bytes], bool]
    drop: Callable[[], None]


class NearStorage(Protocol):
    """All but `serves` is to be called on the loop, and does not wait."""

    def serves(self, url: str) -> bool:
        """Whether it may have what is at that URL; from any thread."""
        ...

    def hold(self, url: str) -> Held | None:
        """What "Get Blob" would give; None where HTTP is to be asked."""
        ...

    def list_names(self, container_url: str, prefix: str) -> Sequence[str] | None:
        """What "List Blobs" would give, all pages; None where HTTP is to be asked."""
        ...

    def begin(self, url: str, headers: Mapping[str, str], size_bytes: int) -> Incoming | None:
        """Whether "Put Blob" would take it; None where HTTP is to be asked."""
        ...

    def put(self, url: str, headers: Mapping[str, str], content: bytes, md5: bytes) -> bool:
        """As "Put Blob"; whether it was taken. One that was not may be sent by HTTP."""
        ...

    def write_out(self) -> bool:
        """Writes all that was read or put so far; whether it is on disk.

        It waits for more otherwise: to be called before anybody is told of it.
        """
        ...


class OnLoop(Protocol):
    """Has something done on the loop, and waits for what comes of it; from other threads."""

    def __call__(self, work: Callable[[], T], /) -> T: ...


@record(frozen=True, slots=True)
class Nearby:
    """Storage that is near, and how a thread asks it."""

    storage: NearStorage
    on_loop: OnLoop


@record(frozen=True, slots=True)
class Provisions:
    """What of a task's resource files is near: contents by URL, lists by container and prefix."""

    held: dict[str, Held] = field(default_factory=dict)
    names: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    def release(self) -> None:
        """Lets go of the contents; on the loop."""
        for each in self.held.values():
            each.release()
        self.held.clear()


NO_PROVISIONS = Provisions()


async def provide(near: NearStorage, files: Iterable[ResourceFile], provisions: Provisions) -> None:
    """Adds to the provisions all that is near of the files, for a thread to copy."""
    for count, url in enumerate(_urls(near, files, provisions), start=1):
        if url not in provisions.held:
            held = near.hold(url)
            if held is not None:
                provisions.held[url] = held
        if count % _HELD_AT_ONCE == 0:
            await asyncio.sleep(0)
    if not all(each.is_on_disk for each in provisions.held.values()) and not near.write_out():
        # What a task is given must not be gone after a restart; HTTP says why it cannot be had.
        provisions.release()


def provides_at_once(provisions: Provisions, files: Sequence[ResourceFile]) -> bool:
    """Whether all of the files are near, and copying them takes no longer than starting a task."""
    if not files:
        return True
    if len(provisions.held) > _MOST_AT_ONCE:
        return False
    for file in files:
        if file.http_url is None:
            listed = (file.storage_container_url or "", file.blob_prefix or "")
            names = provisions.names.get(listed)
            if names is None or len(names) > _MOST_AT_ONCE:
                return False
            urls = tuple(blob_url(listed[0], name) for name in names if name[-1:] != "/")
        else:
            urls = (file.http_url,)
        if not all(url in provisions.held for url in urls):
            return False
    return sum(held.size_bytes for held in provisions.held.values()) <= SMALL_BYTES


def _urls(
    near: NearStorage, files: Iterable[ResourceFile], provisions: Provisions
) -> Iterable[str]:
    for file in files:
        if file.http_url is not None:
            if near.serves(file.http_url):
                yield file.http_url
        elif file.storage_container_url is not None and near.serves(file.storage_container_url):
            container, prefix = file.storage_container_url, file.blob_prefix or ""
            names = near.list_names(container, prefix)
            if names is not None:
                provisions.names[container, prefix] = names
                yield from (blob_url(container, name) for name in names if name[-1:] != "/")


def read_small(held: Held) -> bytes:
    """A content of at most `SMALL_BYTES`, checked; raises `TransferError`."""
    if len(held.stretches) == 1:
        content = _read(held.stretches[0])
    else:
        content = b"".join(map(_read, held.stretches))
    if len(content) != held.size_bytes:
        raise TransferError("the stored content is not whole")
    if held.md5 is not None:
        _check(digest(content), held.md5)
    return content


def read_pieces(held: Held, interruption: Interruption) -> Iterator[bytes]:
    """A content piece by piece, checked at its end; raises `TransferError`.

    Raises `InterruptedRunError` between two pieces.
    """
    running = None if held.md5 is None else hashlib.md5(usedforsecurity=False)
    for stretch in held.stretches:
        file = _open(stretch)
        try:
            position, end = stretch.offset, stretch.offset + stretch.size_bytes
            while position < end:
                interruption.check()
                piece = _pread(file, min(PIECE_BYTES, end - position), position)
                if not piece:
                    raise TransferError("the stored content is not whole")
                yield piece
                if running is not None:
                    running.update(piece)
                position += len(piece)
        finally:
            os.close(file)
    if running is not None and held.md5 is not None:
        _check(running.digest(), held.md5)


def digest(content: bytes) -> bytes:
    """The MD5 of a content."""
    return hashlib.md5(content, usedforsecurity=False).digest() if content else _DIGEST_OF_NOTHING


def write_incoming(incoming: Incoming, pieces: Iterable[bytes]) -> bytes:
    """Writes a content to its place; its MD5. Raises `OSError`, and what the pieces do."""
    running = hashlib.md5(usedforsecurity=False)
    file = os.open(incoming.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        position = incoming.offset
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                written = os.pwrite(file, rest, position)
                position += written
                rest = rest[written:]
            running.update(piece)
    finally:
        os.close(file)
    return running.digest()


def _read(stretch: Stretch) -> bytes:
    file = _open(stretch)
    try:
        return _pread(file, stretch.size_bytes, stretch.offset)
    finally:
        os.close(file)


def _open(stretch: Stretch) -> int:
    try:
        return os.open(stretch.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(error) from error


def _pread(file: int, size_bytes: int, offset: int) -> bytes:
    try:
        return os.pread(file, size_bytes, offset)
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> TransferError:
    reason = error.strerror or type(error).__name__
    return TransferError(f"the stored content could not be read: {reason}")


def _check(found: bytes, expected: bytes) -> None:
    if found != expected:
        raise TransferError("the content does not match its Content-MD5")
