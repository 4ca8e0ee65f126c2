"""Which files of a plan are up, and the bringing up of each of them once.

It must not know tasks, nor when which file is wanted. One thread asks it what is missing and begins
it; the uploads themselves may run on others.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from typing_extensions import assert_never

from runner.errors import TransferError
from runner.frozen import dataclass
from runner.plan.model import (
    LOGS,
    BlobResource,
    CommandLine,
    ContainerPlan,
    FolderResource,
    InputFile,
    Plan,
    ResourcePlan,
    WebResource,
)
from runner.run.events import UploadFinished
from runner.run.parallel import run_together
from runner.run.records.journal import Journal
from runner.run.services import Blobs
from runner.run.transfers.downloads import file_fault
from runner.run.transfers.folders import shown
from runner.spec.model.terms import Role

TRANSFERS = 16

_WANTED, _UNDER_WAY, _THERE, _WAIVED = range(4)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a container, by its place among them."""

    role: Role
    index: int


@dataclasses.dataclass(slots=True, kw_only=True)
class _Holding:
    """A container with files to bring up; one byte each, so that a million cost a megabyte."""

    container: ContainerPlan
    states: bytearray
    following: int = 0
    """Behind the file that was last asked for: mostly the next one, since tasks come in order."""

    def find(self, blob: str) -> int | None:
        """The place of a file; None where the container has none of this name to bring up."""
        files = self.container.files
        index = self.following
        if index >= len(files) or files[index].blob != blob:
            index = bisect_left(files, blob, key=_blob)
            if index >= len(files) or files[index].blob != blob:
                return None
        self.following = index + 1
        return index


def has_uploads(container: ContainerPlan) -> bool:
    """Whether files of this machine go there, rather than being in the service already."""
    return len(container.files) > 0 and container.files[0].source is not None


class Uploads:
    """The files of one run that have to be brought up."""

    def __init__(self, plan: Plan, *, blobs: Blobs, journal: Journal) -> None:
        self._plan = plan
        self._blobs = blobs
        self._journal = journal
        self._holdings = {
            each.role: _Holding(container=each, states=bytearray(len(each.files)))
            for each in plan.containers
            if has_uploads(each)
        }
        self._begun_folders: set[tuple[Role, str]] = set()
        self._under_way: set[File] = set()

    @property
    def roles(self) -> tuple[Role, ...]:
        """The containers that files go to."""
        return tuple(self._holdings)

    def recognise(self, role: Role, names: frozenset[str]) -> None:
        """Takes note of files that are in their container already, before any is asked for."""
        holding = self._holdings[role]
        known = holding.container.unchanged
        holding.container = replace(holding.container, unchanged=known | names)

    def missing(self, resource: ResourcePlan) -> Iterator[File]:
        """The files of a resource that are not there yet, those under way included.

        Whoever asks for the next one has begun the one before.
        """
        match resource:
            case WebResource():
                return
            case BlobResource():
                yield from self._missing_blob(resource.role, resource.blob)
            case FolderResource():
                yield from self._missing_folder(resource.role, resource.prefix)
            case _:
                assert_never(resource)

    def rest(self, role: Role) -> Iterator[File]:
        """All files of a container that are not there yet, and that are wanted."""
        states = self._holdings[role].states
        for file in self._missing_folder(role, ""):
            if states[file.index] != _WAIVED:
                yield file

    def waive(self, resource: ResourcePlan) -> None:
        """Nobody wants the one file of a resource, unless somebody asks for it later."""
        if not isinstance(resource, BlobResource):
            return
        holding = self._holdings.get(resource.role)
        index = None if holding is None else holding.find(resource.blob)
        if holding is not None and index is not None and holding.states[index] == _WANTED:
            holding.states[index] = _WAIVED

    def is_under_way(self, file: File) -> bool:
        """Whether somebody has begun it, and it is not there yet."""
        return file in self._under_way

    def begin(self, file: File) -> Callable[[], UploadFinished]:
        """Takes note that the file is on its way, and gives what brings it up."""
        holding = self._holdings[file.role]
        holding.states[file.index] = _UNDER_WAY
        self._under_way.add(file)
        return partial(self._bring, holding.container, holding.container.files[file.index])

    def end(self, files: Sequence[tuple[File, UploadFinished | None]]) -> None:
        """Takes note that files are there, and tells so, but where there is nothing to tell."""
        events = [event for _, event in files if event is not None]
        if events:
            self._journal.record(*events)
        for file, _ in files:
            self._holdings[file.role].states[file.index] = _THERE
            self._under_way.discard(file)

    def bring(self, files: Iterable[File], check: Callable[[], None]) -> None:
        """Brings files up and returns once they are there; `check` may raise to end it."""
        calls = (partial(self._finish, file, self.begin(file)) for file in files)
        run_together(calls, threads=TRANSFERS, check=check)

    def bring_script(self, command: CommandLine) -> None:
        """Brings up the script of a command that is too long for the wire, if it is."""
        if command.script_file is not None:
            container = self._plan.container_name(LOGS)
            self._blobs.upload_text(container, command.script_file, command.script)

    def _missing_blob(self, role: Role, blob: str) -> Iterator[File]:
        holding = self._holdings.get(role)
        if holding is None:
            return
        index = holding.find(blob)
        if index is not None:
            yield from self._unless_there(holding, index)

    def _missing_folder(self, role: Role, prefix: str) -> Iterator[File]:
        holding = self._holdings.get(role)
        if holding is None:
            return
        files = holding.container.files
        if (role, prefix) in self._begun_folders:
            # Nothing else of it can be missing: no need to look at thousands of files again.
            for file in tuple(self._under_way):
                if file.role == role and files[file.index].blob.startswith(prefix):
                    yield file
            return
        first = bisect_left(files, prefix, key=_blob)
        last = bisect_right(files, prefix, key=lambda file: file.blob[: len(prefix)])
        for index in range(first, last):
            yield from self._unless_there(holding, index)
        self._begun_folders.add((role, prefix))

    def _unless_there(self, holding: _Holding, index: int) -> Iterator[File]:
        if holding.states[index] == _THERE:
            return
        container = holding.container
        file = container.files[index]
        if file.blob in container.unchanged:
            holding.states[index] = _THERE
            self._journal.record(
                UploadFinished(
                    role=container.role, blob=file.blob, bytes=file.size_bytes, skipped=True
                )
            )
            return
        yield File(container.role, index)

    def _finish(self, file: File, bring: Callable[[], UploadFinished]) -> None:
        self.end([(file, bring())])

    def _bring(self, container: ContainerPlan, file: InputFile) -> UploadFinished:
        assert file.source is not None
        _check_size(file, file.source)
        md5 = self._blobs.upload_file(container.name, file.blob, file.source)
        return UploadFinished(
            role=container.role, blob=file.blob, bytes=file.size_bytes, md5=md5.hex()
        )


def _check_size(file: InputFile, source: Path) -> None:
    """The commands of tasks may speak of the size, and were rendered from the file as it was."""
    try:
        size = source.stat().st_size
    except OSError as error:
        raise file_fault("read", source, error) from error
    if size != file.size_bytes:
        raise TransferError(
            f"{shown(source)} changed after the run began: it had {file.size_bytes} bytes, and has"
            f" {size}",
            hint="run again once nobody writes to it",
        )


def _blob(file: InputFile) -> str:
    return file.blob
