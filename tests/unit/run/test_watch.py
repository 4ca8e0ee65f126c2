"""What a look at the services finds, and how often one is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.plan.model import TaskId
from runner.run.clock import Clock
from runner.run.records.journal import Journal
from runner.run.services import JobState, NodeStatus, TaskState, TaskStatus
from runner.run.stop import Stop
from runner.run.watch import Watch
from tests.fakes.plans import RUN
from tests.fakes.services import NOW, FakeBatch, FakeBlobs


class Scene:
    """A watch over tasks that the test moves, on a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.passed = 0.0
        self.batch = FakeBatch(FakeBlobs())
        self.batch.pools.add("pool")
        self.batch.job_state = JobState.ACTIVE
        self.batch.job = object()  # type: ignore[assignment]  # only its being there is asked for
        self.events: list[dict[str, Any]] = []
        self.sinces: list[datetime | None] = []
        self.journal = Journal(
            folder,
            run=RUN,
            clock=lambda: NOW,
            listener=lambda event, line: self.events.append(json.loads(line)),
        )
        scene = self

        class Listing(FakeBatch):
            def task_changes(self, job_id: str, since: datetime | None) -> Iterator[TaskStatus]:
                scene.sinces.append(since)
                return super().task_changes(job_id, since)

        self.batch.__class__ = Listing
        self.watch = Watch(
            job_id="job",
            pool_id="pool",
            batch=self.batch,
            journal=self.journal,
            clock=Clock(
                now=lambda: NOW,
                monotonic=lambda: self.passed,
                wait=Stop.wait,
            ),
            is_ours=lambda task: task.isdigit(),
        )

    def put(self, number: int, state: TaskState, *, after: float, retries: int = 0) -> None:
        """A task in this state since so many seconds after the start."""
        task = TaskId(f"{number:04}")
        self.batch.tasks[task] = TaskStatus(
            id=task,
            state=state,
            changed=NOW + timedelta(seconds=after),
            node_id="node-1",
            started=NOW,
            ended=None,
            exit_code=0 if state is TaskState.COMPLETED else None,
            succeeded=True if state is TaskState.COMPLETED else None,
            retry_count=retries,
            failure=None,
        )

    def look(self) -> list[str]:
        return [status.id for status in self.watch.look()]

    def seen(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.journal.close()


def test_a_task_ends_once(scene: Scene) -> None:
    scene.put(1, TaskState.RUNNING, after=1)
    assert scene.look() == []
    scene.put(1, TaskState.COMPLETED, after=2)
    assert scene.look() == ["0001"]
    assert scene.look() == []
    assert [event["task"] for event in scene.seen("task.started")] == ["0001"]


def test_a_task_that_was_never_seen_running(scene: Scene) -> None:
    scene.put(1, TaskState.COMPLETED, after=1)
    assert scene.look() == ["0001"]
    assert [event["task"] for event in scene.seen("task.started")] == ["0001"]


def test_retries_are_told(scene: Scene) -> None:
    scene.put(1, TaskState.RUNNING, after=1)
    scene.look()
    scene.put(1, TaskState.RUNNING, after=2, retries=2)
    scene.look()
    told = scene.seen("task.retried")
    assert [(event["attempt"], event["retries"], event["cause"]) for event in told] == [
        (1, 1, "exit_code"),
        (2, 2, "exit_code"),
    ]


def test_only_changes_are_asked_for_but_now_and_then_all(scene: Scene) -> None:
    scene.put(1, TaskState.RUNNING, after=10)
    scene.look()
    scene.look()
    scene.passed = 61
    scene.look()
    scene.look()
    scene.passed = 62
    scene.look()
    latest = NOW + timedelta(seconds=10)
    assert scene.sinces == [
        None,
        latest - timedelta(seconds=0.05),
        None,
        latest - timedelta(seconds=61 / 10 / 8),
        latest - timedelta(seconds=62 / 10 / 8),
    ]


def test_a_change_with_an_early_time_is_found_in_the_end(scene: Scene) -> None:
    scene.put(1, TaskState.COMPLETED, after=100)
    assert scene.look() == ["0001"]
    scene.put(2, TaskState.COMPLETED, after=3)
    assert scene.look() == []
    scene.passed = 61
    assert scene.look() == ["0002"]


def test_nodes_are_told_when_they_change(scene: Scene) -> None:
    scene.look()
    scene.look()
    node = NodeStatus(
        id="node-1", state="running", start_task_exit_code=None, start_task_failure=None
    )
    scene.batch.nodes = (node, replace(node, id="node-2"))
    scene.passed = 1
    scene.look()
    assert [(event["node"], event["previous"]) for event in scene.seen("node.changed")] == [
        ("node-1", None),
        ("node-1", "idle"),
        ("node-2", None),
    ]
    assert len(scene.seen("pool.changed")) == 2


def test_the_pool_is_left_alone_while_tasks_run(scene: Scene) -> None:
    for passed in range(3):
        scene.passed = passed
        scene.look()
    assert scene.batch.log.count("job status") == 3
    scene.put(1, TaskState.RUNNING, after=3)
    for passed in range(3, 30):
        scene.passed = passed
        scene.look()
    # One more finds the first task, one sees its node, the next is soon, then it is every nine
    # seconds or more.
    assert scene.batch.log.count("job status") == 6


def test_nodes_are_seen_as_soon_as_tasks_are(scene: Scene) -> None:
    """All may have ended at the look after the next."""
    scene.look()
    scene.put(1, TaskState.RUNNING, after=0)
    scene.passed = 0.1
    scene.look()
    scene.batch.nodes = (
        NodeStatus(
            id="node-9", state="running", start_task_exit_code=None, start_task_failure=None
        ),
    )
    scene.passed = 0.2
    scene.look()
    changes = [(event["node"], event["state"]) for event in scene.seen("node.changed")]
    assert changes == [("node-1", "idle"), ("node-9", "running"), ("node-1", "gone")]


def test_of_a_node_is_told_since_when_it_is_paid_for_as_what_and_that_it_is_gone(
    scene: Scene,
) -> None:
    spot = NodeStatus(
        id="node-9",
        state="starting",
        start_task_exit_code=None,
        start_task_failure=None,
        is_dedicated=False,
        allocated=NOW,
    )
    scene.batch.nodes = (spot,)
    scene.look()
    scene.batch.nodes = ()
    scene.passed = 60
    scene.look()
    scene.passed = 120
    scene.look()
    keys = ("node", "state", "previous", "dedicated", "allocated")
    assert [tuple(event[key] for key in keys) for event in scene.seen("node.changed")] == [
        ("node-9", "starting", None, False, "2026-01-02T03:04:05.000000Z"),
        ("node-9", "gone", "starting", False, None),
    ]


def test_the_last_tasks_are_looked_for_when_they_may_have_ended(scene: Scene) -> None:
    scene.look()
    scene.passed = 100
    for number in range(1, 91):
        scene.put(number, TaskState.COMPLETED, after=number)
    assert len(scene.look()) == 90
    pauses = [scene.watch.pause_seconds(left=left) for left in (1_000, 9, 0)]
    assert pauses == [10.0, 5.0, 0.3]
    scene.passed = 120
    assert scene.watch.pause_seconds(left=1) == 4.0


def test_pauses_of_a_short_run_are_no_longer_than_it_was_until_then(scene: Scene) -> None:
    """What has ended comes home while others run, and nobody asks again and again at the end."""
    pauses = []
    for number, passed in enumerate((0.1, 0.6, 1.2, 8, 25), start=1):
        scene.passed = passed
        scene.put(number, TaskState.COMPLETED, after=passed)
        scene.look()
        pauses.append([scene.watch.pause_seconds(left=left) for left in (1_000, 0)])
    assert pauses == [[0.5, 0.05], [0.6, 0.05], [1.2, 0.05], [2.0, 0.25], [5.0, 0.3]]


def test_all_tasks_are_read_every_ten_minutes_of_a_run_of_days(scene: Scene) -> None:
    """What has reached the list too late for all else is found then."""
    scene.put(1, TaskState.RUNNING, after=0)
    for passed in (0, 100_000, 100_599):
        scene.passed = passed
        scene.look()
    assert scene.sinces[-1] is not None
    scene.passed = 100_601
    scene.look()
    assert scene.sinces[-1] is None


def test_a_late_change_is_found_once_nothing_else_changes(scene: Scene) -> None:
    scene.put(1, TaskState.COMPLETED, after=100)
    assert scene.look() == ["0001"]
    scene.passed = 1
    scene.put(2, TaskState.COMPLETED, after=98.5)
    assert scene.look() == ["0002"]


def test_pauses_grow_with_the_run(scene: Scene) -> None:
    pauses = []
    for passed in (0, 1, 20, 100, 1_000):
        scene.passed = passed
        pauses.append(scene.watch.pause_seconds(left=1))
    assert pauses == [0.05, 0.2, 2.0, 10.0, 10.0]
