"""A task's output files: which are due, which match, what they are called in the container.

It must not know how a blob is put (`uploads` does), nor how the process ran.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias

from typing_extensions import assert_never

from runner.emulator.batch.node.connections import Connections, TransferError
from runner.emulator.batch.node.containment import (
    NodeFolder,
    directory_below,
    leads_to,
    open_directly,
    open_regular_below,
)
from runner.emulator.batch.node.failures import StepFailedError, make_failure
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.launch import (
    Failure,
    FailurePhase,
    OutputFile,
    UploadCondition,
)
from runner.emulator.batch.node.near import (
    SMALL_BYTES,
    Incoming,
    Nearby,
    NearStorage,
    digest,
    write_incoming,
)
from runner.emulator.batch.node.patterns import (
    FilePattern,
    PatternError,
    find_files,
    parse_pattern,
)
from runner.emulator.batch.node.transfers import run_side_by_side
from runner.emulator.batch.node.uploadlog import ERROR_LOG, PROGRESS_LOG, UploadLog
from runner.emulator.batch.node.uploads import (
    BlockSizes,
    put_headers,
    read_open,
    read_pieces,
    upload,
)
from runner.emulator.batch.node.urls import blob_url, without_secrets

_MOST_PENDING_BYTES = 8 * 1024 * 1024
_MOST_PENDING = 256

_Found: TypeAlias = tuple[tuple[str, ...], str, "int | None"]
"""The components of a file, what its blob is called, and the file itself where it is open."""


def due_outputs(outputs: Sequence[OutputFile], *, exit_code: int) -> tuple[OutputFile, ...]:
    """Those whose condition holds after that exit code."""
    return tuple(output for output in outputs if _is_due(output.condition, exit_code))


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
        self._pending: list[_Pending] = []
        self._pending_bytes = 0

    @property
    def failure(self) -> Failure | None:
        """The failure of the first entry that has one."""
        return self._failures[min(self._failures)] if self._failures else None

    @property
    def pending(self) -> bool:
        """Whether there is something to `commit`."""
        return bool(self._pending)

    @property
    def _nearby(self) -> Nearby:
        assert self._sending.near is not None
        return self._sending.near

    @property
    def _near(self) -> NearStorage:
        return self._nearby.storage

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
        except BaseException:
            self._drop()
            raise
        finally:
            self._log.close()

    def commit(self) -> bool:
        """Puts what is near; whether nothing is left. On the loop."""
        near = self._near
        left: list[_Pending] = []
        for each in self._pending:
            stopped = left and left[-1].entry == each.entry
            if each.incoming is not None:
                if stopped:
                    each.incoming.drop()
                taken = not stopped and each.incoming.commit(each.md5)
            else:
                taken = not stopped and near.put(each.url, each.headers, each.content, each.md5)
            if not taken:
                left.append(each)
        self._pending = left
        self._pending_bytes = 0
        return not left

    def send_left(self) -> None:
        """Sends by HTTP what is left of those that were to be put; raises `InterruptedRunError`."""
        try:
            self._log.open(self._directory)
        except OSError as error:
            self._failures[0] = _logs_failed(self._outputs[0], error)
            return
        try:
            self._send_left()
        finally:
            self._log.close()

    def close(self) -> None:
        """Lets go of the task's directory; harmless when repeated."""
        replaced, self._replaced = self._replaced, None
        if replaced is not None:
            os.close(replaced)

    def _find_directory(self) -> None:
        """What has taken the place of the task's directory is it from then on; raises `OSError`."""
        if not leads_to(self._folder, self._directory):
            with directory_below(self._folder) as directory:
                self._directory = self._replaced = os.dup(directory)

    def _send_left(self) -> None:
        left, self._pending = self._pending, []
        for each in left:
            self._log.forget(each.done)
        for each in left:
            if each.entry not in self._failures:
                try:
                    output = self._outputs[each.entry]
                    self._send_by_http(output, each.parts, each.name)
                except StepFailedError as error:
                    self._failures[each.entry] = error.failure

    def _drop(self) -> None:
        """What was begun will not be put."""
        dropped = [each.incoming for each in self._pending if each.incoming is not None]
        self._pending = []
        if dropped:
            self._nearby.on_loop(partial(_drop_all, dropped))

    def _send_entry(self, entry: int) -> None:
        output = self._outputs[entry]
        try:
            found = self._find(output)
            nearby = self._sending.near
            if nearby is not None and nearby.storage.serves(output.container_url):
                for parts, name, descriptor in found:
                    self._send_near(entry, parts, name, descriptor)
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
            pattern = parse_pattern(
                output.file_pattern,
                task_directory=self._folder,
                environment=self._environment() if "$" in output.file_pattern else {},
            )
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

    def _send_near(
        self, entry: int, parts: tuple[str, ...], name: str, descriptor: int | None
    ) -> None:
        """Reads a small file; writes a larger one to where it will stay."""
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
            incoming, content = None, b""
            if size_bytes > SMALL_BYTES:
                incoming = self._begin(url, headers, size_bytes)
                if incoming is None:
                    self._upload(output, parts, name, opened)
                    return
            if incoming is None:
                content = read_open(opened, size_bytes)
                md5 = digest(content)
            else:
                md5 = self._write(incoming, opened, size_bytes)
            self._pending.append(
                _Pending(
                    entry=entry,
                    parts=parts,
                    name=name,
                    url=url,
                    headers=headers,
                    content=content,
                    incoming=incoming,
                    md5=md5,
                    done=self._log.progress_line(_uploaded(parts, size_bytes)),
                )
            )
            self._pending_bytes += len(content)
        if self._pending_bytes >= _MOST_PENDING_BYTES or len(self._pending) >= _MOST_PENDING:
            self._commit_so_far(entry)

    def _begin(self, url: str, headers: Mapping[str, str], size_bytes: int) -> Incoming | None:
        if size_bytes > self._sending.sizes.single_put_bytes:
            return None
        return self._nearby.on_loop(partial(self._near.begin, url, headers, size_bytes))

    def _write(self, incoming: Incoming, descriptor: int, size_bytes: int) -> bytes:
        try:
            pieces = read_pieces(descriptor, size_bytes, self._sending.interruption)
            return write_incoming(incoming, pieces)
        except BaseException:
            self._nearby.on_loop(incoming.drop)
            raise

    def _commit_so_far(self, entry: int) -> None:
        """Many files, or large ones, are not kept until the end."""
        if not self._nearby.on_loop(self.commit):
            self._send_left()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A file for storage that is near: its content, or where that was written."""

    entry: int
    parts: tuple[str, ...]
    name: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    incoming: Incoming | None
    md5: bytes
    done: str
    """The line of the log which says that it was sent."""


def _drop_all(dropped: Iterable[Incoming]) -> None:
    for each in dropped:
        each.drop()


def _uploading(output: OutputFile, parts: tuple[str, ...], name: str) -> str:
    url = blob_url(without_secrets(output.container_url), name)
    return f"Uploading {'/'.join(parts)!r} to {url}"


def _uploaded(parts: tuple[str, ...], size_bytes: int) -> str:
    return f"Uploaded {'/'.join(parts)!r}: {size_bytes} bytes"


def _is_due(condition: UploadCondition, exit_code: int) -> bool:
    match condition:
        case UploadCondition.TASK_SUCCESS:
            return exit_code == 0
        case UploadCondition.TASK_FAILURE:
            return exit_code != 0
        case UploadCondition.TASK_COMPLETION:
            return True
        case _:
            assert_never(condition)


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
