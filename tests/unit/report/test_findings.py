"""Findings as lines and as data."""

from __future__ import annotations

from runner.errors import ExitCode
from runner.report.findings_as_json import findings_as_json
from runner.report.findings_as_text import group_lines, summary
from runner.run.diagnosis.finding import (
    Area,
    Group,
    exit_code,
    of_problem,
    ok,
    unknown,
    warning,
    wrong,
)
from runner.spec.problem import Position, Problem, Span

PROBLEM = Problem(
    file="a\x1b.yaml",
    span=Span(start=Position(line=3, column=5), end=Position(line=3, column=9)),
    code="unknown-key",
    message="there is no key `x`",
    hint="did you mean `y`?",
)
GROUPS = (
    Group(
        area=Area.MACHINE,
        findings=(
            ok("clock", "the clocks agree"),
            warning(
                "disk",
                "there is little room left on the disk",
                "make room as in `du -sh /a /b /c /d /e /f /g` or use another disk",
            ),
        ),
    ),
    Group(area=Area.SPEC, name="a\x1b.yaml", findings=(of_problem(PROBLEM), unknown("x", "?"))),
)
REFUSED = Group(area=Area.RIGHTS, findings=(wrong("batch", "no", "ask", code=ExitCode.SERVICE),))


def test_lines_wrap_at_words_and_never_within_a_command() -> None:
    lines = [line for group in GROUPS for line in group_lines(group, colors=False, width=60)]
    assert lines == [
        "this machine",
        "  ok       clock            the clocks agree",
        "  warning  disk             there is little room left on the disk",
        "                            fix: make room as in",
        "                                 `du -sh /a /b /c /d /e /f /g` or",
        "                                 use another disk",
        "spec a\\x1b.yaml",
        "  error    unknown-key      a\\x1b.yaml:3:5: there is no key `x`",
        "                            fix: did you mean `y`?",
        "  unknown  x                ?",
    ]


def test_colours_are_for_verdicts_and_titles_alone() -> None:
    lines = list(group_lines(GROUPS[0], colors=True, width=120))
    assert lines[0] == "\x1b[1mthis machine\x1b[0m"
    assert lines[1] == "  \x1b[32mok       \x1b[0mclock            the clocks agree"


def test_the_summary_has_the_worst_first() -> None:
    assert (
        summary(GROUPS, seconds=1.234)
        == "1 error (unknown-key), 1 warning, 1 unknown, 1 ok, in 1.2 s"
    )
    assert summary(GROUPS[:1], seconds=0) == "1 warning, 1 ok, in 0.0 s"


def test_exit_codes() -> None:
    assert exit_code(GROUPS[:1]) is ExitCode.SUCCESS
    assert exit_code(GROUPS) is ExitCode.USAGE
    assert exit_code([REFUSED]) is ExitCode.SERVICE
    assert exit_code([*GROUPS, REFUSED]) is ExitCode.USAGE


def test_as_data() -> None:
    told = findings_as_json(GROUPS, target="azure")
    assert {name: told[name] for name in ("v", "target", "verdict", "exit_code")} == {
        "v": 1,
        "target": "azure",
        "verdict": "error",
        "exit_code": 2,
    }
    assert told["findings"][2] == {
        "area": "spec",
        "spec": "a\x1b.yaml",
        "check": "unknown-key",
        "verdict": "error",
        "seen": "there is no key `x`",
        "fix": "did you mean `y`?",
        "file": "a\x1b.yaml",
        "line": 3,
        "column": 5,
    }
    assert told["findings"][0]["fix"] is None
