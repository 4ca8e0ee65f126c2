"""Azure Batch, or the emulator of it, through azure-batch: the `Batch` of `run.services`.

It must not know runs or plans. Bodies are sent and answers read as mappings of wire names; see
`wire` and `answers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from azure.batch import BatchClient
from azure.core.exceptions import ResourceNotFoundError

from runner.plan.model import RunId, TaskId
from runner.remote import answers, images, looking, node_files, nodes, pools, task_actions, wire
from runner.remote.account import API_VERSION, JOB_OVER, BatchAccount, segment
from runner.remote.adding import Entry, add_in_collections
from runner.remote.endurance import Endurance
from runner.remote.faults import Origin, probing, translated
from runner.remote.jobs import Jobs
from runner.remote.retrying import PatientPolicy
from runner.remote.traces import batch_traces
from runner.remote.transport import PROBE_OPTIONS, open_transport
from runner.remote.trouble import Trouble
from runner.remote.wire_places import finder, task_sections
from runner.run.pools.judging import unusable
from runner.run.removal.traces import Trace
from runner.run.services import (
    Expiry,
    JobRequest,
    JobStatus,
    NodeCommandStatus,
    NodeStatus,
    PoolRequest,
    PoolStatus,
    ScheduleRequest,
    TaskCounts,
    TaskRequest,
    TaskStatus,
)
from runner.spec.model.pool import FixedNodes, Image

if TYPE_CHECKING:
    from azure.batch import models
    from azure.core.credentials import AzureNamedKeyCredential, TokenCredential

# What the service answers to a wish to disable a job that is disabled, or about to be.
_JOB_STILL = JOB_OVER | {"JobNotActive", "JobDisabled"}
# The service names an auto-pool in the answer to the next request, as a recording shows.
_POOL_LIMIT = timedelta(minutes=1)


class RemoteBatch:
    """One Batch account; may be used by several threads at once."""

    def __init__(
        self,
        *,
        endpoint: str,
        credential: AzureNamedKeyCredential | TokenCredential,
        key_hint: str | None,
        endurance: Endurance,
        secrets: Iterable[str] = (),
    ) -> None:
        """`secrets` are values that pools are given, and that no message may hold."""
        self._origin = Origin(
            service="Azure Batch",
            endpoint=endpoint,
            key_hint=key_hint,
            secrets=frozenset(filter(None, secrets)),
        )
        trouble = Trouble(self._origin.service, endurance)
        self._client = BatchClient(
            endpoint,
            credential,
            api_version=API_VERSION,
            transport=open_transport(endpoint, endurance.patience),
            retry_policy=PatientPolicy(trouble),
        )
        self._account = BatchAccount(client=self._client, origin=self._origin, trouble=trouble)
        self._jobs = Jobs(self._account)

    @property
    def endpoint(self) -> str:
        """The account's URL."""
        return self._origin.endpoint

    def probe(self) -> None:
        """Asks for one thing, with little patience: is the account there, does it know our key?"""
        with probing(self._origin, "list pools"):
            next(iter(self._client.list_pools(max_results=1, select=["id"], **PROBE_OPTIONS)), None)

    def find_node_agent(self, image: Image, *, containers: bool = False) -> str:
        """The node agent of an image in the service's list; `UsageError` with near ones if none.

        Where tasks run in `containers`, an image that cannot run them is a `UsageError` too.
        """
        with translated(self._origin, "list supported images"):
            supported = list(self._account.list_all("/supportedimages"))
        return images.find_node_agent(supported, image, containers=containers)

    def create_job(self, request: JobRequest) -> str:
        """Creates the job and with it its pool; returns the pool's id.

        A job of this id with the same metadata is ours: an earlier answer was lost.
        """
        self._jobs.create(request)
        return self._pool_of(request.id)

    def create_pool(self, pool_id: str, request: PoolRequest) -> bool:
        """Creates the pool; false where one of this id and the same `pool` metadata exists.

        Such a pool gets the number of nodes that the request says. `ServiceRefusedError` where a
        pool of this id is not ours.
        """
        return pools.create_pool(self._account, pool_id, request)

    def expire_pool(self, pool_id: str, expiry: Expiry) -> bool:
        """Lets the pool keep its nodes until a time, and give them all up then, without us.

        False where the service does not take it yet.
        """
        return pools.expire_pool(self._account, pool_id, expiry)

    def give_size(self, pool_id: str, size: FixedNodes, created: datetime) -> bool:
        """Gives a pool that was made with a job another size, as if it were made at `created`.

        False where the service does not take it yet; a resize under way is stopped then.
        """
        return pools.give_size(self._account, pool_id, size, created)

    def remove_nodes(self, pool_id: str, nodes: Sequence[str]) -> bool:
        """Takes at most 100 nodes out of a pool, which then has as many fewer.

        False where the service does not do it yet, since nodes come or go.
        """
        return pools.remove_nodes(self._account, pool_id, nodes)

    def create_schedule(self, request: ScheduleRequest) -> None:
        """Creates a job schedule; `ServiceRefusedError` (`JobScheduleExists`) where it exists.

        A schedule of this id with the same metadata is ours: an earlier answer was lost.
        """
        self._jobs.create_schedule(request)

    def add_tasks(self, job_id: str, requests: Sequence[TaskRequest]) -> None:
        """Adds any number of tasks, in collections; every result is read."""

        of = {request.id: request for request in requests}

        path = f"/jobs/{segment(job_id)}/addtaskcollection"

        def send(collection: Sequence[Entry]) -> Sequence[answers.Answer]:
            texts = [entry.text for entry in collection]
            return self._jobs.known(job_id, lambda: self._account.add_all(path, texts))

        add_in_collections(
            (wire.task_body(request) for request in requests),
            send,
            origin=self._origin,
            trouble=self._account.trouble,
            place=lambda body: finder(body, task_sections(of[body["id"]])),
        )

    def reactivate_task(self, job_id: str, task_id: TaskId) -> bool:
        """Runs a task again that has failed; false where that cannot be, since its job is over."""
        return task_actions.reactivate_task(self._account, job_id, task_id)

    def terminate_task(self, job_id: str, task_id: TaskId) -> bool:
        """Ends a task where it runs or waits to; false where it has ended already."""
        return task_actions.terminate_task(self._account, job_id, task_id)

    def finish_adding(self, job_id: str) -> None:
        """No more tasks will come: when the last has ended, so does the job, and its pool goes."""
        body = cast("models.BatchJobUpdateOptions", {"onAllTasksComplete": "terminatejob"})
        with translated(self._origin, f"let job `{job_id}` end with its tasks"):
            self._jobs.known(job_id, lambda: self._client.update_job(job_id, body))

    def task_changes(self, job_id: str, since: datetime | None) -> Iterator[TaskStatus]:
        """Tasks that run or have ended, of those whose state changed at or after `since`."""
        condition = "state ne 'active'"
        if since is not None:
            moment = answers.write_time(since)
            condition += f" and stateTransitionTime ge DateTime'{moment}'"
        with translated(self._origin, f"list the tasks of job `{job_id}`"):
            yield from map(
                answers.read_task,
                self._jobs.known_list(
                    job_id,
                    lambda: self._account.list_all(
                        f"/jobs/{segment(job_id)}/tasks",
                        filter=condition,
                        select=answers.TASK_PROPERTIES,
                    ),
                ),
            )

    def task_ids(self, job_id: str) -> Iterator[TaskId]:
        """The ids of all tasks that the job has; none where there is no such job."""
        with translated(self._origin, f"list the tasks of job `{job_id}`"):
            try:
                for task in self._account.list_all(f"/jobs/{segment(job_id)}/tasks", select=["id"]):
                    yield TaskId(task["id"])
            except ResourceNotFoundError:
                return

    def enable_job(self, job_id: str) -> None:
        """Lets a job that was disabled go on; any other stays as it is."""
        with translated(self._origin, f"enable job `{job_id}`"):
            self._account.send(
                "POST",
                f"/jobs/{segment(job_id)}/enable",
                forgiven=JOB_OVER | {"InvalidJobState"},
            )

    def job_status(self, job_id: str) -> JobStatus:
        """The job now; a job that is not there has the state `GONE`."""
        with translated(self._origin, f"show job `{job_id}`"):
            try:
                job = self._jobs.known(
                    job_id,
                    lambda: self._account.read(
                        f"/jobs/{segment(job_id)}", select=answers.JOB_PROPERTIES
                    ),
                )
            except ResourceNotFoundError:
                return answers.GONE
        status = answers.read_job(job)
        if status.problem is None:
            return status
        return replace(status, problem=self._origin.conceal(status.problem))

    def pool_status(self, pool_id: str) -> PoolStatus | None:
        """The pool now, or None where the service no longer has it."""
        return nodes.pool_status(self._account, pool_id)

    def node_statuses(self, pool_id: str) -> tuple[NodeStatus, ...]:
        """The pool's nodes now; none where the pool is gone."""
        return nodes.node_statuses(self._account, pool_id)

    def node_commands(self, job_id: str) -> tuple[NodeCommandStatus, ...]:
        """The job's preparation and release on each node that ran them; none if it has neither."""
        return nodes.node_commands(self._account, job_id)

    def task_counts(self, job_id: str) -> TaskCounts | None:
        """The job's tasks by state, about as they are now; None where there is no such job."""
        return looking.task_counts(self._account, job_id)

    def task_status(self, job_id: str, task_id: TaskId) -> TaskStatus | None:
        """One task now; None where the job does not have it."""
        return looking.task_status(self._account, job_id, task_id)

    def task_file_size(self, job_id: str, task_id: TaskId, path: str) -> int | None:
        """How long a file of the task is now, in bytes; None where it or its node is not there."""
        return node_files.size(self._account, node_files.of_task(job_id, task_id, path))

    def read_task_file(
        self, job_id: str, task_id: TaskId, path: str, *, start: int, length: int
    ) -> bytes | None:
        """A piece of a file of the task; None where it or its node is not there."""
        file = node_files.of_task(job_id, task_id, path)
        return node_files.read(self._account, file, start=start, length=length)

    def read_node_log(self, pool_id: str, node_id: str, path: str, limit_bytes: int) -> bytes:
        """The end of a file below the node's root; empty where it or the node is gone."""
        file = node_files.of_node(pool_id, node_id, path)
        return node_files.read_end(self._account, file, limit_bytes)

    def node_file_size(self, pool_id: str, node_id: str, path: str) -> int | None:
        """How long a file below the node's root is now, in bytes; None where it is gone."""
        return node_files.size(self._account, node_files.of_node(pool_id, node_id, path))

    def read_node_file(
        self, pool_id: str, node_id: str, path: str, *, start: int, length: int
    ) -> bytes | None:
        """A piece of a file below the node's root; None where it or the node is gone."""
        file = node_files.of_node(pool_id, node_id, path)
        return node_files.read(self._account, file, start=start, length=length)

    def disable_job(self, job_id: str) -> None:
        """No further task of the job starts; those that run go on to their end.

        A job that is not active stays as it is (REST: Job - Disable, `disableTasks`).
        """
        with translated(self._origin, f"disable job `{job_id}`"):
            self._account.send(
                "POST",
                f"/jobs/{segment(job_id)}/disable",
                forgiven=_JOB_STILL,
                body={"disableTasks": "wait"},
            )

    def terminate_job(self, job_id: str) -> None:
        """Ends the job if it has not ended; its running tasks are killed."""
        with translated(self._origin, f"terminate job `{job_id}`"):
            self._account.send(
                "POST",
                f"/jobs/{segment(job_id)}/terminate",
                forgiven=JOB_OVER,
                body={"terminateReason": "UserTerminate"},
            )

    def delete_job(self, job_id: str) -> None:
        """Deletes it if it is there, and returns once it is gone."""
        self._jobs.forget(job_id)
        with translated(self._origin, f"delete job `{job_id}`"):
            refused = self._account.send(
                "DELETE",
                f"/jobs/{segment(job_id)}",
                forgiven={"JobNotFound", "JobBeingDeleted"},
            )
            if refused != "JobNotFound":
                self._account.wait_until_gone(
                    lambda: self._account.read(f"/jobs/{segment(job_id)}", select=["id"]),
                    f"job `{job_id}`",
                )

    def delete_pool(self, pool_id: str) -> None:
        """Deletes it if it is there, and returns once it is gone."""
        pools.delete_pool(self._account, pool_id)

    def delete_schedule(self, schedule_id: str) -> None:
        """Deletes a job schedule with its jobs if it is there, and returns once it is gone."""
        with translated(self._origin, f"delete job schedule `{schedule_id}`"):
            self._account.send(
                "DELETE",
                f"/jobschedules/{segment(schedule_id)}",
                forgiven={"JobScheduleNotFound", "JobScheduleBeingDeleted"},
            )
            self._account.wait_until_gone(
                lambda: self._account.read(f"/jobschedules/{segment(schedule_id)}", select=["id"]),
                f"job schedule `{schedule_id}`",
            )

    def jobs_in(self, pool_id: str) -> tuple[str, ...]:
        """The jobs in a pool, anybody's, that are not over."""
        quoted = pool_id.replace("'", "''")
        condition = f"executionInfo/poolId eq '{quoted}' and state ne 'completed'"
        with translated(self._origin, f"list the jobs in pool `{pool_id}`"):
            found = list(self._account.list_all("/jobs", filter=condition, select=["id"]))
        return tuple(job["id"] for job in found)

    def list_traces(self, run: RunId | None) -> tuple[Trace, ...]:
        """Jobs, job schedules and pools of one run, or of all."""
        with translated(self._origin, "list what runs have made"):
            return tuple(batch_traces(self._account, run))

    def find_pools(self, prefix: str, run_id: str) -> tuple[str, ...]:
        """Pools whose id starts with `prefix` and whose metadata name the run."""
        quoted = prefix.replace("'", "''")
        with translated(self._origin, "list pools"):
            found = list(
                self._account.list_all(
                    "/pools", filter=f"startswith(id,'{quoted}')", select=["id", "metadata"]
                )
            )
        return tuple(pool["id"] for pool in found if run_id in answers.read_pairs(pool).values())

    def close(self) -> None:
        """Gives the connections back."""
        self._client.close()

    def _pool_of(self, job_id: str) -> str:
        """The id of the job's pool, which the service has as soon as it has made the job."""
        status = answers.GONE

        def has_pool() -> bool:
            nonlocal status
            status = self.job_status(job_id)
            return status.pool_id is not None or status.problem is not None

        self._account.wait_until(has_pool, f"job `{job_id}` has no pool", _POOL_LIMIT)
        if status.pool_id is None:
            problem = status.problem or ""
            raise unusable(f"job `{job_id}` got no pool: {problem}", problem)
        return status.pool_id
