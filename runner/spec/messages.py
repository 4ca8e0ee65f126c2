"""Problems as a person reads them in a terminal, and as a program reads them in JSON.

It knows nothing of what made them.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from runner.spec.problem import Position, Problem

_WIDEST = 120
_LEAD = 30
_ELLIPSIS = "..."


def render_problem(problem: Problem) -> str:
    """`file:line:col: code: message`, the line with a caret below the place, and the hint."""
    lines = [_printable(f"{problem.location()}: {problem.code}: {problem.message}")]
    if problem.source_line is not None and problem.source_line.strip():
        lines += _excerpt(problem.source_line, problem)
    if problem.hint:
        lines.append(_printable(f"hint: {problem.hint}"))
    return "\n".join(lines)


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """A problem as data; lines and columns count from 1, `end` is just behind the place."""
    return {
        "file": problem.file,
        "start": _position_as_json(problem.span.start),
        "end": _position_as_json(problem.span.end),
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "source_line": problem.source_line,
    }


def _position_as_json(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}


def _excerpt(line: str, problem: Problem) -> list[str]:
    """The line, or the part of a very long one that matters, and carets below the span."""
    start = problem.span.start.column - 1
    on_one_line = problem.span.end.line == problem.span.start.line
    end = problem.span.end.column - 1 if on_one_line else len(line.rstrip())
    lead = ""
    if len(line) > _WIDEST and start > _LEAD:
        lead = _ELLIPSIS
        line, start, end = line[start - _LEAD :], _LEAD, end - start + _LEAD
    if len(line) > _WIDEST:
        line = line[:_WIDEST] + _ELLIPSIS
    end = min(max(end, start + 1), max(len(line), start + 1))
    # Tabs stay tabs in both lines, so that they end at the same place in any terminal.
    indent = "".join("\t" if each == "\t" else " " * _width(each) for each in line[:start])
    carets = "^" * max(sum(map(_width, line[start:end])), 1)
    return [f"  {lead}{_printable(line)}", f"  {' ' * len(lead)}{indent}{carets}"]


def _width(character: str) -> int:
    """How many columns a terminal gives to a character."""
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _printable(text: str) -> str:
    """The text with control characters, which could steer a terminal, made visible."""
    return "".join(
        "\ufffd" if unicodedata.category(each) in {"Cc", "Cs"} and each != "\t" else each
        for each in text
    )
