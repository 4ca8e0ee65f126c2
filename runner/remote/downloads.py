"""Writes one blob into an open file, and makes sure that it arrived whole.

It must not know which blob that is, nor why it is wanted.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from typing import BinaryIO

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from runner.errors import TransferError
from runner.frozen import dataclass
from runner.remote.connections.responses import Response
from runner.remote.contents import Contents
from runner.remote.faults import service_code
from runner.remote.lanes import LANES, Lanes
from runner.remote.retrying import persist
from runner.remote.trouble import Trouble
from runner.run.services import BlobMissingError, Downloaded
from runner.run.transfers.under_way import Moving, UnderWay

PIECE_BYTES = 8 * 1024 * 1024
"""How much is asked for at once; a buffer of the lanes holds it."""
_PART_BYTES = 262_144
_ANOTHER_VERSION = "ConditionNotMet"
# What starts at the first byte is out of range where there is none.
_EMPTY = "InvalidRange"
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)


class Download:
    """One blob on its way into a file; used by one thread, which others help where they can."""

    def __init__(
        self,
        contents: Contents,
        container: str,
        blob: str,
        stream: BinaryIO,
        *,
        lanes: Lanes,
        trouble: Trouble,
        check: Callable[[], None],
        under_way: UnderWay | None = None,
    ) -> None:
        """`check` may raise between two pieces; `under_way` is told how far a large blob is."""
        self._under_way = under_way or UnderWay()
        self._moving: Moving | None = None
        self._get = partial(contents.get, container, blob)
        self._name = f"{container}/{blob}"
        self._stream = stream
        self._lanes = lanes
        self._trouble = trouble
        self._check = check
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._at = 0
        """So much is written, and in the MD5."""
        self._ahead: deque[tuple[Future[None], bytearray]] = deque()

    def run(self) -> Downloaded:
        """What came; `TransferError` where length or, if there is one, MD5 differ from the blob's.

        So it is where the blob is written to meanwhile. Raises `BlobMissingError`.
        """
        try:
            found = persist(self._begin, self._trouble)
            if found is not None and found.size > PIECE_BYTES:
                self._go_on(found)
        except HttpResponseError as error:
            if service_code(error) != _ANOTHER_VERSION:
                raise
            raise TransferError(f"blob `{self._name}` changed while it was downloaded") from error
        finally:
            self._give_up()
            if self._moving is not None:
                self._moving.end()
        digest = self._md5.digest()
        if found is not None and found.md5 is not None and found.md5 != digest:
            raise TransferError(f"blob `{self._name}` did not arrive whole: its MD5 differs")
        if found is None:
            return Downloaded(size_bytes=0, md5=digest)
        return Downloaded(size_bytes=found.size, md5=digest, modified=found.modified)

    def _begin(self) -> _Found | None:
        """Writes the first piece, and says what the blob is; None where it is empty."""
        self._check()
        if self._at:
            # Another try: a new file has nothing that would have to go.
            self._stream.seek(0)
            self._stream.truncate()
            self._at, self._md5 = 0, hashlib.md5(usedforsecurity=False)
        try:
            response = self._get(0, PIECE_BYTES)
        except ResourceNotFoundError as error:
            raise BlobMissingError(f"blob `{self._name}` does not exist") from error
        except HttpResponseError as error:
            if service_code(error) != _EMPTY:
                raise
            return None
        with response:
            found = _read_found(response)
            expected = min(PIECE_BYTES, found.size)
            if expected <= _PART_BYTES:
                # As it is stored: what a task has packed itself (`Content-Encoding`) stays packed.
                piece = b"".join(response.iter_raw())
                self._take(piece)
                self._expect(len(piece), expected, 0, found)
            else:
                if self._moving is None:
                    self._moving = self._under_way.begin(is_up=False, size=found.size)
                self._write(response, expected, found)
        return found

    def _go_on(self, found: _Found) -> None:
        """Writes the rest, some of it fetched by others meanwhile."""
        asked = PIECE_BYTES
        while self._at < found.size:
            while asked < found.size and len(self._ahead) < LANES:
                buffer = self._lanes.try_take()
                if buffer is None:
                    break
                fetch = partial(self._fetch, buffer, asked, found)
                self._ahead.append((self._lanes.submit(fetch), buffer))
                asked += PIECE_BYTES
            end = min(self._at + PIECE_BYTES, found.size)
            self._check()
            if self._ahead:
                self._write_ahead(end - self._at)
            else:
                persist(partial(self._copy, end, found), self._trouble)
                asked += PIECE_BYTES

    def _write_ahead(self, length: int) -> None:
        future, buffer = self._ahead[0]
        future.result()
        with memoryview(buffer) as whole, whole[:length] as piece:
            self._take(piece)
        self._ahead.popleft()
        self._lanes.give(buffer)

    def _fetch(self, buffer: bytearray, start: int, found: _Found) -> None:
        """Fetches a piece into a buffer, on a thread of the lanes."""
        length = min(PIECE_BYTES, found.size - start)

        def fetch() -> None:
            self._check()
            with (
                self._get(start, length, found.etag) as response,
                memoryview(buffer) as whole,
                whole[:length] as piece,
            ):
                self._expect(response.fill(piece), length, start, found)

        persist(fetch, self._trouble)

    def _copy(self, end: int, found: _Found) -> None:
        """Writes what is missing up to there, as it comes.

        Another try goes on where one broke off: not every stream can be written to anew.
        """
        if self._at < end:
            with self._get(self._at, end - self._at, found.etag) as response:
                self._write(response, end - self._at, found)

    def _write(self, response: Response, length: int, found: _Found) -> None:
        start = self._at
        with memoryview(bytearray(_PART_BYTES)) as part:
            while count := response.fill(part):
                self._check()
                self._take(part[:count])
        self._expect(self._at - start, length, start, found)

    def _take(self, piece: bytes | memoryview) -> None:
        self._stream.write(piece)
        self._md5.update(piece)
        self._at += len(piece)
        if self._moving is not None:
            self._moving.done = self._at

    def _expect(self, count: int, length: int, start: int, found: _Found) -> None:
        if count != length:
            raise TransferError(
                f"blob `{self._name}` did not arrive whole: {start + count} of {found.size} bytes"
            )

    def _give_up(self) -> None:
        """Waits for what is still being fetched, and wants none of it."""
        for future, buffer in self._ahead:
            future.cancel()
            if not future.cancelled():
                future.exception()
            self._lanes.give(buffer)
        self._ahead.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A blob as its first piece says it is; further pieces must be of the same version."""

    size: int
    etag: str | None
    md5: bytes | None
    modified: datetime | None


def _read_found(response: Response) -> _Found:
    headers = response.headers
    read = _RANGE.fullmatch(headers.get("Content-Range", ""))
    if read is None or int(read[1]) != 0:
        raise HttpResponseError("the answer does not say which piece of the blob it is")
    md5 = headers.get("x-ms-blob-content-md5")
    return _Found(
        size=int(read[3]),
        etag=headers.get("ETag"),
        md5=base64.b64decode(md5) if md5 else None,
        modified=_read_modified(headers.get("Last-Modified", "")),
    )


@lru_cache(maxsize=16)
def _read_modified(text: str) -> datetime | None:
    """Nothing depends on it: one that says nothing is none. Many files are of one second."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
