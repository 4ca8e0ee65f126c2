"""Azure Batch as the SDK speaks to it, with answers that only the real service gives."""

from __future__ import annotations

import re
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import FrameType

import pytest

from runner.errors import (
    ServiceError,
    ServiceRefusedError,
    ServiceTroubleError,
    ServiceUnreachableError,
)
from runner.plan.model import TaskId
from runner.remote.batch import RemoteBatch
from runner.run.services import (
    JobState,
    NodeCommandKind,
    NodeCommandStatus,
    TaskFailure,
    TaskState,
)
from tests.unit.remote.clients import HINT, open_batch
from tests.unit.remote.samples import JOB, SCHEDULE, TASK
from tests.unit.remote.stub import Canned, Pauses, Seen, Stub, batch_answer, batch_error

NOT_FOUND = batch_error(404, "JobNotFound", "The specified job does not exist.")


def test_a_job_is_created_and_its_pool_known(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(
        Canned(status=201),
        batch_answer({"id": "cat-1", "state": "active", "executionInfo": {"poolId": "cat-P"}}),
    )

    assert batch.create_job(JOB) == "cat-P"

    create = stub.seen[0]
    assert (create.method, create.path) == ("POST", "/acct/jobs")
    assert create.query == {"api-version": "2025-06-01"}
    assert create.headers["content-type"] == "application/json; odata=minimalmetadata"
    assert create.headers["authorization"].startswith("SharedKey acct:")
    assert create.json["id"] == "cat-1"
    assert create.json["poolInfo"]["autoPoolSpecification"]["autoPoolIdPrefix"] == "cat-"


def test_what_a_run_looks_at_is_read_without_the_models_of_the_sdk(
    batch: RemoteBatch, stub: Stub
) -> None:
    task = {"id": "1", "state": "running", "stateTransitionTime": "2026-01-02T03:04:05Z"}
    stub.answer(
        batch_answer({"id": "cat-1", "state": "active", "executionInfo": {"poolId": "cat-P"}}),
        batch_answer({"id": "cat-P", "state": "active", "allocationState": "steady"}),
        batch_answer({"value": [{"id": "tvm-1", "state": "idle"}]}),
        batch_answer({"value": [task]}),
        *(batch_answer({"value": []}) for _ in range(3)),
    )
    made: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        module = str(frame.f_globals.get("__name__"))
        if event == "call" and module.startswith("azure.batch.models"):
            made.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        job, pool = batch.job_status("cat-1"), batch.pool_status("cat-P")
        (node,), (running,) = batch.node_statuses("cat-P"), batch.task_changes("cat-1", None)
        traces = batch.list_traces(None)
    finally:
        sys.setprofile(None)
    assert pool is not None
    assert (job.pool_id, pool.allocation_state) == ("cat-P", "steady")
    assert (node.id, running.id, traces) == ("tvm-1", "1", ())
    assert made == []
    assert [each.path.removeprefix("/acct") for each in stub.seen] == [
        "/jobs/cat-1",
        "/pools/cat-P",
        "/pools/cat-P/nodes",
        "/jobs/cat-1/tasks",
        "/jobschedules",
        "/jobs",
        "/pools",
    ]


def test_a_job_whose_answer_was_lost_is_ours(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    ours = {
        "id": "cat-1",
        "state": "active",
        "metadata": [{"name": "batch-run", "value": "cat-1"}, {"name": "cost", "value": "7"}],
        "executionInfo": {"poolId": "cat-P"},
    }
    stub.answer(
        batch_error(500, "InternalError", "An internal error."),
        batch_error(409, "JobExists", "The specified job already exists."),
        batch_answer(ours),
    )

    assert batch.create_job(JOB) == "cat-P"


def test_a_job_of_someone_else_is_refused(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(
        batch_error(409, "JobExists", "The specified job already exists."),
        batch_answer({"id": "cat-1", "state": "active"}),
    )

    with pytest.raises(ServiceRefusedError) as caught:
        batch.create_job(JOB)

    assert caught.value.code == "JobExists"
    assert caught.value.message == (
        "Azure Batch refused to create job `cat-1`: JobExists: The specified job already exists"
    )


@pytest.mark.parametrize(
    "going",
    [
        (batch_error(409, "JobBeingDeleted", "The specified job is being deleted."),),
        (
            batch_error(409, "JobExists", "The specified job already exists."),
            batch_answer({"id": "cat-1", "state": "deleting"}),
        ),
        (batch_error(409, "JobExists", "The specified job already exists."), NOT_FOUND),
    ],
    ids=["being deleted", "deleting", "gone meanwhile"],
)
def test_a_job_of_the_same_name_that_is_being_deleted_is_waited_for(
    batch: RemoteBatch, stub: Stub, pauses: Pauses, going: tuple[Canned, ...]
) -> None:
    made = {"id": "cat-1", "state": "active", "executionInfo": {"poolId": "cat-P"}}
    stub.answer(*going, *going, Canned(status=201), batch_answer(made))

    assert batch.create_job(JOB) == "cat-P"
    assert pauses.seconds == [0.05, pytest.approx(0.075)]


def test_a_job_that_is_being_deleted_for_too_long_is_told(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    stub.answer(batch_error(409, "JobBeingDeleted", "The specified job is being deleted."))

    with pytest.raises(ServiceError) as caught:
        batch.create_job(JOB)

    assert caught.value.message == "job `cat-1` is still being deleted after 15 minutes"
    assert 900 <= sum(pauses.seconds) < 906


def test_a_job_that_was_just_made_is_not_gone_where_it_is_not_found_yet(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    made = batch_answer({"id": "cat-1", "state": "active", "executionInfo": {"poolId": "cat-P"}})
    added = batch_answer({"value": [{"taskId": TASK.id, "status": "Success"}]})
    stub.answer(
        *(Canned(status=201), NOT_FOUND, made),
        *(NOT_FOUND, NOT_FOUND, made),
        *(NOT_FOUND, added),
        *(NOT_FOUND, batch_answer({"value": []})),
        *(NOT_FOUND, Canned()),
        NOT_FOUND,
    )

    assert batch.create_job(JOB) == "cat-P"
    assert batch.job_status("cat-1").state is JobState.ACTIVE
    batch.add_tasks("cat-1", [TASK])
    assert list(batch.task_changes("cat-1", None)) == []
    batch.finish_adding("cat-1")
    assert pauses.seconds == [0.25] * 6

    pauses.seconds.append(5)
    assert batch.job_status("cat-1").state is JobState.GONE
    assert batch.job_status("another").state is JobState.GONE


def test_a_job_that_we_delete_is_gone_where_it_is_not_found(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    made = batch_answer({"id": "cat-1", "state": "active", "executionInfo": {"poolId": "cat-P"}})
    stub.answer(Canned(status=201), made, Canned(status=202), NOT_FOUND)

    batch.create_job(JOB)
    batch.delete_job("cat-1")

    assert batch.job_status("cat-1").state is JobState.GONE
    assert pauses.seconds == []


def test_a_schedule_of_the_same_name_that_is_being_deleted_is_waited_for(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    stub.answer(
        batch_error(409, "JobScheduleBeingDeleted", "The specified job schedule is being deleted."),
        Canned(status=201),
    )

    batch.create_schedule(SCHEDULE)

    assert pauses.seconds == [0.05]


def test_a_job_without_a_pool_says_why(batch: RemoteBatch, stub: Stub) -> None:
    error = {"code": "InvalidAutoPoolSettings", "message": "Not valid."}
    stub.answer(
        Canned(status=201),
        batch_answer(
            {"id": "cat-1", "state": "active", "executionInfo": {"schedulingError": error}}
        ),
    )

    with pytest.raises(ServiceRefusedError) as caught:
        batch.create_job(JOB)

    assert caught.value.message == "job `cat-1` got no pool: InvalidAutoPoolSettings: Not valid."
    assert caught.value.code == "InvalidAutoPoolSettings"
    assert caught.value.refusal is not None
    assert caught.value.refusal.place == ("pool",)


def test_a_refusal_names_property_and_reason_and_no_request_id(
    batch: RemoteBatch, stub: Stub
) -> None:
    stub.answer(
        batch_error(
            400,
            "InvalidPropertyValue",
            "The value provided for one of the properties in the request body is invalid.",
            {"PropertyName": "vmSize", "PropertyValue": "Tiny", "Reason": "No such size"},
        )
    )

    with pytest.raises(ServiceRefusedError) as caught:
        batch.create_job(JOB)

    assert caught.value.message == (
        "Azure Batch refused to create job `cat-1`: InvalidPropertyValue: The value provided for "
        "one of the properties in the request body is invalid "
        "(PropertyName: vmSize, PropertyValue: Tiny, Reason: No such size)"
    )
    assert caught.value.hint is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_hinted_at_and_no_signature_is_told(
    batch: RemoteBatch, stub: Stub, status: int
) -> None:
    stub.answer(
        batch_error(
            status,
            "AuthenticationFailed",
            "Server failed to authenticate the request.",
            {"AuthenticationErrorDetail": "The MAC signature 'c2VjcmV0' is not the same"},
        )
    )

    with pytest.raises(ServiceRefusedError) as caught:
        batch.probe()

    assert caught.value.message == (
        "Azure Batch refused to list pools: AuthenticationFailed: "
        "Server failed to authenticate the request"
    )
    assert (caught.value.code, caught.value.hint) == ("AuthenticationFailed", HINT)


def test_no_secret_of_a_pool_is_told(stub: Stub, pauses: Pauses) -> None:
    said = {"code": "InvalidAutoPoolSettings", "message": "Not valid: pa55word"}
    batch = open_batch(stub.endpoint, pauses, secrets=("pa55word", ""))
    stub.answer(
        batch_error(400, "InvalidPropertyValue", "No.", {"PropertyValue": "pa55word"}),
        batch_answer(
            {"id": "cat-1", "state": "active", "executionInfo": {"schedulingError": said}}
        ),
        batch_answer({"id": "p", "state": "active", "resizeErrors": [said]}),
    )

    with pytest.raises(ServiceRefusedError) as caught:
        batch.create_job(JOB)
    job, pool = batch.job_status("cat-1"), batch.pool_status("p")
    batch.close()

    assert caught.value.message == (
        "Azure Batch refused to create job `cat-1`: InvalidPropertyValue: No "
        "(PropertyValue: REDACTED)"
    )
    assert job.problem == "InvalidAutoPoolSettings: Not valid: REDACTED"
    assert pool is not None
    assert pool.resize_errors == ("InvalidAutoPoolSettings: Not valid: REDACTED",)


def test_what_is_no_batch_service_is_told_by_its_status(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(Canned(status=404, body=b"<html>", headers={"Content-Type": "text/html"}))

    with pytest.raises(ServiceRefusedError) as caught:
        batch.probe()

    assert caught.value.message == "Azure Batch refused to list pools: Http404: Not Found"
    assert caught.value.hint == f"check the endpoint, {stub.endpoint}"


@pytest.mark.parametrize(
    ("kind", "body"), [("application/json", b"<p>"), ("text/html", b"<p>"), ("text/json", b"[]")]
)
def test_a_web_page_is_no_answer(batch: RemoteBatch, stub: Stub, kind: str, body: bytes) -> None:
    stub.answer(Canned(body=body, headers={"Content-Type": kind}))

    with pytest.raises(ServiceError) as caught:
        batch.probe()

    assert caught.value.message == (
        f"what answers at {stub.endpoint} does not speak as Azure Batch does"
    )


def test_a_busy_service_is_asked_again_when_it_wants(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    busy = batch_error(503, "ServerBusy", "Busy.", None, **{"Retry-After": "7"})
    stub.answer(
        busy,
        batch_error(429, "TooManyRequests", "Slow down."),
        batch_error(500, "InternalError", "Oops."),
        batch_answer({"id": "cat-1", "state": "active"}),
    )

    assert batch.job_status("cat-1").state is JobState.ACTIVE
    assert pauses.seconds == [7, 1.6, 3.2]


def test_a_service_that_stays_busy_ends_our_patience(
    batch: RemoteBatch, stub: Stub, pauses: Pauses
) -> None:
    stub.answer(batch_error(503, "ServerBusy", "The server is busy."))

    with pytest.raises(ServiceTroubleError) as caught:
        batch.finish_adding("cat-1")

    assert caught.value.message == (
        "Azure Batch could not let job `cat-1` end with its tasks: it has answered 503 ServerBusy"
        " for 15m, since 2025-03-28T18:00:00Z: The server is busy"
    )
    assert caught.value.hint == "`limits.patience` in the spec says how long to bear with a service"
    assert caught.value.is_resumable
    assert pauses.seconds[:7] == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30]
    assert sum(pauses.seconds) == pytest.approx(900)
    assert pauses.told == [
        "Azure Batch has answered 503 ServerBusy for 25s; trying until 18:15:00 UTC"
    ]


def test_nothing_there_is_out_of_reach(pauses: Pauses) -> None:
    gone = Stub()
    gone.server.server_close()
    batch = open_batch(gone.endpoint, pauses)

    with pytest.raises(ServiceUnreachableError) as caught:
        batch.probe()
    batch.close()

    assert caught.value.message == (
        f"Azure Batch at {gone.endpoint} is out of reach: Connection refused"
    )
    assert sum(pauses.seconds) == 0


def test_an_answer_that_never_comes_is_out_of_reach(stub: Stub, pauses: Pauses) -> None:
    endurance = pauses.endurance(limit=timedelta(seconds=1), read_seconds=0.05)
    batch = open_batch(stub.endpoint, pauses, endurance)
    stub.answer(_slow)

    with pytest.raises(ServiceUnreachableError) as caught:
        batch.job_status("x")
    batch.close()

    assert caught.value.message == (
        f"Azure Batch at {stub.endpoint} is out of reach for 1s, since 2025-03-28T18:00:00Z:"
        " no answer within the time-out"
    )


def _slow(_seen: Seen) -> Canned:
    threading.Event().wait(0.5)
    return Canned()


def test_tls_where_there_is_none_is_out_of_reach(stub: Stub, pauses: Pauses) -> None:
    endpoint = stub.endpoint.replace("http:", "https:")
    batch = open_batch(endpoint, pauses)

    with pytest.raises(ServiceUnreachableError) as caught:
        batch.probe()
    batch.close()

    assert re.fullmatch(
        re.escape(f"Azure Batch at {endpoint} is out of reach: ") + r".*(SSL|record layer).*",
        caught.value.message,
    )


def test_a_collection_that_is_too_large_goes_in_halves(batch: RemoteBatch, stub: Stub) -> None:
    def answer(seen: Seen) -> Canned:
        tasks = seen.json["value"]
        if len(tasks) > 3:
            return batch_error(413, "RequestBodyTooLarge", "The size of the request body")
        return batch_answer(
            {"value": [{"taskId": task["id"], "status": "Success"} for task in tasks]}
        )

    stub.answer(answer)

    batch.add_tasks("cat-1", [replace(TASK, id=TaskId(str(number))) for number in range(10)])

    assert stub.seen[0].path == "/acct/jobs/cat-1/addtaskcollection"
    assert [len(seen.json["value"]) for seen in stub.seen] == [10, 5, 2, 3, 5, 2, 3]


def test_a_task_that_is_too_large_alone_is_named(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(batch_error(413, "RequestBodyTooLarge", "The request body is too large."))

    with pytest.raises(ServiceRefusedError) as caught:
        batch.add_tasks("cat-1", [replace(TASK, id=TaskId(str(number))) for number in range(2)])

    assert caught.value.message == (
        "Azure Batch refused to add task `0`: RequestBodyTooLarge: The request body is too large"
    )


def test_changes_are_asked_for_since_a_time_and_follow_the_pages(
    batch: RemoteBatch, stub: Stub
) -> None:
    def task(task_id: str) -> dict[str, object]:
        return {
            "id": task_id,
            "state": "running",
            "stateTransitionTime": "2025-03-28T18:10:00.1234567Z",
        }

    next_link = f"{stub.endpoint}/jobs/cat-1/tasks?api-version=x&$skiptoken=WATV2:a/b^1$1"
    stub.answer(
        batch_answer({"value": [task("1")], "odata.nextLink": next_link}),
        batch_answer({"value": [task("2")]}),
    )
    since = datetime(2025, 3, 28, 18, 10, 0, 123456, tzinfo=timezone.utc)

    changes = list(batch.task_changes("cat-1", since))

    assert [(change.id, change.state) for change in changes] == [
        ("1", TaskState.RUNNING),
        ("2", TaskState.RUNNING),
    ]
    assert stub.seen[0].query == {
        "api-version": "2025-06-01",
        "$filter": "state ne 'active' and "
        "stateTransitionTime ge DateTime'2025-03-28T18:10:00.123456Z'",
        "$select": "id,state,stateTransitionTime,executionInfo,nodeInfo",
    }
    assert stub.seen[1].query["$skiptoken"] == "WATV2:a/b^1$1"


def test_all_changes_are_asked_for_without_a_time(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(batch_answer({"value": []}))

    assert list(batch.task_changes("cat-1", None)) == []
    assert stub.seen[0].query["$filter"] == "state ne 'active'"


def test_what_is_gone_is_said_so(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(NOT_FOUND)

    assert batch.job_status("cat-1").state is JobState.GONE
    assert batch.pool_status("p") is None
    assert batch.node_statuses("p") == ()
    assert batch.read_node_log("p", "n", "startup/stderr.txt", 10) == b""


@pytest.mark.parametrize(
    "code", ["JobNotFound", "JobCompleted", "JobBeingTerminated", "JobBeingDeleted"]
)
def test_a_job_that_is_over_needs_no_termination(batch: RemoteBatch, stub: Stub, code: str) -> None:
    stub.answer(batch_error(404 if code == "JobNotFound" else 409, code, "Over."))

    batch.terminate_job("cat-1")

    assert (stub.seen[0].method, stub.seen[0].path) == ("POST", "/acct/jobs/cat-1/terminate")
    assert stub.seen[0].json == {"terminateReason": "UserTerminate"}


@pytest.mark.parametrize(
    "code",
    ["JobNotFound", "JobCompleted", "JobBeingTerminated", "JobNotActive", "JobDisabled"],
)
def test_a_job_that_runs_nothing_needs_no_disabling(
    batch: RemoteBatch, stub: Stub, code: str
) -> None:
    stub.answer(batch_error(404 if code == "JobNotFound" else 409, code, "Not active."))

    batch.disable_job("cat-1")

    assert (stub.seen[0].method, stub.seen[0].path) == ("POST", "/acct/jobs/cat-1/disable")
    assert stub.seen[0].json == {"disableTasks": "wait"}


def test_other_refusals_to_disable_are_told(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(batch_error(403, "AuthenticationFailed", "No."))

    with pytest.raises(ServiceRefusedError) as caught:
        batch.disable_job("cat-1")

    assert caught.value.code == "AuthenticationFailed"


def test_other_refusals_to_terminate_are_told(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(batch_error(409, "OperationInvalidForCurrentState", "Not now."))

    with pytest.raises(ServiceRefusedError) as caught:
        batch.terminate_job("cat-1")

    assert caught.value.message == (
        "Azure Batch refused to terminate job `cat-1`: OperationInvalidForCurrentState: Not now"
    )


@pytest.mark.parametrize(
    "first", [Canned(status=202), batch_error(409, "JobBeingDeleted", "Marked for deletion.")]
)
def test_a_job_is_deleted_when_it_is_gone(
    batch: RemoteBatch, stub: Stub, pauses: Pauses, first: Canned
) -> None:
    deleting = batch_answer({"id": "cat-1", "state": "deleting"})
    stub.answer(first, deleting, deleting, NOT_FOUND)

    batch.delete_job("cat-1")

    assert [seen.method for seen in stub.seen] == ["DELETE", "GET", "GET", "GET"]
    assert pauses.seconds == [0.05, 0.05 * 1.5]


def test_a_job_that_is_not_there_is_deleted_already(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(NOT_FOUND)

    batch.delete_job("cat-1")

    assert [seen.method for seen in stub.seen] == ["DELETE"]


@pytest.mark.parametrize(
    "first", [Canned(status=202), batch_error(409, "PoolBeingDeleted", "Marked for deletion.")]
)
def test_a_pool_is_deleted_when_it_is_gone(batch: RemoteBatch, stub: Stub, first: Canned) -> None:
    stub.answer(
        first,
        batch_answer({"id": "p", "state": "deleting"}),
        batch_error(404, "PoolNotFound", "The specified pool does not exist."),
    )

    batch.delete_pool("p")

    assert [(seen.method, seen.path) for seen in stub.seen] == [
        ("DELETE", "/acct/pools/p"),
        ("GET", "/acct/pools/p"),
        ("GET", "/acct/pools/p"),
    ]


def test_a_pool_that_is_not_there_is_deleted_already(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(batch_error(404, "PoolNotFound", "The specified pool does not exist."))

    batch.delete_pool("p")

    assert [seen.method for seen in stub.seen] == ["DELETE"]


def test_a_deletion_that_never_ends_is_told(batch: RemoteBatch, stub: Stub, pauses: Pauses) -> None:
    stub.answer(Canned(status=202), batch_answer({"id": "p", "state": "deleting"}))

    with pytest.raises(ServiceError) as caught:
        batch.delete_pool("p")

    assert caught.value.message == "pool `p` is still being deleted after 15 minutes"
    assert 900 <= sum(pauses.seconds) < 906


def test_pools_are_found_by_prefix_and_run(batch: RemoteBatch, stub: Stub) -> None:
    def pool(pool_id: str, run: str) -> dict[str, object]:
        return {"id": pool_id, "metadata": [{"name": "run", "value": run}]}

    stub.answer(
        batch_answer({"value": [pool("cat-A", "r1"), pool("cat-B", "r2"), {"id": "cat-C"}]})
    )

    assert batch.find_pools("c'at-", "r2") == ("cat-B",)
    assert stub.seen[0].query["$filter"] == "startswith(id,'c''at-')"


def test_a_schedule_is_created(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(Canned(status=201))

    batch.create_schedule(SCHEDULE)

    (create,) = stub.seen
    assert (create.method, create.path) == ("POST", "/acct/jobschedules")
    assert create.json["id"] == "cat-nightly"
    assert create.json["jobSpecification"]["jobManagerTask"]["id"] == "1"


def test_a_schedule_whose_answer_was_lost_is_ours(batch: RemoteBatch, stub: Stub) -> None:
    ours = {"id": "cat-nightly", "metadata": [{"name": "batch-run", "value": "cat-1"}]}
    stub.answer(
        batch_error(500, "InternalError", "An internal error."),
        batch_error(409, "JobScheduleExists", "The specified job schedule already exists."),
        batch_answer(ours),
    )

    batch.create_schedule(SCHEDULE)

    assert [seen.method for seen in stub.seen] == ["POST", "POST", "GET"]


def test_a_schedule_of_someone_else_is_refused(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(
        batch_error(409, "JobScheduleExists", "The specified job schedule already exists."),
        batch_answer({"id": "cat-nightly"}),
    )

    with pytest.raises(ServiceRefusedError) as caught:
        batch.create_schedule(SCHEDULE)

    assert caught.value.code == "JobScheduleExists"
    assert caught.value.message == (
        "Azure Batch refused to create job schedule `cat-nightly`: JobScheduleExists: "
        "The specified job schedule already exists"
    )


def test_preparations_and_releases_are_told_by_node(batch: RemoteBatch, stub: Stub) -> None:
    failure = {
        "category": "UserError",
        "code": "FailureExitCode",
        "message": "The task exited with an exit code representing a failure",
    }
    done = {"startTime": "2025-03-28T18:10:00Z", "state": "completed", "retryCount": 0}
    stub.answer(
        batch_answer(
            {
                "value": [
                    {
                        "poolId": "p",
                        "nodeId": "n1",
                        "jobPreparationTaskExecutionInfo": {
                            **done,
                            "exitCode": 0,
                            "result": "Success",
                            "taskRootDirectory": "workitems/cat-1/job-1/jobpreparation",
                        },
                        "jobReleaseTaskExecutionInfo": {
                            **done,
                            "exitCode": 3,
                            "result": "failure",
                            "failureInfo": failure,
                        },
                    },
                    {
                        "poolId": "p",
                        "nodeId": "n2",
                        "jobPreparationTaskExecutionInfo": {**done, "state": "Running"},
                    },
                ]
            }
        )
    )

    assert batch.node_commands("cat-1") == (
        NodeCommandStatus(
            node_id="n1",
            kind=NodeCommandKind.PREPARATION,
            succeeded=True,
            exit_code=0,
            failure=None,
            directory="workitems/cat-1/job-1/jobpreparation",
        ),
        NodeCommandStatus(
            node_id="n1",
            kind=NodeCommandKind.RELEASE,
            succeeded=False,
            exit_code=3,
            failure=TaskFailure(
                code="FailureExitCode",
                category="UserError",
                message="The task exited with an exit code representing a failure",
            ),
        ),
        NodeCommandStatus(
            node_id="n2",
            kind=NodeCommandKind.PREPARATION,
            succeeded=None,
            exit_code=None,
            failure=None,
        ),
    )
    assert stub.seen[0].path == "/acct/jobs/cat-1/jobpreparationandreleasetaskstatus"


@pytest.mark.parametrize(
    ("status", "code"), [(409, "JobPreparationTaskOrReleaseTaskNotSpecified"), (404, "JobNotFound")]
)
def test_a_job_without_preparation_and_release_has_none_to_tell(
    batch: RemoteBatch, stub: Stub, status: int, code: str
) -> None:
    stub.answer(batch_error(status, code, "There is none."))

    assert batch.node_commands("cat-1") == ()
