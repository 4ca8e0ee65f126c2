"""What a run leaves is what the services list in the end, and only what is ours goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timezone
from pathlib import Path

from runner.errors import ExitCode, ServiceRefusedError, ServiceUnreachableError
from runner.plan.model import RunId
from runner.report.as_json import report_as_json
from runner.report.digest import digest
from runner.run.removal.cleanup import Keep
from runner.run.removal.traces import Kind, Trace
from tests.fakes.plans import RUN
from tests.fakes.services import NOW
from tests.fakes.stage import Stage

POOL = Trace(kind=Kind.POOL, name="demo-lost", run=RunId(RUN), nodes=1)


def last_lines(stage: Stage) -> list[str]:
    """The end of what a person reads."""
    text = digest(stage.report, run_directory="d", output_directory="o")
    return [line for line in text.splitlines() if "left" in line]


def test_the_services_have_listed_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    assert stage.execute().exit_code == ExitCode.SUCCESS

    listings = [each for each in stage.batch.log if each == "list traces"]
    assert (len(listings), stage.blobs.log[-1]) == (1, f"list traces {RUN}")
    assert last_lines(stage) == ["nothing left in the services"]
    report = report_as_json(stage.report, run=RUN)
    assert report["left"] == ()
    assert stage.report.checked_at is not None
    moment = stage.report.checked_at.astimezone(timezone.utc)
    assert moment >= NOW
    assert report["checked_at"] == f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def test_what_nobody_remembers_goes_as_well(tmp_path: Path) -> None:
    """A pool whose making was never answered, for one."""
    stage = Stage(tmp_path)
    stage.batch.forgotten = [POOL]

    assert stage.execute().exit_code == ExitCode.SUCCESS

    assert stage.batch.forgotten == []
    assert "pool demo-lost" in stage.of_type("cleanup.finished")[0]["deleted"]
    assert stage.left() == []


def test_what_is_still_listed_is_left(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    # Under another name than the one that it is deleted by.
    job = Trace(kind=Kind.JOB, name=f"{RUN}:job-7", run=RunId(RUN), state="active")
    stage.batch.forgotten = [job]

    assert stage.execute().exit_code == ExitCode.LEFT_BEHIND

    assert last_lines(stage) == [f"left: job {RUN}:job-7 (the service still lists it)"]
    assert stage.report.checked_at is not None


def test_what_goes_for_other_runs_too_is_none_of_this_one(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    kept = Trace(kind=Kind.POOL, name="demo-abc", run=RunId(RUN), for_others=True)
    stage.batch.forgotten = [kept]

    assert stage.execute().exit_code == ExitCode.SUCCESS

    assert stage.batch.forgotten == [kept]


def test_a_service_that_cannot_list_leaves_doubts(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str) -> None:
        if operation == "list traces":
            raise ServiceUnreachableError("Azure Batch could not list what runs have made")

    stage.batch.fail = refuse

    assert stage.execute().exit_code == ExitCode.LEFT_BEHIND

    assert last_lines(stage) == [
        (
            f"left: run {RUN} (it could not be checked what is left: Azure Batch could not list"
            " what runs have made)"
        )
    ]
    assert report_as_json(stage.report, run=RUN)["checked_at"] is None


def test_a_container_that_somebody_else_made_first_stays(tmp_path: Path) -> None:
    """Between our look and our making: its name fits, but nothing says that it is ours."""
    stage = Stage(tmp_path)
    name = stage.plan.container_name(stage.plan.workload.containers[0].role)

    def make_first(operation: str, asked: str) -> None:
        if (operation, asked) == ("create container", name):
            stage.blobs.containers[name] = {"theirs.txt": b"1"}
            stage.blobs.metadata[name] = {"team": "maps"}
            raise ServiceRefusedError("it exists", code="ContainerAlreadyExists")

    stage.blobs.fail = make_first

    assert stage.execute().exit_code == ExitCode.SERVICE

    assert stage.blobs.containers == {name: {"theirs.txt": b"1"}}
    assert stage.left() == [
        {
            "kind": "container",
            "name": name,
            "why": "it was there before, made by something else",
            "kept": True,
        }
    ]


def test_a_job_that_somebody_else_made_first_stays(tmp_path: Path) -> None:
    for name in ("other", "ours"):
        (tmp_path / name).mkdir()
    other, stage = Stage(tmp_path / "other"), Stage(tmp_path / "ours")
    other.execute(keep=frozenset({Keep.JOB}))
    theirs = other.batch.job
    assert theirs is not None
    theirs = replace(theirs, metadata={"batch-run": "demo-20200102t030405z-aaaa"})

    def make_first(operation: str) -> None:
        if operation == "create job":
            stage.batch.job = theirs
            raise ServiceRefusedError("it exists", code="JobExists")

    stage.batch.fail = make_first

    assert stage.execute().exit_code == ExitCode.SERVICE

    assert stage.batch.job is theirs
    assert [each["why"] for each in stage.left()] == ["it was there before, made by something else"]
