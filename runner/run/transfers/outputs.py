"""Brings home what a task has left: its logs and its outputs, whole and inside their folders.

It decides nothing about the run; a task that left less than it should is reported as failed.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from pathlib import Path

from runner.errors import ServiceError, TransferError
from runner.frozen import dataclass
from runner.plan.model import LOGS, OutputPlan, Plan, StoredBlob, TaskPlan, task_id
from runner.run.events import (
    DEPENDENCY_FAILED,
    OUTPUT_MISSING,
    TRANSFER_FAILED,
    Event,
    OutputDownloaded,
    TaskFinished,
)
from runner.run.records.journal import Journal
from runner.run.services import BlobMissingError, Blobs, TaskFailure, TaskStatus
from runner.run.submit import log_blob
from runner.run.tasks.dependents import Blocked
from runner.run.tasks.unrun import never_ran
from runner.run.tasks.window import Window
from runner.run.transfers.downloads import Brought, Downloads, Fetched, file_fault
from runner.spec.model.step import Print, UploadCondition
from runner.spec.model.terms import Role
from runner.spec.model.workload import OwnContainer

# Blob Storage tells times in whole seconds, and its clock is not that of Azure Batch.
_CLOCK_MARGIN = timedelta(seconds=5)
_TAIL_BYTES = 4_000
_TAIL_LINES = 20
# So many files of one task at most are open at a time.
_MOST_OPEN = 8


@dataclasses.dataclass(slots=True, kw_only=True)
class _Logs:
    """What has come of a task's logs: paths in the run's directory, and the end of one."""

    stdout: str | None = None
    stderr: str | None = None
    stderr_tail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A blob of a task that was fetched."""

    role: Role
    blob: str
    file: Fetched


@dataclasses.dataclass(slots=True, kw_only=True)
class Haul:
    """What was fetched of one task that has ended, and has no names at home yet."""

    task: TaskPlan
    status: TaskStatus
    logs: _Logs
    files: list[_File] = field(default_factory=list)
    missing: list[OutputPlan] = field(default_factory=list)
    """Outputs that are not there."""
    error: ServiceError | None = None
    """Why something could not be brought home."""


class Collector:
    """Brings home the tasks of one run; may be used from several threads."""

    def __init__(
        self,
        plan: Plan,
        *,
        window: Window,
        blobs: Blobs,
        journal: Journal,
        output_directory: Path,
        all_logs: bool,
        reused: Collection[Role] = (),
    ) -> None:
        """`reused` are containers that may hold blobs of others, which are none of our results."""
        self._plan = plan
        self._window = window
        self._blobs = blobs
        self._journal = journal
        self._downloads = Downloads(output_directory, blobs=blobs)
        self._all_logs = all_logs
        self._reused = reused
        self._places = {
            each.role: (
                plan.container_name(each.role),
                isinstance(each, OwnContainer) and each.download,
            )
            for each in plan.workload.containers
        }

    @property
    def at_once(self) -> int:
        """From so many threads it is worth being used."""
        return self._blobs.downloads_at_once

    def collect(self, status: TaskStatus) -> Haul:
        """Fetches all that is wanted of a task that has ended; `land` is to follow."""
        haul = Haul(task=self._window.of(status.id), status=status, logs=_Logs())
        try:
            self._bring(haul)
        except ServiceError as error:
            haul.error = error
        except BaseException:
            self._land_files(haul)
            raise
        return haul

    def land(self, hauls: Sequence[Haul]) -> list[bool | ServiceError]:
        """Tells the ends of tasks, once what was fetched of them is at home; cheaper together.

        Whether each did all it should, or why something could not be brought home.
        """
        landed = iter(self._downloads.land([each.file for haul in hauls for each in haul.files]))
        events: list[Event] = []
        outcomes: list[bool | ServiceError] = []
        for haul in hauls:
            events.extend(_note(haul, landed))
            status, failure = haul.status, haul.status.failure
            succeeded = bool(status.succeeded) and haul.error is None and not haul.missing
            if haul.error is not None:
                failure = _transfer_failure(haul.error)
            elif haul.missing and status.succeeded:
                failure = _missing_output(haul.missing)
            events.append(_end(haul, succeeded=succeeded, failure=failure))
            outcomes.append(succeeded if haul.error is None else haul.error)
        self._journal.record(*events)
        return outcomes

    def close(self) -> None:
        """Gives the folders of the output directory back."""
        self._downloads.close()

    def tell_blocked(self, blocked: Sequence[Blocked]) -> None:
        """Records the ends of tasks that never run, since those that they need failed."""
        self._journal.record(*map(self._blocked_end, blocked))

    def _blocked_end(self, blocked: Blocked) -> TaskFinished:
        total = len(self._plan.tasks)
        words = "which failed"
        if blocked.culprit != blocked.need:
            culprit = task_id(blocked.culprit, of=total)
            words = f"which never ran, since task `{culprit}` failed"
        message = f"it needs task `{task_id(blocked.need, of=total)}`, {words}"
        task = self._window.task(blocked.number)
        return never_ran(task, cause=DEPENDENCY_FAILED, message=message)

    def _bring(self, haul: Haul) -> None:
        task, logs = haul.task, haul.logs
        succeeded = bool(haul.status.succeeded)
        if self._all_logs or not succeeded or task.step.print is Print.STDOUT:
            logs.stdout = self._bring_log(task, "stdout")
            self._bring_stderr(task, logs)
        for output in task.outputs:
            if _applies(output, succeeded) and not self._bring_output(haul, output):
                haul.missing.append(output)
        if haul.missing and succeeded and logs.stderr is None:
            self._bring_stderr(task, logs)

    def _land_files(self, haul: Haul) -> None:
        """Lands what was fetched so far, of a task that leaves many files."""
        landed = iter(self._downloads.land([each.file for each in haul.files]))
        self._journal.record(*_note(haul, landed))
        haul.files.clear()
        if haul.error is not None:
            raise haul.error

    def _bring_stderr(self, task: TaskPlan, logs: _Logs) -> None:
        logs.stderr = self._bring_log(task, "stderr")
        if logs.stderr is not None:
            logs.stderr_tail = _tail(self._journal.directory / logs.stderr)

    def _bring_log(self, task: TaskPlan, stream: str) -> str | None:
        container, blob = self._plan.container_name(LOGS), log_blob(task.id, stream)
        try:
            path = self._journal.log_path(task.id, stream)
            partial = path.with_name(f".{path.name}.partial")
            try:
                with (
                    partial.open("wb") as file,
                    self._journal.redaction.cleaning(file) as clean,
                ):
                    self._blobs.download(container, blob, clean)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        except BlobMissingError:  # the task never ran, so it never wrote
            return None
        except OSError as error:
            raise file_fault("write", error.filename or blob, error) from error
        return self._journal.relative(path)

    def _bring_output(self, haul: Haul, output: OutputPlan) -> bool:
        """False where the one blob that the output means is not there."""
        container, download = self._places[output.role]
        reused = output.role in self._reused
        since = _written_since(haul.status) if reused else None
        if output.blob is None:
            if download:
                for item in self._blobs.list_blobs(container, f"{output.path}/"):
                    if _is_written(item, since):
                        self._fetch(haul, output, item.name, item.name)
            return True
        blob: str | None = output.blob
        if output.escaped or reused or not download:
            blob = self._find(container, output.blob, since)
        if blob is None or not download:
            return blob is not None
        try:
            self._fetch(haul, output, blob, output.blob)
        except BlobMissingError:
            return False
        return True

    def _find(self, container: str, blob: str, since: datetime | None) -> str | None:
        """The name that the blob has: its own, or one in a folder of that name."""
        for item in self._blobs.list_blobs(container, blob):
            is_meant = item.name == blob or item.name.startswith(f"{blob}/")
            if is_meant and _is_written(item, since):
                return item.name
        return None

    def _fetch(self, haul: Haul, output: OutputPlan, blob: str, name: str) -> None:
        if len(haul.files) >= _MOST_OPEN:
            self._land_files(haul)
        container, _ = self._places[output.role]
        file = self._downloads.fetch(container, blob, output.role, name)
        haul.files.append(_File(role=output.role, blob=blob, file=file))


