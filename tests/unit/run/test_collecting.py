"""Tasks on their way home: each is counted once, whatever becomes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runner.errors import ServiceRefusedError
from runner.plan.model import TaskId
from runner.run.collecting import Collecting
from runner.run.homecoming import Homecoming
from runner.run.records.journal import Journal
from runner.run.services import TaskState, TaskStatus
from runner.run.tasks.window import Window
from runner.run.transfers.outputs import Collector
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.services import NOW, FakeBlobs

FILES = tuple(f"{number:02}.txt" for number in range(80))


class Scene:
    def __init__(self, folder: Path) -> None:
        plan = make_plan(folder, SPEC, FILES)
        names = [name.replace(".txt", ".out") for name in FILES]
        # The last ten have left nothing.
        contents = {name: name.encode() for name in names[:-10]}
        self.blobs = FakeBlobs(containers={f"{RUN}-output": contents, f"{RUN}-logs": {}})
        (folder / "run").mkdir()
        self.told: list[str] = []
        self.journal = Journal(
            folder / "run",
            run=RUN,
            clock=lambda: NOW,
            listener=lambda event, line: self.told.append(event.type),
        )
        collector = Collector(
            plan,
            window=Window(plan),
            blobs=self.blobs,
            journal=self.journal,
            output_directory=folder / "results",
            all_logs=False,
        )
        self.heard = threading.Event()
        self.home = Homecoming(succeeded=0, failed=0)
        self.collecting = Collecting(collector, self.home, hear=self.heard.set)

    def collect(self, *numbers: int) -> None:
        for number in numbers:
            self.collecting.collect(
                TaskStatus(
                    id=TaskId(f"{number:04}"),
                    state=TaskState.COMPLETED,
                    changed=NOW,
                    node_id="node-1",
                    started=NOW,
                    ended=NOW,
                    exit_code=0,
                    succeeded=True,
                    retry_count=0,
                    failure=None,
                )
            )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.collecting.close()
    scene.journal.close()


def test_all_come_home_and_those_that_left_nothing_have_failed(scene: Scene) -> None:
    scene.collect(*range(1, 81))
    assert scene.home.wait(60)
    scene.home.check()
    assert (scene.home.succeeded, scene.home.failed, scene.home.errors) == (70, 10, [])
    assert scene.told.count("output.downloaded") == 70
    assert scene.told.count("task.finished") == 80
    assert scene.heard.is_set()


def test_what_the_services_refuse_is_remembered_and_the_rest_goes_on(scene: Scene) -> None:
    refusal = ServiceRefusedError("not authorised", code="AuthorizationFailure")

    def fail(operation: str, name: str) -> None:
        if name.endswith("/03.out"):
            raise refusal

    scene.blobs.fail = fail
    scene.collect(*range(1, 11))
    assert scene.home.wait(60)
    scene.home.check()
    assert (scene.home.succeeded, scene.home.failed, scene.home.errors) == (9, 1, [refusal])
    assert scene.told.count("task.finished") == 10


def test_a_bug_is_raised_where_the_run_is_driven(scene: Scene) -> None:
    def fail(operation: str, name: str) -> None:
        raise ZeroDivisionError

    scene.blobs.fail = fail
    scene.collect(1)
    assert scene.home.wait(60)
    with pytest.raises(ZeroDivisionError):
        scene.home.check()


def test_what_is_not_begun_is_not_expected_any_more(scene: Scene) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def wait(operation: str, name: str) -> None:
        begun.release()
        assert go_on.wait(60)

    scene.blobs.fail = wait
    scene.collect(*range(1, 41))
    for _ in range(16):
        assert begun.acquire(timeout=60)
    scene.collecting.cancel()
    assert not scene.home.wait(0)
    go_on.set()
    assert scene.home.wait(60)
    assert scene.home.succeeded == scene.told.count("task.finished") == 16


def test_ends_that_are_only_told_count_in_their_turn(scene: Scene) -> None:
    scene.collecting.tell(lambda: 7)
    assert scene.home.wait(60)
    assert (scene.home.succeeded, scene.home.failed) == (0, 7)


class SlowDisk:
    """Fetches eight files of each task at once; its first landing ends when it is told to."""

    at_once = 16

    def __init__(self) -> None:
        self.fetched = 0
        self.landed: list[int] = []
        self.is_free = threading.Event()
        self._lock = threading.Lock()

    def collect(self, _status: TaskStatus) -> SimpleNamespace:
        with self._lock:
            self.fetched += 1
        return SimpleNamespace(files=[None] * 8)

    def land(self, hauls: list[SimpleNamespace]) -> list[bool]:
        assert self.is_free.wait(60)
        self.landed.append(sum(len(haul.files) for haul in hauls))
        return [True] * len(hauls)

    def close(self) -> None:
        """It holds nothing."""


def test_tasks_with_many_files_have_only_some_of_them_open() -> None:
    """Each file is open until it lands, and a system allows a process so many."""
    disk, home = SlowDisk(), Homecoming(succeeded=0, failed=0)
    collecting = Collecting(cast("Any", disk), home, hear=lambda: None)
    status = TaskStatus(
        id=TaskId("0001"),
        state=TaskState.COMPLETED,
        changed=NOW,
        node_id=None,
        started=NOW,
        ended=NOW,
        exit_code=0,
        succeeded=True,
        retry_count=0,
        failure=None,
    )
    for _ in range(100):
        collecting.collect(status)
    deadline = time.monotonic() + 60
    # One lands, seven wait, and each of the other fifteen threads waits with one more.
    while disk.fetched < 1 + 7 + 15:
        assert time.monotonic() < deadline
    disk.is_free.set()
    assert home.wait(60)
    collecting.close()

    assert home.succeeded == 100
    assert sum(disk.landed) == 800
    assert max(disk.landed) <= 32
