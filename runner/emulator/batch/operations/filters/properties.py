"""By which properties and operators each list can be filtered (REST reference, OData filters).

It must not know how a filter is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.jobnode import JobNode
from runner.emulator.batch.core.node import Node, NodeRun
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.schedule import JobSchedule
from runner.emulator.batch.core.task import Task, TaskState
from runner.emulator.batch.node.files import NodeFile
from runner.emulator.batch.operations.filters.evaluate import (
    EQUALITY,
    ORDER,
    PREFIX_AND_ORDER,
    Property,
    Type,
)
from runner.emulator.batch.operations.filters.parse import Operator
from runner.emulator.batch.operations.images import Image

_ONLY_EQ = frozenset({Operator.EQ})
_ONLY_PREFIX = frozenset({Operator.STARTSWITH})


def _result(failed: bool) -> str:
    return "failure" if failed else "success"


def _task_result(task: Task) -> str | None:
    return _result(not task.succeeded) if task.state is TaskState.COMPLETED else None


def _start_state(node: Node) -> str | None:
    if node.start is None:
        return None
    return "completed" if node.start.ended is not None else "running"


def _start_result(node: Node) -> str | None:
    if node.start is None or node.start.ended is None:
        return None
    return _result(node.start.failure is not None)


def _run_properties(
    name: str, get: Callable[[JobNode], NodeRun | None]
) -> dict[str, Property[JobNode]]:
    def result(record: JobNode) -> str | None:
        run = get(record)
        return None if run is None or run.ended is None else _result(run.failure is not None)

    def state(record: JobNode) -> str | None:
        run = get(record)
        return None if run is None else "running" if run.ended is None else "completed"

    return {
        f"{name}/state": Property(get=state, operators=_ONLY_EQ),
        f"{name}/startTime": Property(
            get=lambda record: (run := get(record)) and run.started,
            type=Type.MOMENT,
            operators=ORDER,
        ),
        f"{name}/endTime": Property(
            get=lambda record: (run := get(record)) and run.ended,
            type=Type.MOMENT,
            operators=ORDER,
        ),
        f"{name}/exitCode": Property(
            get=lambda record: (run := get(record)) and run.exit_code,
            type=Type.NUMBER,
            operators=ORDER,
        ),
        f"{name}/result": Property(get=result),
    }


POOLS: Mapping[str, Property[Pool]] = {
    "id": Property(get=lambda pool: pool.id, operators=PREFIX_AND_ORDER),
    "state": Property(get=lambda pool: pool.state.value),
    "stateTransitionTime": Property(
        get=lambda pool: pool.state_time, type=Type.MOMENT, operators=ORDER
    ),
    "allocationState": Property(get=lambda pool: pool.allocation.value),
    "allocationStateTransitionTime": Property(
        get=lambda pool: pool.allocation_time, type=Type.MOMENT, operators=ORDER
    ),
    "creationTime": Property(get=lambda pool: pool.created, type=Type.MOMENT, operators=ORDER),
    "lastModified": Property(get=lambda pool: pool.modified, type=Type.MOMENT, operators=ORDER),
    "enableAutoScale": Property(
        get=lambda pool: pool.document["enableAutoScale"], type=Type.BOOLEAN
    ),
    "enableInterNodeCommunication": Property(
        get=lambda pool: pool.document["enableInterNodeCommunication"], type=Type.BOOLEAN
    ),
    "vmSize": Property(get=lambda pool: pool.document["vmSize"]),
}

NODES: Mapping[str, Property[Node]] = {
    "state": Property(get=lambda node: node.state.value),
    "stateTransitionTime": Property(
        get=lambda node: node.state_time, type=Type.MOMENT, operators=ORDER
    ),
    "lastBootTime": Property(get=lambda node: node.booted, type=Type.MOMENT, operators=ORDER),
    "allocationTime": Property(get=lambda node: node.allocated, type=Type.MOMENT, operators=ORDER),
    "startTaskInfo/state": Property(get=_start_state, operators=_ONLY_EQ),
    "startTaskInfo/result": Property(get=_start_result),
    "startTaskInfo/exitCode": Property(
        get=lambda node: node.start and node.start.exit_code, type=Type.NUMBER, operators=ORDER
    ),
    "startTaskInfo/startTime": Property(
        get=lambda node: node.start and node.start.started, type=Type.MOMENT, operators=ORDER
    ),
    "startTaskInfo/endTime": Property(
        get=lambda node: node.start and node.start.ended, type=Type.MOMENT, operators=ORDER
    ),
}

JOBS: Mapping[str, Property[Job]] = {
    "id": Property(get=lambda job: job.id, operators=PREFIX_AND_ORDER),
    "state": Property(get=lambda job: job.state.value),
    "stateTransitionTime": Property(
        get=lambda job: job.state_time, type=Type.MOMENT, operators=ORDER
    ),
    "creationTime": Property(get=lambda job: job.created, type=Type.MOMENT, operators=ORDER),
    "lastModified": Property(get=lambda job: job.modified, type=Type.MOMENT, operators=ORDER),
    "executionInfo/startTime": Property(
        get=lambda job: job.started, type=Type.MOMENT, operators=ORDER
    ),
    "executionInfo/endTime": Property(get=lambda job: job.ended, type=Type.MOMENT, operators=ORDER),
    "executionInfo/poolId": Property(get=lambda job: job.pool, operators=PREFIX_AND_ORDER),
}

JOBS_OF_SCHEDULE: Mapping[str, Property[Job]] = {
    name: known for name, known in JOBS.items() if name != "id"
}

SCHEDULES: Mapping[str, Property[JobSchedule]] = {
    "id": Property(get=lambda schedule: schedule.id, operators=PREFIX_AND_ORDER),
    "state": Property(get=lambda schedule: schedule.state.value),
    "stateTransitionTime": Property(
        get=lambda schedule: schedule.state_time, type=Type.MOMENT, operators=ORDER
    ),
    "creationTime": Property(
        get=lambda schedule: schedule.created, type=Type.MOMENT, operators=ORDER
    ),
    "lastModified": Property(
        get=lambda schedule: schedule.modified, type=Type.MOMENT, operators=ORDER
    ),
    "executionInfo/endTime": Property(
        get=lambda schedule: schedule.ended, type=Type.MOMENT, operators=ORDER
    ),
    "schedule/doNotRunUntil": Property(
        get=lambda schedule: schedule.recurrence.not_until, type=Type.MOMENT, operators=ORDER
    ),
    "schedule/doNotRunAfter": Property(
        get=lambda schedule: schedule.recurrence.not_after, type=Type.MOMENT, operators=ORDER
    ),
}

JOB_NODES: Mapping[str, Property[JobNode]] = {
    "poolId": Property(get=lambda record: record.pool),
    "nodeId": Property(get=lambda record: record.node),
    **_run_properties("jobPreparationTaskExecutionInfo", lambda record: record.preparation),
    **_run_properties("jobReleaseTaskExecutionInfo", lambda record: record.release),
}

TASKS: Mapping[str, Property[Task]] = {
    "id": Property(get=lambda task: task.id, operators=PREFIX_AND_ORDER),
    "state": Property(get=lambda task: task.state.value),
    "stateTransitionTime": Property(
        get=lambda task: task.state_time, type=Type.MOMENT, operators=ORDER
    ),
    "creationTime": Property(get=lambda task: task.created, type=Type.MOMENT, operators=ORDER),
    "lastModifiedTime": Property(get=lambda task: task.modified, type=Type.MOMENT, operators=ORDER),
    "executionInfo/startTime": Property(
        get=lambda task: task.started, type=Type.MOMENT, operators=ORDER
    ),
    "executionInfo/endTime": Property(
        get=lambda task: task.ended, type=Type.MOMENT, operators=ORDER
    ),
    "executionInfo/exitCode": Property(
        get=lambda task: task.exit_code, type=Type.NUMBER, operators=ORDER
    ),
    "executionInfo/result": Property(get=_task_result),
}

FILES: Mapping[str, Property[NodeFile]] = {
    "name": Property(get=lambda file: file.name, operators=_ONLY_PREFIX),
}

NODE_COUNTS: Mapping[str, Property[Pool]] = {
    "poolId": Property(get=lambda pool: pool.id, operators=_ONLY_EQ),
}

SUPPORTED_IMAGES: Mapping[str, Property[Image]] = {
    "osType": Property(get=lambda image: image.os_type, operators=EQUALITY),
    "verificationType": Property(
        get=lambda image: "verified" if image.verified else "unverified", operators=EQUALITY
    ),
    "nodeAgentSKUId": Property(get=lambda image: image.agent, operators=EQUALITY),
}
