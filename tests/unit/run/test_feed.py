"""Files come up once, and every task is added once all of its own are there."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from typing_extensions import override

from runner.errors import ExitCode, ServiceError
from runner.plan.model import CommandLine, FolderResource, Plan
from runner.run.services import TaskRequest
from runner.run.stop import Stop
from runner.spec.model.terms import Role
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.services import FakeBlobs
from tests.fakes.shapes import add_existing, brings, count_renders, name_container, shaped_plan
from tests.fakes.stage import Stage

NAMES = tuple(f"{number:03}.txt" for number in range(300))


def uploads(stage: Stage, role: str = "input") -> list[str]:
    """The files of a container that were brought up, in order of their names."""
    start = f"upload {RUN}-{role}/"
    return sorted(line[len(start) :] for line in stage.blobs.log if line.startswith(start))


def with_files_checked(stage: Stage) -> list[str]:
    """Ids of the tasks as they are added; each must find its files in the fake storage."""
    added: list[str] = []
    add = stage.batch.add_tasks

    def check(job_id: str, requests: object) -> None:
        for request in requests:  # type: ignore[attr-defined]
            for resource in request.resources:
                url = resource.url or resource.container_url
                container, _, blob = url.partition("?")[0][
                    len("https://storage.example/") :
                ].partition("/")
                assert container in stage.blobs.containers
                assert not blob or blob in stage.blobs.containers[container]
            added.append(request.id)
        add(job_id, requests)  # type: ignore[arg-type]

    stage.batch.add_tasks = check  # type: ignore[method-assign]
    return added


def test_a_file_of_several_tasks_comes_up_once(tmp_path: Path) -> None:
    pairs = [(left, right) for left in NAMES[:20] for right in NAMES[20:40]]
    plan = shaped_plan(
        tmp_path,
        [{"resources": brings(left, right)} for left, right in pairs],
        files=NAMES[:40],
    )
    stage = Stage(tmp_path, plan=plan)
    added = with_files_checked(stage)
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert uploads(stage) == sorted(NAMES[:40])
    assert sorted(added) == [f"{number:04}" for number in range(1, 401)]


def test_a_chunk_waits_for_all_of_its_files(tmp_path: Path) -> None:
    chunks = [NAMES[start : start + 50] for start in range(0, 300, 50)]
    plan = shaped_plan(tmp_path, [{"resources": brings(*chunk)} for chunk in chunks], files=NAMES)
    stage = Stage(tmp_path, plan=plan)
    added = with_files_checked(stage)
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert sorted(added) == [f"{number:04}" for number in range(1, 7)]
    assert uploads(stage) == sorted(NAMES)


def test_a_folder_is_there_whole(tmp_path: Path) -> None:
    names = tuple(f"{folder}/{number:02}.txt" for folder in ("a", "b") for number in range(60))
    folder = FolderResource(role=Role("input"), prefix="a/")
    plan = shaped_plan(tmp_path, [{"resources": (folder,)}] * 250, files=names)
    stage = Stage(tmp_path, plan=plan)
    seen: list[int] = []

    def refuse(operation: str) -> None:
        if operation == "add tasks":
            blobs = stage.blobs.containers[f"{RUN}-input"]
            seen.append(sum(blob.startswith("a/") for blob in blobs))

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert set(seen) == {60}
    assert uploads(stage) == sorted(names)


def test_tasks_without_files_are_added_at_once(tmp_path: Path) -> None:
    plan = shaped_plan(tmp_path, [{}, {"resources": brings("a.txt")}])
    stage = Stage(tmp_path, plan=plan)
    done = threading.Event()

    def wait_for_the_other(operation: str, name: str) -> None:
        if operation == "upload" and name.endswith("a.txt"):
            assert done.wait(60)

    def note(request: TaskRequest) -> None:
        if request.id == "0001":
            done.set()

    add = stage.batch.add_tasks
    stage.blobs.fail = wait_for_the_other

    def noting(job_id: str, requests: list[TaskRequest]) -> None:
        add(job_id, requests)
        for request in requests:
            note(request)

    stage.batch.add_tasks = noting  # type: ignore[method-assign, assignment]
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.batch.collections == [1, 1]


def test_a_slow_file_holds_up_its_own_task_only(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, SPEC, NAMES)
    stage = Stage(tmp_path, plan=plan)

    def slow(operation: str, name: str) -> None:
        if operation == "upload" and name.endswith("/000.txt"):
            deadline = threading.Event()
            while sum(stage.batch.collections) < 299:
                assert not deadline.wait(0.001)

    stage.blobs.fail = slow
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.batch.collections[-1] == 1


def test_unchanged_files_are_not_brought(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, SPEC, ("a.txt", "b.txt"))
    plan = name_container(plan, "input", "mine", unchanged=frozenset({"a.txt"}))
    stage = Stage(tmp_path, plan=plan)
    stage.blobs.containers["mine"] = {"a.txt": b"a.txt"}
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert [line for line in stage.blobs.log if line.startswith("upload")] == ["upload mine/b.txt"]
    assert {event["blob"]: event["skipped"] for event in stage.of_type("upload.finished")} == {
        "a.txt": True,
        "b.txt": False,
    }
    (started,) = stage.of_type("run.started")
    assert started["files"] == 2


def test_files_of_existing_containers_are_not_brought(tmp_path: Path) -> None:
    plan = shaped_plan(tmp_path, [{"resources": brings("x.mp4", role="archive")}])
    plan = add_existing(plan, "archive", "media", ("x.mp4",))
    stage = Stage(tmp_path, plan=plan)
    stage.blobs.containers["media"] = {"x.mp4": b"film"}
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert uploads(stage) == ["a.txt"]
    assert stage.blobs.containers == {"media": {"x.mp4": b"film"}}
    (started,) = stage.of_type("run.started")
    assert started["files"] == 1


def test_files_that_no_task_brings_come_up_too(tmp_path: Path) -> None:
    plan = shaped_plan(tmp_path, [{"resources": brings("a.txt")}], files=("a.txt", "b.srt"))
    stage = Stage(tmp_path, plan=plan)
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert uploads(stage) == ["a.txt", "b.srt"]


def test_a_container_that_no_step_names_is_there_before_the_first_task(tmp_path: Path) -> None:
    spec = SPEC.replace("  output:", "  tools:\n    upload: [{from: tool.sh}]\n  output:")
    (tmp_path / "tool.sh").write_text("echo\n")
    stage = Stage(tmp_path, spec, ("a.txt",))

    def refuse(operation: str) -> None:
        if operation == "add tasks":
            assert list(stage.blobs.containers[f"{RUN}-tools"]) == ["tool.sh"]

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SUCCESS


LONG = CommandLine(
    line="/bin/bash ./long.sh",
    environment={},
    script="a long script",
    script_file="0001/script.sh",
    script_name="long.sh",
)


def with_scripts(plan: Plan) -> Plan:
    """The plan whose first task's commands are too long for the wire."""
    coordination = replace(LONG, script="set up", script_file="0001/set-up.sh", script_name="up.sh")
    task = replace(plan.tasks[0], command=LONG, coordination=coordination)
    return replace(plan, tasks=(task, *plan.tasks[1:]))


