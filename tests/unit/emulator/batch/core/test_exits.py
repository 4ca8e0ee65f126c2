"""Which exit condition answers to an end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.emulator.batch.core.exits import FAILURE, SUCCESS, exit_action
from runner.emulator.batch.core.runs import with_exit_failure
from runner.emulator.batch.core.task import ExitAction, ExitRules, JobAction, Task
from runner.emulator.batch.node.launch import Failure, FailurePhase, Outcome
from tests.unit.emulator.batch.core.world import LOST_BLOB, World


def action(job: JobAction) -> ExitAction:
    """An action that can be told from others by its job action."""
    return ExitAction(job=job, satisfies_dependents=True)


RULES = ExitRules(
    codes=((1, action(JobAction.NONE)),),
    ranges=((1, 5, action(JobAction.DISABLE)),),
    pre_processing=None,
    file_upload=action(JobAction.DISABLE),
    default=action(JobAction.TERMINATE),
)
LOST_UPLOAD = replace(LOST_BLOB, phase=FailurePhase.FILE_UPLOAD)


def ended(exit_code: int | None, failure: Failure | None, rules: ExitRules | None) -> Task:
    """A task that has ended so."""
    world = World()
    world.pool()
    world.job()
    world.add("a", exits=rules)
    world.end("a", exit_code, failure)
    return world.task("a")


@pytest.mark.parametrize(
    ("exit_code", "failure", "expected"),
    [
        (0, None, SUCCESS),
        (1, None, action(JobAction.NONE)),
        (2, None, action(JobAction.DISABLE)),
        (9, None, action(JobAction.TERMINATE)),
        (None, LOST_BLOB, action(JobAction.TERMINATE)),
        (0, LOST_UPLOAD, action(JobAction.DISABLE)),
        (1, LOST_UPLOAD, action(JobAction.NONE)),
    ],
)
def test_the_first_rule_that_fits_decides(
    exit_code: int | None, failure: Failure | None, expected: ExitAction
) -> None:
    assert exit_action(ended(exit_code, failure, RULES)) == expected


def test_without_rules_a_failure_ends_the_job_and_blocks() -> None:
    assert exit_action(ended(1, None, None)) == FAILURE
    assert exit_action(ended(0, None, None)) == SUCCESS


def test_an_upload_that_failed_stays_the_failure() -> None:
    world = World()
    outcome = Outcome(started=world.now, ended=world.now, exit_code=1, failure=LOST_UPLOAD)
    assert with_exit_failure(outcome) is outcome
