"""A problem is a value: one thing that is wrong in what the user wrote, and where.

It knows nothing of YAML, schema or templates; those make problems.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from runner.errors import ExitCode, ServiceRefusedError, UsageError
from runner.frozen import dataclass


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Position:
    """A place in a text; line and column count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the first character to just behind the last one."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, with all that is needed to show it.

    `code` is stable and lower-case with dashes (`unknown-key`); `message` is lower case without a
    full stop, names in backticks; `hint` can be followed; `source_line` is the text of the line.
    """

    file: str
    span: Span
    code: str
    message: str
    hint: str | None = None
    source_line: str | None = None

    def location(self) -> str:
        """`file:line:col`, as editors understand it."""
        return f"{self.file}:{self.span.start.line}:{self.span.start.column}"


class SpecError(UsageError):
    """The spec, or a `what` that goes with it, has problems; all of them, in reading order."""

    exit_code = ExitCode.USAGE

    def __init__(self, problems: Iterable[Problem], *, what: str = "the spec") -> None:
        self.problems = in_reading_order(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'' if count == 1 else 's'} in {what}")


class SpecRefusedError(ServiceRefusedError):
    """The service would not take something that the spec says; `problem` shows where it does."""

    def __init__(self, problem: Problem, *, cause: ServiceRefusedError) -> None:
        super().__init__(
            f"{problem.location()}: {problem.code}: {problem.message}",
            code=cause.code,
            hint=problem.hint,
            refusal=cause.refusal,
        )
        self.problem = problem


def in_reading_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By position, each said once."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda problem: (problem.file, problem.span.start)))
