"""Brings home what a task has left: its logs and its outputs, whole and inside their folders.

It decides nothing about the run; a task that left less than it should is reported as failed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runner.errors import ServiceError, TransferError, describe_os_error
from runner.plan.model import LOGS, OutputPlan, Plan, TaskPlan
from runner.run.events import OutputDownloaded, TaskFinished
from runner.run.journal import Journal
from runner.run.services import BlobMissingError, Blobs, TaskFailure, TaskStatus
from runner.run.submit import log_blob
from runner.spec.step import Print, UploadCondition
from runner.spec.workload import OwnContainer

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
    ) -> None:
        self._plan = plan
        self._blobs = blobs
        self._journal = journal
        self._output_directory = output_directory
        self._all_logs = all_logs
        self._lock = threading.Lock()
        self._folders: set[Path] = set()

    def collect(self, status: TaskStatus) -> bool:
        """Whether a task that has ended did all it should.

        Raises `ServiceError`, after the task's event, where something cannot be brought home.
        """
        task = self._plan.tasks[int(status.id) - 1]
        logs = _Logs()
        failure = status.failure
        succeeded = bool(status.succeeded)
        try:
            missing = self._bring(task, succeeded, logs)
        except ServiceError as error:
            self._finish(task, status, logs, succeeded=False, failure=_transfer_failure(error))
            raise
        if missing and succeeded:
            succeeded = False
            failure = _missing_output(missing)
        self._finish(task, status, logs, succeeded=succeeded, failure=failure)
        return succeeded

    def _bring(self, task: TaskPlan, succeeded: bool, logs: _Logs) -> list[OutputPlan]:
        """Brings all that is wanted of a task; gives the outputs that are not there.

        What came of its logs stands in `logs`, however this ends.
        """
        if self._all_logs or not succeeded or task.step.print is Print.STDOUT:
            logs.stdout = self._bring_log(task, "stdout")
            self._bring_stderr(task, logs)
        missing = [
            output
            for output in task.outputs
            if _applies(output, succeeded) and not self._bring_output(task, output)
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
            self._blobs.download_file(container, blob, path)
        except BlobMissingError:  # the task never ran, so it never wrote
            return None
        except OSError as error:
            raise _fault("write", error.filename or blob, error) from error
        return self._journal.relative(path)

    def _bring_output(self, task: TaskPlan, output: OutputPlan) -> bool:
        """False where the one blob that the output means is not there."""
        container = self._plan.container_name(output.role)
        policy = self._plan.workload.container(output.role)
        download = isinstance(policy, OwnContainer) and policy.download
        if output.blob is None:
            if download:
                for item in self._blobs.list_blobs(container, f"{output.path}/"):
                    self._download(
                        task, output, item.name, PurePosixPath(output.role) / local_name(item.name)
                    )
            return True
        blob = self._find(container, output.blob) if output.escaped else output.blob
        if blob is None:
            return False
        if not download:
            return self._find(container, blob) is not None
        try:
            self._download(task, output, blob, PurePosixPath(output.role) / local_name(output.blob))
        except BlobMissingError:
            return False
        return True

    def _find(self, container: str, blob: str) -> str | None:
        """The name that the blob has: its own, or one in a folder of that name."""
        for item in self._blobs.list_blobs(container, blob):
            if item.name == blob or item.name.startswith(f"{blob}/"):
                return item.name
        return None

    def _download(
        self, task: TaskPlan, output: OutputPlan, blob: str, place: PurePosixPath
    ) -> None:
        container = self._plan.container_name(output.role)
        target = self._output_directory / place
        # One of its own for each blob, however long its name is and whoever downloads beside us.
        digest = hashlib.sha256(f"{container}/{blob}".encode("utf-8", "surrogatepass")).hexdigest()
        partial = target.with_name(f".batch-run-{digest[:32]}.partial")
        try:
            self._make_folder(target.parent)
            with contextlib.suppress(FileNotFoundError):
                target.lstat()  # refuses a name that is too long before anything is transferred
            size = self._blobs.download_file(container, blob, partial)
            partial.replace(target)
        except OSError as error:
            raise _fault("write", target, error) from error
        finally:
            with contextlib.suppress(OSError):  # an error that brought us here says more
                partial.unlink()
        self._journal.record(
            OutputDownloaded(
                task=task.id, role=output.role, blob=blob, path=os.fspath(target), bytes=size
            )
        )

    def _make_folder(self, folder: Path) -> None:
        """Makes the folder, once, unless a link on the way leads out of the output directory."""
        with self._lock:
            if folder in self._folders:
                return
            self._output_directory.mkdir(parents=True, exist_ok=True)
            root = Path(os.path.realpath(self._output_directory))
            # Looked at before anything is made: what is new below it cannot be a link.
            existing = folder
            while not os.path.lexists(existing):
                existing = existing.parent
            if not Path(os.path.realpath(existing)).is_relative_to(root):
                raise TransferError(f"{_shown(folder)} leads out of {_shown(root)} by a link")
            folder.mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)


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
        raise _fault("read", log, error) from error
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def _fault(verb: str, path: Path | str, error: OSError) -> TransferError:
    reason = describe_os_error(error)
    return TransferError(f"cannot {verb} {_shown(path)}: {reason}")


def _shown(path: Path | str) -> str:
    """In backticks, or with escapes where a blob's name would break the line."""
    text = os.fspath(path)
    return f"`{text}`" if text.isprintable() else ascii(text)


def local_name(blob: str) -> PurePosixPath:
    """The path of a blob below its role's folder; `TransferError` if it would lead elsewhere."""
    path = PurePosixPath(blob)
    unsafe = path.is_absolute() or ".." in path.parts or not path.parts or "\0" in blob
    if unsafe or (os.sep == "\\" and ("\\" in blob or ":" in blob)):
        raise TransferError(f"blob {blob!a} cannot be a file below the output directory")
    return path


def _applies(output: OutputPlan, succeeded: bool) -> bool:
    match output.when:
        case UploadCondition.SUCCESS:
            return succeeded
        case UploadCondition.FAILURE:
            return not succeeded
        case UploadCondition.COMPLETION:
            return True


def _transfer_failure(error: ServiceError) -> TaskFailure:
    return TaskFailure(code="TransferFailed", category="ServerError", message=error.message)


def _missing_output(missing: list[OutputPlan]) -> TaskFailure:
    names = ", ".join(_names(missing))
    return TaskFailure(
        code="OutputMissing",
        category="UserError",
        message=f"the command succeeded but did not write {names}",
    )


def _names(outputs: list[OutputPlan]) -> Iterator[str]:
    for output in outputs:
        yield f"`{output.pattern}`"
