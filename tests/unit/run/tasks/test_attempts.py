"""The attempts that are read from what the service shows of a task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.plan.model import TaskId
from runner.run.events import Event
from runner.run.records.journal import Journal
from runner.run.services import TaskState, TaskStatus
from runner.run.tasks.attempts import Attempts
from runner.run.tasks.ledger import Ledger
from tests.fakes.plans import RUN
from tests.fakes.services import NOW

TASK = TaskId("1")


class Scene:
    """The attempts of one task, seen one after the other."""

    def __init__(self, folder: Path, history: tuple[Event, ...] = ()) -> None:
        self.lines: list[dict[str, Any]] = []
        self.events: list[Event] = []
        self.spot: dict[str | None, bool | None] = {"spot": True, "dedicated": False}
        self.journal = Journal(folder, run=RUN, clock=lambda: NOW, listener=self._hear)
        self.ledger = Ledger(self.journal)
        self.ledger.restore(history)
        self.attempts = Attempts(self.journal, self.ledger, was_taken=self.spot.get)

    def _hear(self, event: Event, line: bytes) -> None:
        self.events.append(event)
        self.lines.append(json.loads(line))

    def note(self, status: TaskStatus) -> bool:
        """Whether the task's last attempt has just ended."""
        return bool(self.attempts.note_all([status]))

    def retried(self) -> list[tuple[Any, ...]]:
        return [
            (line["attempt"], line["retries"], line["cause"], line["node"], line["at"])
            for line in self.lines
            if line["type"] == "task.retried"
        ]

    def started(self) -> list[tuple[int, str]]:
        return [
            (line["attempt"], line["node"]) for line in self.lines if line["type"] == "task.started"
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.journal.close()


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def text(seconds: int) -> str:
    return f"2026-01-02T03:04:{5 + seconds:02}.000000Z"


def running(since: float, node: str = "spot", **more: Any) -> TaskStatus:
    status = TaskStatus(
        id=TASK,
        state=TaskState.RUNNING,
        changed=at(since),
        node_id=node,
        started=at(since),
        ended=None,
        exit_code=None,
        succeeded=None,
        retry_count=0,
        failure=None,
    )
    return replace(status, **more)


def completed(when: float, *, started: float, **more: Any) -> TaskStatus:
    return replace(
        running(started, **more),
        state=TaskState.COMPLETED,
        changed=at(when),
        ended=at(when),
        exit_code=1,
        succeeded=False,
    )


def test_retries_of_the_service(scene: Scene) -> None:
    assert not scene.note(running(1))
    assert not scene.note(running(3, retry_count=1, retried=at(2)))
    end = completed(9, started=8, retry_count=3, retried=at(7))
    assert scene.note(end)
    assert not scene.note(end)
    assert scene.retried() == [
        (1, 1, "exit_code", "spot", text(2)),
        # Nobody looked while the third one ran.
        (2, 2, "exit_code", "spot", None),
        (3, 3, "exit_code", None, text(7)),
    ]
    assert scene.started() == [(1, "spot"), (2, "spot"), (4, "spot")]
    assert scene.attempts.counted(end) == replace(end, attempts=4)


def test_a_preemption_is_no_retry(scene: Scene) -> None:
    scene.note(running(1))
    scene.note(running(5, requeue_count=1, requeued=at(3)))
    end = completed(9, started=5, requeue_count=1, requeued=at(3))
    assert scene.note(end)
    assert scene.retried() == [(1, 0, "preemption", "spot", text(3))]
    assert scene.attempts.preempted == [TASK]
    counted = scene.attempts.counted(end)
    assert (counted.attempts, counted.retry_count) == (2, 0)


def test_a_node_that_went_otherwise(scene: Scene) -> None:
    scene.note(running(1, "dedicated"))
    scene.note(running(5, "dedicated", requeue_count=1, requeued=at(3)))
    assert scene.retried() == [(1, 0, "requeue", "dedicated", text(3))]
    assert scene.attempts.preempted == []


def test_a_node_that_nobody_saw_counts_as_what_all_are(scene: Scene) -> None:
    scene.note(running(5, requeue_count=1, requeued=at(3)))
    assert scene.retried() == [(1, 0, "requeue", None, text(3))]
    scene.spot[None] = True
    scene.note(running(9, requeue_count=2, requeued=at(8), node="other"))
    assert scene.retried()[1:] == [(2, 0, "preemption", "spot", text(8))]


def test_retries_and_requeues_between_two_looks_are_in_order(scene: Scene) -> None:
    scene.note(running(1))
    scene.note(running(9, retry_count=1, retried=at(3), requeue_count=1, requeued=at(6)))
    assert [each[2] for each in scene.retried()] == ["exit_code", "requeue"]


@pytest.mark.parametrize(
    ("status", "is_another"),
    [
        (running(1), False),
        (running(2), True),
        (running(1, "dedicated"), True),
        (completed(4, started=3), False),
        (completed(40, started=30), True),
        (completed(4, started=1, node="dedicated"), True),
    ],
)
def test_an_attempt_that_the_service_did_not_count(
    scene: Scene, status: TaskStatus, is_another: bool
) -> None:
    scene.note(running(1))
    scene.note(status)
    expected = [(1, 0, "preemption", "spot", None)] if is_another else []
    assert scene.retried() == expected
    assert len(scene.started()) == 1 + is_another


def test_why_a_dedicated_node_was_left_nobody_says(scene: Scene) -> None:
    scene.note(running(1, "dedicated"))
    scene.note(running(5, "spot"))
    assert scene.retried() == [(1, 0, None, "dedicated", None)]


def test_a_task_that_is_run_again_by_us_ends_again(scene: Scene) -> None:
    first = completed(4, started=1, retry_count=2)
    assert scene.note(first)
    scene.ledger.record(TASK, cause="timeout", node="spot", started=at(1), at=at(4), due=at(9))
    scene.attempts.reopen(first)
    assert not scene.note(first)
    assert not scene.note(running(10))
    assert scene.note(completed(12, started=10))
    assert scene.started() == [(3, "spot"), (4, "spot")]


def test_what_the_journal_knows_is_not_told_again(tmp_path: Path) -> None:
    before = Scene(tmp_path)
    before.note(running(1))
    before.note(running(3, retry_count=1, retried=at(2)))
    before.spot[None] = True
    before.note(running(8, retry_count=1, requeue_count=2, retried=at(2), requeued=at(7)))
    before.journal.close()
    assert len(before.retried()) == 3
    after = Scene(tmp_path, tuple(before.events))
    after.note(running(8, retry_count=1, requeue_count=2, requeued=at(7)))
    assert after.retried() == []
    assert after.started() == [(4, "spot")]
    assert after.attempts.preempted == [TASK]
    after.note(running(12, retry_count=2, requeue_count=2, retried=at(11)))
    assert after.retried() == [(4, 2, "exit_code", "spot", text(11))]
    after.journal.close()
