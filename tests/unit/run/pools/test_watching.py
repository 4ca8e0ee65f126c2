"""Which nodes were taken back, of those that have lost tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from runner.run.clock import Clock
from runner.run.pools.watching import PoolWatch
from runner.run.records.journal import Journal
from runner.run.services import NodeStatus
from runner.run.stop import Stop
from tests.fakes.plans import RUN
from tests.fakes.services import NOW, FakeBatch, FakeBlobs

SPOT = NodeStatus(
    id="spot",
    state="running",
    start_task_exit_code=None,
    start_task_failure=None,
    is_dedicated=False,
)
OWN = replace(SPOT, id="own", is_dedicated=True)


class Scene:
    """A pool whose nodes a test changes."""

    def __init__(self, journal: Journal) -> None:
        self.batch = FakeBatch(FakeBlobs())
        self.batch.job = object()  # type: ignore[assignment]  # only its being there is asked for
        self.watch = PoolWatch(
            job_id=RUN,
            pool_id="p",
            batch=self.batch,
            journal=journal,
            foreign_pool=False,
            has_preparation=False,
            lease=None,
            clock=Clock(
                now=lambda: datetime.now(timezone.utc), monotonic=lambda: 0.0, wait=Stop.wait
            ),
            tell=lambda line: None,
        )

    def look(self, *nodes: NodeStatus) -> None:
        self.batch.nodes = nodes
        self.watch.look()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    journal = Journal(tmp_path, run=RUN, clock=lambda: NOW, listener=lambda event, line: None)
    yield Scene(journal)
    journal.close()


@pytest.mark.parametrize(
    ("state", "was_taken"),
    [
        ("preempted", True),
        ("starting", True),
        ("running", True),
        ("unusable", False),
        ("rebooting", False),
        ("reimaging", False),
        ("leavingpool", False),
    ],
)
def test_a_spot_node_was_taken_unless_it_shows_another_reason(
    scene: Scene, state: str, *, was_taken: bool
) -> None:
    scene.look(SPOT, OWN)
    scene.batch.nodes = (replace(SPOT, state=state), OWN)
    scene.watch.doubt_nodes()
    assert scene.watch.was_taken("spot") is was_taken
    assert scene.watch.was_taken("own") is False


def test_nodes_are_asked_for_once_a_look(scene: Scene) -> None:
    scene.look(SPOT)
    scene.watch.doubt_nodes()
    assert scene.watch.was_taken("spot") is True
    scene.batch.nodes = (replace(SPOT, state="unusable"),)
    assert scene.watch.was_taken("spot") is True
    scene.watch.doubt_nodes()
    assert scene.watch.was_taken("spot") is False


def test_a_node_that_is_gone_was_taken(scene: Scene) -> None:
    scene.look(SPOT)
    scene.batch.nodes = ()
    scene.watch.doubt_nodes()
    assert scene.watch.was_taken("spot") is True


def test_of_a_node_that_was_never_seen_all_are_asked_about(scene: Scene) -> None:
    assert scene.watch.was_taken(None) is None
    scene.look(SPOT)
    assert scene.watch.was_taken(None) is True
    scene.look(SPOT, replace(SPOT, id="other", state="unusable"))
    assert scene.watch.was_taken(None) is False
    scene.look(SPOT, OWN)
    assert scene.watch.was_taken(None) is None
