"""Why a command could not do what it was asked for, as data.

It renders an error and nothing else: what standard error says of it for people is not its business.
"""

from __future__ import annotations

from typing import Any

from runner.errors import (
    BatchRunError,
    InterruptedRunError,
    ServiceError,
    ServiceRefusedError,
    StoppedWaitingError,
    TransferError,
    UsageError,
)
from runner.run.events import VERSION
from runner.spec.messages import problem_as_json
from runner.spec.problem import Problem, SpecError, SpecRefusedError

_KINDS: tuple[tuple[type[BatchRunError], str], ...] = (
    (SpecError, "spec"),
    (SpecRefusedError, "spec"),
    (ServiceRefusedError, "refused"),
    (TransferError, "transfer"),
    (ServiceError, "service"),
    (StoppedWaitingError, "stopped-waiting"),
    (InterruptedRunError, "interrupted"),
    (UsageError, "usage"),
)
"""The words for what is at fault, the narrowest class first; all else is a bug of ours."""


def error_as_json(error: BatchRunError) -> dict[str, Any]:
    """One object; keys are only ever added within a version. `type` tells it from an event."""
    return {
        "v": VERSION,
        "type": "error",
        "error": {
            "exit_code": int(error.exit_code),
            "kind": next((word for kind, word in _KINDS if isinstance(error, kind)), "bug"),
            "code": error.code if isinstance(error, ServiceRefusedError) else None,
            "message": error.message,
            "hint": error.hint,
            "resumable": error.is_resumable,
            "problems": [problem_as_json(problem) for problem in _problems(error)],
        },
    }


def _problems(error: BatchRunError) -> tuple[Problem, ...]:
    match error:
        case SpecError():
            return error.problems
        case SpecRefusedError():
            return (error.problem,)
        case _:
            return ()
