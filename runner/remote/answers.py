"""What Azure Batch answers, read into the values of `run.services`.

It must not know how the answers came. The SDK's models are read as the mappings that they are, by
wire names: its enums are lower case while the service also writes `Success` and `UserError`
(azure-batch 15.1), so every word is compared in lower case here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar

from runner.errors import ServiceError
from runner.plan.model import TaskId
from runner.remote.expiry import read_expiry
from runner.remote.faults import redact
from runner.run.removal.traces import RUN
from runner.run.services import (
    JobState,
    JobStatus,
    NodeCommandKind,
    NodeCommandStatus,
    NodeStatus,
    PoolStatus,
    TaskFailure,
    TaskState,
    TaskStatus,
)

Answer = Mapping[str, Any]
State = TypeVar("State", TaskState, JobState)

TASK_PROPERTIES = ["id", "state", "stateTransitionTime", "executionInfo", "nodeInfo"]
JOB_PROPERTIES = ["id", "state", "creationTime", "executionInfo", "metadata"]
NODE_PROPERTIES = ["id", "state", "startTaskInfo", "isDedicated", "allocationTime", "errors"]
POOL_PROPERTIES = [
    "id",
    "state",
    "allocationState",
    "currentDedicatedNodes",
    "currentLowPriorityNodes",
    "targetDedicatedNodes",
    "targetLowPriorityNodes",
    "resizeErrors",
    "autoScaleFormula",
    "autoScaleRun",
    "vmSize",
]
KEPT_POOL_PROPERTIES = [*POOL_PROPERTIES, "enableAutoScale", "metadata"]

GONE = JobStatus(state=JobState.GONE, pool_id=None, terminate_reason=None, problem=None)


def read_task(answer: Answer) -> TaskStatus:
    """A task of a list with `TASK_PROPERTIES`."""
    state = _state(TaskState, answer)
    execution: Answer = answer.get("executionInfo") or {}
    node: Answer = answer.get("nodeInfo") or {}
    failure = execution.get("failureInfo")
    return TaskStatus(
        id=TaskId(answer["id"]),
        state=state,
        changed=read_time(answer["stateTransitionTime"]),
        node_id=node.get("nodeId"),
        started=_time(execution.get("startTime")),
        ended=_time(execution.get("endTime")),
        exit_code=execution.get("exitCode"),
        succeeded=_succeeded(execution) if state is TaskState.COMPLETED else None,
        retry_count=int(execution.get("retryCount") or 0),
        failure=None if failure is None else _failure(failure),
        retried=_time(execution.get("lastRetryTime")),
        requeue_count=int(execution.get("requeueCount") or 0),
        requeued=_time(execution.get("lastRequeueTime")),
    )


def read_job(answer: Answer) -> JobStatus:
    """A job with `JOB_PROPERTIES`."""
    execution: Answer = answer.get("executionInfo") or {}
    problem = execution.get("schedulingError")
    return JobStatus(
        state=_state(JobState, answer),
        pool_id=execution.get("poolId"),
        terminate_reason=execution.get("terminateReason"),
        problem=None if problem is None else _problem(problem),
        created=_time(answer.get("creationTime")),
        run=read_pairs(answer).get(RUN),
    )


def read_pool(answer: Answer) -> PoolStatus:
    """A pool with `POOL_PROPERTIES`."""
    return PoolStatus(
        state=_word(answer.get("state")),
        allocation_state=_word(answer.get("allocationState")),
        dedicated_nodes=int(answer.get("currentDedicatedNodes") or 0),
        spot_nodes=int(answer.get("currentLowPriorityNodes") or 0),
        target_dedicated_nodes=int(answer.get("targetDedicatedNodes") or 0),
        target_spot_nodes=int(answer.get("targetLowPriorityNodes") or 0),
        resize_errors=tuple(_problem(error) for error in answer.get("resizeErrors") or ()),
        expiry=read_expiry(answer.get("autoScaleFormula") or ""),
        formula_error=_formula_error(answer.get("autoScaleRun") or {}),
        vm_size=answer.get("vmSize"),
    )


def read_node(answer: Answer) -> NodeStatus:
    """A node of a list with `NODE_PROPERTIES`."""
    start_task: Answer = answer.get("startTaskInfo") or {}
    failure = start_task.get("failureInfo")
    return NodeStatus(
        id=answer["id"],
        state=_word(answer.get("state")),
        start_task_exit_code=start_task.get("exitCode"),
        start_task_failure=None if failure is None else _problem(failure),
        start_task_ended=_word(start_task.get("state")) == "completed",
        errors=tuple(_problem(error) for error in answer.get("errors") or ()),
        is_dedicated=answer.get("isDedicated"),
        allocated=_time(answer.get("allocationTime")),
    )


def read_node_commands(answer: Answer) -> Iterator[NodeCommandStatus]:
    """A node of the list of preparations and releases, which may have run one or both."""
    for kind, name in (
        (NodeCommandKind.PREPARATION, "jobPreparationTaskExecutionInfo"),
        (NodeCommandKind.RELEASE, "jobReleaseTaskExecutionInfo"),
    ):
        execution = answer.get(name)
        if execution is None:
            continue
        failure = execution.get("failureInfo")
        yield NodeCommandStatus(
            node_id=str(answer.get("nodeId") or ""),
            kind=kind,
            succeeded=_succeeded(execution) if _word(execution.get("state")) != "running" else None,
            exit_code=execution.get("exitCode"),
            failure=None if failure is None else _failure(failure),
            directory=execution.get("taskRootDirectory"),
        )


def is_going(answer: Answer) -> bool:
    """Whether it is just being deleted."""
    return _word(answer.get("state")) == "deleting"


def read_pairs(answer: Answer) -> dict[str, str]:
    """The metadata of a job or a pool."""
    return {pair["name"]: pair["value"] for pair in answer.get("metadata") or ()}


def read_time(text: str) -> datetime:
    """A time of the service: UTC with up to seven digits of a second, of which we keep six."""
    whole, _, rest = text.rstrip("Zz").partition(".")
    # As Python 3.10 reads it too, at a tenth of what `strptime` takes.
    return datetime.fromisoformat(f"{whole}.{rest[:6]:0<6}+00:00")


def write_time(moment: datetime) -> str:
    """A time as a filter wants it within `DateTime'...'`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(text: str | None) -> datetime | None:
    return None if text is None else read_time(text)


