"""From a plan to the requests that the services are sent: names, SAS and destinations filled in.

It sends nothing itself and knows nothing of how the requests look on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from typing_extensions import assert_never

from runner.plan.command import SCRIPT_FILE
from runner.plan.model import (
    LOGS,
    BlobResource,
    CommandLine,
    FolderResource,
    NodeCommandPlan,
    OutputPlan,
    Plan,
    ResourcePlan,
    TaskPlan,
    WebResource,
)
from runner.run.services import (
    AutoPool,
    Blobs,
    JobRequest,
    NodeCommandRequest,
    OutputRequest,
    Permission,
    PoolRequest,
    ResourceRequest,
    TaskRequest,
)
from runner.spec.pool import NewPool
from runner.spec.step import JobAction, UploadCondition
from runner.spec.terms import Role, SecretName
from runner.spec.workload import OnFailure

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

    def __init__(
        self,
        plan: Plan,
        blobs: Blobs,
        *,
        started: datetime,
        secrets: Mapping[SecretName, str] | None = None,
    ) -> None:
        """`secrets` are the values of those that the pool names."""
        self._plan = plan
        self._blobs = blobs
        self._secrets = secrets or {}
        self._expires = started + plan.workload.limits.duration + _SAS_MARGIN
        self._metadata = {"batch-run": plan.run_id, "workload": plan.workload.name}
        steps, job = plan.workload.steps, plan.workload.job
        stops = job.on_failure is OnFailure.STOP
        has_rules = any(rule.job is not None for step in steps for rule in step.exit_rules)
        self._heeds_exits = stops or has_rules
        # A job that heeds exits is ended by any failure that no rule speaks of.
        self._job_action = JobAction.CONTINUE if has_rules and not stops else None

    def pool(self, pool: NewPool, *, node_agent: str) -> PoolRequest:
        """The pool, whether it is made with the job or before it."""
        start_task = self._plan.start_task
        runs_containers = bool(pool.container_images or pool.registries) or any(
            step.container is not None for step in self._plan.workload.steps
        )
        return PoolRequest(
            pool=pool,
            node_agent=node_agent,
            start_task=None if start_task is None else self._node_command(start_task),
            runs_containers=runs_containers,
            secrets=self._secrets,
            metadata=self._metadata,
        )

    def job(self, submission: Submission, *, pool: AutoPool | str) -> JobRequest:
        """The job, with the pool made for it or in one that exists."""
        plan, workload = self._plan, self._plan.workload
        return JobRequest(
            id=submission.job_id,
            pool=pool,
            duration=workload.limits.duration,
            settings=workload.job,
            environment=plan.job_environment,
            preparation=None if plan.preparation is None else self._node_command(plan.preparation),
            release=None if plan.release is None else self._node_command(plan.release),
            uses_dependencies=any(step.needs for step in workload.steps),
            heeds_exits=self._heeds_exits,
            # What makes the run's things known as ours wins over the user's.
            metadata={**workload.job.metadata, **self._metadata},
        )

    def task(self, task: TaskPlan) -> TaskRequest:
        """One task; its stdout and stderr are kept whatever becomes of it."""
        return TaskRequest(
            id=task.id,
            display_name=task.display_name,
            step=task.step,
            command=task.command,
            coordination=task.coordination,
            resources=self._resources(task.command, task.resources),
            shared_resources=tuple(map(self._resource, task.shared_resources)),
            outputs=(
                *(self._log(task, stream) for stream in STREAMS),
                *(self._output(output) for output in task.outputs),
            ),
            needs=task.needs,
            container_image=task.container_image,
            job_action=self._job_action,
        )

    def _node_command(self, plan: NodeCommandPlan) -> NodeCommandRequest:
        return NodeCommandRequest(
            command=plan.command,
            resources=self._resources(plan.command, plan.resources),
            run_as=plan.run_as,
            retries=plan.retries,
            timeout=plan.timeout,
            wait_for_success=plan.wait_for_success,
        )

    def _resources(
        self, command: CommandLine, resources: tuple[ResourcePlan, ...]
    ) -> tuple[ResourceRequest, ...]:
        requests = [self._resource(resource) for resource in resources]
        if command.script_file is not None:
            script = BlobResource(role=LOGS, blob=command.script_file, path=SCRIPT_FILE)
            requests.append(self._resource(script))
        return tuple(requests)

    def _resource(self, resource: ResourcePlan) -> ResourceRequest:
        match resource:
            case WebResource():
                return ResourceRequest(url=resource.url, path=resource.path, mode=resource.mode)
            case FolderResource():
                container = self._plan.container_name(resource.role)
                url = self._blobs.container_url(container, Permission.READ, self._expires)
                return ResourceRequest(
                    container_url=url,
                    prefix=resource.prefix,
                    path=resource.path,
                    mode=resource.mode,
                )
            case BlobResource():
                container = self._plan.container_name(resource.role)
                url = self._blobs.blob_url(container, resource.blob, Permission.READ, self._expires)
                return ResourceRequest(url=url, path=resource.path, mode=resource.mode)
            case _:
                assert_never(resource)

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
