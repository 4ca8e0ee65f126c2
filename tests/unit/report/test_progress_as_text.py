"""A run that goes, in some lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.report.as_text import format_rate
from runner.report.fold import Report, fold
from runner.report.pace import Pace
from runner.report.progress_as_text import progress_as_text
from runner.run.events import (
    Event,
    JobCreated,
    NodeChanged,
    PoolChanged,
    RunStarted,
    TaskAdded,
    TaskStarted,
    UploadFinished,
)

STARTED = RunStarted(workload="demo", target="azure", tasks=1_000, files=3, bytes=9, left_out=10)
UP = UploadFinished(role="input", blob="a", bytes=5)
JOB = JobCreated(job="j", pool="p")
POOL = PoolChanged(
    pool="p",
    allocation="resizing",
    dedicated=0,
    spot=1,
    target_dedicated=0,
    target_spot=3,
    errors=(),
)
ADDED = TaskAdded(task="0001", item="a")


def shown(*events: Event, running: int = 0, pace: Pace | None = None) -> list[str]:
    return list(progress_as_text(fold([STARTED, *events]), running=running, pace=pace))


def test_a_run_that_has_not_begun_has_no_progress() -> None:
    assert list(progress_as_text(Report(), running=0, pace=None)) == []


def test_each_part_of_a_run() -> None:
    starting = NodeChanged(node="n", state="starting", previous=None)
    numbers = "1 of 3 files up, 0 of 990 tasks done, 0 running"
    assert shown(UP) == [f"now: inputs go up; {numbers}"]
    assert shown(UP, JOB, POOL, ADDED) == [
        f"now: waiting for nodes; {numbers}",
        "pool: 1 of 3 nodes, resizing",
    ]
    idle = replace(starting, node="m", state="idle")
    assert shown(UP, JOB, POOL, ADDED, starting, idle) == [
        f"now: waiting for the first task; {numbers}",
        "pool: 1 of 3 nodes, resizing: 1 idle, 1 starting",
    ]


def test_how_fast_it_goes() -> None:
    pace = Pace(window=60, least_seconds=2)
    pace.note(0, 0)
    pace.note(60, 30)
    began = TaskStarted(task="0001", node="n", at=None)
    assert shown(UP, JOB, began, running=1, pace=pace)[0] == (
        "now: tasks run; 1 of 3 files up, 0 of 990 tasks done, 1 running, 30/min, about"
        " 33m 00s left"
    )


def test_a_pool_in_trouble_says_so_without_steering_the_terminal() -> None:
    assert shown(replace(POOL, errors=("AllocationFailed: no\x1b[2J",)))[1:] == [
        "pool: 1 of 3 nodes, resizing",
        "the pool is in trouble: AllocationFailed: no\\x1b[2J",
    ]


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (1_500, "1,500/s"),
        (3.21, "3.2/s"),
        (0.5, "30/min"),
        (0.02, "1.2/min"),
        (0.01, "36/h"),
        (0.0001, "0.4/h"),
    ],
)
def test_rates(rate: float, words: str) -> None:
    assert format_rate(rate) == words
