"""What start tasks print, followed from before there is a node to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.cli.log_output import Json, LogOutput, Prefixed
from runner.cli.looking import NotThereError
from runner.cli.start_task_logs import show_start_tasks
from runner.cli.task_logs import Asked, Opening
from runner.cli.world import World
from runner.connect import Services
from runner.errors import UsageError
from runner.remote.endurance import Endurance
from runner.run.clock import Clock
from runner.run.events import Event, JobCreated, NodeChanged, StartTaskFailed
from runner.run.pools.node_logs import MOST_BYTES, START_TASK, node_log_path
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
        self.world, self.stdout, self.stderr = make_world(folder)
        self.world.clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, wait=self.wait)

    def wait(self, stop: Stop, seconds: float) -> None:
        self.steps.pop(0)()

    def make_job(self) -> None:
        self.record(JobCreated(job=RUN, pool="pool-1"))

    def record(self, *events: Event) -> None:
        journal = Journal(self.directory, run=RUN, clock=lambda: NOW, listener=ignore)
        journal.record(*events)
        journal.close()

    def keep(self, node: str, log: bytes) -> None:
        path = node_log_path(self.directory, START_TASK, node, "stdout")
        path.parent.mkdir(parents=True)
        path.write_bytes(log)

    def see(self, state: str, log: bytes) -> None:
        self.batch.nodes, self.batch.start_task_log = (node(state),), log

    def open(self, record: RunRecord, directory: Path, world: World) -> Services:
        endurance = Endurance(clock=lambda: NOW, monotonic=lambda: 0.0, pause=lambda seconds: None)
        blobs = self.batch.blobs
        return Services(target="azure", batch=self.batch, blobs=blobs, endurance=endurance)

    def leave(self, record: RunRecord, directory: Path, world: World) -> Services:
        raise NotThereError("its services have ended", hint=None)

    def follow(self) -> bytes:
        self.show(Prefixed(self.world), follow=Stop(), opening=self.open)
        return self.stdout.content

    def show(self, output: LogOutput, *, follow: Stop | None, opening: Opening) -> None:
        show_start_tasks(
            self.directory,
            Asked(streams=("stdout",), output=output),
            self.world,
            node=None,
            follow=follow,
            open_services=opening,
        )


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


def test_a_log_is_followed_however_long_it_becomes(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.make_job()
    lines = [b"%06d %s\n" % (number, b"." * 92) for number in range(24_000)]
    parts = [b"".join(lines[:most]) for most in (10, 12_000, 24_000)]
    scene.see("waitingforstarttask", parts[0])
    scene.steps = [
        lambda: scene.see("waitingforstarttask", parts[1]),
        lambda: scene.see("idle", parts[2]),
    ]
    with drive(scene.directory):
        shown = scene.follow()
    assert shown == b"".join(b"n1 | " + line for line in lines)


def test_of_a_long_log_that_is_there_the_end_is_shown_where_it_is(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.make_job()
    scene.see("idle", b"." * 500_000 + b"a" * MOST_BYTES)
    scene.show(Json(scene.world, RUN, what="node"), follow=None, opening=scene.open)
    (piece,) = map(json.loads, scene.stdout.content.splitlines())
    assert (piece["offset"], piece["text"]) == (500_000, "a" * MOST_BYTES)


def test_what_a_start_task_printed_at_last_is_read_where_it_was_kept(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.make_job()
    scene.see("waitingforstarttask", b"one\n")

    def fail() -> None:
        scene.keep("n1", b"one\ntwo\n")
        scene.keep("n2", b"three\n")
        scene.batch.nodes = ()

    scene.steps = [fail]
    assert scene.follow() == b"n1 | one\nn1 | two\nn2 | three\n"


@pytest.mark.parametrize(
    ("good", "kept", "cut", "told"),
    [
        (0, 1, 0, ""),
        (1, 1, 0, "of 1 node whose start task did not fail nothing is kept\n"),
        (
            2,
            1,
            2,
            (
                "of 2 nodes whose start task did not fail nothing is kept\n"
                "of 2 more nodes where it failed only the end is kept:"
                f" `batch-run events {RUN} --type start_task.failed` has it\n"
            ),
        ),
    ],
)
def test_what_is_not_kept_is_told_by_what_became_of_the_nodes(
    tmp_path: Path, good: int, kept: int, cut: int, told: str
) -> None:
    scene = Scene(tmp_path)
    scene.make_job()
    for number in range(good + kept + cut):
        node = f"n{number}"
        scene.record(NodeChanged(node=node, state="starting", previous=None))
        if number >= good:
            scene.record(StartTaskFailed(node=node, exit_code=4, message=None, stderr_tail="no"))
        if good <= number < good + kept:
            scene.keep(node, b"no\n")
    scene.show(Prefixed(scene.world), follow=None, opening=scene.leave)
    assert scene.stdout.content == b"".join(b"n%d | no\n" % (good + each) for each in range(kept))
    assert scene.stderr.getvalue() == told
