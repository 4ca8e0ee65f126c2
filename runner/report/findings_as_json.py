"""Findings as data, for programs that look at an account before they use it.

It must not know how they came about.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runner.run.diagnosis.finding import Finding, Group, Verdict, exit_code

VERSION = 1


def findings_as_json(groups: Iterable[Group], *, target: str) -> dict[str, Any]:
    """All findings in their order; `verdict` is the worst of them, as the exit code has it."""
    groups = tuple(groups)
    found = [(group, finding) for group in groups for finding in group.findings]
    worst = max((finding.verdict for _, finding in found), key=tuple(Verdict).index)
    return {
        "v": VERSION,
        "target": target,
        "verdict": worst.value,
        "exit_code": int(exit_code(groups)),
        "findings": [_as_json(group, finding) for group, finding in found],
    }


def _as_json(group: Group, finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    return {
        "area": group.area.name.lower(),
        "spec": group.name or None,
        "check": finding.check,
        "verdict": finding.verdict.value,
        "seen": finding.seen,
        "fix": finding.fix or None,
        "file": None if problem is None else problem.file,
        "line": None if problem is None else problem.span.start.line,
        "column": None if problem is None else problem.span.start.column,
    }
