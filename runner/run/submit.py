"""From a plan to the requests that the services are sent: names, SAS and destinations filled in.

It sends nothing itself and knows nothing of how the requests look on the wire.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.plan.command import SCRIPT_FILE
from runner.plan.model import (
    LOGS,
    CommandLine,
    OutputPlan,
    Plan,
    ResourcePlan,
    StartTaskPlan,
    TaskPlan,
)
from runner.run.services import (
    Blobs,
    JobRequest,
    OutputRequest,
    Permission,
    PoolRequest,
    ResourceRequest,
    StartTaskRequest,
    TaskRequest,
)
from runner.spec.workload import Role, UploadCondition

# Clocks of nodes and of this machine differ, and the job's own time starts after ours.
_SAS_MARGIN = timedelta(minutes=15)
# REST: AutoPoolSpecification, `autoPoolIdPrefix`.
_POOL_PREFIX_LIMIT_CHARACTERS = 20
STREAMS = ("stdout", "stderr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Everything that a run makes in the services, known before the first of it exists."""

    job_id: str
    pool_prefix: str
    containers: tuple[tuple[Role, str], ...]


def plan_submission(plan: Plan) -> Submission:
    """The names of a run; all derive from its id, so that they can be found again."""
    roles = (*(container.role for container in plan.containers), LOGS)
    return Submission(
        job_id=plan.run_id,
        pool_prefix=plan.workload.name[: _POOL_PREFIX_LIMIT_CHARACTERS - 1] + "-",
        containers=tuple((role, plan.container_name(role)) for role in roles),
    )


def submission_as_json(submission: Submission) -> str:
    """The submission as the run's directory keeps it, so that what was made can be found again."""
    value = {
        "job": submission.job_id,
        "pool_prefix": submission.pool_prefix,
        "containers": dict(submission.containers),
    }
    return json.dumps(value, indent=2) + "\n"


def log_blob(task_id: str, stream: str) -> str:
    """The blob of the logs container that keeps a task's `stdout` or `stderr`."""
    return f"{task_id}/{stream}.txt"


class Requests:
    """Makes the requests of one run; every SAS ends when the run must have ended."""

    def __init__(self, plan: Plan, blobs: Blobs, *, started: datetime) -> None:
        self._plan = plan
        self._blobs = blobs
        self._extras = {step.name: step.extra for step in plan.workload.steps}
        self._expires = started + plan.workload.limits.duration + _SAS_MARGIN

    def job(self, submission: Submission, *, node_agent: str, keep_pool: bool) -> JobRequest:
        """The job and, within it, its pool."""
        workload = self._plan.workload
        metadata = {"batch-run": self._plan.run_id, "workload": workload.name}
        start_task = self._plan.start_task
        pool = PoolRequest(
            id_prefix=submission.pool_prefix,
            image=workload.pool.image,
            node_agent=node_agent,
            vm_size=workload.pool.vm_size,
            dedicated_nodes=workload.pool.dedicated_nodes,
            spot_nodes=workload.pool.spot_nodes,
            task_slots_per_node=workload.pool.task_slots_per_node,
            start_task=None if start_task is None else self._start_task(start_task),
            metadata=metadata,
            keep=keep_pool,
            extra=workload.pool.extra,
        )
        return JobRequest(
            id=submission.job_id,
            pool=pool,
            duration=workload.limits.duration,
            metadata=metadata,
            extra=workload.job.extra,
        )

    def task(self, task: TaskPlan) -> TaskRequest:
        """One task; its stdout and stderr are kept whatever becomes of it."""
        return TaskRequest(
            id=task.id,
            display_name=task.display_name,
            command=task.command,
            resources=self._resources(task.command, task.resources),
            outputs=(
                *(self._log(task, stream) for stream in STREAMS),
                *(self._output(output) for output in task.outputs),
            ),
            run_as=task.run_as,
            retries=task.retries,
            timeout=task.timeout,
            extra=self._extras[task.step],
        )

    def _start_task(self, start_task: StartTaskPlan) -> StartTaskRequest:
        return StartTaskRequest(
            command=start_task.command,
            resources=self._resources(start_task.command, start_task.resources),
            run_as=start_task.run_as,
            wait_for_success=start_task.wait_for_success,
            retries=start_task.retries,
        )

    def _resources(
        self, command: CommandLine, resources: tuple[ResourcePlan, ...]
    ) -> tuple[ResourceRequest, ...]:
        requests = [self._resource(resource) for resource in resources]
        if command.script_file is not None:
            script = ResourcePlan(role=LOGS, blob=command.script_file, path=SCRIPT_FILE)
            requests.append(self._resource(script))
        return tuple(requests)

    def _resource(self, resource: ResourcePlan) -> ResourceRequest:
        container = self._plan.container_name(resource.role)
        if resource.blob is None:
            url = self._blobs.container_url(container, Permission.READ, self._expires)
            return ResourceRequest(container_url=url, path=resource.path)
        url = self._blobs.blob_url(container, resource.blob, Permission.READ, self._expires)
        return ResourceRequest(blob_url=url, path=resource.path)

    def _output(self, output: OutputPlan) -> OutputRequest:
        return OutputRequest(
            pattern=output.pattern,
            container_url=self._write_url(output.role),
            path=output.path,
            when=output.when,
        )

    def _log(self, task: TaskPlan, stream: str) -> OutputRequest:
        return OutputRequest(
            pattern=f"../{stream}.txt",
            container_url=self._write_url(LOGS),
            path=log_blob(task.id, stream),
            when=UploadCondition.COMPLETION,
        )

    def _write_url(self, role: Role) -> str:
        container = self._plan.container_name(role)
        return self._blobs.container_url(container, Permission.WRITE, self._expires)