def _succeeded(execution: Answer) -> bool:
    """Whether what has ended went well."""
    result = execution.get("result")
    return _word(result) == "success" if result is not None else not execution.get("failureInfo")


def _state(kind: type[State], answer: Answer) -> State:
    word = _word(answer.get("state"))
    try:
        return kind(word)
    except ValueError as error:
        raise ServiceError(
            f"Azure Batch says that `{answer.get('id')}` is in the unknown state `{word}`"
        ) from error


def _word(value: object) -> str:
    """An enum's value, or a word that the SDK's enum does not know, in lower case."""
    return str(getattr(value, "value", value) or "").lower()


def _formula_error(run: Answer) -> str | None:
    error = run.get("error")
    return None if error is None else _problem(error)


def _failure(answer: Answer) -> TaskFailure:
    return TaskFailure(
        code=str(answer.get("code") or ""),
        category=str(answer.get("category") or ""),
        message=_words(answer),
    )


def _problem(answer: Answer) -> str:
    """`Code: the service's words`."""
    code = str(answer.get("code") or "")
    words = _words(answer)
    return f"{code}: {words}" if code and words else code or words


def _words(answer: Answer) -> str:
    """The message and, in brackets, the details; a detail may quote a URL with its SAS.

    Resize errors name their details `values`, the others `details` (wire, 2025-06-01).
    """
    details = "; ".join(
        f"{pair.get('name')}: {pair.get('value')}"
        for pair in answer.get("details") or answer.get("values") or ()
    )
    message = str(answer.get("message") or "").strip()
    return redact(f"{message} ({details})" if details else message)
