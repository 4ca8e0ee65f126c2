"""What is in the files that tasks are given, by container and blob, in sixteen bytes each.

It must not know tasks. What is not known (a blob that nobody has listed) is None, never a guess.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from runner.plan.file_digests import MD5_BYTES, FileDigests
from runner.plan.file_table import FileTable
from runner.plan.model import ContainerPlan, InputFile, Plan, StoredBlob
from runner.spec.model.terms import Role
from runner.spec.model.workload import ExistingContainer, IfNotEmpty, OwnContainer

ListBlobs = Callable[[str, str], Iterable[StoredBlob]]
"""The blobs of a container, by its name, whose names start with a prefix."""

MADE_BY_TASKS = bytes(MD5_BYTES)
"""Stands for a blob that tasks of the run leave: what is in it follows from what they are."""


@dataclass(slots=True, kw_only=True)
class _Column:
    """The MD5s of a container's files, in the order of the files."""

    files: Sequence[InputFile]
    md5s: bytearray
    is_known: bytearray
    following: tuple[int, int] = (0, 0)
    """Behind files that were asked for last: mostly the next one, since tasks come in order.

    Two, as files still go up in that order too while tasks come home.
    """
    folders: dict[str, bytes] = field(default_factory=dict)

    def find(self, blob: str) -> int | None:
        count = len(self.files)
        first, second = self.following
        if first < count and self.name(first) == blob:
            self.following = first + 1, second
            return first
        if second < count and self.name(second) == blob:
            self.following = second + 1, first
            return second
        index = bisect_left(range(count), blob, key=self.name)
        if index >= count or self.name(index) != blob:
            return None
        self.following = index + 1, first
        return index

    def name(self, index: int) -> str:
        """The blob's name, without the cost of its file where that can be had."""
        files = self.files
        return files.name(index)[0] if isinstance(files, FileTable) else files[index].blob

    def get(self, index: int) -> bytes | None:
        if not self.is_known[index]:
            return None
        return bytes(self.md5s[index * MD5_BYTES : (index + 1) * MD5_BYTES])

    def put(self, index: int, md5: bytes) -> None:
        if self.get(index) != md5:
            self.md5s[index * MD5_BYTES : (index + 1) * MD5_BYTES] = md5
            self.is_known[index] = 1
            self.folders.clear()


