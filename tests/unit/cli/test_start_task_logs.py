"""What start tasks print, followed from before there is a node to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.cli.log_output import Prefixed
from runner.cli.start_task_logs import show_start_tasks
from runner.cli.task_logs import Asked
from runner.cli.world import World
from runner.connect import Services
from runner.errors import UsageError
from runner.remote.endurance import Endurance
from runner.run.clock import Clock
from runner.run.events import Event, JobCreated
from runner.run.records.driving import drive
from runner.run.records.journal import Journal
from runner.run.records.record import RunRecord, record_as_json
from runner.run.services import NodeStatus
from runner.run.stop import Stop
from tests.fakes.plans import RUN
from tests.fakes.records import RECORD
from tests.fakes.services import NOW, FakeBatch, FakeBlobs
from tests.unit.cli.worlds import make_world


def node(state: str) -> NodeStatus:
    return NodeStatus(id="n1", state=state, start_task_exit_code=None, start_task_failure=None)


class Scene:
    """A run of which there is nothing yet; each time that somebody waits, a step is done."""

    def __init__(self, folder: Path) -> None:
        self.directory = folder / RUN
        self.directory.mkdir()
        (self.directory / "run.json").write_text(record_as_json(RECORD))
        self.batch = FakeBatch(FakeBlobs())
        self.batch.nodes = ()
        self.steps: list[Callable[[], None]] = []
        self.world, self.stdout, _ = make_world(folder)
        self.world.clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, wait=self.wait)

    def wait(self, stop: Stop, seconds: float) -> None:
        self.steps.pop(0)()

    def make_job(self) -> None:
        journal = Journal(self.directory, run=RUN, clock=lambda: NOW, listener=ignore)
        journal.record(JobCreated(job=RUN, pool="pool-1"))
        journal.close()

    def see(self, state: str, log: bytes) -> None:
        self.batch.nodes, self.batch.start_task_log = (node(state),), log

    def open(self, record: RunRecord, directory: Path, world: World) -> Services:
        endurance = Endurance(clock=lambda: NOW, monotonic=lambda: 0.0, pause=lambda seconds: None)
        blobs = self.batch.blobs
        return Services(target="azure", batch=self.batch, blobs=blobs, endurance=endurance)

    def follow(self) -> bytes:
        show_start_tasks(
            self.directory,
            Asked(streams=("stdout",), output=Prefixed(self.world)),
            self.world,
            node=None,
            follow=Stop(),
            open_services=self.open,
        )
        return self.stdout.content


def ignore(event: Event, line: object) -> None:
    """Nobody listens."""


def test_a_run_that_has_neither_job_nor_node_yet_is_waited_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.steps = [
        scene.make_job,
        lambda: None,
        lambda: scene.see("waitingforstarttask", b"one\ntw"),
        lambda: scene.see("idle", b"one\ntwo\n"),
    ]
    with drive(scene.directory):
        assert scene.follow() == b"n1 | one\nn1 | two\n"
    assert scene.steps == []


def test_a_run_that_ends_without_a_node(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.make_job()
    with pytest.raises(UsageError) as caught:
        scene.follow()
    assert caught.value.message == f"run `{RUN}` has no node whose start task has left a log"
