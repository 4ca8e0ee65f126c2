"""From a plan to the requests that the services are sent: names, SAS and destinations filled in.

It sends nothing itself and knows nothing of how the requests look on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta

from typing_extensions import assert_never

from runner.frozen import dataclass
from runner.plan.command import SCRIPT_FILE
from runner.plan.model import (
    LOGS,
    SECRETS,
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
from runner.plan.secret_files import SECRET_FILE, SECRET_MODE, secret_files, secret_text
from runner.run.removal.traces import POOL, RUN, WORKLOAD, auto_pool_prefix
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
from runner.run.tasks.exits import default_job_action, heeds_exits
from runner.spec.model.pool import NewPool
from runner.spec.model.step import UploadCondition
from runner.spec.model.terms import Role, SecretName
from runner.spec.model.workload import OwnContainer

# Clocks of nodes and of this machine differ, and the job's own time starts after ours.
_SAS_MARGIN = timedelta(minutes=15)
# A pool that is to stay may first have to wait for its predecessor to be gone.
_POOL_WAIT = timedelta(minutes=20)
STREAMS = ("stdout", "stderr")
SUBMISSION = "submission.json"
"""The file of a run's directory that `submission_as_json` makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Names of all that a run makes in the services, known before the first of it exists.

    `reused` are containers of the user's naming that were there before; `kept_pool` is the id of a
    pool that outlasts the run, `used_pool` of one that the run neither makes nor takes away.
    """

    job_id: str
    pool_prefix: str
    containers: tuple[tuple[Role, str], ...]
    reused: tuple[tuple[Role, str], ...] = ()
    kept_pool: str | None = None
    used_pool: str | None = None


def plan_submission(
    plan: Plan,
    *,
    reused: Collection[Role] = (),
    kept_pool: str | None = None,
    used_pool: str | None = None,
) -> Submission:
    """The names of a run; those of its making derive from its id, so they can be found again."""
    workload = plan.workload
    own = [each.role for each in workload.containers if isinstance(each, OwnContainer)]
    of_runs = (LOGS, SECRETS) if plan.has_secrets else (LOGS,)
    return Submission(
        job_id=plan.run_id,
        pool_prefix=auto_pool_prefix(workload.name),
        containers=tuple(
            (role, plan.container_name(role)) for role in (*own, *of_runs) if role not in reused
        ),
        reused=tuple((role, plan.container_name(role)) for role in own if role in reused),
        kept_pool=kept_pool,
        used_pool=used_pool,
    )


def submission_as_json(submission: Submission) -> str:
    """The submission as the run's directory keeps it, so that what was made can be found again."""
    value: dict[str, object] = {"job": submission.job_id}
    if submission.used_pool is not None:
        value["used_pool"] = submission.used_pool
    elif submission.kept_pool is not None:
        value["kept_pool"] = submission.kept_pool
    else:
        value["pool_prefix"] = submission.pool_prefix
    value["containers"] = dict(submission.containers)
    if submission.reused:
        value["reused_containers"] = dict(submission.reused)
    return json.dumps(value, indent=2) + "\n"


def log_blob(task_id: str, stream: str) -> str:
    """The blob of the logs container that keeps a task's `stdout` or `stderr`."""
    return f"{task_id}/{stream}.txt"