def _note(haul: Haul, landed: Iterator[Brought | TransferError]) -> list[Event]:
    """Tells the files that have landed; the first that has not is the fault of the task."""
    events: list[Event] = []
    for each in haul.files:
        brought = next(landed)
        if isinstance(brought, TransferError):
            haul.error = haul.error or brought
            continue
        events.append(
            OutputDownloaded(
                task=haul.task.id,
                role=each.role,
                blob=each.blob,
                path=brought.path,
                bytes=brought.size_bytes,
                md5=brought.md5.hex(),
                modified=brought.modified,
            )
        )
    return events


def _end(haul: Haul, *, succeeded: bool, failure: TaskFailure | None) -> TaskFinished:
    task, status, logs = haul.task, haul.status, haul.logs
    return TaskFinished(
        task=task.id,
        item=task.item,
        node=status.node_id,
        succeeded=succeeded,
        exit_code=status.exit_code,
        started=status.started,
        ended=status.ended,
        retries=status.retry_count,
        attempts=status.attempts,
        cause=None if failure is None else failure.code,
        message=None if failure is None else failure.message,
        stdout=logs.stdout,
        stderr=logs.stderr,
        stderr_tail=None if succeeded else logs.stderr_tail,
    )


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError as error:
        raise file_fault("read", log, error) from error
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def _written_since(status: TaskStatus) -> datetime | None:
    """Blobs of a task are not older than this; both times are of Azure's own clocks."""
    return None if status.started is None else status.started - _CLOCK_MARGIN


def _is_written(item: StoredBlob, since: datetime | None) -> bool:
    return since is None or item.modified is None or item.modified >= since


def _applies(output: OutputPlan, succeeded: bool) -> bool:
    match output.when:
        case UploadCondition.SUCCESS:
            return succeeded
        case UploadCondition.FAILURE:
            return not succeeded
        case UploadCondition.COMPLETION:
            return True


def _transfer_failure(error: ServiceError) -> TaskFailure:
    return TaskFailure(code=TRANSFER_FAILED, category="ServerError", message=error.message)


def _missing_output(missing: list[OutputPlan]) -> TaskFailure:
    names = ", ".join(_names(missing))
    return TaskFailure(
        code=OUTPUT_MISSING,
        category="UserError",
        message=f"the command succeeded but did not write {names}",
    )


def _names(outputs: list[OutputPlan]) -> Iterator[str]:
    for output in outputs:
        yield f"`{output.pattern}`"
