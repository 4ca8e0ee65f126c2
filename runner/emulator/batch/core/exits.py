"""What the way a task ended means for its job and for the tasks that depend on it.

It must not know how those act on it.
"""

from __future__ import annotations

from runner.emulator.batch.core.task import ExitAction, ExitRules, JobAction, Task
from runner.emulator.batch.node.launch import FailurePhase

SUCCESS = ExitAction(job=JobAction.NONE, satisfies_dependents=True)
FAILURE = ExitAction(job=JobAction.TERMINATE, satisfies_dependents=False)


def exit_action(task: Task) -> ExitAction:
    """The action for a completed task (REST reference, `exitConditions`).

    Codes go before ranges; the two errors fall back to `default`; exit code 0 only answers to an
    entry that names it. An upload that failed after a listed exit code takes that code's action.
    """
    fallback = SUCCESS if task.failure is None else FAILURE
    rules = task.exits
    if rules is None:
        return fallback
    if task.exit_code is not None:
        listed = listed_action(rules, task.exit_code)
        if listed is not None:
            return listed
    if task.failure is None:
        return fallback
    phase = task.failure.phase
    if phase is FailurePhase.PRE_PROCESSING and rules.pre_processing is not None:
        return rules.pre_processing
    if phase is FailurePhase.FILE_UPLOAD and rules.file_upload is not None:
        return rules.file_upload
    return rules.default or fallback


def listed_action(rules: ExitRules, exit_code: int) -> ExitAction | None:
    """The action that `exitCodes` or `exitCodeRanges` give to a code."""
    for code, action in rules.codes:
        if code == exit_code:
            return action
    for start, end, action in rules.ranges:
        if start <= exit_code <= end:
            return action
    return None
