"""Hand-written services in memory: what a run asks of them, kept to be looked at."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO

from runner.errors import ServiceRefusedError, UsageError
from runner.plan.model import RunId, StoredBlob, TaskId
from runner.run.removal.traces import (
    CONTAINER_KEPT,
    RUN,
    Kind,
    Trace,
    run_of_container,
    run_of_job,
)
from runner.run.services import (
    BlobMissingError,
    Downloaded,
    Expiry,
    JobRequest,
    JobState,
    JobStatus,
    NodeCommandStatus,
    NodeStatus,
    Permission,
    PoolRequest,
    PoolStatus,
    ScheduleRequest,
    TaskCounts,
    TaskFailure,
    TaskRequest,
    TaskState,
    TaskStatus,
)
from runner.spec.model.pool import FixedNodes, Image

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@dataclass
class FakeBlobs:
    """Containers are dictionaries of bytes; `fail` may refuse an operation by raising."""

    endpoint: str = "https://storage.example"
    downloads_at_once: int = 16
    containers: dict[str, dict[str, bytes]] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of containers that have any."""
    modified: dict[str, datetime] = field(default_factory=dict)
    """When `container/blob` was written, where a test cares."""
    fail: Callable[[str, str], None] = lambda operation, name: None
    log: list[str] = field(default_factory=list)
    holders: dict[str, str] = field(default_factory=dict)
    """Who holds which `container/blob`."""
    closed: bool = False
    abandoned: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def _note(self, operation: str, name: str) -> None:
        with self.lock:
            self.log.append(f"{operation} {name}")
        self.fail(operation, name)

    def create_container(self, name: str, metadata: Mapping[str, str]) -> None:
        self._note("create container", name)
        self.containers.setdefault(name, {})
        self.metadata[name] = dict(metadata)

    def delete_container(self, name: str) -> None:
        self._note("delete container", name)
        self.containers.pop(name, None)
        for held in [each for each in self.holders if each.startswith(f"{name}/")]:
            del self.holders[held]

    def container_metadata(self, name: str) -> Mapping[str, str] | None:
        return self.metadata.get(name, {}) if name in self.containers else None

    def list_traces(self, run: RunId | None) -> tuple[Trace, ...]:
        self._note("list traces", run or "")
        found = []
        for name in sorted(self.containers):
            metadata = self.metadata.get(name, {})
            maker = run_of_container(name, metadata)
            if maker is not None and run in (None, maker):
                kept = metadata.get(CONTAINER_KEPT)
                found.append(
                    Trace(kind=Kind.CONTAINER, name=name, run=maker, made=NOW, kept_because=kept)
                )
        return tuple(found)

    def has_container(self, name: str) -> bool:
        self._note("has container", name)
        return name in self.containers

    def delete_blobs(self, container: str, names: Iterable[str]) -> None:
        for name in tuple(names):
            self._note("delete blob", f"{container}/{name}")
            self.containers[container].pop(name, None)

    def list_containers(self, prefix: str) -> tuple[str, ...]:
        self._note("list containers", prefix)
        return tuple(name for name in sorted(self.containers) if name.startswith(prefix))

    def hold_blob(self, container: str, blob: str, holder: str, seconds: int) -> bool:
        self._note("hold", f"{container}/{blob}")
        if blob not in self.containers.get(container, {}):
            raise BlobMissingError
        return self.holders.setdefault(f"{container}/{blob}", holder) == holder

    def release_blob(self, container: str, blob: str, holder: str) -> None:
        self._note("release", f"{container}/{blob}")
        if self.holders.get(f"{container}/{blob}") == holder:
            del self.holders[f"{container}/{blob}"]

    def upload_file(self, container: str, blob: str, source: Path) -> bytes:
        self._note("upload", f"{container}/{blob}")
        content = self.containers[container][blob] = source.read_bytes()
        return hashlib.md5(content, usedforsecurity=False).digest()

    def upload_text(self, container: str, blob: str, text: str) -> None:
        self._note("upload", f"{container}/{blob}")
        self.containers[container][blob] = text.encode()

    def download(self, container: str, blob: str, stream: BinaryIO) -> Downloaded:
        self._note("download", f"{container}/{blob}")
        content = self._content(container, blob)
        stream.write(content)
        md5 = hashlib.md5(content, usedforsecurity=False).digest()
        return Downloaded(size_bytes=len(content), md5=md5)

    def download_file(self, container: str, blob: str, target: Path) -> int:
        self._content(container, blob)
        with target.open("wb") as stream:
            return self.download(container, blob, stream).size_bytes

    def list_blobs(self, container: str, prefix: str) -> Iterator[StoredBlob]:
        self._note("list blobs", f"{container}/{prefix}")
        for name, content in sorted(self.containers[container].items()):
            if name.startswith(prefix):
                modified = self.modified.get(f"{container}/{name}")
                yield StoredBlob(name=name, size_bytes=len(content), md5=None, modified=modified)

    def abandon_transfers(self) -> None:
        self.abandoned = True

    def container_url(self, container: str, permission: Permission, expires: datetime) -> str:
        return f"{self.endpoint}/{container}?sp={permission.value}&se={expires.isoformat()}"

    def blob_url(self, container: str, blob: str, permission: Permission, expires: datetime) -> str:
        return f"{self.endpoint}/{container}/{blob}?sp={permission.value}&se={expires.isoformat()}"

    def close(self) -> None:
        self.closed = True

    def _content(self, container: str, blob: str) -> bytes:
        try:
            return self.containers[container][blob]
        except KeyError:
            raise BlobMissingError from None


