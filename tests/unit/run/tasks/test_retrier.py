"""Tasks that are run again by a run itself, from their failure to their end."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from runner.errors import ExitCode, ServiceUnreachableError
from runner.run.services import JobState, TaskFailure, TaskRequest
from tests.fakes.plans import spec_of
from tests.fakes.services import TaskEnd
from tests.fakes.stage import Stage

UPLOAD = TaskFailure(code="FileUploadMiscError", category="ServerError", message="no upload")
DOWNLOAD = TaskFailure(code="BlobDownloadTimedOut", category="ServerError", message="too slow")


def staged(folder: Path, retries: str, tasks: int = 1, more: str = "") -> Stage:
    spec = spec_of(
        f"task: {{for_each: {{range: {{from: 1, to: {tasks}}}}}, command: 'echo {{{{ item }}}}',"
        f" retries: {retries}}}\n{more}"
    )
    return Stage(folder, spec, ("a.txt",))


class Ends:
    """The ends of a task, one an attempt; then it succeeds."""

    def __init__(self, *ends: TaskEnd) -> None:
        self.ends = ends
        self.begun: Counter[str] = Counter()

    def __call__(self, request: TaskRequest) -> TaskEnd:
        attempt = self.begun[request.id]
        self.begun[request.id] += 1
        return self.ends[attempt] if attempt < len(self.ends) else TaskEnd()


def retried(stage: Stage) -> list[tuple[int, int, str, int | None]]:
    return [
        (event["attempt"], event["retries"], event["cause"], event["exit_code"])
        for event in stage.of_type("task.retried")
    ]


def test_a_task_is_run_again_until_it_succeeds(tmp_path: Path) -> None:
    stage = staged(tmp_path, "{resource_download: 1, output_upload: 2}")
    stage.batch.end = Ends(
        TaskEnd(exit_code=None, failure=DOWNLOAD),
        TaskEnd(exit_code=0, failure=UPLOAD),
        TaskEnd(exit_code=0, failure=UPLOAD),
    )
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert retried(stage) == [
        (1, 1, "resource_download", None),
        (2, 2, "output_upload", 0),
        (3, 3, "output_upload", 0),
    ]
    (end,) = stage.of_type("task.finished")
    assert (end["succeeded"], end["attempts"], end["retries"]) == (True, 4, 3)
    assert [event["attempt"] for event in stage.of_type("task.started")] == [2, 3, 4]


def test_waits_grow_and_the_job_stays_open_meanwhile(tmp_path: Path) -> None:
    stage = staged(tmp_path, "{exit_code: 3, backoff: 10s}")
    stage.batch.end = Ends(*[TaskEnd(exit_code=2)] * 9)
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    waits = [
        datetime.fromisoformat(event["due"][:-1]) - datetime.fromisoformat(event["at"][:-1])
        for event in stage.of_type("task.retried")
    ]
    assert [wait.seconds for wait in waits] == [10, 20, 40]
    log = stage.batch.log
    times = [index for index, word in enumerate(log) if word == "reactivate 0001"]
    assert len(times) == 3
    assert log.index("finish adding") > times[-1]
    assert log.index("finish adding") < log.index("delete job")
    last = stage.of_type("task.retried")[-1]
    assert stage.clock.now() >= datetime.fromisoformat(last["due"].replace("Z", "+00:00"))
    (end,) = stage.of_type("task.finished")
    assert (end["exit_code"], end["attempts"], end["retries"]) == (2, 4, 3)


def test_a_budget_is_of_each_task(tmp_path: Path) -> None:
    stage = staged(tmp_path, "{output_upload: 1}", tasks=300)
    stage.batch.end = Ends(TaskEnd(failure=UPLOAD))
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert len(stage.of_type("task.retried")) == 300
    assert {event["attempts"] for event in stage.of_type("task.finished")} == {2}


def test_who_needs_a_task_that_is_run_again_waits_for_it(tmp_path: Path) -> None:
    spec = spec_of(
        "tasks:\n"
        "  one: {command: echo, retries: {output_upload: 1}}\n"
        "  two: {command: echo, needs: one}\n"
    )
    stage = Stage(tmp_path, spec, ("a.txt",))
    first = Ends(TaskEnd(failure=UPLOAD))

    def end(request: TaskRequest) -> TaskEnd:
        return first(request) if request.id == "0001" else TaskEnd()

    stage.batch.end = end
    assert stage.execute().exit_code == ExitCode.SUCCESS
    assert [event["task"] for event in stage.of_type("task.finished")] == ["0001", "0002"]


def test_a_job_that_ends_takes_those_with_it_that_wait(tmp_path: Path) -> None:
    stage = staged(tmp_path, "{output_upload: {times: 1, backoff: 1d}}", tasks=2)

    def end(request: TaskRequest) -> TaskEnd:
        if request.id == "0001":
            return TaskEnd(exit_code=0, failure=UPLOAD)
        stage.batch.job_state = JobState.COMPLETED
        stage.batch.terminate_reason = "UserTerminate"
        return TaskEnd()

    stage.batch.end = end
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert stage.failures() == {"0001": ("FileUploadMiscError", "no upload")}
    ends = {event["task"]: event["attempts"] for event in stage.of_type("task.finished")}
    assert ends == {"0001": 1, "0002": 1}
    assert "reactivate 0001" not in stage.batch.log


def test_a_refusal_since_the_job_is_over_is_the_end(tmp_path: Path) -> None:
    stage = staged(tmp_path, "{output_upload: {times: 1, backoff: 0s}}")
    stage.batch.end = Ends(TaskEnd(failure=UPLOAD))

    def fail(operation: str) -> None:
        if operation == "reactivate 0001":
            stage.batch.job_state = JobState.COMPLETED

    stage.batch.fail = fail
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert stage.failures() == {"0001": ("FileUploadMiscError", "no upload")}


def test_a_service_that_is_out_of_reach_ends_the_run(tmp_path: Path) -> None:
    stage = staged(tmp_path, "{output_upload: {times: 1, backoff: 0s}}")
    stage.batch.end = Ends(TaskEnd(failure=UPLOAD))

    def fail(operation: str) -> None:
        if operation == "reactivate 0001":
            raise ServiceUnreachableError("nobody answers")

    stage.batch.fail = fail
    assert stage.execute().exit_code == ExitCode.SERVICE
