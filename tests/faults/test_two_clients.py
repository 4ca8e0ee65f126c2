"""Two clients of one run: one drives, the other says so, and nothing is done twice."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from tests.faults.clients import Client, Home
from tests.faults.disasters import Schedule
from tests.faults.oracle import (
    judge_executions,
    judge_files,
    judge_outputs,
    judge_processes,
    judge_report,
    judge_services,
)
from tests.faults.play import Play
from tests.faults.service import Service, plain_environ
from tests.faults.shapes import Shape, make_shape

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@dataclass(frozen=True)
class Stage:
    """A run of tasks that take some seconds each, and two folders for clients."""

    shape: Shape
    service: Service
    here: Home
    elsewhere: Home
    play: Play

    def run_until(self, event: str, times: int = 1) -> Client:
        """A client that runs, once its journal has so many events of a type."""
        client = self.here.start("run", "spec.yaml", "--output", "out")

        def happened() -> bool:
            return len([e for e in self.here.events() if e["type"] == event]) >= times

        wait_until(happened, f"{times} {event}")
        return client

    def judge(self, home: Home) -> list[str]:
        """What is wrong in the end, where the results come to this folder."""
        directory = home.directory()
        assert directory is not None
        wrong = [
            *judge_outputs(self.shape, home.folder / "out"),
            *judge_executions(self.play),
            *judge_report(self.shape, directory),
            *judge_services(self.service, []),
        ]
        assert self.service.stop() == 0
        wrong += judge_processes(self.play.folder)
        # What a client has left on a machine where it died is there until it is resumed there.
        return wrong + judge_files(self.play.folder) if home is self.here else wrong


def wait_until(condition: Callable[[], bool], what: str, limit_seconds: float = 60.0) -> None:
    """Polls; fails at the deadline."""
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        time.sleep(0.02)


@contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """Everything ends with it."""
    shape = make_shape("gather", Random(7))
    shape = replace(shape, spec=re.sub(r"sleep [\d.]+", "sleep 2", shape.spec))
    environ = plain_environ(folder)
    service = Service(folder / "emulator", environ)
    service.start()
    environ.update(service.client_environ())
    here = Home(folder=folder / "home", environ=environ, logs=folder / "logs-here")
    elsewhere = Home(folder=folder / "elsewhere", environ=environ, logs=folder / "logs-elsewhere")
    here.folder.mkdir()
    elsewhere.folder.mkdir()
    schedule = Schedule(seed=0, shape=shape, target="azure", attempts=())
    counts = folder / "counts"
    shape.write(here.folder, counts)
    play = Play(schedule=schedule, folder=folder, home=here, service=service, counts=counts)
    try:
        yield Stage(shape=shape, service=service, here=here, elsewhere=elsewhere, play=play)
    finally:
        here.end_all()
        elsewhere.end_all()
        service.kill()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A fresh one."""
    with open_stage(tmp_path) as opened:
        yield opened


def test_of_two_that_resume_at_once_one_drives(stage: Stage) -> None:
    first = stage.run_until("task.finished")
    first.kill()
    first.wait()
    clients = [stage.here.start("resume") for _ in range(2)]
    codes = sorted(client.wait() for client in clients)
    assert codes == [0, 2], [client.said() for client in clients]
    (refused,) = (client for client in clients if client.wait() == 2)
    (driver,) = (client for client in clients if client.wait() == 0)
    directory = stage.here.directory()
    assert directory is not None
    assert f"process {driver.process.pid} drives run `{directory.name}`" in refused.said()
    assert stage.judge(stage.here) == []


def test_a_second_client_of_a_run_under_way_is_refused(stage: Stage) -> None:
    first = stage.run_until("task.started")
    second = stage.here.start("resume")
    assert second.wait() == 2
    assert f"process {first.process.pid} drives run" in second.said()
    assert first.wait() == 0, first.said()
    assert stage.judge(stage.here) == []


def test_a_client_elsewhere_makes_nothing_of_a_run_that_ends_meanwhile(stage: Stage) -> None:
    first = stage.run_until("task.started")
    directory = stage.here.directory()
    assert directory is not None
    second = stage.elsewhere.start("resume", "--from-service", directory.name, "--output", "out")
    assert first.wait() == 0, first.said()
    # It was told so while it waited for its turn, or came when nothing was left to be seen.
    assert second.wait() in (2, 3), second.said()
    assert not any(path.is_file() for path in (stage.elsewhere.folder / "out").rglob("*"))
    assert stage.judge(stage.here) == []


def test_a_client_with_a_copy_of_the_directory_does_not_drive_beside_the_first(
    stage: Stage,
) -> None:
    first = stage.run_until("task.started")
    shutil.copytree(stage.here.folder, stage.elsewhere.folder, dirs_exist_ok=True)
    second = stage.elsewhere.start("resume")
    assert first.wait() == 0, first.said()
    assert second.wait() in (0, 3), second.said()
    assert not any(each["type"] == "task.finished" for each in _since(stage.elsewhere))
    assert stage.judge(stage.here) == []


def _since(home: Home) -> list[dict[str, object]]:
    """What the journal says since the run was last taken up there."""
    events = home.events()
    starts = [n for n, each in enumerate(events) if each.get("resumed")]
    return events[starts[-1] :] if starts else []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_client_elsewhere_goes_on_where_the_first_has_died(stage: Stage) -> None:
    first = stage.run_until("task.finished")
    first.kill()
    first.wait()
    directory = stage.here.directory()
    assert directory is not None
    second = stage.elsewhere.start("resume", "--from-service", directory.name, "--output", "out")
    assert second.wait() == 0, second.said()
    assert stage.judge(stage.elsewhere) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_client_that_was_frozen_beyond_its_lease_touches_nothing(stage: Stage) -> None:
    first = stage.run_until("task.started")
    first.send(signal.SIGSTOP)
    directory = stage.here.directory()
    assert directory is not None
    second = stage.elsewhere.start("resume", "--from-service", directory.name, "--output", "out")

    def drives() -> bool:
        return any(each["type"] == "task.finished" for each in stage.elsewhere.events())

    wait_until(drives, "the second client to drive", 200)
    first.send(signal.SIGCONT)
    assert second.wait() == 0, second.said()
    # It was told so, or found the results of all tasks before anything was taken away.
    assert first.wait() in (0, 3), first.said()
    if first.wait() == 0:
        assert judge_outputs(stage.shape, stage.here.folder / "out") == []
    assert stage.judge(stage.elsewhere) == []
