"""Which files need not be brought up again, since the container has them already.

The only part of planning that reads what is in files, and only of those that have the size of the
blob of their name; it asks no service.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from runner.plan.file_table import FileTable
from runner.plan.model import StoredBlob

_THREADS = 4
_BATCH_FILES = 256  # so many wait at once, however many there are
_PIECE_BYTES = 1024 * 1024


def find_unchanged(files: FileTable, stored: Iterable[StoredBlob]) -> frozenset[str]:
    """The names of blobs that have the size and the MD5 of their file.

    A blob without an MD5 counts as changed, and so does a file that cannot be read: bringing it up
    will say why.
    """
    known = {blob.name: blob for blob in stored if blob.md5 is not None}
    if not known:
        return frozenset()
    waiting = _same_size(files, known)
    unchanged: set[str] = set()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="md5") as pool:
        while batch := list(islice(waiting, _BATCH_FILES)):
            digests = pool.map(_md5, [path for path, _ in batch])
            unchanged.update(
                blob.name
                for (_, blob), digest in zip(batch, digests, strict=True)
                if digest == blob.md5
            )
    return frozenset(unchanged)


def _same_size(files: FileTable, known: dict[str, StoredBlob]) -> Iterator[tuple[Path, StoredBlob]]:
    for index in range(len(files)):
        name, _, size = files.name(index)
        blob = known.get(name)
        source = None
        if blob is not None and blob.size_bytes == size:
            source = files[index].source
        if blob is not None and source is not None:
            yield source, blob


def _md5(path: Path) -> bytes | None:
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                digest.update(piece)
    except OSError:
        return None
    return digest.digest()
