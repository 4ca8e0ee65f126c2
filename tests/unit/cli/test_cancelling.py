"""Who is asked to end a run: only the process that drives it, where it can be asked."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli.cancelling import cancel_run
from runner.cli.signals import Interruptions
from runner.errors import ExitCode, UsageError
from runner.run.driving import LOCK, drive
from runner.run.events import CleanupFinished, Event, LeftBehind, RunFinished
from runner.run.journal import Journal
from runner.run.record import RunRecord, record_as_json
from tests.fakes.plans import RUN
from tests.fakes.services import NOW
from tests.unit.cli.worlds import make_world

RECORD = RunRecord(
    run=RUN,
    workload="demo",
    version="1",
    created=NOW,
    spec="/home/spec.yaml",
    folder="/home",
    parameters={},
    target="local",
    output_directory="/home/results",
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / RUN
    place.mkdir()
    (place / "run.json").write_text(record_as_json(RECORD))
    return place


@pytest.fixture
def bystander() -> Iterator[int]:
    """A process that has nothing to do with any run."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            yield process.pid
            assert process.poll() is None
        finally:
            process.kill()


def pretend(directory: Path, *, pid: int, host: str) -> None:
    (directory / LOCK).write_text(json.dumps({"pid": pid, "host": host, "lease": "x"}))


def end(directory: Path, exit_code: int, *left: LeftBehind) -> None:
    def ignore(event: Event, line: object) -> None:
        """Nobody listens."""

    journal = Journal(directory, run=RUN, clock=lambda: NOW, listener=ignore)
    journal.record(CleanupFinished(deleted=(), left=left))
    journal.record(
        RunFinished(exit_code=exit_code, succeeded=1, failed=0, unfinished=0, error=None)
    )
    journal.close()


def refusal(directory: Path) -> tuple[str, str | None]:
    world, _, _ = make_world(directory.parent)
    with pytest.raises(UsageError) as caught:
        cancel_run(directory, world, Interruptions())
    return caught.value.message, caught.value.hint


def test_a_process_of_another_machine_cannot_be_asked(directory: Path, bystander: int) -> None:
    with drive(directory):
        pretend(directory, pid=bystander, host="elsewhere")
        assert refusal(directory) == (
            f"process {bystander} of `elsewhere` drives run `{RUN}`",
            f"end it there with Ctrl-C, or wait for it with `batch-run attach {RUN}`",
        )


@pytest.mark.skipif(sys.platform != "linux", reason="looks at another process's files")
def test_a_process_that_only_has_the_number_is_left_alone(directory: Path, bystander: int) -> None:
    with drive(directory):
        pretend(directory, pid=bystander, host=socket.gethostname())
        assert refusal(directory) == (
            f"who drives run `{RUN}` is not known: process {bystander} does not",
            "try again in a moment",
        )


@pytest.mark.skipif(sys.platform != "linux", reason="looks at another process's files")
def test_a_process_that_is_gone_is_left_alone(directory: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with drive(directory):
        pretend(directory, pid=gone.pid, host=socket.gethostname())
        assert refusal(directory)[0] == (
            f"who drives run `{RUN}` is not known: process {gone.pid} does not"
        )


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (0, "succeeded"),
        (1, "tasks failed"),
        (2, "refused: it never began"),
        (130, "interrupted; can be resumed"),
    ],
)
def test_a_run_that_has_ended_is_said_to_have(directory: Path, exit_code: int, words: str) -> None:
    kept = LeftBehind(kind="container", name="c", why="delete: never", kept=True)
    end(directory, exit_code, kept)
    before = (directory / "events.jsonl").read_bytes()
    world, stdout, stderr = make_world(directory.parent)

    assert cancel_run(directory, world, Interruptions()) == ExitCode.SUCCESS

    assert stderr.getvalue() == f"run {RUN} has ended: {words}\n"
    assert stdout.content == b""
    assert (directory / "events.jsonl").read_bytes() == before
    assert [each.name for each in directory.parent.iterdir()] == [RUN]
