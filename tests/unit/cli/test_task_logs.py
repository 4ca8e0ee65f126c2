"""What a task prints, as it grows on its node and as it is kept afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.cli.log_output import Plain
from runner.cli.looking import NotThereError
from runner.cli.task_logs import Asked, show_task_log
from runner.cli.world import World
from runner.connect import Services
from runner.errors import BatchRunError, InterruptedRunError, ServiceUnreachableError, UsageError
from runner.plan.model import TaskId
from runner.remote.endurance import Endurance
from runner.run.clock import Clock
from runner.run.events import (
    DEPENDENCY_FAILED,
    HALTED,
    Event,
    RunStarted,
    TaskAdded,
    TaskFinished,
    TaskStarted,
)
from runner.run.records.journal import Journal
from runner.run.records.record import RunRecord, record_as_json
from runner.run.services import TaskState, TaskStatus
from runner.run.stop import Stop
from tests.fakes.ends import end_of
from tests.fakes.plans import RUN
from tests.fakes.records import RECORD
from tests.fakes.services import NOW, FakeBatch, FakeBlobs
from tests.unit.cli.worlds import Memory, make_world

TASK = TaskId("0002")
STDOUT = (("stdout",), False)
BOTH = (("stdout", "stderr"), True)
RUNNING = TaskStatus(
    id=TASK,
    state=TaskState.RUNNING,
    changed=NOW,
    node_id="node-1",
    started=NOW,
    ended=None,
    exit_code=None,
    succeeded=None,
    retry_count=0,
    failure=None,
)
END = end_of(TASK, item="b.txt", node="node-1", started=NOW, ended=NOW)
COMPLETED = replace(RUNNING, state=TaskState.COMPLETED, succeeded=True)


class Scene:
    """A run with one task, whose state and files change each time that somebody waits."""

    def __init__(self, folder: Path) -> None:
        self.directory = folder / RUN
        self.directory.mkdir()
        (self.directory / "run.json").write_text(record_as_json(RECORD))
        self.tell(TaskAdded(task=TASK, item="b.txt"))
        self.blobs = FakeBlobs()
        self.batch = FakeBatch(self.blobs)
        self.batch.tasks[TASK] = RUNNING
        self.stop = Stop()
        self.steps: list[tuple[str, bytes | None]] = []
        self.world, self.stdout, self.stderr = make_world(folder)
        self.world.clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0, wait=self.wait)

    def tell(self, *events: Event) -> None:
        """That happens in the run as well."""
        journal = Journal(self.directory, run=RUN, clock=lambda: NOW, listener=ignore)
        for event in events:
            journal.record(event)
        journal.close()

    def wait(self, stop: Stop, seconds: float) -> None:
        """The next step: a file as it is from now on, or the end."""
        what, content = self.steps.pop(0)
        if what == "interrupt":
            stop.request()
        elif what == "end":
            self.batch.tasks[TASK] = COMPLETED
            self.batch.files.clear()
            self.blobs.containers[f"{RUN}-logs"] = {f"{TASK}/stdout.txt": content or b""}
        elif content is not None:
            self.batch.files[TASK, what] = content

    def open(self, record: RunRecord, directory: Path, world: World) -> Services:
        assert record == RECORD
        return Services(
            target="azure",
            batch=self.batch,
            blobs=self.blobs,
            endurance=Endurance(
                clock=lambda: NOW, monotonic=lambda: 0.0, pause=lambda seconds: None
            ),
        )

    def show(self, asked: tuple[tuple[str, ...], bool], *, follow: bool, name: str = "2") -> bytes:
        show_task_log(
            self.directory,
            name,
            Asked(streams=asked[0], output=Plain(self.world, titled=asked[1])),
            self.world,
            follow=self.stop if follow else None,
            open_services=self.open,
        )
        return content_of(self.stdout)


def refused(scene: Scene, error: BatchRunError) -> BatchRunError:
    """How a log is asked for ends where the services cannot be had."""

    def refuse(record: RunRecord, directory: Path, world: World) -> Services:
        raise error

    asked = Asked(streams=("stdout",), output=Plain(scene.world, titled=False))
    with pytest.raises(BatchRunError) as caught:
        show_task_log(scene.directory, "2", asked, scene.world, follow=None, open_services=refuse)
    return caught.value


def ignore(event: Event, line: object) -> None:
    """Nobody listens."""


def content_of(memory: Memory) -> bytes:
    return memory.content


def test_what_has_been_printed_so_far(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.batch.files = {(TASK, "stdout.txt"): b"so far\n", (TASK, "stderr.txt"): b"oh\n"}
    assert scene.show(BOTH, follow=False) == (
        b"==> task 0002: stdout <==\nso far\n==> task 0002: stderr <==\noh\n"
    )


def test_a_task_that_has_not_begun_has_printed_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.show(STDOUT, follow=False) == b""
    assert scene.stderr.getvalue() == "task `0002` has printed nothing so far\n"


def test_a_log_is_followed_as_it_grows_and_to_its_end_in_storage(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.steps = [
        ("stdout.txt", b"one\n"),
        ("stdout.txt", b"one\ntw"),
        ("stdout.txt", b"one\ntwo\n"),
        ("end", b"one\ntwo\nthree\n"),
    ]
    assert scene.show(STDOUT, follow=True) == b"one\ntwo\nthree\n"
    reads = [line for line in scene.batch.log if line.startswith("read")]
    assert reads == [f"read stdout.txt of {TASK} from {start}" for start in (0, 4, 6)]


def test_a_task_that_runs_again_is_shown_from_its_beginning(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.steps = [("stdout.txt", b"first try\n"), ("stdout.txt", b"2nd\n"), ("end", b"2nd\nok\n")]
    titled = (STDOUT[0], True)
    title = b"==> task 0002: stdout <==\n"
    assert scene.show(titled, follow=True) == title + b"first try\n" + title + b"2nd\nok\n"


def test_following_can_be_interrupted(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.steps = [("stdout.txt", b"one\n"), ("interrupt", None)]
    with pytest.raises(InterruptedRunError):
        scene.show(STDOUT, follow=True)
    assert content_of(scene.stdout) == b"one\n"


def test_what_is_kept_nowhere_is_said_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.batch.tasks.clear()
    with pytest.raises(UsageError) as caught:
        scene.show(STDOUT, follow=True)
    assert caught.value.message == "nothing is kept of what task `0002` has printed"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ServiceUnreachableError("Azure Batch is out of reach"), "Azure Batch is out of reach"),
        (
            NotThereError("the local services do not run"),
            "the log of task `0002` is not here, and cannot be had: the local services do not run",
        ),
    ],
)
def test_services_that_do_not_answer(tmp_path: Path, error: BatchRunError, message: str) -> None:
    scene = Scene(tmp_path)
    scene.tell(TaskStarted(task=TASK, node="node-1", at=NOW))
    assert refused(scene, error).message == message


def test_a_task_that_has_not_begun_when_the_services_ended(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.tell(TaskStarted(task=TASK, node="node-1", at=NOW), TaskAdded(task=TASK, item="b.txt"))
    error = refused(scene, NotThereError("the local services do not run"))
    assert (error.message, error.hint) == (
        "task `0002` has not begun, and printed nothing",
        f"`batch-run explain 0002 {RUN}` says why",
    )


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (replace(END, skipped=True), "was skipped"),
        (replace(END, succeeded=False, cause=DEPENDENCY_FAILED), "never ran"),
        (replace(END, succeeded=False, cause=HALTED), "never ran"),
    ],
)
def test_a_task_that_printed_nothing_since_it_did_not_run(
    tmp_path: Path, end: TaskFinished, words: str
) -> None:
    scene = Scene(tmp_path)
    scene.tell(end)
    with pytest.raises(UsageError) as caught:
        scene.show(STDOUT, follow=False)
    assert (caught.value.message, caught.value.hint) == (
        f"task `0002` {words}, and printed nothing in this run",
        f"`batch-run explain 0002 {RUN}` says why",
    )


def test_logs_that_are_empty_are_said_to_be(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    logs = {"stdout": "logs/0002/stdout.txt", "stderr": "logs/0002/stderr.txt"}
    (scene.directory / "logs" / TASK).mkdir(parents=True)
    for name in logs.values():
        (scene.directory / name).touch()
    scene.tell(replace(END, stdout=logs["stdout"], stderr=logs["stderr"]))
    assert scene.show(BOTH, follow=False) == b""
    assert scene.show(STDOUT, follow=False) == b""
    (scene.directory / logs["stderr"]).write_text("oh\n")
    assert scene.show(BOTH, follow=False) == b"==> task 0002: stderr <==\noh\n"
    assert scene.stderr.getvalue() == (
        "task `0002` has printed nothing\ntask `0002` has printed nothing to standard output\n"
    )


def test_a_log_that_is_empty_in_storage_is_said_to_be(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.steps = [("end", b"")]
    assert scene.show(STDOUT, follow=True) == b""
    assert scene.stderr.getvalue() == "task `0002` has printed nothing to standard output\n"


def test_a_task_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Scene(tmp_path).show(STDOUT, follow=False, name="3")
    assert caught.value.message == f"run `{RUN}` has added no task `3` so far"


@pytest.mark.parametrize("name", ["0", "99", "9" * 5_000])
def test_a_task_that_the_run_has_not_at_all(tmp_path: Path, name: str) -> None:
    scene = Scene(tmp_path)
    journal = Journal(scene.directory, run=RUN, clock=lambda: NOW, listener=ignore)
    journal.record(RunStarted(workload="demo", target="azure", tasks=12, files=1, bytes=1))
    journal.close()
    with pytest.raises(UsageError) as caught:
        scene.show(STDOUT, follow=False, name=name)
    assert (caught.value.message, caught.value.hint) == (
        f"there is no task `{name}` in run `{RUN}`",
        "ids go from 0001 to 0012",
    )
    with pytest.raises(UsageError) as later:
        scene.show(STDOUT, follow=False, name="12")
    assert later.value.message == f"run `{RUN}` has added no task `12` so far"


def test_a_damaged_line_of_the_journal_is_named(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    events = scene.directory / "events.jsonl"
    with events.open("ab") as stream:
        stream.write(b'{"type":"task.finished","task":"0002",\n{"type":"of.later"}\n')
    with pytest.raises(UsageError) as caught:
        scene.show(STDOUT, follow=False)
    assert caught.value.message == f"`{events}`, line 2: not an event of a run"
