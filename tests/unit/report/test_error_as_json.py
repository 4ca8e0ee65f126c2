"""Errors as data: each kind by its word, with all that people are told."""

from __future__ import annotations

import pytest

from runner.errors import (
    BatchRunError,
    DiskFullError,
    InterruptedRunError,
    ServiceRefusedError,
    ServiceUnreachableError,
    StoppedWaitingError,
    TransferError,
    UsageError,
)
from runner.report.error_as_json import error_as_json
from runner.run.ending import run_finished
from runner.spec.problem import Position, Problem, Span, SpecError, SpecRefusedError
from tests.data.documents import check

PROBLEM = Problem(
    file="spec.yaml",
    span=Span(start=Position(line=3, column=5), end=Position(line=3, column=9)),
    code="unknown-key",
    message="no such key",
    hint="leave it out",
    source_line="    sise: 3",
)
REFUSED = ServiceRefusedError("no", code="AuthenticationFailed", hint="sign in")


@pytest.mark.parametrize(
    ("error", "kind", "exit_code"),
    [
        (UsageError("what"), "usage", 2),
        (SpecError([PROBLEM]), "spec", 2),
        (SpecRefusedError(PROBLEM, cause=REFUSED), "spec", 3),
        (REFUSED, "refused", 3),
        (ServiceUnreachableError("where"), "service", 3),
        (TransferError("half"), "transfer", 3),
        (DiskFullError("full"), "transfer", 3),
        (StoppedWaitingError("enough"), "stopped-waiting", 4),
        (InterruptedRunError("interrupted"), "interrupted", 130),
        (BatchRunError("oops"), "bug", 70),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BatchRunError) else None,
)
def test_each_kind_has_its_word(error: BatchRunError, kind: str, exit_code: int) -> None:
    value = error_as_json(error)
    check("error", value)
    told = value["error"]
    assert (told["kind"], told["exit_code"]) == (kind, exit_code)
    assert (told["message"], told["hint"]) == (error.message, error.hint)


def test_problems_come_as_validate_has_them() -> None:
    told = error_as_json(SpecRefusedError(PROBLEM, cause=REFUSED))["error"]
    assert told["code"] == "AuthenticationFailed"
    (problem,) = told["problems"]
    assert (problem["file"], problem["start"]) == ("spec.yaml", {"line": 3, "column": 5})


def test_the_end_of_a_run_says_the_same() -> None:
    end = run_finished(
        SpecRefusedError(PROBLEM, cause=REFUSED), exit_code=3, tasks=9, succeeded=4, failed=2
    )
    assert (end.unfinished, end.code, end.place) == (3, "AuthenticationFailed", "spec.yaml:3:5")
    assert (end.error, end.hint) == ("spec.yaml:3:5: unknown-key: no such key", "leave it out")
    good = run_finished(None, exit_code=0, tasks=1, succeeded=1, failed=0)
    assert (good.error, good.hint, good.code, good.place) == (None, None, None, None)
