"""Azure Batch, or the emulator of it, through azure-batch: the `Batch` of `run.services`.

It must not know runs or plans. Bodies are sent and answers read as mappings of wire names; see
`wire` and `answers`.
"""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from azure.batch import BatchClient
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from runner.errors import ServiceError, UsageError
from runner.remote import answers, wire
from runner.remote.adding import add_in_collections
from runner.remote.faults import Origin, probing, service_code, translated
from runner.remote.transport import PROBE_OPTIONS, Patience, Pause, open_transport
from runner.remote.waiting import wait_until_gone
from runner.run.services import (
    JobRequest,
    JobStatus,
    NodeStatus,
    PoolStatus,
    TaskRequest,
    TaskStatus,
)
from runner.spec.pool import Image

if TYPE_CHECKING:
    from azure.batch import models
    from azure.core.credentials import AzureNamedKeyCredential, TokenCredential

API_VERSION = "2025-06-01"
DELETION_LIMIT = timedelta(minutes=15)

# Every POST and PATCH here may be sent twice: a job or a task that exists already is recognised.
_REPEATABLE: dict[str, Any] = {"retry_on_methods": frozenset({"POST", "PATCH"})}
_JOB_OVER = frozenset({"JobNotFound", "JobCompleted", "JobBeingTerminated", "JobBeingDeleted"})