def test_long_scripts_come_as_files(tmp_path: Path) -> None:
    stage = Stage(tmp_path, plan=with_scripts(make_plan(tmp_path, SPEC, ("a.txt",))))
    seen: dict[str, bytes] = {}

    def refuse(operation: str) -> None:
        if operation == "add tasks":
            seen.update(stage.blobs.containers[f"{RUN}-logs"])

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert seen == {"0001/script.sh": b"a long script", "0001/set-up.sh": b"set up"}
    (request,) = stage.batch.requests.values()
    assert [each.path for each in request.resources] == ["a.txt", "long.sh"]
    assert [each.path for each in request.shared_resources] == ["up.sh"]


def test_each_task_is_rendered_once_to_be_added(tmp_path: Path) -> None:
    plan, asked = count_renders(
        shaped_plan(tmp_path, [{"resources": brings(name)} for name in NAMES], files=NAMES)
    )
    stage = Stage(tmp_path, plan=plan)
    stage.batch.end = lambda task: None

    def refuse(operation: str) -> None:
        if stage.batch.finished_adding:
            stage.stop.request()

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert asked == list(range(300))


@dataclass
class HeldBlobs(FakeBlobs):
    """Uploads that wait; how many were under way at once is counted."""

    gate: threading.Event = field(default_factory=threading.Event)

    def upload_file(self, container: str, blob: str, source: Path) -> bytes:
        assert self.gate.wait(60)
        return super().upload_file(container, blob, source)


def test_few_tasks_are_held_while_a_file_is_slow(tmp_path: Path) -> None:
    """Thousands of tasks that share one file do not lie in memory until it is up."""
    shaped = shaped_plan(tmp_path, [{"resources": brings("a.txt")}] * 5_000)
    plan, asked = count_renders(shaped)
    stage = Stage(tmp_path, plan=plan)
    blobs = HeldBlobs()
    stage.blobs = stage.batch.blobs = blobs
    rendered: list[int] = []

    def look(operation: str) -> None:
        if operation == "look" and not blobs.gate.is_set() and stage.batch.looks > 20:
            rendered.append(len(asked))
            blobs.gate.set()

    stage.batch.fail = look
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert 0 < rendered[0] <= 200
    assert sum(stage.batch.collections) == 5_000


@pytest.mark.parametrize("failing", ["upload", "add"])
def test_what_goes_wrong_beside_the_watch_ends_the_run(tmp_path: Path, failing: str) -> None:
    stage = Stage(tmp_path, plan=make_plan(tmp_path, SPEC, NAMES))
    stage.batch.end = lambda task: None

    def refuse_upload(operation: str, name: str) -> None:
        if operation == "upload" and name.endswith("/150.txt"):
            raise ServiceError("no room")

    def refuse_add(operation: str) -> None:
        if operation == "add tasks" and sum(stage.batch.collections) > 100:
            raise ServiceError("no room")

    if failing == "upload":
        stage.blobs.fail = refuse_upload
    else:
        stage.batch.fail = refuse_add
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == "no room"
    assert (stage.blobs.containers, stage.batch.job, stage.batch.pools) == ({}, None, set())


class CountedStop(Stop):
    """Counts how often a wait was to end for another reason than the wish to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = 0

    @override
    def wake(self) -> None:
        self.woken += 1
        super().wake()


@pytest.mark.parametrize(
    ("refused", "detach", "woken"), [(False, False, 0), (True, False, 1), (False, True, 1)]
)
def test_an_end_of_feeding_is_waited_for_only_where_it_is_one_of_the_run(
    tmp_path: Path, *, refused: bool, detach: bool, woken: int
) -> None:
    """Otherwise there is nothing to ask the service for yet."""
    stage = Stage(tmp_path)
    stage.stop = stop = CountedStop()

    def refuse(operation: str) -> None:
        if refused and operation == "add tasks":
            raise ServiceError("no more tasks")

    stage.batch.fail = refuse
    outcome = stage.execute(detach=detach)
    assert (outcome.error is not None) == refused
    assert stop.woken == woken
