"""What a report tells of attempts that were followed by others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from runner.report.as_json import report_as_json
from runner.report.digest import digest
from runner.report.fold import fold
from runner.run.events import Event, RunStarted, TaskRetried, TaskStarted
from tests.fakes.ends import end_of

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SECOND = TaskRetried(
    task="2", retries=1, attempt=1, cause="exit_code", exit_code=7, node="n1", at=MOMENT
)
EVENTS: tuple[Event, ...] = (
    RunStarted(workload="demo", target="azure", tasks=2, files=0, bytes=0),
    TaskStarted(task="1", node="n1", at=MOMENT),
    TaskRetried(task="1", retries=0, cause="preemption", node="n1"),
    TaskStarted(task="1", node="n1", at=MOMENT, attempt=2),
    TaskStarted(task="2", node="n2", at=MOMENT),
    SECOND,
    replace(SECOND, retries=2, attempt=2, node=None),
    TaskRetried(task="2", retries=2, attempt=3),
    end_of("1", node="n1", started=MOMENT, ended=MOMENT, attempts=2),
    end_of(
        "2",
        item="b",
        node="n2",
        succeeded=False,
        exit_code=7,
        started=MOMENT,
        ended=MOMENT,
        retries=2,
        cause="FailureExitCode",
        message="no",
        attempts=4,
    ),
)


def test_the_text() -> None:
    assert digest(fold(EVENTS), run_directory="runs/1", output_directory="results") == (
        "task 2 failed (b): exit code 7 on node n2 after 3 tries\n"
        "2 tasks: 1 succeeded, 1 failed\n"
        "4 more attempts: 2 after an exit code, 1 after a preemption, 1 after an unknown cause\n"
        "what is left in the services was not checked\n"
        "run directory: runs/1"
    )


def test_the_data() -> None:
    report = fold(EVENTS)
    assert report.started == 2
    value = report_as_json(report, run="demo-1")
    assert value["retries"] == 4
    assert value["retry_causes"] == {"preemption": 1, "exit_code": 2, "unknown": 1}
    assert "ended_attempts" not in value
    (failure,) = value["failures"]
    assert failure["attempts"] == 4
    assert [
        (each["attempt"], each["cause"], each["exit_code"], each["node"], each["at"])
        for each in failure["ended_attempts"]
    ] == [
        (1, "exit_code", 7, "n1", "2026-01-02T03:04:05.000000Z"),
        (2, "exit_code", 7, None, "2026-01-02T03:04:05.000000Z"),
        (3, None, None, None, None),
    ]
