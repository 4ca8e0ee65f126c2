"""What all tasks of a run print, where its services end before all of it was read."""

from __future__ import annotations

from pathlib import Path

from runner.cli.following_logs import follow_run
from runner.cli.log_output import Prefixed
from runner.cli.task_logs import Asked
from runner.cli.world import World
from runner.connect import Services
from runner.errors import ServiceUnreachableError
from runner.plan.model import TaskId
from runner.remote.endurance import Endurance
from runner.run.clock import Clock
from runner.run.events import Event, TaskAdded, TaskStarted
from runner.run.records.journal import Journal
from runner.run.records.record import RunRecord, record_as_json
from runner.run.stop import Stop
from tests.fakes.plans import RUN
from tests.fakes.records import RECORD
from tests.fakes.services import NOW, FakeBatch, FakeBlobs
from tests.unit.cli.worlds import make_world

TASK = TaskId("0002")


def ignore(event: Event, line: object) -> None:
    """Nobody listens."""


def test_services_that_end_too_early_are_told(tmp_path: Path) -> None:
    directory = tmp_path / RUN
    directory.mkdir()
    (directory / "run.json").write_text(record_as_json(RECORD))
    journal = Journal(directory, run=RUN, clock=lambda: NOW, listener=ignore)
    journal.record(TaskAdded(task=TASK, item="b.txt"))
    journal.record(TaskStarted(task=TASK, node="node-1", at=NOW))
    journal.close()
    blobs = FakeBlobs()
    batch = FakeBatch(blobs)
    batch.files[TASK, "stdout.txt"] = b"one\ntw"
    world, stdout, stderr = make_world(tmp_path)

    def end(stop: Stop, seconds: float) -> None:
        """More is printed, and the services end before it is read."""
        batch.files[TASK, "stdout.txt"] = b"one\ntwo\n"

        def fail(operation: str) -> None:
            raise ServiceUnreachableError("Azure Batch is out of reach")

        batch.fail = fail

    def open_services(record: RunRecord, directory: Path, world: World) -> Services:
        endurance = Endurance(clock=lambda: NOW, monotonic=lambda: 0.0, pause=lambda seconds: None)
        return Services(target="local", batch=batch, blobs=blobs, endurance=endurance)

    world.clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, wait=end)
    asked = Asked(streams=("stdout",), output=Prefixed(world))
    follow_run(directory, asked, world, Stop(), open_services=open_services)
    assert stdout.content == b"0002 | one\n0002 | tw\n"
    assert stderr.getvalue() == (
        "the end of what 1 task printed is not there any more: `run --logs all` brings home what"
        " all tasks print\n"
    )
