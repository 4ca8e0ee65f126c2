"""Runs that are taken up again: what is there is used, what is done stays done."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ExitCode, ServiceUnreachableError, UsageError
from runner.plan.model import LOGS, RunId, TaskId, TaskRange
from runner.run.records.past import read_past, read_submission
from runner.run.records.record_blob import RECORD_BLOB
from runner.run.removal.cleanup import Keep
from runner.run.results.settled import Settled
from runner.run.services import JobState, TaskRequest
from runner.run.tasks.presence import Presence, Wait, filler
from runner.spec.model.pool import OperatingSystem
from tests.fakes.plans import RUN, SPEC, make_plan, spec_of
from tests.fakes.services import TaskEnd
from tests.fakes.stage import Stage

GATHER = spec_of(
    """\
tasks:
  map:
    for_each: input
    command: cat {{ file.path }} > {{ file.stem }}.out
    outputs: [{pattern: "{{ file.stem }}.out", to: output}]
  all:
    needs: [map]
    command: cat output/* > all.txt
    outputs: [{pattern: all.txt, to: output}]
"""
)
GATHERED = GATHER + "limits: {wait: 5m}\n"
FILES = ("a.txt", "b.txt", "c.txt")


def _interrupted(folder: Path, spec: str = GATHER, *, ended: tuple[str, ...] = ("0001",)) -> Stage:
    """A run that Ctrl-C ended once these tasks were home; nothing of it is left."""
    stage = Stage(folder, spec, FILES)

    def end(task: TaskRequest) -> TaskEnd | None:
        return TaskEnd() if task.id in ended else None

    stage.batch.end = end
    look = stage.batch.fail

    def stop(operation: str) -> None:
        look(operation)
        home = len(stage.of_type("task.finished"))
        if operation == "look" and home >= len(ended):
            stage.stop.request()

    stage.batch.fail = stop
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert (stage.batch.job, stage.blobs.containers) == (None, {})
    stage.batch.fail = look
    stage.batch.end = lambda task: TaskEnd()
    stage.batch.log.clear()
    stage.blobs.log.clear()
    return stage


def _uploads(stage: Stage) -> list[str]:
    return sorted(
        line.removeprefix(f"upload {RUN}-") for line in stage.blobs.log if line[:7] == "upload "
    )


def test_a_run_that_was_left_goes_on_with_its_job(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SPEC + "limits: {wait: 5m}\n")
    stage.batch.end = lambda task: TaskEnd() if task.id == "0001" else None
    assert stage.execute().exit_code == ExitCode.STOPPED_WAITING
    stage.batch.end = lambda task: TaskEnd()
    stage.blobs.log.clear()
    requests = dict(stage.batch.requests)
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert stage.batch.requests == requests
    assert _uploads(stage) == []
    assert [event["task"] for event in stage.of_type("task.finished")] == ["0002"]
    assert (stage.report.succeeded, stage.report.resumed) == (2, 1)
    assert stage.batch.job is None
    assert stage.blobs.containers == {}


def test_after_an_interruption_only_what_is_missing_is_made_again(tmp_path: Path) -> None:
    stage = _interrupted(tmp_path)
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert sorted(stage.batch.requests) == ["0002", "0003", "0004"]
    # The gathering task waits for nobody whom the new job never has, and finds all it needs.
    assert stage.batch.requests[TaskId("0004")].needs == (TaskRange(first=2, last=3),)
    assert _uploads(stage) == ["input/b.txt", "input/c.txt", "output/a.out"]
    assert stage.report.succeeded == 4
    assert sorted(path.name for path in (tmp_path / "results" / "output").iterdir()) == [
        "a.out",
        "all.txt",
        "b.out",
        "c.out",
    ]


CHAIN = GATHER.replace("{download: true}", "{download: true}\n  middle: {}").replace(
    """\
    outputs: [{pattern: "{{ file.stem }}.out", to: output}]
  all:
    needs: [map]
    command: cat output/* > all.txt
    outputs: [{pattern: all.txt, to: output}]
""",
    """\
    outputs: [{pattern: "{{ file.stem }}.out", to: middle}]
  twice:
    for_each: {outputs_of: map}
    command: cat {{ file.path }} {{ file.path }} > {{ file.stem }}.two
    outputs: [{pattern: "{{ file.stem }}.two", to: output}]
""",
)
"""Files between steps that never come home: tasks 4, 5 and 6 each need one of 1, 2 and 3."""


def test_what_went_with_its_container_is_made_again_where_it_is_needed(tmp_path: Path) -> None:
    stage = _interrupted(tmp_path, CHAIN, ended=("0001", "0002", "0004"))
    assert stage.resume().exit_code == ExitCode.SUCCESS
    # Not the first, since what needs it is done.
    assert sorted(stage.batch.requests) == ["0002", "0003", "0005", "0006"]
    assert stage.batch.requests[TaskId("0005")].needs == (TaskRange(first=2, last=2),)
    assert stage.report.succeeded == 6


def test_what_may_have_gone_with_a_cleanup_that_was_killed_is_made_again(tmp_path: Path) -> None:
    stage = _interrupted(tmp_path, CHAIN, ended=("0001", "0004"))
    events = stage.directory / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)[:-1]
    assert b'"cleanup.finished"' in lines.pop()
    events.write_bytes(b"".join(lines))
    assert (stage.directory / "cleaning").exists()
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert sorted(stage.batch.requests) == ["0002", "0003", "0005", "0006"]


def test_what_is_left_in_its_container_is_not_made_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, CHAIN + "limits: {wait: 5m}\n", FILES)
    stage.batch.end = lambda task: TaskEnd() if task.id in {"0001", "0002"} else None
    assert stage.execute().exit_code == ExitCode.STOPPED_WAITING
    stage.batch.end = lambda task: TaskEnd()
    requests = dict(stage.batch.requests)
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert stage.batch.requests == requests
    assert {event["task"] for event in stage.of_type("task.finished")} == {
        *("0003", "0004", "0005", "0006")
    }


def test_an_output_that_is_lost_at_home_is_made_again(tmp_path: Path) -> None:
    stage = _interrupted(tmp_path, ended=("0001", "0002"))
    output = tmp_path / "results" / "output" / "a.out"
    output.write_bytes(b"x" * len(output.read_bytes()))
    if stage.of_type("output.downloaded")[0]["md5"] is None:
        output.unlink()
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert sorted(stage.batch.requests) == ["0001", "0003", "0004"]


def test_a_failure_stays_one_and_blocks_those_that_need_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GATHER, FILES)

    def end(task: TaskRequest) -> TaskEnd | None:
        return TaskEnd(exit_code=7) if task.id == "0002" else None

    def stop(operation: str) -> None:
        if operation == "look" and stage.of_type("task.finished"):
            stage.stop.request()

    stage.batch.end, stage.batch.fail = end, stop
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    stage.batch.fail = lambda operation: None
    stage.batch.end = lambda task: TaskEnd()
    assert stage.resume().exit_code == ExitCode.TASKS_FAILED
    assert sorted(stage.batch.requests) == ["0001", "0003"]
    assert stage.failures() == {"0004": ("DependencyFailed", "it needs task `0002`, which failed")}
    report = stage.report
    assert (report.succeeded, [each.task for each in report.failures]) == (2, ["0002", "0004"])


def test_a_run_whose_cleanup_was_cut_short_is_only_cleaned_up(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def die(operation: str) -> None:
        if operation == "delete job":
            raise KeyboardInterrupt

    stage.batch.fail = die
    with pytest.raises(KeyboardInterrupt):
        stage.execute()
    assert stage.batch.job is not None
    stage.batch.fail = lambda operation: None
    stage.batch.log.clear()
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert not {"create job", "add tasks", "look"} & set(stage.batch.log)
    assert stage.names_left() == set()
    assert stage.report.succeeded == 2


def test_a_run_that_died_before_it_made_anything_begins(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str) -> None:
        raise ServiceUnreachableError("no answer")

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SERVICE
    assert not (stage.directory / "submission.json").exists()
    stage.batch.fail = lambda operation: None
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert stage.report.resumed == 0


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000], ids=lambda text: text[:24])
def test_a_file_of_names_that_is_damaged_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "submission.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_submission(tmp_path)
    assert caught.value.message == f"`{path}` does not tell what the run has made"


def test_a_job_that_stood_still_goes_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SPEC + "limits: {wait: 5m}\n")
    stage.batch.end = lambda task: None
    assert stage.execute().exit_code == ExitCode.STOPPED_WAITING
    stage.batch.job_state = JobState.DISABLED
    stage.batch.end = lambda task: TaskEnd()
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert "enable job" in stage.batch.log


def test_a_container_of_the_users_keeps_what_the_run_has_brought(tmp_path: Path) -> None:
    spec = GATHER.replace("  output: {download: true}", "  output: {name: mine, download: true}")
    spec = spec.replace("name: mine,", "name: mine, if_not_empty: clear, delete: never,")
    stage = Stage(tmp_path, spec, FILES)
    stage.blobs.containers["mine"] = {"old": b"1"}
    stage.batch.end = lambda task: TaskEnd() if task.id == "0001" else None

    def stop(operation: str) -> None:
        if operation == "look" and stage.of_type("task.finished"):
            stage.stop.request()

    stage.batch.fail = stop
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert list(stage.blobs.containers) == ["mine"]
    assert list(stage.blobs.containers["mine"]) == ["a.out"]
    stage.batch.fail = lambda operation: None
    stage.batch.end = lambda task: TaskEnd()
    assert stage.resume().exit_code == ExitCode.SUCCESS
    assert sorted(stage.blobs.containers["mine"]) == ["a.out", "all.txt", "b.out", "c.out"]
    assert not any(line.startswith("delete blob") for line in stage.blobs.log[-20:])


def test_tasks_that_an_earlier_run_has_done_are_told_and_not_run(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SPEC)
    settled = Settled(2)
    settled.skip(1)
    assert stage.execute(settled=settled).exit_code == ExitCode.SUCCESS
    assert list(stage.batch.requests) == ["0002"]
    told = stage.of_type("task.finished")
    assert [(each["task"], each["succeeded"], each["skipped"]) for each in told] == [
        ("0001", True, True),
        ("0002", True, False),
    ]
    assert _uploads(stage) == ["input/b.txt"]
    assert (stage.report.succeeded, stage.report.skipped) == (2, 1)


def test_the_record_is_left_and_held_while_the_run_goes_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    holders: list[dict[str, str]] = []

    def look(operation: str) -> None:
        if operation == "look":
            holders.append(dict(stage.blobs.holders))

    stage.batch.fail = look
    assert stage.execute(holder="me").exit_code == ExitCode.SUCCESS
    assert holders[0] == {f"{RUN}-logs/{RECORD_BLOB}": "me"}
    assert stage.blobs.holders == {}


def test_a_record_that_stays_is_let_go_of(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    assert stage.execute(holder="me", keep=frozenset({Keep.STORAGE})).exit_code == ExitCode.SUCCESS
    assert f"{RUN}-logs" in stage.blobs.containers
    assert stage.blobs.holders == {}


def test_a_run_that_somebody_else_holds_is_left_alone(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    container = f"{RUN}-{LOGS}"
    stage.blobs.containers[container] = {RECORD_BLOB: b""}
    stage.blobs.holders[f"{container}/{RECORD_BLOB}"] = "another"
    outcome = stage.execute(holder="me")
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == "a client on another machine drives the run"
    assert "create job" not in stage.batch.log
    assert container in stage.blobs.containers
    assert stage.left() == []


def test_who_is_interrupted_while_it_waits_for_another_client_has_touched_nothing(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path, SPEC + "limits: {wait: 5m}\n")
    stage.batch.end = lambda task: None
    assert stage.execute(holder="me").exit_code == ExitCode.STOPPED_WAITING
    stage.blobs.holders[f"{RUN}-{LOGS}/{RECORD_BLOB}"] = "another"
    before = stage.names_left()

    def stop(operation: str, name: str) -> None:
        if operation == "hold":
            stage.stop.request()

    stage.blobs.fail = stop
    outcome = stage.resume(holder="me")
    assert outcome.exit_code == ExitCode.INTERRUPTED
    assert outcome.error is not None
    assert outcome.error.message == (
        "interrupted: another client drives the run still; it was not touched"
    )
    (end,) = stage.of_type("run.finished")
    assert end["untouched"] is True
    assert stage.left() == []
    assert stage.names_left() == before


def test_a_run_that_another_client_has_ended_is_not_made_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path, SPEC + "limits: {wait: 5m}\n")
    stage.batch.end = lambda task: None
    assert stage.execute(holder="me").exit_code == ExitCode.STOPPED_WAITING
    stage.batch.job = None
    stage.blobs.containers.clear()
    outcome = stage.resume(holder="me")
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == (
        f"job `{RUN}` and the run's record in storage are gone: another client has ended the run"
    )
    assert stage.blobs.containers == {}
    assert stage.batch.job is None


def test_a_run_that_this_client_has_cleaned_up_is_made_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def stop(operation: str) -> None:
        if operation == "look":
            stage.stop.request()

    stage.batch.fail = stop
    assert stage.execute(holder="me").exit_code == ExitCode.INTERRUPTED
    stage.batch.fail = lambda operation: None
    assert stage.resume(holder="me").exit_code == ExitCode.SUCCESS
    assert stage.report.succeeded == 2


def test_what_is_settled_is_counted_and_forgotten() -> None:
    settled = Settled(4)
    settled.succeed(2)
    settled.skip(3)
    assert (len(settled), settled.succeeded, settled.is_complete) == (2, 2, False)
    assert list(settled.skipped()) == [3]
    assert [settled.is_settled(number) for number in (1, 2, 3)] == [False, True, True]
    settled.reopen(2)
    assert [number for number in range(1, 5) if settled.is_settled(number)] == [3]


@pytest.mark.parametrize(
    ("done", "present", "needs", "left"),
    [
        ((1, 2), (), (1, 5), [(3, 5)]),
        ((3,), (), (1, 5), [(1, 2), (4, 5)]),
        ((1, 3, 5), (), (1, 5), [(2, 2), (4, 4)]),
        ((1, 3, 5), (3,), (1, 5), [(2, 4)]),
        ((1, 2, 3, 4, 5), (), (1, 5), []),
        ((5,), (), (1, 4), [(1, 4)]),
    ],
)
def test_nobody_waits_for_tasks_that_a_job_never_has(
    done: tuple[int, ...], present: tuple[int, ...], needs: tuple[int, int], left: list[object]
) -> None:
    settled = Settled(6)
    for number in done:
        settled.succeed(number)
    absent = settled.absent(present)
    found = absent.without((TaskRange(first=needs[0], last=needs[1]),))
    assert [(each.first, each.last) for each in found] == left


def test_where_there_are_too_many_holes_they_are_filled(tmp_path: Path) -> None:
    spec = GATHER.replace("for_each: input", "for_each: {range: {from: 1, to: 12002}}").replace(
        "cat {{ file.path }} > {{ file.stem }}.out", "seq {{ item }} > {{ item }}.out"
    )
    spec = spec.replace('"{{ file.stem }}.out"', '"{{ item }}.out"')
    plan = make_plan(tmp_path, spec)
    settled = Settled(len(plan.tasks))
    for number in range(1, 12002, 2):
        settled.succeed(number)
    presence = Presence(plan, settled)
    assert presence.what_to_do(1) is Wait.FILL
    assert presence.what_to_do(2) is Wait.ADD
    request = filler(plan.tasks[0], OperatingSystem.LINUX)
    assert (request.id, request.command.line) == ("00001", "/bin/true")
    assert (request.outputs, request.resources, request.needs) == ((), (), ())
    assert presence.without_absent(request) == request


def test_the_past_of_a_directory_without_events_is_nothing(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    past = read_past(tmp_path, plan)
    assert (past.has_begun, past.end, past.submission, len(past.settled)) == (False, None, None, 0)
    assert plan.run_id == RunId(RUN)