class InputDigests:
    """The digests of all inputs of one plan; may be asked from several threads, one at a time."""

    def __init__(
        self,
        plan: Plan,
        files: FileDigests,
        *,
        is_local: bool,
        stored: Mapping[Role, Sequence[StoredBlob]] | None = None,
        list_blobs: ListBlobs | None = None,
        since: datetime,
    ) -> None:
        """`stored` is what was listed for the plan, `list_blobs` lists more where a service can be
        asked. A blob that was written after `since`, when the run began, is not known.

        `is_local`: the services are those of this machine, which begin empty.
        """
        self._plan = plan
        self._files = files
        self._is_local = is_local
        self._list_blobs = list_blobs
        self._since = since
        self._asked: dict[tuple[Role, str], bytes | None] = {}
        self._stored = stored or {}
        # Made when somebody asks: a plan that is compared with nothing costs nothing here.
        self._columns: dict[Role, _Column] = {}

    def read_all(self) -> None:
        """Reads each file that is not known yet, once for as long as it is the same."""
        for container in self._plan.containers:
            column = self._column(container.role)
            if not column.files or column.files[0].source is None:
                continue  # of the service, and listed
            missing = [index for index, known in enumerate(column.is_known) if not known]
            paths = (_source(column.files[index]) for index in missing)
            for index, md5 in zip(missing, self._files.md5s(paths), strict=True):
                if md5 is not None:
                    column.put(index, md5)

    def take_sent(self, role: Role, blob: str, md5: bytes, *, is_in_file: bool = True) -> None:
        """What a file held when it was brought up: that is what tasks were given.

        `is_in_file`: it was just now, and the file holds the same still if it has not changed.
        """
        column = self._column(role)
        index = column.find(blob)
        if index is not None:
            column.put(index, md5)
            source = column.files[index].source
            if source is not None and is_in_file:
                self._files.note(source, md5)

    def of_blob(self, role: Role, blob: str) -> bytes | None:
        """The digest of one blob."""
        column = self._column(role)
        index = column.find(blob)
        if index is not None:
            return column.get(index) or self._read_late(column, index)
        container = self._plan.workload.container(role)
        if isinstance(container, ExistingContainer):
            return self._ask(role, blob, exactly=True)
        return MADE_BY_TASKS if self._holds_nothing_else(container) else None

    def of_folder(self, role: Role, prefix: str) -> bytes | None:
        """One digest of all blobs whose names start with a prefix, with their names."""
        column = self._column(role)
        container = self._plan.workload.container(role)
        if isinstance(container, ExistingContainer):
            return self._ask(role, prefix, exactly=False)
        if not self._holds_nothing_else(container):
            return None
        known = column.folders.get(prefix)
        if known is None:
            known = self._digest_folder(column, prefix)
            if known is not None:
                column.folders[prefix] = known
        return known

    def _column(self, role: Role) -> _Column:
        if role not in self._columns:
            self._columns[role] = self._make_column(self._plan.container(role))
        return self._columns[role]

    def _make_column(self, container: ContainerPlan) -> _Column:
        count = len(container.files)
        column = _Column(
            files=container.files, md5s=bytearray(count * MD5_BYTES), is_known=bytearray(count)
        )
        listed = self._stored.get(container.role, ())
        is_existing = count > 0 and container.files[0].source is None
        for blob in sorted(listed, key=lambda each: each.name):
            # Of those that a run brings up, only the unchanged are what tasks are given.
            if is_existing or blob.name in container.unchanged:
                index, digest = column.find(blob.name), self._digest_stored(blob)
                if index is not None and digest is not None:
                    column.put(index, digest)
        column.following = 0, 0
        return column

    def _holds_nothing_else(self, container: OwnContainer) -> bool:
        """Whether a container has what the run brings up and leaves there, and no more."""
        is_kept = container.name is not None and container.if_not_empty is IfNotEmpty.KEEP
        return self._is_local or not is_kept

    def _read_late(self, column: _Column, index: int) -> bytes | None:
        """Of a file that was not sent by us: what is in it, if it was there before the run."""
        source = column.files[index].source
        if source is None or not self._files.is_older(source):
            return None
        md5 = self._files.md5(source)
        if md5 is not None:
            column.put(index, md5)
        return md5

    def _digest_folder(self, column: _Column, prefix: str) -> bytes | None:
        places, length = range(len(column.files)), len(prefix)
        first = bisect_left(places, prefix, key=column.name)
        last = bisect_right(places, prefix, key=lambda index: column.name(index)[:length])
        digest = hashlib.blake2b(digest_size=MD5_BYTES)
        for index in range(first, last):
            md5 = column.get(index) or self._read_late(column, index)
            if md5 is None:
                return None
            digest.update(_line(column.name(index), md5))
        return digest.digest()

    def _ask(self, role: Role, prefix: str, *, exactly: bool) -> bytes | None:
        """The digest of blobs that the service alone knows, asked for once."""
        if self._list_blobs is None:
            return None
        key = (role, prefix)
        if key not in self._asked:
            found = self._list_blobs(self._plan.container_name(role), prefix)
            blobs = [each for each in found if not exactly or each.name == prefix]
            self._asked[key] = self._digest_blobs(blobs)
        return self._asked[key]

    def _digest_blobs(self, blobs: Iterable[StoredBlob]) -> bytes | None:
        digest, count = hashlib.blake2b(digest_size=MD5_BYTES), 0
        for blob in blobs:
            found = self._digest_stored(blob)
            if found is None:
                return None
            digest.update(_line(blob.name, found))
            count += 1
        return digest.digest() if count else None

    def _digest_stored(self, blob: StoredBlob) -> bytes | None:
        """The MD5 that the service has, or where it has none a digest of size and time."""
        if blob.modified is not None and blob.modified > self._since:
            return None
        if blob.md5 is not None:
            return blob.md5
        if blob.modified is None:
            return None
        text = f"{blob.size_bytes} {blob.modified.timestamp()}"
        return hashlib.blake2b(text.encode(), digest_size=MD5_BYTES).digest()


def _line(name: str, digest: bytes) -> bytes:
    return digest + name.encode("utf-8", "surrogatepass") + b"\0"


def _source(file: InputFile) -> Path:
    assert file.source is not None  # only such are asked for
    return file.source
