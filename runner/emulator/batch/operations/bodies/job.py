"""The bodies of the job operations.

It must not know what the core does with them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.durations import UNLIMITED, limit_of
from runner.emulator.batch.core.ids import JobId, PoolId
from runner.emulator.batch.core.job import (
    AutoPool,
    DisableTasks,
    JobDraft,
    JobRules,
    OnAllTasksComplete,
    OnTaskFailure,
)
from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.operations.bodies.commands import (
    DISPLAY_NAME,
    ENVIRONMENT,
    ID,
    METADATA,
)
from runner.emulator.batch.operations.bodies.filling import fill_in_pool
from runner.emulator.batch.operations.bodies.jobtasks import (
    MANAGER,
    PREPARATION,
    RELEASE,
    check_job_tasks,
    manager_draft,
    manager_rule,
    preparation_rule,
    release_id,
)
from runner.emulator.batch.operations.bodies.network import JOB_NETWORK
from runner.emulator.batch.operations.bodies.pool import auto_pool_shape, draft_pool
from runner.emulator.batch.operations.bodies.registries import registry_passwords, with_passwords
from runner.emulator.batch.operations.shapes import (
    Boolean,
    Choice,
    Duration,
    Field,
    Integer,
    Shape,
    Text,
)

CONSTRAINTS = Shape(
    (
        Field(
            name="maxWallClockTime",
            kind=Duration(low=timedelta(microseconds=1)),
            default=UNLIMITED,
        ),
        Field(name="maxTaskRetryCount", kind=Integer(low=-1), default=0),
    )
)
DEFAULT_CONSTRAINTS = {"maxWallClockTime": UNLIMITED, "maxTaskRetryCount": 0}
PRIORITY = Integer(low=-1000, high=1000)
MAX_PARALLEL_TASKS = Integer(low=-1)
ALL_COMPLETE = Choice(("noaction", "terminatejob"))
TASK_FAILURE = Choice(("noaction", "performexitoptionsjobaction"))


def _pool_info(limits: Limits) -> Shape:
    return Shape(
        (
            Field(name="poolId", kind=ID),
            Field(
                name="autoPoolSpecification",
                kind=Shape(
                    (
                        Field(
                            name="autoPoolIdPrefix",
                            kind=Text(longest=limits.auto_pool_prefix, pattern=r"[A-Za-z0-9_\-]*"),
                        ),
                        Field(
                            name="poolLifetimeOption",
                            kind=Choice(("job", "jobschedule")),
                            required=True,
                        ),
                        Field(name="keepAlive", kind=Boolean(), default=False),
                        Field(name="pool", kind=auto_pool_shape(limits), required=True),
                    )
                ),
            ),
        )
    )


def specification_shape(limits: Limits) -> Shape:
    """A job without its id, as schedules have it."""
    return Shape(
        (
            Field(name="displayName", kind=DISPLAY_NAME),
            Field(name="priority", kind=PRIORITY, default=0),
            Field(name="maxParallelTasks", kind=MAX_PARALLEL_TASKS, default=-1),
            Field(name="allowTaskPreemption", kind=Boolean(), default=False),
            Field(name="usesTaskDependencies", kind=Boolean(), default=False),
            Field(name="onAllTasksComplete", kind=ALL_COMPLETE, default="noaction"),
            Field(name="onTaskFailure", kind=TASK_FAILURE, default="noaction"),
            Field(name="networkConfiguration", kind=JOB_NETWORK),
            Field(name="constraints", kind=CONSTRAINTS, default=DEFAULT_CONSTRAINTS),
            Field(name="jobManagerTask", kind=MANAGER),
            Field(name="jobPreparationTask", kind=PREPARATION),
            Field(name="jobReleaseTask", kind=RELEASE),
            Field(name="commonEnvironmentSettings", kind=ENVIRONMENT),
            Field(name="poolInfo", kind=_pool_info(limits), required=True),
            Field(name="metadata", kind=METADATA),
        )
    )


def decode_job(body: object, limits: Limits) -> tuple[JobId, JobDraft]:
    """A job that is to be created."""
    fields = specification_shape(limits).fields
    shape = Shape((Field(name="id", kind=ID, required=True), *fields))
    document = shape.read(body, "")
    identifier = JobId(document.pop("id"))
    draft = draft_job(document, of_schedule=False)
    return identifier, with_passwords(draft, registry_passwords(body))


def draft_job(document: Document, *, of_schedule: bool) -> JobDraft:
    """What the core needs of a checked job; raises `RefusedError` where parts do not fit."""
    check_job_tasks(document)
    return JobDraft(
        document=document,
        rules=job_rules(document),
        where=_where(document["poolInfo"], of_schedule=of_schedule),
        manager=manager_draft(document),
    )


def job_rules(document: Document) -> JobRules:
    """What the core needs of a checked job."""
    constraints = document["constraints"]
    return JobRules(
        priority=document["priority"],
        max_parallel_tasks=document["maxParallelTasks"],
        max_wall_clock_time=limit_of(constraints["maxWallClockTime"]),
        max_retry_count=constraints["maxTaskRetryCount"],
        on_all_complete=OnAllTasksComplete(document["onAllTasksComplete"]),
        on_task_failure=OnTaskFailure(document["onTaskFailure"]),
        uses_dependencies=document["usesTaskDependencies"],
        preparation=preparation_rule(document),
        release=release_id(document),
        manager=manager_rule(document),
        preemptible=document["allowTaskPreemption"],
    )


def _where(pool_info: dict[str, Any], *, of_schedule: bool = False) -> PoolId | AutoPool:
    if len(pool_info) != 1:
        raise invalid_property(
            "poolInfo",
            ", ".join(pool_info),
            "Exactly one of poolId and autoPoolSpecification is required",
        )
    if "poolId" in pool_info:
        return PoolId(pool_info["poolId"])
    auto = pool_info["autoPoolSpecification"]
    shared = auto["poolLifetimeOption"] == "jobschedule"
    if shared and not of_schedule:
        raise invalid_property(
            "poolLifetimeOption",
            auto["poolLifetimeOption"],
            "A job that no schedule made takes an auto-pool with the lifetime job only",
        )
    return AutoPool(
        prefix=auto.get("autoPoolIdPrefix", ""),
        keep_alive=auto["keepAlive"],
        of_schedule=shared,
        draft=draft_pool(_completed(auto["pool"])),
    )


def _completed(pool: dict[str, Any]) -> dict[str, Any]:
    """A copy of a pool that is completed itself, since the job shows it."""
    fill_in_pool(pool)
    return dict(pool)


def _update_fields(limits: Limits) -> tuple[Field, ...]:
    return (
        Field(name="priority", kind=PRIORITY),
        Field(name="allowTaskPreemption", kind=Boolean()),
        Field(name="maxParallelTasks", kind=MAX_PARALLEL_TASKS),
        Field(name="constraints", kind=CONSTRAINTS),
        Field(name="poolInfo", kind=_pool_info(limits)),
        Field(name="onAllTasksComplete", kind=ALL_COMPLETE),
        Field(name="networkConfiguration", kind=JOB_NETWORK),
        Field(name="metadata", kind=METADATA),
    )


def patch_job(
    body: object, document: Document, limits: Limits
) -> tuple[Document, PoolId | None, bool | None]:
    """The document with the given properties changed, the pool it names, whether to keep that."""
    given = Shape(_update_fields(limits)).read(body, "")
    return _updated(document, given)


def replace_job(
    body: object, document: Document, limits: Limits
) -> tuple[Document, PoolId | None, bool | None]:
    """The document with all updatable properties given anew (`PUT`): absent ones fall back."""
    given = Shape(_update_fields(limits), open=True).read(body, "")
    if "poolInfo" not in given:
        raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", "poolInfo"))
    fallbacks = {
        "priority": 0,
        "allowTaskPreemption": False,
        "maxParallelTasks": -1,
        "constraints": DEFAULT_CONSTRAINTS,
        "onAllTasksComplete": "noaction",
    }
    kept = {name: value for name, value in document.items() if name != "metadata"}
    return _updated({**kept, **fallbacks}, given)


def _updated(
    document: Document, given: dict[str, Any]
) -> tuple[Document, PoolId | None, bool | None]:
    updated = {**document, **given}
    info = given.get("poolInfo")
    if info is None:
        return updated, None, None
    where = _where(info, of_schedule=True)
    if isinstance(where, AutoPool):
        return updated, None, where.keep_alive
    return updated, where, None


DISABLE = Shape(
    (Field(name="disableTasks", kind=Choice(("requeue", "terminate", "wait")), required=True),)
)
TERMINATE = Shape((Field(name="terminateReason", kind=Text()),))


def decode_disable(body: object) -> DisableTasks:
    """The body of `POST /jobs/{id}/disable`."""
    return DisableTasks(DISABLE.read(body, "")["disableTasks"])


def decode_terminate(body: object | None) -> str:
    """The reason in the optional body of `POST /jobs/{id}/terminate`."""
    given = {} if body is None else TERMINATE.read(body, "")
    reason: str = given.get("terminateReason", "UserTerminate")
    return reason
