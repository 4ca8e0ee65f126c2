"""Problems as people and programs see them."""

from __future__ import annotations

import pytest

from runner.spec.messages import problem_as_json, render_problem
from runner.spec.problem import Position, Problem, Span


def problem(line: str | None, start: int, end: int, *, hint: str | None = None) -> Problem:
    return Problem(
        file="spec.yaml",
        span=Span(start=Position(line=3, column=start), end=Position(line=3, column=end)),
        code="wrong-type",
        message="`a` must be text",
        hint=hint,
        source_line=line,
    )


HEAD = "spec.yaml:3:{}: wrong-type: `a` must be text\n"


@pytest.mark.parametrize(
    ("line", "start", "end", "shown"),
    [
        ("a: 12", 4, 6, "  a: 12\n     ^^"),
        ("a:", 3, 3, "  a:\n    ^"),
        ("\ta: 12", 5, 7, "  \ta: 12\n  \t   ^^"),
        ("世: 12", 4, 6, "  世: 12\n      ^^"),
        ("a: 世界 x", 4, 6, "  a: 世界 x\n     ^^^^"),
        ("e\u0301: 12", 5, 7, "  e\u0301: 12\n     ^^"),
        ("a: \x1b[31m", 4, 5, "  a: \ufffd[31m\n     ^"),
        ("a: 12", 4, 400, "  a: 12\n     ^^"),
        ("a: " + "x" * 500, 4, 504, "  a: " + "x" * 117 + "...\n     " + "^" * 120),
        (
            "y" * 500 + "bad" + "z" * 500,
            501,
            504,
            "  ..." + "y" * 30 + "bad" + "z" * 87 + "...\n" + " " * 35 + "^^^",
        ),
    ],
)
def test_the_caret_stands_below_the_place(line: str, start: int, end: int, shown: str) -> None:
    assert render_problem(problem(line, start, end)) == HEAD.format(start) + shown


def test_a_place_of_several_lines_is_marked_to_the_end_of_the_first() -> None:
    several = Problem(
        file="spec.yaml",
        span=Span(start=Position(line=1, column=4), end=Position(line=3, column=2)),
        code="c",
        message="m",
        hint="do this",
        source_line="a: [b, ",
    )
    assert render_problem(several) == "spec.yaml:1:4: c: m\n  a: [b, \n     ^^^\nhint: do this"


@pytest.mark.parametrize("line", [None, "", "   "])
def test_an_empty_line_is_not_shown(line: str | None) -> None:
    shown = render_problem(problem(line, 1, 1, hint="do this"))
    assert shown == "spec.yaml:3:1: wrong-type: `a` must be text\nhint: do this"


def test_a_hostile_file_name_cannot_steer_the_terminal() -> None:
    hostile = Problem(
        file="a\x1b]0;x\x07.yaml",
        span=Span(start=Position(line=1, column=1), end=Position(line=1, column=2)),
        code="c",
        message="m\x9b",
    )
    assert render_problem(hostile) == "a\ufffd]0;x\ufffd.yaml:1:1: c: m\ufffd"


def test_a_problem_as_data() -> None:
    assert problem_as_json(problem("a: 12", 4, 6, hint="quote it")) == {
        "file": "spec.yaml",
        "start": {"line": 3, "column": 4},
        "end": {"line": 3, "column": 6},
        "code": "wrong-type",
        "message": "`a` must be text",
        "hint": "quote it",
        "source_line": "a: 12",
    }
