"""A run with secret parameters: brought up for its tasks, taken away with it, written nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ExitCode
from runner.run.removal.cleanup import Keep
from runner.run.removal.traces import CONTAINER_KEPT, CONTAINER_RUN
from runner.run.services import NodeStatus, TaskFailure, TaskRequest
from runner.spec.model.terms import SecretName
from tests.fakes.plans import RUN, SPEC
from tests.fakes.services import TaskEnd
from tests.fakes.stage import Stage

TOKEN = SecretName("TOKEN")
VALUE = "canary-hunter2-value"
SPEC_WITH_SECRET = SPEC.replace(
    "containers:\n", "parameters:\n  token: {type: string, secret: true}\ncontainers:\n", 1
).replace(
    "  for_each: input\n", '  for_each: input\n  environment: {T: "{{ parameters.token }}"}\n'
)
SECRETS = f"{RUN}-secrets"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path, SPEC_WITH_SECRET)
    stage.secrets[TOKEN] = VALUE
    return stage


def written(stage: Stage) -> str:
    """All that is in the run's directory."""
    files = (path for path in stage.directory.rglob("*") if path.is_file())
    return "\n".join(path.read_text() for path in files)


@pytest.mark.parametrize("keep", [frozenset(), frozenset(Keep)])
def test_the_value_is_there_while_tasks_run_and_gone_with_the_run(
    stage: Stage, keep: frozenset[Keep]
) -> None:
    there: list[bytes] = []

    def end(task: TaskRequest) -> TaskEnd:
        there.append(stage.blobs.containers[SECRETS]["step/task"])
        assert VALUE not in repr(task)
        return TaskEnd()

    stage.batch.end = end
    outcome = stage.execute(keep=keep)

    assert outcome.exit_code == ExitCode.SUCCESS, outcome.error
    assert there == [f"export T={VALUE}\n".encode()] * 2
    assert SECRETS not in stage.blobs.containers
    assert SECRETS not in {each["name"] for each in stage.left()}


def test_nobody_keeps_the_container_on_purpose(stage: Stage) -> None:
    """Whoever tidies up later finds no reason on it to let it stay."""
    stage.execute(keep=frozenset({Keep.STORAGE}))
    assert stage.blobs.metadata[f"{RUN}-logs"] == {
        CONTAINER_RUN: RUN,
        CONTAINER_KEPT: "--keep storage",
    }
    assert stage.blobs.metadata[SECRETS] == {CONTAINER_RUN: RUN}


def test_the_container_goes_where_tasks_fail(stage: Stage) -> None:
    stage.batch.end = lambda task: TaskEnd(exit_code=1)
    assert stage.execute().exit_code == ExitCode.TASKS_FAILED
    assert f"{RUN}-logs" in stage.blobs.containers
    assert SECRETS not in stage.blobs.containers


def test_what_tasks_print_and_services_quote(stage: Stage) -> None:
    failure = TaskFailure(code="Bad", category="UserError", message=f"no {VALUE}")
    stage.batch.end = lambda task: TaskEnd(
        exit_code=1,
        stdout=VALUE.encode(),
        stderr=b"x" * 3_990 + VALUE.encode() + b"!",
        failure=failure,
    )
    stage.execute()

    assert VALUE not in written(stage) + str(stage.events)
    log = stage.directory / "logs" / "0001" / "stdout.txt"
    assert log.read_text() == "REDACTED"
    finished = stage.of_type("task.finished")[0]
    assert finished["message"] == "no REDACTED"
    assert finished["stderr_tail"].endswith("xREDACTED!")


@pytest.mark.parametrize("kept", [1, 5, len(VALUE)])
def test_the_log_of_a_start_task_that_begins_within_a_value(stage: Stage, kept: int) -> None:
    rest = b" was wrong\n"
    stage.batch.start_task_log = VALUE.encode() + b"." * (4_000 - kept - len(rest)) + rest
    failed = TaskFailure(code="FailureExitCode", category="UserError", message="it failed")
    stage.batch.nodes = (
        NodeStatus(
            id="node-1",
            state="starttaskfailed",
            start_task_exit_code=1,
            start_task_failure=failed.message,
        ),
    )
    stage.batch.end = lambda task: None
    outcome = stage.execute()

    (event,) = stage.of_type("start_task.failed")
    said = event["stderr_tail"]
    assert said.endswith(". was wrong\n")
    assert said.removeprefix("REDACTED").startswith("....")
    assert outcome.error is not None
    assert VALUE[-5:] not in written(stage) + str(outcome.error.message)


def test_a_bug_that_quotes_it(stage: Stage) -> None:
    def fail(operation: str, name: str) -> None:
        if operation == "upload" and name.startswith(SECRETS):
            raise RuntimeError(f"it was {VALUE}")

    stage.blobs.fail = fail
    outcome = stage.execute()

    assert outcome.exit_code == ExitCode.BUG
    assert "RuntimeError: it was REDACTED" in (stage.directory / "bug.txt").read_text()
    assert VALUE not in written(stage) + str(stage.events)
    assert SECRETS not in stage.blobs.containers
