"""Runs as a table and as JSON, and one run in words."""

from __future__ import annotations

import re
from dataclasses import replace

from runner.report.fold import Report, fold
from runner.report.next_steps import NextStep
from runner.report.runs_as_text import Unreadable, run_as_json, runs_as_text
from runner.report.status_as_text import RunStatus, next_command, status_as_json, status_as_text
from runner.run.events import CleanupFinished, LeftBehind, NodeChanged, RunFinished, RunStarted
from runner.run.records.driving import Driver
from runner.run.records.standing import RunSummary, Standing
from runner.run.services import JobState, JobStatus, NodeStatus, PoolStatus, TaskCounts
from tests.fakes.plans import RUN
from tests.fakes.records import RECORD
from tests.fakes.services import NOW

DRIVER = Driver(pid=42, host="here", lease="x")
END = RunFinished(exit_code=1, succeeded=7, failed=2, unfinished=1, error=None)
FAILED = RunSummary(
    run=RUN,
    record=RECORD,
    standing=Standing.FAILED,
    driver=None,
    end=END,
    tasks=10,
    succeeded=7,
    failed=2,
)
DRIVEN = replace(
    FAILED,
    run="other-20260102t030405z-abcd",
    standing=Standing.DRIVEN,
    driver=DRIVER,
    end=None,
    tasks=None,
    succeeded=0,
    failed=0,
)
STATES = ("STATE", "failed", "running", "it has")
STARTED = RunStarted(workload="demo", target="azure", tasks=10, files=3, bytes=9)
LEFT = LeftBehind(kind="job", name=RUN, why="the work goes on", kept=True)
DETACHED = RunStatus(
    record=RECORD,
    standing=Standing.DETACHED,
    pid=None,
    report=fold([STARTED, CleanupFinished(deleted=(), left=(LEFT,))]),
    seen=NOW,
)


def job(state: JobState) -> JobStatus:
    return JobStatus(state=state, pool_id="p", terminate_reason=None, problem=None)


def text(status: RunStatus) -> list[str]:
    shown = status_as_text(status, run_directory="runs/x", output_directory="results")
    return shown.splitlines()


def test_a_table_has_a_line_for_each_run() -> None:
    broken = Unreadable(run="old", why="it has no record")
    lines = runs_as_text([FAILED, DRIVEN, broken]).splitlines()
    assert [re.split("  +", line) for line in lines] == [
        ["RUN", "TARGET", "STARTED", "TASKS", "STATE"],
        [RUN, "azure", "2026-01-02T03:04:05Z", "9/10, 2 failed", "failed"],
        [DRIVEN.run, "azure", "2026-01-02T03:04:05Z", "-", "running here by process 42"],
        ["old", "-", "-", "-", "it has no record"],
    ]
    assert {line.rindex(word) for line, word in zip(lines, STATES, strict=True)} == {75}


def test_a_large_run_in_the_table() -> None:
    large = replace(FAILED, tasks=12_000, succeeded=9_000, failed=1_500)
    assert runs_as_text([large]).splitlines()[1].split("  ")[3] == "10,500/12,000, 1,500 failed"


def test_a_run_as_json() -> None:
    assert run_as_json(FAILED) == {
        "v": 1,
        "run": RUN,
        "workload": "demo",
        "target": "azure",
        "created": "2026-01-02T03:04:05.000000Z",
        "state": "failed",
        "resumable": False,
        "pid": None,
        "exit_code": 1,
        "tasks": 10,
        "succeeded": 7,
        "failed": 2,
        "rests": False,
    }
    assert run_as_json(Unreadable(run="old", why="no")) == {"v": 1, "run": "old", "problem": "no"}


def test_a_run_that_goes_on_alone_is_told_with_what_its_service_says() -> None:
    counts = TaskCounts(active=1, running=2, succeeded=3, failed=4)
    status = replace(DETACHED, job=job(JobState.ACTIVE), counts=counts)
    assert text(status) == [
        f"run {RUN}: detached: the work goes on without a client; can be resumed",
        "demo on target azure, began 2026-01-02T03:04:05Z, last seen 2026-01-02T03:04:05Z",
        "in the service: the job is active; 1 task waiting, 2 running, 3 succeeded, 4 failed",
        "10 tasks: 0 succeeded, 10 not finished",
        f"left: job {RUN} (the work goes on)",
        "run directory: runs/x",
        f"next: batch-run attach {RUN}",
    ]
    value = status_as_json(status)
    assert value["service"] == {
        "job": "active",
        "pool": "p",
        "tasks": {"active": 1, "running": 2, "succeeded": 3, "failed": 4},
        "nodes": None,
        "resize_errors": [],
    }
    assert (value["state"], value["resumable"], value["next"]) == (
        "detached",
        True,
        f"batch-run attach {RUN}",
    )


