"""Who is asked to end a run: only the process that drives it, where it can be asked."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runner.cli.cancelling import cancel_run
from runner.cli.signals import Interruptions
from runner.connect import Services
from runner.errors import ExitCode, ServiceRefusedError, UsageError
from runner.plan.model import LOGS
from runner.plan.snapshot import SNAPSHOT, write_snapshot
from runner.remote.endurance import Endurance
from runner.run.events import (
    CleanupFinished,
    Event,
    LeftBehind,
    RunFinished,
    RunStarted,
)
from runner.run.holding import TakenOverError
from runner.run.records.driving import LOCK, drive
from runner.run.records.journal import Journal
from runner.run.records.past import read_past
from runner.run.records.record import record_as_json
from runner.run.records.record_blob import RECORD_BLOB
from runner.run.removal.traces import CONTAINER_RUN
from runner.run.services import Expiry
from runner.run.submit import Requests, plan_submission, submission_as_json
from runner.spec.model.pool import FixedNodes
from runner.spec.model.terms import Role
from tests.fakes.ends import end_of
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.records import RECORD as AZURE_RECORD
from tests.fakes.services import NOW, FakeBatch, FakeBlobs
from tests.unit.cli.worlds import make_world

RECORD = replace(AZURE_RECORD, target="local")


KEPT = SPEC.replace("  nodes:", "  keep: 30m\n  nodes:")


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


def end(directory: Path, exit_code: int, *left: LeftBehind, failed: bool = False) -> None:
    finished = RunFinished(
        exit_code=exit_code, succeeded=1, failed=int(failed), unfinished=0, error=None
    )
    record_events(directory, CleanupFinished(deleted=(), left=left), finished)


def record_events(directory: Path, *events: Event) -> None:
    def ignore(event: Event, line: object) -> None:
        """Nobody listens."""

    journal = Journal(directory, run=RUN, clock=lambda: NOW, listener=ignore)
    for event in events:
        journal.record(event)
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
        (1, "failed"),
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


class Abandoned:
    """A run whose client is gone, and the services that still have what it made."""

    def __init__(
        self,
        folder: Path,
        spec: str = SPEC,
        *,
        kept_pool: str | None = None,
        reused: frozenset[Role] = frozenset(),
    ) -> None:
        self.plan = make_plan(folder, spec)
        self.directory = folder / ".batch-run" / "runs" / RUN
        self.directory.mkdir(parents=True)
        output = str(folder / "results")
        record = replace(RECORD, target="azure", folder=str(folder), output_directory=output)
        (self.directory / "run.json").write_text(record_as_json(record))
        (self.directory / "spec.yaml").write_text(self.plan.workload.document.text)
        write_snapshot(self.directory / SNAPSHOT, self.plan)
        submission = plan_submission(self.plan, kept_pool=kept_pool, reused=reused)
        (self.directory / "submission.json").write_text(submission_as_json(submission))
        self.blobs = FakeBlobs()
        for _, name in submission.containers:
            self.blobs.create_container(name, {CONTAINER_RUN: RUN})
        for _, name in submission.reused:
            self.blobs.create_container(name, {})
        self.batch = FakeBatch(self.blobs)
        requests = Requests(self.plan, self.blobs, clock=lambda: NOW)
        self.batch.create_job(requests.job(submission, pool=kept_pool or "demo-1234"))
        self.world, _, self.stderr = make_world(folder)
        record_events(
            self.directory,
            RunStarted(workload="demo", target="azure", tasks=2, files=2, bytes=2),
        )

    def cancel(self) -> int:
        endurance = Endurance(clock=lambda: NOW, monotonic=lambda: 0.0, pause=lambda seconds: None)
        services = Services(target="azure", batch=self.batch, blobs=self.blobs, endurance=endurance)
        return cancel_run(
            self.directory,
            self.world,
            Interruptions(),
            open_services=lambda record, directory, world: services,
        )

    def last(self) -> dict[str, object]:
        lines = (self.directory / "events.jsonl").read_text().splitlines()
        event: dict[str, object] = json.loads(lines[-1])
        return event


def test_what_nobody_drives_is_taken_away(tmp_path: Path) -> None:
    run = Abandoned(tmp_path)

    assert run.cancel() == ExitCode.SUCCESS

    assert run.batch.job is None
    assert (run.batch.pools, run.blobs.containers) == (set(), {})
    last = run.last()
    assert (last["type"], last["exit_code"], last["error"]) == ("run.finished", 130, "cancelled")
    assert json.loads((run.directory / "report.json").read_text())["left"] == []
    # Who resumes it must not take it for one that a client elsewhere has ended.
    assert read_past(run.directory, run.plan).was_cleaned
    assert "nothing left in the services\n" in run.stderr.getvalue()


@pytest.mark.parametrize("had_ended", [False, True])
def test_a_container_that_was_there_before_goes_only_with_an_end(
    tmp_path: Path, had_ended: bool
) -> None:
    """A run that is resumed would not make it again."""
    own = "{name: mine, download: true, delete: after-run, if_not_empty: keep}"
    spec = SPEC.replace("output: {download: true}", f"output: {own}")
    run = Abandoned(tmp_path, spec, reused=frozenset({Role("output")}))
    ended = end_of(
        "0001",
        item="a.txt",
        succeeded=False,
        exit_code=1,
        cause="FailureExitCode",
        message="it failed",
    )
    record_events(run.directory, ended)
    if had_ended:
        left = LeftBehind(kind="job", name=RUN, why="it was refused", kept=False)
        end(run.directory, ExitCode.LEFT_BEHIND, left)

    assert run.cancel() == ExitCode.SUCCESS

    assert ("mine" in run.blobs.containers) is not had_ended
    assert ("left: container mine (it was there before the run)" in run.stderr.getvalue()) is (
        not had_ended
    )


def test_what_cannot_be_taken_away_is_said(tmp_path: Path) -> None:
    run = Abandoned(tmp_path)

    def refuse(operation: str) -> None:
        if operation == "delete job":
            raise ServiceRefusedError("no", code="Forbidden")

    run.batch.fail = refuse

    assert run.cancel() == ExitCode.LEFT_BEHIND
    assert f"left: job {RUN}" in run.stderr.getvalue()
    run.batch.fail = lambda operation: None
    assert run.cancel() == ExitCode.SUCCESS


def kept(folder: Path) -> Abandoned:
    """One in a pool that is kept for other runs, whose nodes stay for the longest that it takes."""
    run = Abandoned(folder, KEPT, kept_pool="demo-abcd")
    longest = Expiry(size=FixedNodes(dedicated=1, spot=0), at=NOW + timedelta(days=1))
    run.batch.expire_pool("demo-abcd", longest)
    run.batch.log.clear()
    return run


def test_the_nodes_of_a_pool_for_other_runs_go_in_time(tmp_path: Path) -> None:
    run = kept(tmp_path)

    assert run.cancel() == ExitCode.SUCCESS

    assert run.batch.pools == {"demo-abcd"}
    assert run.batch.expiry is not None
    assert run.batch.expiry.at == NOW + timedelta(minutes=30)
    assert "delete pool" not in run.batch.log
    assert run.batch.log.index("delete job") < run.batch.log.index("expire pool")
    assert "left: pool demo-abcd (1 node of Standard_D2s_v5" in run.stderr.getvalue()


def test_a_pool_that_has_given_its_nodes_back_gets_none(tmp_path: Path) -> None:
    run = kept(tmp_path)
    run.batch.target_nodes = 0

    assert run.cancel() == ExitCode.SUCCESS

    assert run.batch.expiry is not None
    assert run.batch.expiry.size == FixedNodes(dedicated=0, spot=0)


def test_a_pool_that_another_run_is_in_keeps_its_nodes(tmp_path: Path) -> None:
    run = kept(tmp_path)
    before = run.batch.expiry
    run.batch.jobs_in = lambda pool_id: (RUN, "theirs")  # type: ignore[method-assign]

    assert run.cancel() == ExitCode.SUCCESS

    assert (run.batch.expiry, run.batch.pools) == (before, {"demo-abcd"})
    said = "the nodes of pool demo-abcd stay as they are: job theirs is in it\n"
    assert said in run.stderr.getvalue()


def test_nothing_more_goes_once_another_client_has_taken_the_run_over(tmp_path: Path) -> None:
    run = Abandoned(tmp_path)
    logs = run.plan.container_name(LOGS)
    run.blobs.upload_text(logs, RECORD_BLOB, "")

    def lose(operation: str) -> None:
        if operation == "delete job":
            run.blobs.holders[f"{logs}/{RECORD_BLOB}"] = "theirs"

    run.batch.fail = lose
    with pytest.raises(TakenOverError) as caught:
        run.cancel()

    assert (caught.value.message, caught.value.hint) == (
        "a client on another machine has taken the run over, or ended it",
        f"nothing of it was touched since; `batch-run cancel {RUN}` tries again",
    )
    assert run.batch.pools == {"demo-1234"}
    assert logs in run.blobs.containers
    assert run.last()["type"] == "run.started"


@pytest.mark.parametrize(("before", "after"), [(5, 0), (1, 1)])
def test_a_run_whose_tasks_had_ended_keeps_its_end(tmp_path: Path, before: int, after: int) -> None:
    run = Abandoned(tmp_path)
    left = LeftBehind(kind="job", name=RUN, why="it was refused", kept=False)
    end(run.directory, before, left, failed=before == 1)

    assert run.cancel() == ExitCode.SUCCESS

    assert run.batch.job is None
    assert run.last()["exit_code"] == after


def test_a_run_that_made_nothing_needs_no_service(tmp_path: Path) -> None:
    run = Abandoned(tmp_path)
    (run.directory / "submission.json").unlink()
    assert run.cancel() == ExitCode.SUCCESS
    assert run.batch.log == ["create job"]
    assert run.last()["exit_code"] == 130
