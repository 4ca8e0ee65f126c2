"""The order of a run, its exit codes and what it leaves, on every path."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import ExitCode, ServiceError, ServiceUnreachableError
from runner.plan.model import TaskId
from runner.run.removal.cleanup import Keep
from runner.run.services import (
    AutoPool,
    JobState,
    NodeStatus,
    TaskFailure,
    TaskRequest,
    TaskState,
    TaskStatus,
)
from tests.fakes.plans import RUN, SPEC
from tests.fakes.services import NOW, TaskEnd
from tests.fakes.stage import Stage

NAMES = [f"{RUN}-input", f"{RUN}-logs", f"{RUN}-output"]


def test_a_run_brings_everything_home_and_leaves_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.SUCCESS, None)
    assert sorted(path.name for path in (tmp_path / "results" / "output").iterdir()) == [
        "a.out",
        "b.out",
    ]
    assert stage.blobs.containers == {}
    assert (stage.batch.job, stage.batch.pools) == (None, set())
    assert stage.left() == []
    assert stage.batch.finished_adding
    kinds = [event["type"] for event in stage.events]
    assert kinds[0] == "run.started"
    assert kinds[-2:] == ["cleanup.finished", "run.finished"]
    assert kinds.count("upload.finished") == kinds.count("task.finished") == 2
    journal = (stage.directory / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in journal] == stage.events
    assert all({"v", "t", "run", "type"} <= event.keys() for event in stage.events)


def test_names_are_written_down_before_the_first_creation(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str, name: str) -> None:
        if operation == "create container":
            written = json.loads((stage.directory / "submission.json").read_text())
            assert sorted(written["containers"].values()) == NAMES
            assert written["job"] == RUN

    stage.blobs.fail = refuse
    assert stage.execute().exit_code == ExitCode.SUCCESS


def test_a_failed_task_is_a_result(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def end(task: TaskRequest) -> TaskEnd:
        if task.display_name.endswith("b.txt"):
            return TaskEnd(exit_code=7, stderr=b"one\ntwo\n", writes=False)
        return TaskEnd()

    stage.batch.end = end
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.TASKS_FAILED, None)
    (failed,) = [event for event in stage.of_type("task.finished") if not event["succeeded"]]
    assert (failed["task"], failed["exit_code"], failed["stderr_tail"]) == ("0002", 7, "one\ntwo")
    assert (stage.directory / failed["stderr"]).read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "results" / "output" / "a.out").is_file()
    assert [each["name"] for each in stage.left()] == [f"{RUN}-input", f"{RUN}-output", NAMES[1]]
    assert {each["why"] for each in stage.left()} == {"delete: after-success, and the run failed"}
    assert stage.batch.pools == set()


@pytest.mark.parametrize(
    "name", ["same", "1", "00001", "0000", "0003", "000\u00b2", "\u0661\u0661\u0661\u0661"]
)
def test_tasks_of_somebody_else_are_left_alone(tmp_path: Path, name: str) -> None:
    stage = Stage(tmp_path)
    task = TaskId(name)
    stage.batch.tasks[task] = TaskStatus(
        id=task,
        state=TaskState.COMPLETED,
        changed=NOW,
        node_id="node-1",
        started=NOW,
        ended=NOW,
        exit_code=1,
        succeeded=False,
        retry_count=1,
        failure=None,
    )
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.SUCCESS, None)
    tasks = [event["task"] for event in stage.events if event["type"].startswith("task.")]
    assert sorted(set(tasks)) == ["0001", "0002"]
    assert (stage.report.started, stage.report.succeeded, stage.report.failures) == (2, 2, [])


def test_an_output_that_was_not_written_is_a_failure(tmp_path: Path) -> None:
    stage = Stage(tmp_path, files=("a.txt",))
    stage.batch.end = lambda task: TaskEnd(writes=False)
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    (failed,) = stage.of_type("task.finished")
    assert (failed["succeeded"], failed["exit_code"], failed["cause"], failed["message"]) == (
        False,
        0,
        "OutputMissing",
        "the command succeeded but did not write `a.out`",
    )


def test_a_task_that_never_ran_has_no_logs(tmp_path: Path) -> None:
    failure = TaskFailure(code="BlobNotFound", category="UserError", message="no such blob")
    stage = Stage(tmp_path, files=("a.txt",))
    stage.batch.end = lambda task: TaskEnd(exit_code=None, failure=failure)
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    (failed,) = stage.of_type("task.finished")
    assert (failed["cause"], failed["stdout"], failed["stderr"]) == ("BlobNotFound", None, None)


def test_an_unreachable_service_creates_and_cleans_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str) -> None:
        raise ServiceUnreachableError("https://batch.example does not answer")

    stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert stage.blobs.log == []
    assert stage.batch.log == ["find node agent"]


@pytest.mark.parametrize("operation", ["create job", "add tasks", "finish adding", "look"])
def test_whatever_is_refused_everything_is_deleted(tmp_path: Path, operation: str) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: None

    def refuse(asked: str) -> None:
        if asked == operation:
            raise ServiceError(f"{operation} refused")

    stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == f"{operation} refused"
    assert (stage.blobs.containers, stage.batch.job, stage.batch.pools) == ({}, None, set())
    assert stage.left() == []


def test_a_failed_upload_ends_the_run(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str, name: str) -> None:
        if operation == "upload" and name.endswith("b.txt"):
            raise ServiceError("upload refused")

    stage.blobs.fail = refuse
    stage.batch.end = lambda task: None
    assert stage.execute().exit_code == ExitCode.SERVICE
    assert stage.blobs.containers == {}


def test_results_that_could_not_be_brought_home_are_kept(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str, name: str) -> None:
        if operation == "download" and name.endswith("b.out"):
            raise ServiceError("download refused")

    stage.blobs.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert (tmp_path / "results" / "output" / "a.out").is_file()
    assert stage.blobs.containers[f"{RUN}-output"]["b.out"] == b"result"
    assert list((tmp_path / "results" / "output").iterdir()) == [
        tmp_path / "results" / "output" / "a.out"
    ]


def test_what_cannot_be_deleted_is_said(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str, name: str) -> None:
        if operation == "delete container" and name.endswith("-input"):
            raise ServiceError("it is leased")

    stage.blobs.fail = refuse
    assert stage.execute().exit_code == ExitCode.LEFT_BEHIND
    assert stage.left() == [
        {"kind": "container", "name": f"{RUN}-input", "why": "it is leased", "kept": False}
    ]


def test_a_pool_whose_name_never_came_is_found(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str) -> None:
        if operation == "create job":
            stage.batch.pools.add("demo-lost")
            raise ServiceError("no answer")

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SERVICE
    assert stage.batch.pools == set()


def test_keep_leaves_what_it_names(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    outcome = stage.execute(keep=frozenset(Keep))
    assert outcome.exit_code == ExitCode.SUCCESS
    assert stage.batch.job is not None
    assert isinstance(stage.batch.job.pool, AutoPool)
    assert stage.batch.job.pool.keep
    assert sorted(stage.blobs.containers) == NAMES
    assert {(each["kind"], each["why"], each["kept"]) for each in stage.left()} == {
        ("job", "--keep job", True),
        ("pool", "--keep pool", True),
        ("container", "--keep storage", True),
    }


def test_delete_policies(tmp_path: Path) -> None:
    spec = SPEC.replace("  output: {download: true}", "  output: {delete: never}").replace(
        "    upload: [{from: data}]", "    upload: [{from: data}]\n    delete: after-run"
    )
    stage = Stage(tmp_path, spec)
    stage.batch.end = lambda task: TaskEnd(exit_code=1)
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert {each["name"]: each["why"] for each in stage.left()} == {
        f"{RUN}-output": "delete: never",
        f"{RUN}-logs": "delete: after-success, and the run failed",
    }


@pytest.mark.parametrize(("log", "where"), [(b"E: no such package", "above"), (b"\n", "empty")])
def test_start_task_that_fails_everywhere_ends_the_wait(
    tmp_path: Path, log: bytes, where: str
) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: None
    stage.batch.nodes = (
        NodeStatus(
            id="node-1",
            state="starttaskfailed",
            start_task_exit_code=100,
            start_task_failure="it failed",
        ),
    )
    stage.batch.start_task_log = log
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.TASKS_FAILED
    assert outcome.error is not None
    assert outcome.error.message == "the start task failed on every node (exit code 100)"
    assert outcome.error.hint == (
        f"its standard error is {where}; try the command by hand on a node"
    )
    (failed,) = stage.of_type("start_task.failed")
    assert failed["stderr_tail"] == log.decode()


@pytest.mark.parametrize("is_over", [True, False])
def test_a_start_task_that_fails_beside_the_last_tasks_is_told(
    tmp_path: Path, is_over: bool
) -> None:
    stage = Stage(
        tmp_path,
        SPEC.replace(
            "  nodes: {dedicated: 1}",
            "  nodes: {dedicated: 1}\n  start_task: {command: ls, wait_for_success: false}",
        ),
    )
    there = NodeStatus(
        id="node-1",
        state="running",
        start_task_exit_code=None,
        start_task_failure=None,
        start_task_ended=is_over,
    )
    stage.batch.nodes = (there,)
    looks = []

    def end(task: TaskRequest) -> TaskEnd:
        looks.append(task)
        if not is_over:
            failed = replace(there, start_task_exit_code=4, start_task_failure="no")
            stage.batch.nodes = (replace(failed, start_task_ended=True),)
        return TaskEnd()

    stage.batch.end = end
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert looks
    told = [event["exit_code"] for event in stage.of_type("start_task.failed")]
    assert told == ([] if is_over else [4])


def test_no_nodes_to_be_had_ends_the_wait(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: None
    stage.batch.nodes = ()
    stage.batch.resize_errors = ("AccountCoreQuotaReached: no cores left",)
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == (
        "spec.yaml:10:10: refused: the pool has no nodes: AccountCoreQuotaReached: no cores left"
    )


def test_a_job_that_ends_early_ends_the_wait(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: None
    stage.batch.job_state = JobState.COMPLETED
    stage.batch.terminate_reason = "MaxWallClockTimeExpiry"
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.TASKS_FAILED
    assert outcome.error is not None
    assert (outcome.error.message, outcome.error.hint) == (
        "the job reached `limits.duration` (1d): 2 of 2 tasks never ran",
        "`limits.duration` in the spec says how long the job may take",
    )


def ended_by_request(request: TaskRequest) -> TaskEnd:
    """What the service says of a task that it kills with its job."""
    failure = TaskFailure(
        code="TaskEnded", category="UserError", message="Task Was Ended by User Request"
    )
    return TaskEnd(exit_code=137, failure=failure)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("MaxWallClockTimeExpiry", "the job reached `limits.duration` (1d)"),
        ("UserTerminate", "the job ended (UserTerminate)"),
        (None, "the job ended (the job was deleted)"),
    ],
)
@pytest.mark.parametrize("never_ran", [0, 1])
def test_tasks_that_end_with_their_job_say_so(
    tmp_path: Path, reason: str | None, message: str, never_ran: int
) -> None:
    stage = Stage(tmp_path, files=("a.txt", "b.txt", "c.txt"))

    def end(request: TaskRequest) -> TaskEnd | None:
        if not stage.batch.finished_adding:
            return None
        if request.id == "0001":
            return TaskEnd()
        stage.batch.job_state = JobState.COMPLETED
        stage.batch.terminate_reason = reason
        return None if never_ran and request.id == "0003" else ended_by_request(request)

    stage.batch.end = end
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.TASKS_FAILED
    assert outcome.error is not None
    toll = "1 of 3 tasks ended with it, 1 never ran" if never_ran else "2 of 3 tasks ended with it"
    assert outcome.error.message == f"{message}: {toll}"
    failures = {"0002": ("JobEnded", message), "0003": ("JobEnded", message)}
    if never_ran:
        del failures["0003"]
    assert stage.failures() == failures
    (finished,) = stage.of_type("run.finished")
    assert (finished["succeeded"], finished["failed"], finished["unfinished"]) == (
        1,
        2 - never_ran,
        never_ran,
    )


def test_tasks_wait_for_the_reason_of_their_job(tmp_path: Path) -> None:
    """A job that is being terminated does not say yet why."""
    stage = Stage(tmp_path)

    def end(request: TaskRequest) -> TaskEnd | None:
        if not stage.batch.finished_adding:
            return None
        stage.batch.job_state = JobState.TERMINATING
        return ended_by_request(request)

    def look(operation: str) -> None:
        # Not before they have ended, however late they were added.
        if operation == "look" and len(stage.batch.tasks) == 2 and stage.batch.looks > 5:
            stage.batch.job_state = JobState.COMPLETED
            stage.batch.terminate_reason = "MaxWallClockTimeExpiry"

    stage.batch.end, stage.batch.fail = end, look
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    message = "the job reached `limits.duration` (1d)"
    assert stage.failures() == {"0001": ("JobEnded", message), "0002": ("JobEnded", message)}


def test_a_task_that_somebody_ended_in_a_job_that_goes_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: ended_by_request(task) if task.id == "0001" else TaskEnd()
    outcome = stage.execute()
    assert (outcome.exit_code, outcome.error) == (ExitCode.TASKS_FAILED, None)
    assert stage.failures() == {"0001": ("TaskEnded", "Task Was Ended by User Request")}


@pytest.mark.parametrize("outlives", [True, False])
def test_waiting_has_an_end(tmp_path: Path, outlives: bool) -> None:
    stage = Stage(tmp_path, SPEC + "limits: {wait: 5m}\n")
    stage.batch.end = lambda task: None
    outcome = stage.execute(outlives=outlives)
    assert outcome.exit_code == ExitCode.STOPPED_WAITING
    assert outcome.error is not None
    assert outcome.error.message == ("stopped waiting after 5m: 2 of 2 tasks have not ended")
    hint = "`limits.wait` in the spec says how long to wait"
    if not outlives:
        hint += "; locally the work goes on where the run was detached, and rests otherwise"
    assert outcome.error.hint == hint
    if outlives:
        assert stage.batch.job is not None
        assert {each["why"] for each in stage.left()} == {"the work goes on"}
    else:
        assert [left["kind"] for left in stage.left()] == ["local state of run"]


def test_an_interruption_deletes_everything(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    ended: list[str] = []

    def end(task: TaskRequest) -> TaskEnd | None:
        if ended:
            return None
        ended.append(task.id)
        return TaskEnd()

    def refuse(operation: str) -> None:
        if operation == "look" and ended and stage.of_type("task.finished"):
            stage.stop.request()

    stage.batch.end = end
    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert (stage.blobs.containers, stage.batch.job, stage.batch.pools) == ({}, None, set())


def test_an_interruption_of_the_cleanup_lets_it_finish(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str) -> None:
        if operation == "delete job":
            stage.stop.request()

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.INTERRUPTED
    assert (stage.blobs.containers, stage.batch.job, stage.batch.pools) == ({}, None, set())


@pytest.mark.parametrize("operation", ["find node agent", "create job", "add tasks", "look"])
def test_an_interruption_at_any_step_leaves_nothing(tmp_path: Path, operation: str) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: None

    def refuse(asked: str) -> None:
        if asked == operation:
            stage.stop.request()

    stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.INTERRUPTED
    assert stage.blobs.abandoned
    assert (stage.blobs.containers, stage.batch.job, stage.batch.pools) == ({}, None, set())
    assert stage.left() == []


def test_services_that_are_gone_for_good_end_the_run_at_once(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: None

    def refuse(asked: str) -> None:
        if asked == "look":
            stage.services_ended = "the local emulator has ended (killed by signal 9)"
            raise ServiceUnreachableError("out of reach")

    stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == "the local emulator has ended (killed by signal 9)"
    assert "delete job" not in stage.batch.log


def test_a_journal_that_cannot_be_written_ends_the_run_in_order(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = lambda task: None

    def refuse(asked: str) -> None:
        if asked == "look":
            assert stage.journal is not None
            stage.journal.problem = "cannot write `events.jsonl`: no space left on device"

    stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == "cannot write `events.jsonl`: no space left on device"
    assert stage.batch.job is not None
    assert {left["kind"] for left in stage.left()} == {"job", "pool", "container"}


def test_an_end_that_could_not_be_written_down_leaves_what_a_resume_needs(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(asked: str, name: str) -> None:
        if asked == "download" and name.endswith("b.out"):
            assert stage.journal is not None
            stage.journal.problem = "cannot write `events.jsonl`: no space left on device"

    stage.blobs.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    assert outcome.error is not None
    assert outcome.error.message == "cannot write `events.jsonl`: no space left on device"
    assert stage.batch.job is not None
    assert sorted(stage.blobs.containers) == NAMES


def test_a_service_that_no_longer_answers_leaves_names(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(asked: str) -> None:
        if asked != "find node agent":
            raise ServiceUnreachableError("no answer")

    stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.SERVICE
    why = f"batch-run resume {RUN} goes on with it, batch-run clean {RUN} takes it away"
    assert stage.left() == [
        {"kind": kind, "name": name, "why": why, "kept": True}
        for kind, name in (
            ("job", RUN),
            ("pool", "demo-*"),
            ("container", f"{RUN}-input"),
            ("container", f"{RUN}-output"),
            ("container", f"{RUN}-logs"),
        )
    ]


def test_a_bug_cleans_up_too(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    def refuse(operation: str) -> None:
        if operation == "look":
            raise KeyError("oops")

    stage.batch.fail = refuse
    outcome = stage.execute()
    assert outcome.exit_code == ExitCode.BUG
    assert outcome.error is not None
    assert outcome.error.message == "a bug in batch-run: KeyError: 'oops'"
    assert "KeyError" in (stage.directory / "bug.txt").read_text()
    assert (stage.blobs.containers, stage.batch.job, stage.batch.pools) == ({}, None, set())


def test_many_tasks_go_in_collections(tmp_path: Path) -> None:
    files = tuple(f"{number:03}.txt" for number in range(450))
    stage = Stage(tmp_path, files=files)
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert max(stage.batch.collections) <= 100
    assert sum(stage.batch.collections) == 450
    assert len(stage.of_type("task.added")) == 450
    assert len(list((tmp_path / "results" / "output").iterdir())) == 450


def test_all_logs_can_be_had(tmp_path: Path) -> None:
    stage = Stage(tmp_path, files=("a.txt",))
    assert stage.execute(all_logs=True).exit_code == ExitCode.SUCCESS
    assert (stage.directory / "logs" / "0001" / "stdout.txt").read_text() == "out of task/a.txt\n"


def test_start_task_files_are_up_before_the_job(tmp_path: Path) -> None:
    spec = SPEC.replace("  output:", "  tools:\n    upload: [{from: tool.sh}]\n  output:").replace(
        "  nodes: {dedicated: 1}",
        "  nodes: {dedicated: 1}\n  start_task:\n    resources: [{from: tools}]\n    command: ls",
    )
    (tmp_path / "tool.sh").write_text("echo\n")
    stage = Stage(tmp_path, spec)

    def refuse(operation: str) -> None:
        if operation == "create job":
            assert list(stage.blobs.containers[f"{RUN}-tools"]) == ["tool.sh"]

    stage.batch.fail = refuse
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert stage.blobs.log.count(f"upload {RUN}-tools/tool.sh") == 1
    assert [event["role"] for event in stage.of_type("upload.finished")].count("tools") == 1