class Requests:
    """Makes the requests of one run; every SAS ends when the job must have ended.

    The job's own time starts when it is made, so each request has the end that counts from now
    until `job` was asked for, and the job's from then on.
    """

    def __init__(
        self,
        plan: Plan,
        blobs: Blobs,
        *,
        clock: Callable[[], datetime],
        secrets: Mapping[SecretName, str] | None = None,
    ) -> None:
        """`secrets` are the values of those that the spec names."""
        workload = plan.workload
        self._clock = clock
        self._job_made: datetime | None = None
        self._plan = plan
        self._blobs = blobs
        self._secrets = secrets or {}
        self._names: dict[Role, str] = {}
        self._metadata = {RUN: plan.run_id, WORKLOAD: workload.name}
        self._heeds_exits = heeds_exits(workload)
        self._job_action = default_job_action(workload)

    def pool(
        self, pool: NewPool, *, node_agent: str, fingerprint: str | None = None
    ) -> PoolRequest:
        """The pool, whether it is made with the job or before it.

        `fingerprint` is that of a pool that stays for other runs: it is known by that, and its
        nodes may need their files for as much longer.
        """
        start_task = self._plan.start_task
        metadata = dict(self._metadata)
        expires = self._expires
        if fingerprint is not None:
            metadata[POOL] = fingerprint
            expires += _POOL_WAIT + (pool.keep or timedelta())
        return PoolRequest(
            pool=pool,
            node_agent=node_agent,
            start_task=None if start_task is None else self._node_command(start_task, expires),
            runs_containers=self._plan.workload.runs_containers,
            secrets=self._secrets,
            metadata=metadata,
        )

    def job(self, submission: Submission, *, pool: AutoPool | str) -> JobRequest:
        """The job, with the pool made for it or in one that exists."""
        plan, workload = self._plan, self._plan.workload
        self._job_made = self._clock()
        return JobRequest(
            id=submission.job_id,
            pool=pool,
            duration=workload.limits.duration,
            settings=workload.job,
            environment=plan.job_environment,
            preparation=self._job_command(plan.preparation),
            release=self._job_command(plan.release),
            uses_dependencies=any(step.needs for step in workload.steps),
            heeds_exits=self._heeds_exits,
            # What makes the run's things known as ours wins over the user's.
            metadata={**workload.job.metadata, **self._metadata},
        )

    def found_job(self, created: datetime) -> None:
        """The job is there since then: what is signed from now on ends when it must have ended."""
        self._job_made = created

    def task(self, task: TaskPlan) -> TaskRequest:
        """One task; its stdout and stderr are kept whatever becomes of it."""
        return TaskRequest(
            id=task.id,
            display_name=task.display_name,
            step=task.step,
            command=task.command,
            coordination=task.coordination,
            resources=self._resources(task.command, task.resources, self._expires),
            shared_resources=self._resources(
                task.coordination, task.shared_resources, self._expires
            ),
            outputs=(
                *(self._log(task, stream) for stream in STREAMS),
                *(self._output(output) for output in task.outputs),
            ),
            needs=task.needs,
            container_image=task.container_image,
            job_action=self._job_action,
        )

    def secret_texts(self) -> Iterator[tuple[str, str]]:
        """The blobs of the secrets' container and what they hold; never log it."""
        for file in secret_files(self._plan):
            yield file.blob, secret_text(file, self._secrets)

    @property
    def _expires(self) -> datetime:
        workload = self._plan.workload
        made, schedule = self._job_made or self._clock(), workload.job.schedule
        last = made if schedule is None else max(made, schedule.end)
        return last + workload.limits.duration + _SAS_MARGIN

    def _job_command(self, plan: NodeCommandPlan | None) -> NodeCommandRequest | None:
        return None if plan is None else self._node_command(plan, self._expires)

    def _node_command(self, plan: NodeCommandPlan, expires: datetime) -> NodeCommandRequest:
        return NodeCommandRequest(
            command=plan.command,
            resources=self._resources(plan.command, plan.resources, expires),
            run_as=plan.run_as,
            retries=plan.retries,
            timeout=plan.timeout,
            wait_for_success=plan.wait_for_success,
        )

    def _resources(
        self, command: CommandLine | None, resources: tuple[ResourcePlan, ...], expires: datetime
    ) -> tuple[ResourceRequest, ...]:
        """Resources, the script of the command where that travels as a file, and its secrets."""
        requests = [self._resource(resource, expires) for resource in resources]
        if command is not None and command.script_file is not None:
            path = command.script_name or SCRIPT_FILE
            script = BlobResource(role=LOGS, blob=command.script_file, path=path)
            requests.append(self._resource(script, expires))
        if command is not None and command.secrets is not None:
            blob, path = command.secrets.blob, SECRET_FILE
            secrets = BlobResource(role=SECRETS, blob=blob, path=path, mode=SECRET_MODE)
            requests.append(self._resource(secrets, expires))
        return tuple(requests)

    def _resource(self, resource: ResourcePlan, expires: datetime) -> ResourceRequest:
        match resource:
            case WebResource():
                return ResourceRequest(url=resource.url, path=resource.path, mode=resource.mode)
            case FolderResource():
                container = self._container(resource.role)
                url = self._blobs.container_url(container, Permission.READ, expires)
                return ResourceRequest(
                    container_url=url,
                    prefix=resource.prefix,
                    path=resource.path,
                    mode=resource.mode,
                )
            case BlobResource():
                container = self._container(resource.role)
                url = self._blobs.blob_url(container, resource.blob, Permission.READ, expires)
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
        return self._blobs.container_url(self._container(role), Permission.WRITE, self._expires)

    def _container(self, role: Role) -> str:
        """The name of a container, looked for once: each task names several."""
        if role not in self._names:
            self._names[role] = self._plan.container_name(role)
        return self._names[role]
