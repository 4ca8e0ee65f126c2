"""The two files in a task's directory that tell of its uploads, without signatures.

It must not know what is uploaded, nor how.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import datetime

from runner.emulator.batch.node.directories import create_file
from runner.emulator.batch.node.failures import StepFailedError, make_failure
from runner.emulator.batch.node.launch import FailureCategory, FailurePhase, OutputFile
from runner.emulator.batch.node.urls import without_secrets

PROGRESS_LOG = "fileuploadout.txt"
ERROR_LOG = "fileuploaderr.txt"


class UploadLog:
    """Lines come from several threads, and are on disk after `flush` and `close`."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._written = 0
        self._errors_written = 0
        self._begins_anew = False
        self._files: tuple[int, int] | None = None

    def open(self, directory: int) -> None:
        """Begins both files in an open directory, with the lines so far; raises `OSError`."""
        self._written = self._errors_written = 0
        progress = create_file(PROGRESS_LOG, directory)
        try:
            self._files = (progress, create_file(ERROR_LOG, directory))
        except BaseException:
            os.close(progress)
            raise

    def close(self) -> None:
        """Writes what is missing and closes the files, if they are open."""
        if self._files is None:
            return
        try:
            self.flush()
        finally:
            files, self._files = self._files, None
            for file in files:
                os.close(file)

    def flush(self) -> None:
        """Writes the lines so far; raises `OSError`."""
        with self._lock:
            if self._files is None:
                return
            progress, errors = self._files
            if self._begins_anew:
                os.ftruncate(progress, 0)
                self._written, self._begins_anew = 0, False
            # Others add lines meanwhile, which are for the next time.
            lines = self._lines[self._written :]
            _write(progress, lines)
            self._written += len(lines)
            told = self._errors[self._errors_written :]
            _write(errors, told)
            self._errors_written += len(told)

    def progress_line(self, text: str) -> str:
        """Adds a line; the line as it stands there."""
        line = f"{self._clock().isoformat(timespec='milliseconds')} {text}\n"
        self._lines.append(line)
        return line

    def forget(self, line: str) -> None:
        """Takes back a line that has turned out to be wrong."""
        with self._lock:
            index = self._lines.index(line)
            del self._lines[index]
            self._begins_anew = self._begins_anew or index < self._written

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
        self._errors.append(json.dumps(line) + "\n")
        return StepFailedError(failure)


def _write(file: int, lines: list[str]) -> None:
    content = "".join(lines).encode("utf-8", "backslashreplace")
    while content:
        content = content[os.write(file, content) :]