@dataclass(kw_only=True)
class TaskEnd:
    """What a fake task comes to: exit code, and the blobs (by output path) that it writes."""

    exit_code: int | None = 0
    stdout: bytes = b""
    stderr: bytes = b""
    writes: bool = True
    failure: TaskFailure | None = None


def _succeed(task: TaskRequest) -> TaskEnd:
    return TaskEnd(stdout=f"out of {task.display_name}\n".encode())


@dataclass
class FakeBatch:
    """Every task that is added, and needs none that is not done, ends at the next look.

    `end` says how, or that it does not end yet.
    """

    blobs: FakeBlobs
    end: Callable[[TaskRequest], TaskEnd | None] = _succeed
    endpoint: str = "https://batch.example"
    job: JobRequest | None = None
    job_state: JobState = JobState.ACTIVE
    job_problem: str | None = None
    terminate_reason: str | None = None
    disabled: bool = False
    """The run has asked for that; a test may say so of the job's state alone."""
    finished_adding: bool = False
    pools: set[str] = field(default_factory=set)
    pool_state: str = "active"
    pool_requests: dict[str, PoolRequest] = field(default_factory=dict)
    expiries: list[tuple[str, FixedNodes, datetime]] = field(default_factory=list)
    expiry: Expiry | None = None
    """What the pool has, of an earlier run at first."""
    target_nodes: int = 1
    sizes: list[FixedNodes] = field(default_factory=list)
    """Those that the pool was given later."""
    takes_no_expiry: Callable[[], bool] = lambda: False
    schedules: list[ScheduleRequest] = field(default_factory=list)
    preparations: tuple[NodeCommandStatus, ...] = ()
    nodes: tuple[NodeStatus, ...] = (
        NodeStatus(id="node-1", state="idle", start_task_exit_code=None, start_task_failure=None),
    )
    resize_errors: tuple[str, ...] = ()
    start_task_log: bytes = b""
    tasks: dict[TaskId, TaskStatus] = field(default_factory=dict)
    requests: dict[TaskId, TaskRequest] = field(default_factory=dict)
    files: dict[tuple[TaskId, str], bytes] = field(default_factory=dict)
    """Of tasks on their nodes, by task and path."""
    collections: list[int] = field(default_factory=list)
    waiting: deque[TaskRequest] = field(default_factory=deque)
    fail: Callable[[str], None] = lambda operation: None
    refuse_tasks: Callable[[Sequence[TaskRequest]], None] = lambda requests: None
    log: list[str] = field(default_factory=list)
    forgotten: list[Trace] = field(default_factory=list)
    """What else the service lists of runs."""
    looks: int = 0
    lets_run: set[int] = field(default_factory=set)
    """Tasks by number that tasks which need them may follow: those that succeed, unless told."""

    def _note(self, operation: str) -> None:
        self.log.append(operation)
        self.fail(operation)

    def find_node_agent(self, image: Image, *, containers: bool = False) -> str:
        self._note("find node agent")
        if image.publisher != "canonical":
            raise UsageError(f"no image of `{image.publisher}`")
        return "batch.node.ubuntu 24.04"

    def create_job(self, request: JobRequest) -> str:
        self._note("create job")
        if self.job is None and self.requests:
            for known in (self.tasks, self.requests, self.waiting, self.lets_run):
                known.clear()
            self.job_state, self.finished_adding = JobState.ACTIVE, False
        self.job = request
        pool = request.pool
        pool_id = pool if isinstance(pool, str) else f"{pool.id_prefix}1234"
        self.pools.add(pool_id)
        return pool_id

    def create_pool(self, pool_id: str, request: PoolRequest) -> bool:
        self._note("create pool")
        is_new = pool_id not in self.pools
        self.pools.add(pool_id)
        self.pool_requests[pool_id] = request
        return is_new

    def expire_pool(self, pool_id: str, expiry: Expiry) -> bool:
        self._note("expire pool")
        if self.takes_no_expiry():
            return False
        self.expiries.append((pool_id, expiry.size, expiry.at))
        self.expiry = expiry
        return True

    def give_size(self, pool_id: str, size: FixedNodes, created: datetime) -> bool:
        self._note("give size")
        if self.takes_no_expiry():
            return False
        self.sizes.append(size)
        return True

    def remove_nodes(self, pool_id: str, nodes: Sequence[str]) -> bool:
        self._note(f"remove {' '.join(nodes)}")
        self.nodes = tuple(node for node in self.nodes if node.id not in nodes)
        return True

    def create_schedule(self, request: ScheduleRequest) -> None:
        self._note("create schedule")
        self.schedules.append(request)

    def node_commands(self, job_id: str) -> tuple[NodeCommandStatus, ...]:
        self._note("node commands")
        return self.preparations

    def add_tasks(self, job_id: str, requests: Sequence[TaskRequest]) -> None:
        self._note("add tasks")
        self.refuse_tasks(requests)
        self.collections.append(len(requests))
        for request in requests:
            if request.id in self.requests:
                raise ServiceRefusedError(f"task {request.id} exists", code="TaskExists")
            self.requests[request.id] = request
            self.waiting.append(request)

    def reactivate_task(self, job_id: str, task_id: TaskId) -> bool:
        self._note(f"reactivate {task_id}")
        if self.job_state is not JobState.ACTIVE:
            return False
        del self.tasks[task_id]
        self.waiting.append(self.requests[task_id])
        return True

    def terminate_task(self, job_id: str, task_id: TaskId) -> bool:
        self._note(f"terminate {task_id}")
        return True

    def finish_adding(self, job_id: str) -> None:
        self._note("finish adding")
        self.finished_adding = True

    def task_changes(self, job_id: str, since: datetime | None) -> Iterator[TaskStatus]:
        self._note("look")
        self.looks += 1
        for _ in range(len(self.waiting)):
            request = self.waiting.popleft()
            end = self.end(request) if self._may_run(request) else None
            if end is None:
                self.waiting.append(request)
            else:
                status = self.tasks[request.id] = self._finish(request, end)
                if status.succeeded:
                    self.lets_run.add(int(request.id))
        for status in self.tasks.values():
            if since is None or status.changed >= since:
                yield status

    def _may_run(self, request: TaskRequest) -> bool:
        return not self.disabled and all(
            number in self.lets_run
            for needed in request.needs
            for number in range(needed.first, needed.last + 1)
        )

    def _finish(self, request: TaskRequest, end: TaskEnd) -> TaskStatus:
        ran = end.exit_code is not None
        for output in request.outputs:
            container = output.container_url.partition("?")[0].rpartition("/")[2]
            content = b"result"
            if output.pattern == "../stdout.txt":
                content = end.stdout
            elif output.pattern == "../stderr.txt":
                content = end.stderr
            elif not end.writes:
                continue
            if ran and container in self.blobs.containers:
                self.blobs.containers[container][output.path] = content
        failure = end.failure
        if end.exit_code and failure is None:
            failure = TaskFailure(code="FailureExitCode", category="UserError", message="it failed")
        moment = NOW + timedelta(seconds=self.looks)
        return TaskStatus(
            id=request.id,
            state=TaskState.COMPLETED,
            changed=moment,
            node_id=self.nodes[0].id if ran and self.nodes else None,
            started=moment if ran else None,
            ended=moment,
            exit_code=end.exit_code,
            succeeded=failure is None,
            retry_count=0,
            failure=failure,
        )

    def task_ids(self, job_id: str) -> Iterator[TaskId]:
        self._note("list task ids")
        if self.job is not None:
            yield from tuple(self.requests)

    def enable_job(self, job_id: str) -> None:
        self._note("enable job")
        if self.job_state is JobState.DISABLED:
            self.job_state = JobState.ACTIVE

    def job_status(self, job_id: str) -> JobStatus:
        self._note("job status")
        state = JobState.GONE if self.job is None else self.job_state
        return JobStatus(
            state=state,
            pool_id=next(iter(self.pools), None),
            terminate_reason=self.terminate_reason,
            problem=self.job_problem,
            created=None if self.job is None else NOW,
            run=self.job.metadata.get(RUN) if isinstance(self.job, JobRequest) else None,
        )

    def pool_status(self, pool_id: str) -> PoolStatus | None:
        self._note("pool status")
        if pool_id not in self.pools:
            return None
        return PoolStatus(
            state=self.pool_state,
            allocation_state="steady",
            dedicated_nodes=len(self.nodes),
            spot_nodes=0,
            target_dedicated_nodes=self.target_nodes,
            target_spot_nodes=0,
            resize_errors=self.resize_errors,
            expiry=self.expiry,
        )

    def node_statuses(self, pool_id: str) -> tuple[NodeStatus, ...]:
        return self.nodes

    def read_node_log(self, pool_id: str, node_id: str, path: str, limit_bytes: int) -> bytes:
        self._note(f"read {path}")
        return self.start_task_log[-limit_bytes:]

    def node_file_size(self, pool_id: str, node_id: str, path: str) -> int | None:
        return len(self.start_task_log) if path.startswith("startup/") else None

    def read_node_file(
        self, pool_id: str, node_id: str, path: str, *, start: int, length: int
    ) -> bytes | None:
        self._note(f"read {path} of {node_id} from {start}")
        return self.start_task_log[start : start + length]

    def disable_job(self, job_id: str) -> None:
        """Nothing runs between two looks, so that no task is waited for."""
        self._note("disable job")
        self.disabled = True
        self.job_state = JobState.DISABLED

    def task_counts(self, job_id: str) -> TaskCounts | None:
        self._note("task counts")
        if self.job is None:
            return None
        good = sum(bool(status.succeeded) for status in self.tasks.values())
        return TaskCounts(
            active=len(self.waiting), running=0, succeeded=good, failed=len(self.tasks) - good
        )

    def task_status(self, job_id: str, task_id: TaskId) -> TaskStatus | None:
        self._note("task status")
        return self.tasks.get(task_id)

    def task_file_size(self, job_id: str, task_id: TaskId, path: str) -> int | None:
        content = self.files.get((task_id, path))
        return None if content is None else len(content)

    def read_task_file(
        self, job_id: str, task_id: TaskId, path: str, *, start: int, length: int
    ) -> bytes | None:
        self._note(f"read {path} of {task_id} from {start}")
        content = self.files.get((task_id, path))
        return None if content is None else content[start : start + length]

    def terminate_job(self, job_id: str) -> None:
        self._note("terminate job")
        self.job_state = JobState.COMPLETED

    def delete_job(self, job_id: str) -> None:
        self._note("delete job")
        self.job = None

    def delete_pool(self, pool_id: str) -> None:
        self._note("delete pool")
        self.pools.discard(pool_id)
        self.forgotten = [each for each in self.forgotten if each.name != pool_id]

    def delete_schedule(self, schedule_id: str) -> None:
        self._note("delete schedule")
        self.schedules = [each for each in self.schedules if each.id != schedule_id]

    def jobs_in(self, pool_id: str) -> tuple[str, ...]:
        self._note("jobs in")
        is_over = self.job is None or self.job_state is JobState.COMPLETED
        return () if self.job is None or is_over or pool_id not in self.pools else (self.job.id,)

    def list_traces(self, run: RunId | None) -> tuple[Trace, ...]:
        self._note("list traces")
        found = list(self.forgotten)
        if self.job is not None:
            maker = run_of_job(self.job.id, self.job.metadata)
            if maker is not None:
                state = self.job_state.value
                found.append(Trace(kind=Kind.JOB, name=self.job.id, run=maker, state=state))
        return tuple(trace for trace in found if run in (None, trace.run))

    def find_pools(self, prefix: str, run_id: str) -> tuple[str, ...]:
        self._note("find pools")
        return tuple(pool for pool in self.pools if pool.startswith(prefix))

    def close(self) -> None:
        self._note("close")