def test_a_run_that_goes_on_alone_is_told_with_its_pool() -> None:
    pool = PoolStatus(
        state="active",
        allocation_state="steady",
        dedicated_nodes=3,
        spot_nodes=0,
        target_dedicated_nodes=4,
        target_spot_nodes=1,
        resize_errors=("AllocationFailed: no\x1b machines",),
    )
    nodes = tuple(
        NodeStatus(id=name, state=state, start_task_exit_code=None, start_task_failure=None)
        for name, state in (("a", "starttaskfailed"), ("b", "idle"), ("c", "starttaskfailed"))
    )
    status = replace(DETACHED, job=job(JobState.ACTIVE), pool=pool, nodes=nodes)
    assert text(status)[2:5] == [
        "in the service: the job is active",
        "pool: 3 of 5 nodes, steady: 1 idle, 2 starttaskfailed",
        r"the pool is in trouble: AllocationFailed: no\x1b machines",
    ]
    service = status_as_json(status)["service"]
    assert service["nodes"] == {"starttaskfailed": 2, "idle": 1}
    assert service["resize_errors"] == ["AllocationFailed: no\x1b machines"]


def test_a_service_that_cannot_be_asked_is_said_and_the_rest_is_shown() -> None:
    lines = text(replace(DETACHED, unasked="out of reach"))
    assert lines[2] == "the service could not be asked: out of reach"
    assert lines[-1] == f"next: batch-run attach {RUN}"


def test_a_job_that_is_gone_has_no_tasks() -> None:
    lines = text(replace(DETACHED, job=job(JobState.GONE)))
    assert lines[2] == "in the service: the job is gone"


def test_a_run_that_was_broken_off_says_why() -> None:
    error = "Blob Storage is out of reach"
    end = replace(END, exit_code=3, error=error)
    broken = replace(DETACHED, standing=Standing.BROKEN_OFF, report=fold([STARTED, end]))
    assert text(broken)[2] == f"it ended with: {error}"
    assert next_command(broken) == f"batch-run resume {RUN}"


def test_a_run_that_has_ended_needs_nothing() -> None:
    ended = replace(DETACHED, standing=Standing.SUCCEEDED, report=Report())
    assert next_command(ended) is None
    assert not text(ended)[-1].startswith("next")
    step = NextStep(command="batch-run logs 0001", purpose="what it printed")
    both = [
        status_as_text(each, run_directory="runs/x", output_directory="results", steps=(step,))
        for each in (ended, DETACHED)
    ]
    assert both[0].endswith("\nnext:\n  batch-run logs 0001  what it printed")
    assert both[1].endswith(f"\nnext: batch-run attach {RUN}")


def test_a_run_that_is_about_to_begin() -> None:
    lines = text(replace(DETACHED, standing=Standing.DRIVEN, pid=42, report=Report()))
    assert lines == [
        f"run {RUN}: running here by process 42",
        "demo on target azure, began 2026-01-02T03:04:05Z, last seen 2026-01-02T03:04:05Z",
        "nothing was made so far",
        "run directory: runs/x",
        f"next: batch-run attach {RUN}",
    ]


def test_local_services_that_have_ended_are_no_trouble() -> None:
    lines = text(replace(DETACHED, standing=Standing.ABANDONED, rests=True))
    assert lines[2] == (
        "the local services do not run: what has ended is kept, and the rest waits; where they"
        " were killed, what they ran may be at work until the run is resumed"
    )
    # Whoever was interrupted has ended them, and taken away what they had.
    orderly = text(replace(DETACHED, standing=Standing.INTERRUPTED, rests=True))
    assert lines[2] not in orderly
    assert len(orderly) == len(lines) - 1


def test_a_local_run_that_was_left_is_not_said_to_work_once_its_services_have_ended() -> None:
    status = replace(DETACHED, rests=True)
    ended = (
        f"its services have ended: `batch-run attach {RUN}` brings home what is done, which is not"
        " counted below, and goes on with the rest"
    )
    assert text(status) == [
        f"run {RUN}: detached: its services have ended; can be resumed",
        "demo on target azure, began 2026-01-02T03:04:05Z, last seen 2026-01-02T03:04:05Z",
        ended,
        "10 tasks: 0 succeeded, 10 not finished",
        f"left: job {RUN} (kept in the run's directory)",
        "run directory: runs/x",
        f"next: batch-run attach {RUN}",
    ]
    value = status_as_json(status)
    assert (value["rests"], value["left"][0]["why"]) == (True, "kept in the run's directory")
    listed = replace(FAILED, standing=Standing.DETACHED, end=None, rests=True)
    assert runs_as_text([listed]).endswith("detached: its services have ended; can be resumed")
    assert run_as_json(listed)["rests"] is True


def test_nodes_of_a_client_that_died_do_not_count_when_the_run_goes_on() -> None:
    old, new = (NodeChanged(node=name, state="running", previous=None) for name in ("old", "new"))
    report = fold([STARTED, old, replace(STARTED, resumed=True), new])
    assert report.nodes == {"new": "running"}
