"""The stages of a run of one task."""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.report.stages import fold_stages
from runner.run.events import (
    CleanupFinished,
    Event,
    JobCreated,
    NodeChanged,
    OutputDownloaded,
    PoolChanged,
    RunStarted,
    TaskAdded,
    TaskFinished,
    TaskStarted,
    UploadFinished,
)
from tests.fakes.ends import end_of
from tests.fakes.services import NOW


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def pool(dedicated: int) -> PoolChanged:
    return PoolChanged(
        pool="p",
        allocation="steady",
        dedicated=dedicated,
        spot=0,
        target_dedicated=1,
        target_spot=0,
        errors=(),
    )


def finished() -> TaskFinished:
    return end_of("1", node="n", started=at(200), ended=at(230))


EVENTS: list[tuple[datetime, Event]] = [
    (at(0), RunStarted(workload="w", target="azure", tasks=1, files=1, bytes=1)),
    (at(2), JobCreated(job="j", pool="p")),
    (at(3), pool(0)),
    (at(5), UploadFinished(role="input", blob="a", bytes=1)),
    (at(6), TaskAdded(task="1", item="a")),
    (at(62), pool(1)),
    (at(64), NodeChanged(node="n", state="starting", previous=None)),
    (at(122), NodeChanged(node="n", state="waitingforstarttask", previous="starting")),
    (at(182), NodeChanged(node="n", state="idle", previous="waitingforstarttask")),
    (at(201), TaskStarted(task="1", node="n", at=at(200))),
    (at(232), finished()),
    (at(240), OutputDownloaded(task="1", role="output", blob="b", path="b", bytes=1)),
    (at(260), CleanupFinished(deleted=(), left=())),
]


def seconds(events: list[tuple[datetime, Event]]) -> dict[str, float | None]:
    return {
        stage.name: None if stage.lasted is None else stage.lasted.total_seconds()
        for stage in fold_stages(events)
    }


def test_each_stage_has_its_time() -> None:
    assert seconds(EVENTS) == {
        "job-made": 2,
        "upload": 5,
        "allocation": 60,
        "boot": 60,
        "start-task": 60,
        "queue": 194,
        "task-time": 30,
        "output": 10,
        "cleanup": 20,
    }


def test_nodes_without_a_start_task_have_no_such_stage() -> None:
    at_once = NodeChanged(node="n", state="idle", previous="starting")
    seen = seconds([*EVENTS[:7], (at(122), at_once), *EVENTS[9:]])
    assert seen["boot"] == 60
    assert "start-task" not in seen


def test_a_run_that_never_got_a_node() -> None:
    assert seconds([*EVENTS[:5], EVENTS[-1]]) == {
        "job-made": 2,
        "upload": 5,
        "allocation": None,
        "queue": None,
        "cleanup": 254,
    }


def test_nothing_has_happened() -> None:
    assert fold_stages(()) == ()
