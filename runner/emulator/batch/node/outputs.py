"""A task's output files that are due: which match, what they are called in the container.

It must not know how a blob is put (`uploads` does), nor how the process ran.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias

from runner.emulator.batch.node.connections import Connections, TransferError
from runner.emulator.batch.node.containment import (
    NodeFolder,
    directory_below,
    leads_to,
    open_directly,
    open_regular_below,
)
from runner.emulator.batch.node.due import pattern_of
from runner.emulator.batch.node.failures import StepFailedError, make_failure
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.launch import (
    Failure,
    FailurePhase,
    OutputFile,
)
from runner.emulator.batch.node.near import Nearby
from runner.emulator.batch.node.patterns import (
    FilePattern,
    PatternError,
    find_files,
)
from runner.emulator.batch.node.putting import Putting, Target
from runner.emulator.batch.node.transfers import run_side_by_side
from runner.emulator.batch.node.uploadlog import ERROR_LOG, PROGRESS_LOG, UploadLog
from runner.emulator.batch.node.uploads import BlockSizes, put_headers, upload
from runner.emulator.batch.node.urls import blob_url, without_secrets

_Found: TypeAlias = tuple[tuple[str, ...], str, "int | None"]
"""The components of a file, what its blob is called, and the file itself where it is open."""


def blob_name(path: str | None, pattern: FilePattern, parts: tuple[str, ...]) -> str:
    """What a matching file is called in the container (REST: `path` of the destination).

    Without wildcards `path` is the name; with them it is a folder, below which files keep their
    path from the first directory with a wildcard on. Without `path` it is the container's root.
    """
    if pattern.names_one_file:
        return path or parts[-1]
    below = "/".join(parts[len(pattern.base) :])
    folder = (path or "").rstrip("/")
    return f"{folder}/{below}" if folder else below


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is needed to send outputs."""

    connections: Connections
    pool: Executor
    interruption: Interruption
    clock: Callable[[], datetime]
    near: Nearby | None = None
    sizes: BlockSizes = field(default_factory=BlockSizes)


