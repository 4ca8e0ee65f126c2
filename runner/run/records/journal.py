"""A run's directory: the spec as it was, events as they come, logs and the report.

It knows nothing of the services; other commands read the same directory later.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from runner.errors import UsageError, describe_os_error
from runner.plan.model import RunId, TaskId
from runner.run.events import Event
from runner.run.records.lines import event_as_line
from runner.run.records.places import LAST, RUNS
from runner.run.records.redaction import Redaction, redacted

Listener = Callable[[Event, bytes], None]
"""Is told each event, and its line, in the order of the journal."""


class Journal:
    """Writes the run's directory; `record` may be called from any thread."""

    def __init__(
        self,
        directory: Path,
        *,
        run: RunId,
        clock: Callable[[], datetime],
        listener: Listener,
        redaction: Redaction | None = None,
    ) -> None:
        """What `redaction` knows is in nothing that is written or told."""
        self.directory = directory
        self.redaction = redaction or Redaction()
        self.run = run
        self._clock = clock
        self._listeners = [listener]
        self._after: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self.problem: str | None = None
        """Why events could not be written; they are still told."""
        self._events = os.open(
            directory / "events.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
        )

    def record(self, *events: Event) -> None:
        """Appends a line for each, whole, and tells the listeners.

        What is recorded together is written together, and costs little more than one alone.
        """
        clean = [redacted(event, self.redaction) for event in events]
        with self._lock:
            now = self._clock()
            lines = [event_as_line(event, run=self.run, at=now) for event in clean]
            self._append(b"".join(lines))
            for event, line in zip(clean, lines, strict=True):
                for listener in self._listeners:
                    listener(event, line)
            for call in self._after:
                call()

    def listen(self, listener: Listener) -> None:
        """Has one more be told of each event from here on."""
        with self._lock:
            self._listeners.append(listener)

    def after(self, call: Callable[[], None]) -> None:
        """Has this be called each time that all that was recorded together has been told."""
        with self._lock:
            self._after.append(call)

    def _append(self, lines: bytes) -> None:
        """Whole lines only; a disk that is full must not keep a run from its cleanup."""
        if self.problem is not None:
            return
        try:
            while lines:
                lines = lines[os.write(self._events, lines) :]
        except OSError as error:
            reason = describe_os_error(error)
            self.problem = f"cannot write `{self.directory / 'events.jsonl'}`: {reason}"

    def write(self, name: str, content: str) -> Path:
        """Writes a file of the run whole or not at all, and returns once it outlasts a crash."""
        path = self.directory / name
        write_whole(path, self.redaction.text(content))
        return path

    def log_path(self, task: TaskId, stream: str) -> Path:
        """Where a task's `stdout` or `stderr` goes; its folder exists."""
        folder = self.directory / "logs" / task
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{stream}.txt"

    def relative(self, path: Path) -> str:
        """A path of the run's directory as events name it."""
        return path.relative_to(self.directory).as_posix()

    def close(self) -> None:
        """Closes the file of events."""
        os.close(self._events)


def write_whole(path: Path, content: str) -> None:
    """Writes a file whole or not at all, and returns once it outlasts a crash of the machine."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the error that brought us here says more
            partial.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """What was renamed there keeps its name after a crash; not every system lets us ask for it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def create_run_directory(working_directory: Path, run: RunId, *, is_last: bool = True) -> Path:
    """Makes `.batch-run/runs/<run id>/`; `UsageError` if not.

    `.batch-run/last` points at it then, unless it is not to be the run that commands mean where
    none is named.
    """
    directory = working_directory / RUNS / run
    made = False
    try:
        directory.mkdir(parents=True)
        made = True
        if is_last:
            # Should we die here, what is left is in the folder of a run that never began.
            partial = directory / ".last.partial"
            partial.write_text(f"{run}\n", encoding="ascii")
            partial.replace(working_directory / LAST)
    except OSError as error:
        if made:
            shutil.rmtree(directory, ignore_errors=True)
        reason = describe_os_error(error)
        raise UsageError(
            f"cannot write the run's directory `{directory}`: {reason}",
            hint="run in a folder that you may write to",
        ) from error
    return directory
