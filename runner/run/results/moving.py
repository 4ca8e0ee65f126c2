"""Moves a run that is not at its end to another output directory, with what is home and whole.

Files are copied, and the old ones stay as they are. It must not know what is done with the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from runner.errors import UsageError, describe_os_error
from runner.frozen import dataclass
from runner.run.events import OutputDownloaded
from runner.run.records.file_locks import hold_lock
from runner.run.records.journal import write_whole
from runner.run.records.moved import read_events_at_home
from runner.run.records.record import RECORD, RunRecord, record_as_json
from runner.run.results.lock_file import LOCK_FILE, read_lock
from runner.run.results.results_store import open_results, results_folder
from runner.run.results.rivals import check_left, check_newer
from runner.run.transfers.downloads import file_fault
from runner.run.transfers.folders import Folder, open_folder

_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _HomeFile:
    """A file below the output directory, as it was when it came home; `md5` None if not known."""

    path: PurePosixPath
    bytes: int
    md5: str | None


def move_home(directory: Path, record: RunRecord, output_directory: Path) -> RunRecord:
    """The run's record from here on, once all that was home is in its new output directory.

    What is not as it came home is left behind: to the run it is lost. Whoever calls is the one that
    drives the run. Raises `OutputInUseError` and `NewerResultsError` as for any run that would work
    there, `TransferError` where a file cannot be written, and `UsageError` where the record cannot.
    """
    if os.path.realpath(record.output_directory) == os.path.realpath(output_directory):
        return record
    before = Path(record.output_directory)
    moved_from = dict.fromkeys((*record.moved_from, record.output_directory))
    moved = replace(
        record,
        output_directory=os.fspath(output_directory),
        moved_from=tuple(each for each in moved_from if Path(each) != output_directory),
    )
    working_directory = directory.parents[2]
    folder = results_folder(working_directory, output_directory, record.workload)
    with open_results(folder, output_directory) as store:
        check_left(record.workload, working_directory, output_directory)
        check_newer(moved, store.index, working_directory)
        for file in dict.fromkeys(_files(directory, before)):
            _copy(file, before, output_directory)
        try:
            write_whole(directory / RECORD, record_as_json(moved))
        except OSError as error:
            raise UsageError(
                f"cannot write `{directory / RECORD}`: {describe_os_error(error)}"
            ) from error
    return moved


def _files(directory: Path, home: Path) -> Iterator[_HomeFile]:
    """What tasks have brought home, and what those had left that are skipped."""
    for event in read_events_at_home(directory):
        if isinstance(event, OutputDownloaded) and Path(event.path).is_relative_to(home):
            within = PurePosixPath(Path(event.path).relative_to(home).as_posix())
            yield _HomeFile(path=within, bytes=event.bytes, md5=event.md5)
    if (directory / LOCK_FILE).exists():
        for result in read_lock(directory / LOCK_FILE).ended.values():
            for output in result.outputs if result.skipped else ():
                path = PurePosixPath(output.path)
                if not path.is_absolute():
                    yield _HomeFile(path=path, bytes=output.bytes, md5=output.md5)


def _copy(file: _HomeFile, before: Path, after: Path) -> None:
    """Copies a file that is whole; passes over any other."""
    target = after.joinpath(*file.path.parts)
    try:
        with open_folder(after, file.path.parent) as folder:
            _copy_into(folder, file, before.joinpath(*file.path.parts))
    except OSError as error:
        raise file_fault("write", target, error) from error


def _copy_into(folder: Folder, file: _HomeFile, source: Path) -> None:
    digest, size = hashlib.md5(usedforsecurity=False), 0
    try:
        stream = source.open("rb")
    except OSError:  # it is lost, and so made again
        return
    partial = f".batch-run-{uuid.uuid4().hex}.partial"
    with stream:
        try:
            with folder.create(partial) as copy:
                hold_lock(copy)
                while piece := stream.read(_PIECE_BYTES):
                    size += len(piece)
                    digest.update(piece)
                    copy.write(piece)
                copy.flush()
                os.fsync(copy.fileno())
            if size == file.bytes and file.md5 in {None, digest.hexdigest()}:
                folder.replace(file.path.name, partial)
            else:
                folder.remove(partial)
        except BaseException:
            with contextlib.suppress(OSError):  # the error that brought us here says more
                folder.remove(partial)
            raise
