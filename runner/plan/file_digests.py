"""What is in files of this machine, as MD5s that are not computed twice while a file is the same.

It must not know what the files are for. A file counts as the same while its path, size, inode and
its times of modification and change are: the last one cannot be set back by a program. (Python on
Windows has the time of its creation instead, which tells less.)
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

from runner.plan.digest_table import DigestTable

MD5_BYTES = 16
_KEY_BYTES = 16
_RECORD_BYTES = _KEY_BYTES + MD5_BYTES
_THREADS = 4
_BATCH_FILES = 256  # so many wait at once, however many there are
_PIECE_BYTES = 1024 * 1024
# Some file systems tell times in such steps: a file may change within one and look the same.
_SETTLED_NS = 2_000_000_000
_MOST_BYTES = 256 * 1024 * 1024
"""A larger file of known digests is begun anew: eight million files."""


class FileDigests:
    """The MD5s of files, and a file that remembers them: records of a key and an MD5, appended.

    The key is itself a digest of all that makes a file the same, so a record is never wrong, only
    of no use any more; a torn one at the end is cut off. May be used from several threads.
    """

    def __init__(self, memory: Path | None, *, now_ns: int) -> None:
        """`memory` None, or one that cannot be read, remembers nothing of before.

        `now_ns` is the time, in nanoseconds since 1970: what has changed just before is read again.
        """
        self._memory = memory
        self._before_ns = now_ns - _SETTLED_NS
        self._lock = threading.Lock()
        self._records = bytearray()
        self._kept = 0
        self._table: DigestTable | None = None
        """Where the record of each key begins; None until somebody asks for a digest."""

    def md5(self, path: Path) -> bytes | None:
        """The MD5 of a file, read where that is needed; None where it cannot be."""
        return self._known(path) or self._read(path)

    def md5s(self, paths: Iterable[Path]) -> Generator[bytes | None, None, None]:
        """The MD5s of many files in their order; those that have to be read are read together.

        Whoever stops asking, as by an interruption, waits for no file to be read to its end.
        """
        paths, stopped = iter(paths), threading.Event()
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="md5")
        try:
            while batch := list(islice(paths, _BATCH_FILES)):
                found = [self._known(path) for path in batch]
                missing = [path for path, md5 in zip(batch, found, strict=True) if md5 is None]
                read = pool.map(partial(self._read, stopped=stopped), missing)
                yield from (next(read) if md5 is None else md5 for md5 in found)
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)

    def note(self, path: Path, md5: bytes) -> None:
        """Remembers an MD5 that somebody else has computed, if the file is as it was before."""
        with contextlib.suppress(OSError):
            status = path.stat()
            if max(status.st_mtime_ns, status.st_ctime_ns) < self._before_ns:
                self._remember(_key(path, status), md5)

    def is_older(self, path: Path) -> bool:
        """Whether the file has not changed since this began, nor just before."""
        try:
            status = path.stat()
        except OSError:
            return False
        return max(status.st_mtime_ns, status.st_ctime_ns) < self._before_ns

    def save(self) -> None:
        """Appends what is new to the memory; without room for it nothing is lost but time."""
        with self._lock:
            new = bytes(self._records[self._kept :])
            if self._memory is None or not new:
                return
            with contextlib.suppress(OSError):
                self._memory.parent.mkdir(parents=True, exist_ok=True)
                _append(self._memory, new, starts_anew=self._kept == 0)
                self._kept = len(self._records)

    def _known(self, path: Path) -> bytes | None:
        try:
            key = _key(path, path.stat())
        except OSError:
            return None
        with self._lock:
            for start in self._loaded().find(key):
                if self._records[start : start + _KEY_BYTES] == key:
                    return bytes(self._records[start + _KEY_BYTES : start + _RECORD_BYTES])
        return None

    def _read(self, path: Path, stopped: threading.Event | None = None) -> bytes | None:
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with path.open("rb") as stream:
                before = os.fstat(stream.fileno())
                while piece := stream.read(_PIECE_BYTES):
                    if stopped is not None and stopped.is_set():
                        return None
                    digest.update(piece)
                after = os.fstat(stream.fileno())
        except OSError:
            return None
        md5, key = digest.digest(), _key(path, before)
        is_old = max(before.st_mtime_ns, before.st_ctime_ns) < self._before_ns
        if is_old and key == _key(path, after):
            self._remember(key, md5)
        return md5

    def _remember(self, key: bytes, md5: bytes) -> None:
        with self._lock:
            self._loaded().add(key, len(self._records))
            self._records += key + md5

    def _loaded(self) -> DigestTable:
        """The table, with what is remembered of before; the lock is held."""
        if self._table is None:
            self._table = DigestTable()
            self._records += _read(self._memory)
            self._kept = len(self._records)
            for start in range(0, self._kept, _RECORD_BYTES):
                self._table.add(bytes(self._records[start : start + _KEY_BYTES]), start)
        return self._table


def _key(path: Path, status: os.stat_result) -> bytes:
    numbers = (status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    text = f"{' '.join(map(str, numbers))} {path}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_KEY_BYTES).digest()


def _read(memory: Path | None) -> bytes:
    """All whole records; none where the file is not there, or has grown too large to be of use."""
    if memory is None:
        return b""
    try:
        if memory.stat().st_size > _MOST_BYTES:
            return b""
        content = memory.read_bytes()
    except OSError:
        return b""
    return content[: len(content) // _RECORD_BYTES * _RECORD_BYTES]


def _append(memory: Path, records: bytes, *, starts_anew: bool) -> None:
    """In one write behind the last whole record, so that two runs at once do not mix theirs."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    file = os.open(memory, flags, 0o644)
    try:
        size = os.fstat(file).st_size
        if starts_anew and size > _MOST_BYTES:
            os.ftruncate(file, 0)
        elif size % _RECORD_BYTES:
            os.ftruncate(file, size - size % _RECORD_BYTES)
        os.write(file, records)
    finally:
        os.close(file)
