"""Which properties `$select` may name, and which operations take `$select` and `$expand`.

It must not know what the properties hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.emulator.batch.core.refusal import invalid_query


def _set_of(names: str) -> frozenset[str]:
    return frozenset(names.split())


_ENTITY = "id displayName url eTag lastModified creationTime state stateTransitionTime"
_PREVIOUS = "previousState previousStateTransitionTime"
# Of all versions: which of them a version has is seen by what it answers.
_POOL = _set_of(f"""
    {_ENTITY} allocationState allocationStateTransitionTime vmSize cloudServiceConfiguration
    virtualMachineConfiguration resizeTimeout resizeErrors currentDedicatedNodes
    currentLowPriorityNodes targetDedicatedNodes targetLowPriorityNodes enableAutoScale
    autoScaleFormula autoScaleEvaluationInterval autoScaleRun enableInterNodeCommunication
    networkConfiguration startTask certificateReferences applicationPackageReferences
    applicationLicenses taskSlotsPerNode maxTasksPerNode taskSchedulingPolicy userAccounts metadata
    stats mountConfiguration identity targetNodeCommunicationMode currentNodeCommunicationMode
    upgradePolicy resourceTags""")
_JOB = _set_of(f"""
    {_ENTITY} {_PREVIOUS} usesTaskDependencies priority allowTaskPreemption maxParallelTasks
    constraints jobManagerTask jobPreparationTask jobReleaseTask commonEnvironmentSettings poolInfo
    onAllTasksComplete onTaskFailure networkConfiguration metadata executionInfo stats""")
_SCHEDULE = _set_of(f"{_ENTITY} {_PREVIOUS} schedule jobSpecification executionInfo metadata stats")
_TASK = _set_of(f"""
    {_ENTITY} {_PREVIOUS} exitConditions commandLine containerSettings resourceFiles
    outputFiles environmentSettings affinityInfo constraints requiredSlots userIdentity
    executionInfo nodeInfo multiInstanceSettings stats dependsOn applicationPackageReferences
    authenticationTokenSettings""")
_NODE = _set_of("""
    id url state schedulingState stateTransitionTime lastBootTime allocationTime ipAddress
    ipv6Address affinityId vmSize totalTasksRun runningTasksCount runningTaskSlotsCount
    totalTasksSucceeded recentTasks startTask startTaskInfo certificateReferences errors isDedicated
    endpointConfiguration nodeAgentInfo virtualMachineInfo""")
_SUBTASK = _set_of(f"""
    id nodeInfo startTime endTime exitCode containerInfo failureInfo state stateTransitionTime
    {_PREVIOUS} result""")
_JOB_NODE = _set_of(
    "poolId nodeId nodeUrl jobPreparationTaskExecutionInfo jobReleaseTaskExecutionInfo"
)
_EXTENSION = _set_of("provisioningState vmExtension instanceView")

SELECTABLE: Mapping[str, frozenset[str]] = {
    "get_pool": _POOL,
    "list_pools": _POOL,
    "get_job": _JOB,
    "list_jobs": _JOB,
    "list_jobs_from_schedule": _JOB,
    "list_job_preparation_and_release_task_status": _JOB_NODE,
    "get_job_schedule": _SCHEDULE,
    "list_job_schedules": _SCHEDULE,
    "get_task": _TASK,
    "list_tasks": _TASK,
    "list_subtasks": _SUBTASK,
    "get_node": _NODE,
    "list_nodes": _NODE,
    "get_node_extension": _EXTENSION,
    "list_node_extensions": _EXTENSION,
}
"""By operation; an operation that is not here takes no `$select` and leaves it alone."""

EXPANDABLE = frozenset(
    {
        "get_pool",
        "list_pools",
        "get_job",
        "list_jobs",
        "list_jobs_from_schedule",
        "get_job_schedule",
        "list_job_schedules",
        "get_task",
        "list_tasks",
    }
)
"""The operations that take `$expand`, which can ask for statistics and for nothing else."""

_NAMES_BEFORE = {"maxTasksPerNode": "taskSlotsPerNode"}


def check_selection(operation: str, query: Mapping[str, str]) -> None:
    """Raises `RefusedError` where `$select` or `$expand` name what there is not."""
    text = query.get("$select")
    known = SELECTABLE.get(operation)
    if text and known is not None:
        for name in _names(text):
            if name not in known:
                raise invalid_query("$select", text, f"The property {name} does not exist")
    text = query.get("$expand")
    if text and operation in EXPANDABLE:
        for name in _names(text):
            if name != "stats":
                raise invalid_query("$expand", text, f"The property {name} cannot be expanded")


def selected(query: Mapping[str, str]) -> frozenset[str] | None:
    """The properties that `$select` names; None where it names none, and all are wanted."""
    text = query.get("$select")
    if not text:
        return None
    return frozenset(_NAMES_BEFORE.get(name, name) for name in _names(text))


def pick(query: Mapping[str, str], document: dict[str, Any]) -> dict[str, Any]:
    """The properties that `$select` names, in the order of the document."""
    wanted = selected(query)
    if wanted is None:
        return document
    return {name: value for name, value in document.items() if name in wanted}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]
