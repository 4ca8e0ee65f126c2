"""What has ended when a run ends before its time, whatever ended it: it comes home, or is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.errors import (
    BatchRunError,
    ExitCode,
    InterruptedRunError,
    ServiceUnreachableError,
    TransferError,
)
from runner.run.holding import TakenOverError
from runner.run.pools.judging import PoolUnusableError
from runner.run.requests import TaskRequest
from runner.run.services import JobState, TaskFailure
from tests.fakes.plans import RUN, SPEC
from tests.fakes.services import FakeBlobs, TaskEnd
from tests.fakes.stage import Stage

# More than there are collectors.
FILES = tuple(f"film-{number:02}.txt" for number in range(1, 41))
LAST = f"{len(FILES):04}"
KILLED = TaskFailure(
    code="TaskEnded", category="UserError", message="Task Was Ended by User Request"
)
EAGER = SPEC.replace("output: {download: true}", "output: {download: true, delete: after-run}")


@dataclass
class SlowBlobs(FakeBlobs):
    """Downloads of outputs wait until somebody lets them go, or abandons them."""

    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gate: threading.Event = field(default_factory=threading.Event)

    def _note(self, operation: str, name: str) -> None:
        super()._note(operation, name)
        if operation == "download":
            self.begun.release()
            assert self.gate.wait(60)
            if self.abandoned:
                raise TransferError("transfers were abandoned")

    def abandon_transfers(self) -> None:
        super().abandon_transfers()
        self.gate.set()


def stage_of(folder: Path, blobs: FakeBlobs | None = None) -> Stage:
    """A run whose tasks all end at once, but for the last one."""
    stage = Stage(folder, EAGER, FILES)
    if blobs is not None:
        stage.blobs = stage.batch.blobs = blobs

    def end(task: TaskRequest) -> TaskEnd | None:
        is_fed = len(stage.batch.requests) == len(FILES)
        return TaskEnd() if is_fed and task.id != LAST else None

    stage.batch.end = end
    return stage


def told(stage: Stage) -> int:
    """How many tasks are known to have succeeded."""
    return sum(event["succeeded"] for event in stage.of_type("task.finished"))


def at(operation: str, act: Callable[[], None]) -> Callable[[str], None]:
    def fail(asked: str) -> None:
        if asked == operation:
            act()

    return fail


def once_downloading(stage: Stage, blobs: SlowBlobs, error: Exception) -> Callable[[], None]:
    """Raises as soon as outputs are on their way, and lets them go a moment later."""
    threads: list[threading.Timer] = []

    def act() -> None:
        if not stage.batch.tasks or threads:
            return
        assert blobs.begun.acquire(timeout=60)
        threads.append(threading.Timer(0.05, blobs.gate.set))
        threads[0].start()
        raise error

    return act


GONE = PoolUnusableError("the pool has no nodes: AllocationFailed", code="AllocationFailed")


@pytest.mark.parametrize(
    ("error", "code"),
    [(GONE, GONE.exit_code), (ValueError("a slip"), ExitCode.BUG)],
    ids=["pool", "bug"],
)
def test_what_has_ended_comes_home_before_the_job_goes(
    tmp_path: Path, error: Exception, code: ExitCode
) -> None:
    blobs = SlowBlobs()
    stage = stage_of(tmp_path, blobs)
    stage.batch.fail = at("look", once_downloading(stage, blobs, error))
    outcome = stage.execute()
    assert outcome.exit_code == code
    assert told(stage) == len(FILES) - 1
    assert len(list((tmp_path / "results" / "output").iterdir())) == len(FILES) - 1
    assert stage.batch.job is None
    blobs.abandoned = False
    stage.batch.fail = lambda operation: None
    stage.batch.end = lambda task: TaskEnd()
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert list(stage.batch.requests) == [LAST]


@dataclass
class EndlessBlobs(FakeBlobs):
    """One file is on its way up until transfers are abandoned."""

    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def upload_file(self, container: str, blob: str, source: Path) -> bytes:
        if blob == FILES[-1]:
            self.begun.set()
            assert self.ended.wait(60)
            raise TransferError("transfers were abandoned")
        return super().upload_file(container, blob, source)

    def abandon_transfers(self) -> None:
        super().abandon_transfers()
        self.ended.set()


def test_nobody_waits_for_uploads_that_are_of_no_use(tmp_path: Path) -> None:
    blobs = EndlessBlobs()
    stage = stage_of(tmp_path, blobs)
    stage.batch.end = lambda task: TaskEnd()

    def die() -> None:
        if len(stage.batch.tasks) == len(FILES) - 1:
            assert blobs.begun.wait(60)
            raise GONE

    stage.batch.fail = at("look", die)
    outcome = stage.execute()
    assert outcome.error is GONE
    assert told(stage) == len(FILES) - 1
    assert stage.batch.job is None


@pytest.mark.parametrize(
    "error",
    [ServiceUnreachableError("no answer"), TakenOverError("a client elsewhere drives the run")],
    ids=["trouble", "taken"],
)
def test_nothing_is_waited_for_where_nothing_goes(tmp_path: Path, error: BatchRunError) -> None:
    """Only what is on its way already comes home."""
    blobs = SlowBlobs()
    stage = stage_of(tmp_path, blobs)
    stage.batch.fail = at("look", once_downloading(stage, blobs, error))
    outcome = stage.execute()
    assert outcome.error is error
    assert told(stage) < len(FILES) - 1
    assert stage.batch.job is not None
    assert f"{RUN}-output" in stage.blobs.containers


def test_a_wish_to_stop_ends_the_wait_for_what_comes_home(tmp_path: Path) -> None:
    blobs = SlowBlobs()
    stage = stage_of(tmp_path, blobs)

    def act() -> None:
        if stage.batch.tasks:
            assert blobs.begun.acquire(timeout=60)
            threading.Timer(0.3, stage.stop.request).start()
            raise GONE

    stage.batch.fail = at("look", act)
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.INTERRUPTED
    assert isinstance(outcome.error, InterruptedRunError)
    assert blobs.abandoned
    assert stage.names_left() == set()


@pytest.mark.parametrize("raises", [False, True], ids=["flag", "in a call"])
def test_an_interruption_leaves_what_has_ended_a_moment(tmp_path: Path, raises: bool) -> None:
    """Also where it is met inside a call, as in a wait for a service in trouble."""
    blobs = SlowBlobs()
    stage = stage_of(tmp_path, blobs)

    def act() -> None:
        if stage.batch.tasks and not stage.stop.requested:
            assert blobs.begun.acquire(timeout=60)
            stage.stop.request()
            threading.Timer(0.05, blobs.gate.set).start()
            if raises:
                raise InterruptedRunError("interrupted")

    stage.batch.fail = at("look", act)
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert told(stage) == len(FILES) - 1
    assert stage.names_left() == set()
    stage.batch.fail = lambda operation: None
    blobs.abandoned = False
    stage.batch.end = lambda task: TaskEnd()
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert list(stage.batch.requests) == [LAST]


@pytest.mark.parametrize("raises", [False, True], ids=["flag", "in a call"])
def test_an_interruption_abandons_what_takes_longer(tmp_path: Path, raises: bool) -> None:
    blobs = SlowBlobs()
    stage = stage_of(tmp_path, blobs)

    def act() -> None:
        if stage.batch.tasks and not stage.stop.requested:
            assert blobs.begun.acquire(timeout=60)
            stage.stop.request()
            if raises:
                raise InterruptedRunError("interrupted")

    stage.batch.fail = at("look", act)
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert blobs.abandoned
    assert told(stage) == 0
    assert stage.names_left() == set()


def test_an_interruption_that_a_collector_meets_counts_nothing_wrongly(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)

    def interrupt(operation: str, name: str) -> None:
        if operation == "download" and name.endswith("film-20.out"):
            stage.stop.request()
            raise InterruptedRunError("interrupted")

    stage.blobs.fail = interrupt
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.INTERRUPTED
    assert isinstance(outcome.error, InterruptedRunError)
    (finished,) = stage.of_type("run.finished")
    assert (finished["succeeded"], finished["failed"]) == (len(FILES) - 2, 0)
    assert told(stage) == len(FILES) - 2
    assert stage.names_left() == set()


def test_a_bug_of_a_collector_costs_no_other_result(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)

    def slip(operation: str, name: str) -> None:
        if operation == "download" and name.endswith("film-05.out"):
            raise ValueError("a slip")

    stage.blobs.fail = slip
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.BUG
    assert outcome.error is not None
    assert outcome.error.message == "a bug in batch-run: ValueError: a slip"
    (finished,) = stage.of_type("run.finished")
    assert (finished["succeeded"], finished["failed"]) == (len(FILES) - 2, 0)
    assert told(stage) == len(FILES) - 2


def failing_download(stage: Stage) -> Callable[[str, str], None]:
    def fail(operation: str, name: str) -> None:
        if operation == "download" and name.endswith("film-05.out"):
            raise TransferError("blob `film-05.out` did not come whole")

    return fail


@pytest.mark.parametrize("all_end", [True, False], ids=["killed", "never ran"])
def test_results_that_are_not_home_outlast_a_job_that_ends_by_itself(
    tmp_path: Path, all_end: bool
) -> None:
    stage = stage_of(tmp_path)

    def end(task: TaskRequest) -> TaskEnd | None:
        if task.id != LAST:
            return TaskEnd()
        over = stage.batch.job_state is JobState.COMPLETED
        return TaskEnd(exit_code=None, failure=KILLED) if over and all_end else None

    def give_out() -> None:
        if len(stage.of_type("task.finished")) == len(FILES) - 1:
            stage.batch.job_state = JobState.COMPLETED
            stage.batch.terminate_reason = "MaxWallClockTimeExpiry"

    stage.batch.end = end
    stage.batch.fail = at("look", give_out)
    stage.blobs.fail = failing_download(stage)
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == "blob `film-05.out` did not come whole"
    assert "film-05.out" in stage.blobs.containers[f"{RUN}-output"]
    assert {left["why"] for left in stage.left()} == {
        f"batch-run resume {RUN} goes on with it, batch-run clean {RUN} takes it away"
    }


def test_results_that_are_not_home_outlast_a_pool_that_dies(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)

    def die() -> None:
        if stage.batch.tasks:
            raise GONE

    stage.batch.fail = at("look", die)
    stage.blobs.fail = failing_download(stage)
    outcome = stage.execute()
    assert outcome.error is GONE
    assert "film-05.out" in stage.blobs.containers[f"{RUN}-output"]
    assert stage.batch.job is not None
    stage.batch.fail = lambda operation: None
    stage.blobs.fail = lambda operation, name: None
    stage.batch.end = lambda task: TaskEnd()
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert stage.names_left() == set()