class Uploads:
    """The outputs of one task, on their way.

    An entry stops at its first failure, the others are tried nevertheless; `failure` is the first.
    The two logs in the task's directory tell of progress and failures, without signatures.

    What goes to storage that is near is put together with all else at the end, by `commit`. What is
    not taken there is sent by HTTP after all, which tells why not (`send_left`).
    """

    def __init__(
        self,
        outputs: Sequence[OutputFile],
        *,
        task_directory: NodeFolder,
        directory: int,
        environment: Callable[[], Mapping[str, str]],
        sending: Sending,
    ) -> None:
        """`directory` is the task's as it was made, open as long as this; `environment` has the
        variables of patterns.
        """
        self._outputs = outputs
        self._folder = task_directory
        self._directory = directory
        self._environment = environment
        self._sending = sending
        self._replaced: int | None = None
        self._log = UploadLog(sending.clock)
        self._failures: dict[int, Failure] = {}
        self._putting = None
        if sending.near is not None:
            self._putting = Putting(
                sending.near,
                largest_bytes=sending.sizes.single_put_bytes,
                interruption=sending.interruption,
            )

    @property
    def failure(self) -> Failure | None:
        """The failure of the first entry that has one."""
        return self._failures[min(self._failures)] if self._failures else None

    @property
    def pending(self) -> bool:
        """Whether there is something to `commit`."""
        return self._putting is not None and not self._putting.is_empty

    def send(self) -> None:
        """Sends all files of all entries, of which there are some, but what is near.

        Raises `InterruptedRunError`.
        """
        try:
            self._find_directory()
            self._log.open(self._directory)
        except OSError as error:
            self._failures[0] = _logs_failed(self._outputs[0], error)
            return
        try:
            for entry in range(len(self._outputs)):
                self._send_entry(entry)
        finally:
            self._log.close()

    def commit(self) -> bool:
        """Puts what is near; whether nothing is left. On the loop."""
        assert self._putting is not None
        return self._putting.commit()

    def send_left(self) -> None:
        """Sends by HTTP what is left of those that were to be put; raises `InterruptedRunError`."""
        try:
            self._log.open(self._directory)
        except OSError as error:
            self._failures[0] = _logs_failed(self._outputs[0], error)
            return
        try:
            assert self._putting is not None
            self._send_left(self._putting)
        finally:
            self._log.close()

    def close(self) -> None:
        """Lets go of the task's directory, and of what was not put; on the loop."""
        if self._putting is not None:
            self._putting.drop()
        replaced, self._replaced = self._replaced, None
        if replaced is not None:
            os.close(replaced)

    def _find_directory(self) -> None:
        """What has taken the place of the task's directory is it from then on; raises `OSError`."""
        if not leads_to(self._folder, self._directory):
            with directory_below(self._folder) as directory:
                self._directory = self._replaced = os.dup(directory)

    def _send_left(self, putting: Putting) -> None:
        left = putting.take_left()
        for each in left:
            self._log.forget(each.told)
        for each in left:
            entry, parts, name, *_ = each.target
            if entry not in self._failures:
                try:
                    self._send_by_http(self._outputs[entry], parts, name)
                except StepFailedError as error:
                    self._failures[entry] = error.failure

    def _send_entry(self, entry: int) -> None:
        output = self._outputs[entry]
        try:
            found = self._find(output)
            putting = self._putting
            if putting is not None and putting.serves(output.container_url):
                for parts, name, descriptor in found:
                    self._gather(putting, entry, parts, name, descriptor)
            else:
                run_side_by_side(
                    self._sending.pool,
                    (
                        partial(self._send_by_http, output, parts, name, descriptor)
                        for parts, name, descriptor in found
                    ),
                )
        except StepFailedError as error:
            self._failures[entry] = error.failure

    def _find(self, output: OutputFile) -> Iterator[_Found]:
        """What matches, and what it is to be called; open already, where that has shown it."""
        log = self._log
        try:
            pattern = pattern_of(output, self._folder, self._environment)
            descriptor = (
                open_directly(self._directory, pattern.base) if pattern.names_one_file else None
            )
            matching = (
                tuple(find_files(self._folder, pattern)) if descriptor is None else (pattern.base,)
            )
        except PatternError as error:
            raise log.failed(output, "", "FileUploadMiscError", str(error)) from error
        except OSError as error:
            message = error.strerror or type(error).__name__
            raise log.failed(output, "", "FileUploadMiscError", message) from error
        log.progress_line(f"Pattern {output.file_pattern!r} matches {len(matching)} path(s)")
        for parts in matching:
            yield parts, blob_name(output.path, pattern, parts), descriptor

    def _send_by_http(
        self, output: OutputFile, parts: tuple[str, ...], name: str, descriptor: int | None = None
    ) -> None:
        with self._opened(output, parts, name, descriptor) as opened:
            if opened is not None:
                self._log.progress_line(_uploading(output, parts, name))
                self._upload(output, parts, name, opened)

    def _upload(
        self, output: OutputFile, parts: tuple[str, ...], name: str, descriptor: int
    ) -> None:
        self._log.flush()
        size_bytes = upload(
            self._sending.connections,
            blob_url(output.container_url, name),
            descriptor,
            self._sending.interruption,
            self._sending.sizes,
            asked=output.headers,
        )
        self._log.progress_line(_uploaded(parts, size_bytes))
        self._log.flush()

    def _gather(
        self,
        putting: Putting,
        entry: int,
        parts: tuple[str, ...],
        name: str,
        descriptor: int | None,
    ) -> None:
        output = self._outputs[entry]
        self._sending.interruption.check()
        with self._opened(output, parts, name, descriptor) as opened:
            if opened is None:
                return
            self._log.progress_line(_uploading(output, parts, name))
            if parts[-1] in (PROGRESS_LOG, ERROR_LOG):
                self._log.flush()
            url, headers = blob_url(output.container_url, name), put_headers(output.headers)
            size_bytes = os.fstat(opened).st_size
            gathered = putting.read(Target(entry, parts, name, url, headers), opened, size_bytes)
            if gathered is None:
                self._upload(output, parts, name, opened)
                return
        told = self._log.progress_line(_uploaded(parts, size_bytes))
        putting.add(gathered._replace(told=told))
        if putting.is_full and not putting.commit_soon():
            self._send_left(putting)
            if entry in self._failures:
                raise StepFailedError(self._failures[entry])

    @contextmanager
    def _opened(
        self, output: OutputFile, parts: tuple[str, ...], name: str, descriptor: int | None
    ) -> Iterator[int | None]:
        """A file to send, open; None where there is none. What goes wrong is told in the log."""
        shown = "/".join(parts)
        try:
            if not _is_text(name):
                message = "a blob's name must be valid UTF-8"
                raise self._log.failed(output, shown, "FileUploadMiscError", message)
            if descriptor is None:
                descriptor = open_directly(self._directory, parts)
            if descriptor is None:
                descriptor = open_regular_below(self._folder, parts)
            if descriptor is None:
                self._log.progress_line(f"Left out {shown!r}: not a regular file below the task")
            yield descriptor
        except TransferError as error:
            raise self._log.failed(output, shown, _code_of(error), str(error)) from error
        except OSError as error:
            message = error.strerror or type(error).__name__
            raise self._log.failed(output, shown, "FileUploadMiscError", message) from error
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _uploading(output: OutputFile, parts: tuple[str, ...], name: str) -> str:
    url = blob_url(without_secrets(output.container_url), name)
    return f"Uploading {'/'.join(parts)!r} to {url}"


def _uploaded(parts: tuple[str, ...], size_bytes: int) -> str:
    return f"Uploaded {'/'.join(parts)!r}: {size_bytes} bytes"


def _code_of(error: TransferError) -> str:
    match error.status:
        case 404:
            return "FileUploadContainerNotFound"
        case 401 | 403:
            return "FileUploadAccessDenied"
        case _:
            return "FileUploadMiscError"


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _logs_failed(output: OutputFile, error: OSError) -> Failure:
    """The task's directory is no more, or something else is there."""
    return make_failure(
        FailurePhase.FILE_UPLOAD,
        "FileUploadMiscError",
        ("FilePattern", output.file_pattern),
        ("FilePath", ""),
        ("Destination", without_secrets(output.container_url)),
        ("Message", error.strerror or type(error).__name__),
    )
