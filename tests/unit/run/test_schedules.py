"""A job that the service makes again and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.errors import ExitCode, ServiceError, ServiceUnreachableError
from runner.plan.model import Plan
from runner.report.digest import digest
from runner.run.services import AutoPool
from runner.spec.model.pool import ExistingPool, OperatingSystem
from runner.spec.model.workload import Schedule
from tests.fakes.plans import RUN
from tests.fakes.shapes import brings, shaped_plan
from tests.fakes.stage import Stage

END = datetime(2026, 3, 1, tzinfo=timezone.utc)
SCHEDULE = Schedule(
    every=timedelta(hours=6),
    window=None,
    start=datetime(2026, 2, 1, tzinfo=timezone.utc),
    end=END,
    pointer=("job", "schedule"),
)
WORDS = (
    "a job every 6h from 2026-02-01T00:00:00Z until 2026-03-01T00:00:00Z;"
    f" az batch job-schedule delete --job-schedule-id {RUN} removes it"
)


def scheduled(folder: Path, schedule: Schedule = SCHEDULE) -> Plan:
    """One task, again and again."""
    return shaped_plan(folder, [{"resources": brings("a.txt")}], job={"schedule": schedule})


def test_a_schedule_is_made_and_left(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=scheduled(tmp_path))
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.SUCCESS, None)
    (request,) = stage.batch.schedules
    assert (request.id, request.schedule) == (RUN, SCHEDULE)
    assert isinstance(request.job.pool, AutoPool)
    assert (request.manager.id, request.manager.step.name) == ("0001", "task")
    (resource,) = request.manager.resources
    expires = END + stage.plan.workload.limits.duration + timedelta(minutes=15)
    assert resource.url == (
        f"https://storage.example/{RUN}-input/a.txt?sp=read&se={expires.isoformat()}"
    )
    assert all(expires.isoformat() in each.container_url for each in request.manager.outputs)
    assert "create job" not in stage.batch.log
    assert stage.blobs.containers[f"{RUN}-input"] == {"a.txt": b"a.txt"}
    assert [(each["kind"], each["name"], each["why"]) for each in stage.left()] == [
        ("job schedule", RUN, WORDS),
        *(
            ("container", f"{RUN}-{role}", "the schedule's jobs use it")
            for role in ("input", "output", "logs")
        ),
    ]


def test_the_digest_speaks_of_the_schedule(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=scheduled(tmp_path))
    stage.execute()
    assert digest(stage.report, run_directory="run", output_directory="results").splitlines()[
        :2
    ] == [
        "1 task: run by a job schedule",
        f"left: job schedule {RUN} ({WORDS})",
    ]


def test_a_schedule_may_begin_at_once(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=scheduled(tmp_path, replace(SCHEDULE, start=None)))
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.left()[0]["why"].startswith("a job every 6h until 2026-03-01T00:00:00Z;")


def test_a_schedule_may_use_a_pool_of_the_users(tmp_path: Path) -> None:
    plan = scheduled(tmp_path)
    pool = ExistingPool(id="farm", os=OperatingSystem.LINUX, pointer=("pool",))
    stage = Stage(tmp_path, plan=replace(plan, workload=replace(plan.workload, pool=pool)))
    stage.batch.pools.add("farm")
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.batch.schedules[0].job.pool == "farm"


def test_a_schedule_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=scheduled(tmp_path))

    def refuse(asked: str) -> None:
        if asked == "create schedule":
            raise ServiceError("refused")

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SERVICE
    assert (stage.blobs.containers, stage.left()) == ({}, [])


def test_a_schedule_whose_answer_was_lost_may_need_its_files(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=scheduled(tmp_path))

    def refuse(asked: str) -> None:
        if asked == "create schedule":
            raise ServiceUnreachableError("no answer")

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SERVICE
    assert sorted(stage.blobs.containers) == [
        f"{RUN}-{role}" for role in ("input", "logs", "output")
    ]
    schedule = stage.left()[0]
    assert (schedule["why"], schedule["kept"]) == (
        f"no answer came, so it may exist: {WORDS}",
        False,
    )


def test_services_that_end_with_the_run_keep_no_schedule(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=scheduled(tmp_path))
    outcome = stage.execute(outlives=False)
    assert outcome.exit_code == ExitCode.USAGE
    assert outcome.error is not None
    assert outcome.error.message == (
        "a job schedule needs Azure: the local services end with the run"
    )
    assert stage.blobs.log == []


@pytest.mark.parametrize("operation", ["upload", "create schedule"])
def test_an_interruption_before_it_is_made(tmp_path: Path, operation: str) -> None:
    stage = Stage(tmp_path, plan=scheduled(tmp_path))

    def stop(asked: str, name: str = "") -> None:
        if asked == operation:
            stage.stop.request()

    stage.batch.fail = stage.blobs.fail = stop
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    is_made = operation == "create schedule"
    assert len(stage.batch.schedules) == is_made
    assert bool(stage.blobs.containers) is is_made
    assert bool(stage.left()) is is_made
