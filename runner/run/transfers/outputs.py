"""Brings home what a task has left: its logs and its outputs, whole and inside their folders.

It decides nothing about the run; a task that left less than it should is reported as failed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from runner.errors import ServiceError
from runner.plan.model import LOGS, OutputPlan, Plan, StoredBlob, TaskPlan
from runner.run.events import (
    DEPENDENCY_FAILED,
    OUTPUT_MISSING,
    TRANSFER_FAILED,
    OutputDownloaded,
    TaskFinished,
)
from runner.run.records.journal import Journal
from runner.run.services import BlobMissingError, Blobs, TaskFailure, TaskStatus
from runner.run.submit import log_blob
from runner.run.tasks.dependents import Blocked
from runner.run.tasks.unrun import never_ran
from runner.run.transfers.downloads import Downloads, file_fault
from runner.spec.model.step import Print, UploadCondition
from runner.spec.model.terms import Role
from runner.spec.model.workload import OwnContainer

# Blob Storage tells times in whole seconds, and its clock is not that of Azure Batch.
_CLOCK_MARGIN = timedelta(seconds=5)
_TAIL_BYTES = 4_000
_TAIL_LINES = 20


class Collector:
    """Brings home the tasks of one run; `collect` may be called from several threads."""

    def __init__(
        self,
        plan: Plan,
        *,
        blobs: Blobs,
        journal: Journal,
        output_directory: Path,
        all_logs: bool,
        reused: Collection[Role] = (),
    ) -> None:
        """`reused` are containers that may hold blobs of others, which are none of our results."""
        self._plan = plan
        self._blobs = blobs
        self._journal = journal
        self._downloads = Downloads(output_directory, blobs=blobs)
        self._all_logs = all_logs
        self._reused = reused

    def collect(self, status: TaskStatus) -> bool:
        """Whether a task that has ended did all it should.

        Raises `ServiceError`, after the task's event, where something cannot be brought home.
        """
        task = self._plan.tasks[int(status.id) - 1]
        logs = _Logs()
        failure = status.failure
        succeeded = bool(status.succeeded)
        try:
            missing = self._bring(task, status, logs)
        except ServiceError as error:
            self._finish(task, status, logs, succeeded=False, failure=_transfer_failure(error))
            raise
        if missing and succeeded:
            succeeded = False
            failure = _missing_output(missing)
        self._finish(task, status, logs, succeeded=succeeded, failure=failure)
        return succeeded

    def tell_blocked(self, blocked: Blocked) -> None:
        """Records the end of a task that never runs, since one that it needs failed."""
        task = self._plan.tasks[blocked.number - 1]
        need = self._plan.tasks[blocked.need - 1].id
        words = "which failed"
        if blocked.culprit != blocked.need:
            culprit = self._plan.tasks[blocked.culprit - 1].id
            words = f"which never ran, since task `{culprit}` failed"
        message = f"it needs task `{need}`, {words}"
        self._journal.record(never_ran(task, cause=DEPENDENCY_FAILED, message=message))

    def _bring(self, task: TaskPlan, status: TaskStatus, logs: _Logs) -> list[OutputPlan]:
        """Brings all that is wanted of a task; gives the outputs that are not there.

        What came of its logs stands in `logs`, however this ends.
        """
        succeeded = bool(status.succeeded)
        if self._all_logs or not succeeded or task.step.print is Print.STDOUT:
            logs.stdout = self._bring_log(task, "stdout")
            self._bring_stderr(task, logs)
        missing = [
            output
            for output in task.outputs
            if _applies(output, succeeded) and not self._bring_output(task, output, status)
        ]
        if missing and succeeded and logs.stderr is None:
            self._bring_stderr(task, logs)
        return missing

    def _finish(
        self,
        task: TaskPlan,
        status: TaskStatus,
        logs: _Logs,
        *,
        succeeded: bool,
        failure: TaskFailure | None,
    ) -> None:
        self._journal.record(
            TaskFinished(
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
        )

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

    def _bring_output(self, task: TaskPlan, output: OutputPlan, status: TaskStatus) -> bool:
        """False where the one blob that the output means is not there."""
        container = self._plan.container_name(output.role)
        policy = self._plan.workload.container(output.role)
        download = isinstance(policy, OwnContainer) and policy.download
        reused = output.role in self._reused
        since = _written_since(status) if reused else None
        if output.blob is None:
            if download:
                for item in self._blobs.list_blobs(container, f"{output.path}/"):
                    if _is_written(item, since):
                        self._download(task, output, item.name, item.name)
            return True
        blob: str | None = output.blob
        if output.escaped or reused or not download:
            blob = self._find(container, output.blob, since)
        if blob is None or not download:
            return blob is not None
        try:
            self._download(task, output, blob, output.blob)
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

    def _download(self, task: TaskPlan, output: OutputPlan, blob: str, name: str) -> None:
        container = self._plan.container_name(output.role)
        file = self._downloads.bring(container, blob, output.role, name)
        self._journal.record(
            OutputDownloaded(
                task=task.id,
                role=output.role,
                blob=blob,
                path=file.path,
                bytes=file.size_bytes,
                md5=file.md5.hex(),
            )
        )


@dataclass(slots=True, kw_only=True)
class _Logs:
    """What has come of a task's logs: paths in the run's directory, and the end of one."""

    stdout: str | None = None
    stderr: str | None = None
    stderr_tail: str | None = None


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
