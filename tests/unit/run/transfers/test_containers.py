"""Containers that the run makes, that it uses, and that it only reads."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import ExitCode, ServiceError
from runner.plan.model import Plan
from runner.run.removal.cleanup import Keep
from runner.spec.model.workload import Delete, IfNotEmpty
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.services import NOW, TaskEnd
from tests.fakes.shapes import add_existing, name_container
from tests.fakes.stage import Stage


def named(
    folder: Path,
    role: str = "output",
    *,
    spec: str = SPEC,
    if_not_empty: IfNotEmpty = IfNotEmpty.KEEP,
    delete: Delete = Delete.NEVER,
    unchanged: frozenset[str] = frozenset(),
) -> Plan:
    """A plan one of whose containers is `mine`."""
    return name_container(
        make_plan(folder, spec, ("a.txt",)),
        role,
        "mine",
        if_not_empty=if_not_empty,
        delete=delete,
        unchanged=unchanged,
    )


def left(stage: Stage) -> dict[str, str]:
    """What is left of containers, and why."""
    return {each["name"]: each["why"] for each in stage.left() if each["kind"] == "container"}


def test_a_named_container_is_made_where_it_is_missing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path))
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert "create container mine" in stage.blobs.log
    assert left(stage) == {"mine": "delete: never"}
    submission = json.loads((stage.directory / "submission.json").read_text())
    assert submission == {
        "job": RUN,
        "pool_prefix": "demo-",
        "containers": {"input": f"{RUN}-input", "output": "mine", "logs": f"{RUN}-logs"},
    }


def test_a_named_container_that_exists_is_used(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path))
    stage.blobs.containers["mine"] = {"old.txt": b"precious"}
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert "create container mine" not in stage.blobs.log
    assert stage.blobs.containers == {"mine": {"old.txt": b"precious", "a.out": b"result"}}
    assert left(stage) == {"mine": "it was there before the run"}
    submission = json.loads((stage.directory / "submission.json").read_text())
    assert submission["containers"] == {"input": f"{RUN}-input", "logs": f"{RUN}-logs"}
    assert submission["reused_containers"] == {"output": "mine"}


def test_what_lies_in_it_may_be_deleted_first(tmp_path: Path) -> None:
    plan = named(tmp_path, "input", if_not_empty=IfNotEmpty.CLEAR, unchanged=frozenset({"a.txt"}))
    stage = Stage(tmp_path, plan=plan)
    stage.blobs.containers["mine"] = {"a.txt": b"a.txt", "old.txt": b"old"}
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.blobs.containers["mine"] == {"a.txt": b"a.txt"}
    assert [line for line in stage.blobs.log if "delete blob" in line] == [
        "delete blob mine/old.txt"
    ]


def test_a_run_may_refuse_to_begin(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path, if_not_empty=IfNotEmpty.REFUSE))
    stage.blobs.containers["mine"] = {"old.txt": b"precious"}
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.USAGE
    assert outcome.error is not None
    assert outcome.error.message == (
        "spec.yaml:6:11: container-not-empty: container `mine` of `output` is not empty: it has"
        " `old.txt`"
    )
    assert outcome.error.hint == (
        "`if_not_empty: keep` leaves what it has, `clear` deletes it first"
    )
    assert stage.blobs.containers == {"mine": {"old.txt": b"precious"}}
    assert not [line for line in stage.blobs.log if line.startswith(("create", "delete"))]
    assert "create job" not in stage.batch.log
    assert [event["type"] for event in stage.events] == ["cleanup.finished", "run.finished"]
    assert not stage.report.has_begun


@pytest.mark.parametrize("policy", IfNotEmpty)
def test_an_empty_one_suits_every_policy(tmp_path: Path, policy: IfNotEmpty) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path, if_not_empty=policy))
    stage.blobs.containers["mine"] = {}
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.blobs.containers == {"mine": {"a.out": b"result"}}


def test_an_existing_container_has_to_exist(tmp_path: Path) -> None:
    plan = add_existing(make_plan(tmp_path, SPEC, ("a.txt",)), "input", "media")
    stage = Stage(tmp_path, plan=plan)
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.USAGE
    assert outcome.error is not None
    assert outcome.error.message == (
        "spec.yaml:5:5: container-missing: there is no container `media`, which `input` says exists"
    )
    assert "create job" not in stage.batch.log


@pytest.mark.parametrize("keep", [frozenset[Keep](), frozenset(Keep)])
def test_an_existing_container_is_never_touched(tmp_path: Path, keep: frozenset[Keep]) -> None:
    stage = Stage(tmp_path, plan=add_existing(make_plan(tmp_path), "archive", "media"))
    stage.blobs.containers["media"] = {"x.mp4": b"film"}
    assert stage.execute(keep=keep).exit_code == ExitCode.SUCCESS
    assert stage.blobs.containers["media"] == {"x.mp4": b"film"}
    assert "media" not in left(stage)
    assert [line for line in stage.blobs.log if "media" in line] == ["has container media"]


@pytest.mark.parametrize(
    ("delete", "exit_code", "is_left"),
    [
        (Delete.NEVER, 0, True),
        (Delete.NEVER, 1, True),
        (Delete.AFTER_SUCCESS, 0, False),
        (Delete.AFTER_SUCCESS, 1, True),
        (Delete.AFTER_RUN, 0, False),
        (Delete.AFTER_RUN, 1, False),
    ],
)
@pytest.mark.parametrize("is_old", [True, False])
def test_a_named_container_goes_only_where_the_spec_says_so(
    tmp_path: Path, delete: Delete, exit_code: int, is_left: bool, is_old: bool
) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path, delete=delete))
    if is_old:
        stage.blobs.containers["mine"] = {"old.txt": b"precious"}
    stage.batch.end = lambda task: TaskEnd(exit_code=exit_code)
    stage.execute()
    assert ("mine" in stage.blobs.containers) is is_left
    assert ("mine" in left(stage)) is is_left


@pytest.mark.parametrize("delete", Delete)
@pytest.mark.parametrize("operation", ["create job", "look"])
def test_a_run_without_results_deletes_nothing_that_was_there(
    tmp_path: Path, delete: Delete, operation: str
) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path, delete=delete))
    stage.blobs.containers["mine"] = {"old.txt": b"precious"}
    stage.batch.end = lambda task: None

    def refuse(asked: str) -> None:
        if asked == operation:
            raise ServiceError("refused")

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SERVICE
    assert stage.blobs.containers == {"mine": {"old.txt": b"precious"}}


def test_an_interruption_deletes_nothing_that_was_there(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path, delete=Delete.AFTER_RUN))
    stage.blobs.containers["mine"] = {"old.txt": b"precious"}
    stage.batch.end = lambda task: None

    def refuse(asked: str) -> None:
        if asked == "look":
            stage.stop.request()

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert "mine" in stage.blobs.containers


WILDCARD = SPEC.replace('"{{ file.stem }}.out"', '"*.png"')


def test_only_what_this_run_wrote_comes_home(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path, spec=WILDCARD))
    stage.blobs.containers["mine"] = {"0001/old.png": b"old", "0001/new.png": b"new"}
    stage.blobs.modified = {
        "mine/0001/old.png": NOW - timedelta(days=1),
        # After its start, however long the run has waited for threads before that.
        "mine/0001/new.png": NOW + timedelta(days=1),
    }
    stage.batch.end = lambda task: TaskEnd(writes=False)
    assert stage.execute().exit_code == ExitCode.SUCCESS
    results = tmp_path / "results" / "output"
    assert [path.name for path in results.rglob("*.png")] == ["new.png"]


def test_what_an_earlier_run_wrote_is_no_output(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path))
    stage.blobs.containers["mine"] = {"a.out": b"of yesterday"}
    stage.blobs.modified = {"mine/a.out": NOW - timedelta(days=1)}
    stage.batch.end = lambda task: TaskEnd(writes=False)
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert stage.failures() == {
        "0001": ("OutputMissing", "the command succeeded but did not write `a.out`")
    }
    assert not (tmp_path / "results" / "output").exists()


def test_outputs_that_stay_are_looked_for_and_not_brought(tmp_path: Path) -> None:
    spec = SPEC.replace("output: {download: true}", "output: {delete: never}")
    stage = Stage(tmp_path, plan=make_plan(tmp_path, spec, ("a.txt",)))
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert not [line for line in stage.blobs.log if line.startswith("download")]
    assert left(stage) == {f"{RUN}-output": "delete: never"}


def test_what_may_be_left_names_nothing_of_others(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=named(tmp_path))
    stage.blobs.containers["mine"] = {}
    seen: list[tuple[str, ...]] = []

    def look(operation: str) -> None:
        if operation == "look" and stage.run is not None:
            seen.append(stage.run.what_may_be_left())

    stage.batch.fail = look
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert seen[0] == (
        f"job {RUN}",
        "pool demo-1234",
        f"container {RUN}-input",
        f"container {RUN}-logs",
    )
