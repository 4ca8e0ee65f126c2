"""A task's output files: which are due, which match, what they are called in the container.

It must not know how a blob is put (`uploads` does), nor how the process ran.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TextIO

from typing_extensions import assert_never

from runner.emulator.batch.node.connections import Connections, TransferError
from runner.emulator.batch.node.containment import (
    NodeFolder,
    directory_below,
    open_regular_below,
)
from runner.emulator.batch.node.directories import create_file
from runner.emulator.batch.node.failures import StepFailedError, make_failure
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.launch import (
    Failure,
    FailureCategory,
    FailurePhase,
    OutputFile,
    UploadCondition,
)
from runner.emulator.batch.node.patterns import (
    FilePattern,
    PatternError,
    find_files,
    parse_pattern,
)
from runner.emulator.batch.node.transfers import run_side_by_side
from runner.emulator.batch.node.uploads import BlockSizes, upload
from runner.emulator.batch.node.urls import blob_url, without_secrets

PROGRESS_LOG = "fileuploadout.txt"
ERROR_LOG = "fileuploaderr.txt"


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
class Uploader:
    """What is needed to send the outputs of one task."""

    task_directory: NodeFolder
    environment: Mapping[str, str]
    connections: Connections
    pool: Executor
    interruption: Interruption
    clock: Callable[[], datetime]
    sizes: BlockSizes = field(default_factory=BlockSizes)

    def upload_outputs(self, outputs: Sequence[OutputFile]) -> Failure | None:
        """Sends all files of all entries, of which there are some; the first failure, if any.

        An entry stops at its first failure, the others are tried nevertheless. The two logs in the
        task's directory tell of progress and failures, without signatures.
        """
        with ExitStack() as stack:
            try:
                with directory_below(self.task_directory) as directory:
                    progress = stack.enter_context(_open_log(PROGRESS_LOG, directory))
                    errors = stack.enter_context(_open_log(ERROR_LOG, directory))
            except OSError as error:
                return _logs_failed(outputs[0], error)
            log = _Log(progress=progress, errors=errors, clock=self.clock, lock=threading.Lock())
            results = [self._upload_entry(output, log) for output in outputs]
        return next(filter(None, results), None)

    def _upload_entry(self, output: OutputFile, log: _Log) -> Failure | None:
        try:
            run_side_by_side(self.pool, self._jobs(output, log))
        except StepFailedError as error:
            return error.failure
        return None

    def _jobs(self, output: OutputFile, log: _Log) -> Iterator[Callable[[], None]]:
        try:
            pattern = parse_pattern(
                output.file_pattern,
                task_directory=self.task_directory,
                environment=self.environment,
            )
            matching = tuple(find_files(self.task_directory, pattern))
        except PatternError as error:
            raise log.failed(output, "", "FileUploadMiscError", str(error)) from error
        except OSError as error:
            message = error.strerror or type(error).__name__
            raise log.failed(output, "", "FileUploadMiscError", message) from error
        log.progress_line(f"Pattern {output.file_pattern!r} matches {len(matching)} path(s)")
        for parts in matching:
            yield partial(self._send, output, pattern, parts, log)

    def _send(
        self, output: OutputFile, pattern: FilePattern, parts: tuple[str, ...], log: _Log
    ) -> None:
        shown = "/".join(parts)
        name = blob_name(output.path, pattern, parts)
        if not _is_text(name):
            message = "a blob's name must be valid UTF-8"
            raise log.failed(output, shown, "FileUploadMiscError", message)
        try:
            descriptor = open_regular_below(self.task_directory, parts)
            if descriptor is None:
                log.progress_line(f"Left out {shown!r}: not a regular file below the task")
                return
            url = blob_url(output.container_url, name)
            try:
                log.progress_line(f"Uploading {shown!r} to {without_secrets(url)}")
                size = upload(
                    self.connections,
                    url,
                    descriptor,
                    self.interruption,
                    self.sizes,
                    asked=output.headers,
                )
            finally:
                os.close(descriptor)
        except TransferError as error:
            raise log.failed(output, shown, _code_of(error), str(error)) from error
        except OSError as error:
            message = error.strerror or type(error).__name__
            raise log.failed(output, shown, "FileUploadMiscError", message) from error
        log.progress_line(f"Uploaded {shown!r}: {size} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    """The two files that tell of uploads; lines come from several threads."""

    progress: TextIO
    errors: TextIO
    clock: Callable[[], datetime]
    lock: threading.Lock

    def progress_line(self, text: str) -> None:
        with self.lock:
            self.progress.write(f"{self.clock().isoformat(timespec='milliseconds')} {text}\n")
            self.progress.flush()

    def failed(self, output: OutputFile, file: str, code: str, message: str) -> StepFailedError:
        """Writes the failure down, in fields like the service's, and gives what to raise."""
        destination = without_secrets(output.container_url)
        failure = make_failure(
            FailurePhase.FILE_UPLOAD,
            code,
            ("FilePattern", output.file_pattern),
            ("FilePath", file),
            ("Destination", destination),
            ("Message", message),
        )
        line = {
            "code": code,
            "user_error": failure.category is FailureCategory.USER_ERROR,
            "pattern": output.file_pattern,
            "file": file,
            "destination": destination,
            "message": message,
        }
        with self.lock:
            self.errors.write(json.dumps(line) + "\n")
            self.errors.flush()
        return StepFailedError(failure)


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


def _open_log(name: str, directory: int) -> TextIO:
    descriptor = create_file(name, directory)
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")


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
