"""What the service answers, as recorded on the wire, becomes values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from runner.errors import ServiceError
from runner.plan.model import TaskId
from runner.remote.answers import (
    read_job,
    read_node,
    read_pairs,
    read_pool,
    read_task,
    read_time,
    write_time,
)
from runner.run.services import (
    JobState,
    JobStatus,
    NodeStatus,
    PoolStatus,
    TaskFailure,
    TaskState,
    TaskStatus,
)

MOMENT = datetime(2025, 3, 28, 18, 10, 0, 123456, tzinfo=timezone.utc)
TEXT = "2025-03-28T18:10:00.1234567Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (TEXT, MOMENT),
        ("2025-03-28T18:10:00Z", MOMENT.replace(microsecond=0)),
        ("2025-03-28T18:10:00.5Z", MOMENT.replace(microsecond=500_000)),
    ],
)
def test_times_are_utc_with_what_python_can_keep(text: str, moment: datetime) -> None:
    assert read_time(text) == moment


def test_a_time_is_written_in_utc() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=2)))

    assert write_time(elsewhere) == "2025-03-28T18:10:00.123456Z"


def test_a_running_task() -> None:
    answer = {
        "id": "1",
        "state": "running",
        "stateTransitionTime": TEXT,
        "executionInfo": {"startTime": TEXT, "retryCount": 0, "requeueCount": 0},
        "nodeInfo": {"nodeId": "tvmps_1_d"},
    }

    assert read_task(answer) == TaskStatus(
        id=TaskId("1"),
        state=TaskState.RUNNING,
        changed=MOMENT,
        node_id="tvmps_1_d",
        started=MOMENT,
        ended=None,
        exit_code=None,
        succeeded=None,
        retry_count=0,
        failure=None,
    )


@pytest.mark.parametrize("result", ["Failure", "failure"])
def test_a_failed_task_says_why(result: str) -> None:
    answer = {
        "id": "1",
        "state": "Completed",
        "stateTransitionTime": TEXT,
        "executionInfo": {
            "startTime": TEXT,
            "endTime": TEXT,
            "exitCode": 7,
            "retryCount": 2,
            "result": result,
            "failureInfo": {
                "category": "UserError",
                "code": "FailureExitCode",
                "message": "The task exited",
                "details": [{"name": "Message", "value": "http://h/c?sp=r&sig=abc%3D&se=1"}],
            },
        },
    }

    status = read_task(answer)

    assert (status.state, status.exit_code, status.succeeded) == (TaskState.COMPLETED, 7, False)
    assert (status.retry_count, status.node_id, status.ended) == (2, None, MOMENT)
    assert status.failure == TaskFailure(
        code="FailureExitCode",
        category="UserError",
        message="The task exited (Message: http://h/c?sp=r&sig=REDACTED&se=1)",
    )


@pytest.mark.parametrize("result", ["Success", "success", None])
def test_a_task_that_succeeded(result: str | None) -> None:
    execution = {"exitCode": 0, **({"result": result} if result else {})}
    answer = {
        "id": "1",
        "state": "completed",
        "stateTransitionTime": TEXT,
        "executionInfo": execution,
    }

    assert read_task(answer).succeeded is True


def test_a_state_that_nobody_knows_is_an_error_of_the_service() -> None:
    with pytest.raises(ServiceError) as caught:
        read_task({"id": "1", "state": "dreaming", "stateTransitionTime": TEXT})

    assert caught.value.message == "Azure Batch says that `1` is in the unknown state `dreaming`"


def test_a_job_says_why_it_ended_and_what_kept_it_from_a_pool() -> None:
    answer = {
        "id": "j",
        "state": "completed",
        "executionInfo": {
            "poolId": "p",
            "terminateReason": "AllTasksComplete",
            "schedulingError": {
                "category": "UserError",
                "code": "InvalidAutoPoolSettings",
                "message": "The specified autopool settings are not valid.",
                "details": [{"name": "Reason", "value": "no such size"}],
            },
        },
    }

    assert read_job(answer) == JobStatus(
        state=JobState.COMPLETED,
        pool_id="p",
        terminate_reason="AllTasksComplete",
        problem="InvalidAutoPoolSettings: The specified autopool settings are not valid."
        " (Reason: no such size)",
    )
    assert read_job({"id": "j", "state": "active"}) == JobStatus(
        state=JobState.ACTIVE, pool_id=None, terminate_reason=None, problem=None
    )


def test_a_pool_with_resize_errors() -> None:
    answer = {
        "id": "p",
        "state": "active",
        "allocationState": "Steady",
        "currentDedicatedNodes": 1,
        "targetDedicatedNodes": 3,
        "targetLowPriorityNodes": 2,
        "resizeErrors": [
            {
                "code": "AccountCoreQuotaReached",
                "message": "The quota is reached",
                "values": [{"name": "Limit", "value": "4"}],
            },
            {"code": "AllocationFailed"},
        ],
    }

    assert read_pool(answer) == PoolStatus(
        state="active",
        allocation_state="steady",
        dedicated_nodes=1,
        spot_nodes=0,
        target_dedicated_nodes=3,
        target_spot_nodes=2,
        resize_errors=(
            "AccountCoreQuotaReached: The quota is reached (Limit: 4)",
            "AllocationFailed",
        ),
    )


def test_a_pool_whose_formula_fails() -> None:
    error = {
        "code": "AutoScalingFormulaEvaluationError",
        "message": "An error occurred",
        "values": [{"name": "Message", "value": "Line 1, Col 1: no `x`"}],
    }
    pool = {"id": "p", "state": "active", "allocationState": "steady"}

    assert read_pool(pool).formula_error is None
    assert read_pool({**pool, "autoScaleRun": {"results": ""}}).formula_error is None
    assert read_pool({**pool, "autoScaleRun": {"error": error}}).formula_error == (
        "AutoScalingFormulaEvaluationError: An error occurred (Message: Line 1, Col 1: no `x`)"
    )


def test_a_node_that_is_unusable_says_why() -> None:
    answer = {
        "id": "n",
        "state": "unusable",
        "errors": [{"code": "DiskFull", "message": "No room"}, {"code": "Other"}],
    }

    assert read_node(answer).errors == ("DiskFull: No room", "Other")


def test_a_node_whose_start_task_failed() -> None:
    answer = {
        "id": "n",
        "state": "startTaskFailed",
        "startTaskInfo": {
            "state": "completed",
            "exitCode": 100,
            "failureInfo": {"code": "FailureExitCode", "message": "The task exited"},
        },
    }

    assert read_node(answer) == NodeStatus(
        id="n",
        state="starttaskfailed",
        start_task_exit_code=100,
        start_task_failure="FailureExitCode: The task exited",
        start_task_ended=True,
    )
    assert read_node({"id": "n", "state": "idle"}) == NodeStatus(
        id="n", state="idle", start_task_exit_code=None, start_task_failure=None
    )


def test_metadata_are_pairs() -> None:
    assert read_pairs({"metadata": [{"name": "a", "value": "b"}]}) == {"a": "b"}
    assert read_pairs({}) == {}
