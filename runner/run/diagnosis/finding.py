"""A finding is a value: one thing that was looked at, what was seen, and how to mend it.

It must not know what was looked at, nor how findings are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from runner.errors import BatchRunError, ExitCode, most_severe
from runner.frozen import dataclass
from runner.spec.problem import Problem


class Verdict(Enum):
    """What a finding comes to, the worst last but for what nobody could say."""

    OK = "ok"
    UNKNOWN = "unknown"
    """Nobody could say: the fix is how to find out."""
    WARNING = "warning"
    ERROR = "error"


class Area(Enum):
    """What findings are about, in the order in which they are shown."""

    MACHINE = "this machine"
    SERVICES = "the local services"
    ENDPOINTS = "endpoints"
    RIGHTS = "credentials and rights"
    ACCOUNT = "the accounts"
    SPEC = "spec"
    TRIAL = "the trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at; `check` is stable, in lower case with dashes.

    `fix` is a command, or words that can be followed; empty where there is nothing to do.
    `exit_code` counts for errors alone: whether the set-up is wrong, or the service said no.
    """

    check: str
    verdict: Verdict
    seen: str
    fix: str = ""
    exit_code: ExitCode = ExitCode.USAGE
    problem: Problem | None = None
    """The place in a spec, and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The findings about one thing; `name` is a spec as the user wrote it, else empty."""

    area: Area
    name: str = ""
    findings: tuple[Finding, ...]


def ok(check: str, seen: str) -> Finding:
    """All is as it should be."""
    return Finding(check=check, verdict=Verdict.OK, seen=seen)


def unknown(check: str, seen: str, fix: str = "") -> Finding:
    """Nobody could say."""
    return Finding(check=check, verdict=Verdict.UNKNOWN, seen=seen, fix=fix)


def warning(check: str, seen: str, fix: str) -> Finding:
    """It goes, but not as it could."""
    return Finding(check=check, verdict=Verdict.WARNING, seen=seen, fix=fix)


def wrong(check: str, seen: str, fix: str, *, code: ExitCode = ExitCode.USAGE) -> Finding:
    """A run would fail."""
    return Finding(check=check, verdict=Verdict.ERROR, seen=seen, fix=fix, exit_code=code)


def of_error(check: str, error: BatchRunError, fix: str = "") -> Finding:
    """What an error says; its own hint where no better `fix` is known."""
    return wrong(check, error.message, fix or error.hint or "", code=error.exit_code)


def of_problem(problem: Problem) -> Finding:
    """Something that is wrong in a spec."""
    return Finding(
        check=problem.code,
        verdict=Verdict.ERROR,
        seen=problem.message,
        fix=problem.hint or "",
        problem=problem,
    )


def exit_code(groups: Iterable[Group]) -> ExitCode:
    """0 where nothing is an error; else 2 for what is wrong here, 3 for what a service said."""
    return most_severe(
        *(
            finding.exit_code
            for group in groups
            for finding in group.findings
            if finding.verdict is Verdict.ERROR
        )
    )
