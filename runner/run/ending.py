"""The end of a run as an event: what became of its tasks, and why it could not go on, if so.

It must not know who drives the run, nor what is shown of it.
"""

from __future__ import annotations

from runner.errors import BatchRunError, ServiceRefusedError
from runner.run.events import RunFinished
from runner.spec.problem import SpecRefusedError


def run_finished(
    error: BatchRunError | None,
    *,
    exit_code: int,
    tasks: int,
    succeeded: int,
    failed: int,
    halted: bool = False,
    untouched: bool = False,
) -> RunFinished:
    """The last event; of an error all that standard error says of it."""
    return RunFinished(
        exit_code=exit_code,
        succeeded=succeeded,
        failed=failed,
        unfinished=tasks - succeeded - failed,
        error=None if error is None else error.message,
        halted=halted,
        untouched=untouched,
        hint=None if error is None else error.hint,
        code=error.code if isinstance(error, ServiceRefusedError) else None,
        place=error.problem.location() if isinstance(error, SpecRefusedError) else None,
    )