class RemoteBatch:
    """One Batch account; may be used by several threads at once."""

    def __init__(
        self,
        *,
        endpoint: str,
        credential: AzureNamedKeyCredential | TokenCredential,
        key_hint: str | None,
        clock: Callable[[], datetime],
        pause: Pause,
        patience: Patience,
    ) -> None:
        self._origin = Origin(service="Azure Batch", endpoint=endpoint, key_hint=key_hint)
        self._clock = clock
        self._pause = pause
        self._patience = patience
        self._client = BatchClient(
            endpoint,
            credential,
            api_version=API_VERSION,
            transport=open_transport(endpoint, patience, pause),
            retry_total=patience.retries,
            retry_status=patience.retries,
            retry_connect=patience.silent_retries,
            retry_read=patience.silent_retries,
            retry_backoff_factor=patience.backoff_seconds,
        )

    @property
    def endpoint(self) -> str:
        """The account's URL."""
        return self._origin.endpoint

    def probe(self) -> None:
        """Asks for one thing, with little patience: is the account there, does it know our key?"""
        with probing(self._origin, "list pools"):
            next(iter(self._client.list_pools(max_results=1, select=["id"], **PROBE_OPTIONS)), None)

    def find_node_agent(self, image: Image) -> str:
        """The node agent of an image in the service's list; `UsageError` with near ones if none."""
        wanted = _image_name(image.publisher, image.offer, image.sku)
        names: list[str] = []
        with translated(self._origin, "list supported images"):
            for supported in self._client.list_supported_images():
                reference = supported["imageReference"]
                name = _image_name(
                    reference.get("publisher"), reference.get("offer"), reference.get("sku")
                )
                if name.lower() == wanted.lower():
                    return str(supported["nodeAgentSKUId"])
                names.append(name)
        lower_names = {name.lower(): name for name in names}
        near = difflib.get_close_matches(wanted.lower(), lower_names, n=3)
        quoted = ", ".join(f"`{lower_names[name]}`" for name in near)
        raise UsageError(
            f"image `{wanted}` is not in the service's list of supported images",
            hint=f"did you mean {quoted}?" if near else None,
        )

    def create_job(self, request: JobRequest) -> str:
        """Creates the job and with it its pool; returns the pool's id.

        A job of this id with the same metadata is ours: an earlier answer was lost.
        """
        body = wire.job_body(request)
        with translated(self._origin, f"create job `{request.id}`"):
            try:
                self._client.create_job(cast("models.BatchJobCreateOptions", body), **_REPEATABLE)
            except ResourceExistsError as error:
                if service_code(error) != "JobExists" or not self._is_ours(request):
                    raise
        return self._pool_of(request.id)

    def add_tasks(self, job_id: str, requests: Sequence[TaskRequest]) -> None:
        """Adds any number of tasks, in collections; every result is read."""

        def send(collection: Sequence[dict[str, Any]]) -> Sequence[answers.Answer]:
            group = cast("models.BatchTaskGroup", {"value": collection})
            result = self._client.create_task_collection(job_id, group, **_REPEATABLE)
            return cast("Sequence[answers.Answer]", result.get("value") or ())

        add_in_collections(
            (wire.task_body(request) for request in requests),
            send,
            origin=self._origin,
            patience=self._patience,
            pause=self._pause,
        )

    def finish_adding(self, job_id: str) -> None:
        """No more tasks will come: when the last has ended, so does the job, and its pool goes."""
        body = cast("models.BatchJobUpdateOptions", {"onAllTasksComplete": "terminatejob"})
        with translated(self._origin, f"let job `{job_id}` end with its tasks"):
            self._client.update_job(job_id, body, **_REPEATABLE)

    def task_changes(self, job_id: str, since: datetime | None) -> Iterator[TaskStatus]:
        """Tasks that run or have ended, of those whose state changed at or after `since`."""
        condition = "state ne 'active'"
        if since is not None:
            moment = answers.write_time(since)
            condition += f" and stateTransitionTime ge DateTime'{moment}'"
        with translated(self._origin, f"list the tasks of job `{job_id}`"):
            for task in self._client.list_tasks(
                job_id, filter=condition, select=answers.TASK_PROPERTIES
            ):
                yield answers.read_task(task)

    def job_status(self, job_id: str) -> JobStatus:
        """The job now; a job that is not there has the state `GONE`."""
        with translated(self._origin, f"show job `{job_id}`"):
            try:
                job = self._client.get_job(job_id, select=answers.JOB_PROPERTIES)
            except ResourceNotFoundError:
                return answers.GONE
        return answers.read_job(job)

    def pool_status(self, pool_id: str) -> PoolStatus | None:
        """The pool now, or None where the service no longer has it."""
        with translated(self._origin, f"show pool `{pool_id}`"):
            try:
                pool = self._client.get_pool(pool_id, select=answers.POOL_PROPERTIES)
            except ResourceNotFoundError:
                return None
        return answers.read_pool(pool)

    def node_statuses(self, pool_id: str) -> tuple[NodeStatus, ...]:
        """The pool's nodes now; none where the pool is gone."""
        with translated(self._origin, f"list the nodes of pool `{pool_id}`"):
            try:
                nodes = list(self._client.list_nodes(pool_id, select=answers.NODE_PROPERTIES))
            except ResourceNotFoundError:
                return ()
        return tuple(answers.read_node(node) for node in nodes)

    def read_start_task_log(self, pool_id: str, node_id: str, limit_bytes: int) -> bytes:
        """The end of the start task's stderr; empty where the node is gone.

        The whole file is read, since `download_node_file` takes the answer to a range (206) for
        an error (azure-batch 15.1).
        """
        kept: deque[bytes] = deque()
        kept_bytes = 0
        with translated(self._origin, f"show the start task's log of node `{node_id}`"):
            try:
                for piece in self._client.download_node_file(
                    pool_id, node_id, "startup/stderr.txt"
                ):
                    kept.append(piece)
                    kept_bytes += len(piece)
                    while kept_bytes - len(kept[0]) >= limit_bytes:
                        kept_bytes -= len(kept.popleft())
            except (ResourceNotFoundError, ResourceExistsError):
                return b""
        return b"".join(kept)[-limit_bytes:]

    def terminate_job(self, job_id: str) -> None:
        """Ends the job if it has not ended; its running tasks are killed."""
        with translated(self._origin, f"terminate job `{job_id}`"):
            self._request(
                "POST",
                f"/jobs/{_segment(job_id)}/terminate",
                _JOB_OVER,
                {"terminateReason": "UserTerminate"},
            )

    def delete_job(self, job_id: str) -> None:
        """Deletes it if it is there, and returns once it is gone."""
        with translated(self._origin, f"delete job `{job_id}`"):
            self._request("DELETE", f"/jobs/{_segment(job_id)}", {"JobNotFound", "JobBeingDeleted"})
            self._wait_until_gone(
                lambda: self._client.get_job(job_id, select=["id"]), f"job `{job_id}`"
            )

    def delete_pool(self, pool_id: str) -> None:
        """Deletes it if it is there, and returns once it is gone."""
        with translated(self._origin, f"delete pool `{pool_id}`"):
            self._request(
                "DELETE", f"/pools/{_segment(pool_id)}", {"PoolNotFound", "PoolBeingDeleted"}
            )
            self._wait_until_gone(
                lambda: self._client.get_pool(pool_id, select=["id"]), f"pool `{pool_id}`"
            )

    def find_pools(self, prefix: str, run_id: str) -> tuple[str, ...]:
        """Pools whose id starts with `prefix` and whose metadata name the run."""
        quoted = prefix.replace("'", "''")
        with translated(self._origin, "list pools"):
            pools = list(
                self._client.list_pools(
                    filter=f"startswith(id,'{quoted}')", select=["id", "metadata"]
                )
            )
        return tuple(pool["id"] for pool in pools if run_id in answers.read_pairs(pool).values())

    def close(self) -> None:
        """Gives the connections back."""
        self._client.close()

    def _request(
        self, method: str, path: str, forgiven: frozenset[str] | set[str], body: object = None
    ) -> None:
        """Starts what the SDK offers only with a poller, whose thread would go on asking for ever.

        Refusals with a code among `forgiven` are no error.
        """
        request = HttpRequest(
            method,
            f"{{endpoint}}{path}",
            params={"api-version": API_VERSION},
            headers={"Accept": "application/json"},
            json=body,
        )
        if body is not None:
            request.headers["Content-Type"] = "application/json; odata=minimalmetadata"
        try:
            self._client.send_request(request, **({} if method == "DELETE" else _REPEATABLE))
        except HttpResponseError as error:
            if service_code(error) not in forgiven:
                raise

    def _wait_until_gone(self, read: Callable[[], object], what: str) -> None:
        def is_gone() -> bool:
            try:
                read()
            except ResourceNotFoundError:
                return True
            return False

        wait_until_gone(is_gone, what, clock=self._clock, pause=self._pause, limit=DELETION_LIMIT)

    def _is_ours(self, request: JobRequest) -> bool:
        job = self._client.get_job(request.id, select=answers.JOB_PROPERTIES)
        return bool(request.metadata) and answers.read_pairs(job) == dict(request.metadata)

    def _pool_of(self, job_id: str) -> str:
        """The id of the job's pool, which the service has as soon as it has made the job."""
        for attempt in range(self._patience.retries + 1):
            if attempt:
                self._pause(self._patience.backoff_seconds)
            status = self.job_status(job_id)
            if status.pool_id is not None:
                return status.pool_id
            if status.problem is not None:
                raise ServiceError(f"job `{job_id}` got no pool: {status.problem}")
        raise ServiceError(f"job `{job_id}` got no pool")


def _image_name(publisher: str | None, offer: str | None, sku: str | None) -> str:
    return f"{publisher}/{offer}/{sku}"


def _segment(name: str) -> str:
    return quote(name, safe="")
