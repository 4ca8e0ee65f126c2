"""Values as pieces of HTML: whatever they hold, they are text there and nothing else.

It must not know what the pieces are put together to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from html import escape

from runner.report.as_text import printable
from runner.report.trace import TaskState
from runner.run.records.standing import Standing

UNKNOWN = "\N{EN DASH}"
"""Stands where nothing is known."""
SIGNS = {
    TaskState.PLANNED: ("wait", "·"),
    TaskState.QUEUED: ("wait", "○"),
    TaskState.RUNNING: ("busy", "▶"),
    TaskState.RETRYING: ("again", "↻"),
    TaskState.SUCCEEDED: ("good", "✓"),
    TaskState.SKIPPED: ("good", "»"),
    TaskState.FAILED: ("bad", "✗"),
    TaskState.NEVER_RAN: ("wait", "⊘"),
}
"""A class of the style sheet and a sign: colour alone says nothing."""
_STANDINGS = {
    Standing.DRIVEN: ("busy", "▶"),
    Standing.DETACHED: ("busy", "▶"),
    Standing.NOT_AWAITED: ("busy", "▶"),
    Standing.ABANDONED: ("again", "!"),
    Standing.INTERRUPTED: ("again", "!"),
    Standing.LEFT_BEHIND: ("again", "!"),
    Standing.BROKEN_OFF: ("bad", "✗"),
    Standing.REFUSED: ("bad", "✗"),
    Standing.FAILED: ("bad", "✗"),
    Standing.SUCCEEDED: ("good", "✓"),
}


def text(value: object) -> str:
    """As text of a page; what steers terminals, or the direction of writing, is shown escaped."""
    return escape(printable(str(value)))


def lines(value: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(text(line) for line in value.splitlines())


def moment(at: datetime | None) -> str:
    """A time of a second in UTC, for people and programs."""
    if at is None:
        return UNKNOWN
    utc = at.astimezone(timezone.utc)
    return f'<time datetime="{utc:%Y-%m-%dT%H:%M:%SZ}">{utc:%Y-%m-%d %H:%M:%S} UTC</time>'


def badge_of_task(state: TaskState) -> str:
    """A task's state as a sign and a word."""
    kind, sign = SIGNS[state]
    return f'<span class="badge {kind}">{sign} {state.value}</span>'


def badge_of_run(standing: Standing) -> str:
    """How a run stands."""
    kind, sign = _STANDINGS[standing]
    return f'<span class="badge pill {kind}">{sign} {standing.value}</span>'


def command(line: str) -> str:
    """A command line to be copied."""
    return f'<span class="command"><code>{text(line)}</code></span>'


def commands(command_lines: Iterable[str]) -> str:
    """Several of them."""
    items = "".join(f"<li>{command(each)}</li>" for each in command_lines)
    return f'<ul class="commands">{items}</ul>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Terms and what is known of them, which is HTML already; what is empty is left out."""
    rows = "".join(f"<dt>{text(term)}</dt><dd>{known}</dd>" for term, known in pairs if known)
    return f'<dl class="facts">{rows}</dl>'


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already; a head that ends in `#` is of numbers."""
    numbers = [head.endswith("#") for head in heads]
    head = "".join(
        f'<th scope="col"{_class(number)}>{text(name.rstrip("#"))}</th>'
        for name, number in zip(heads, numbers, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(number)}>{cell}</td>" for cell, number in zip(row, numbers, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def section(name: str, title: str, body: str, *, count: str = "") -> str:
    """A part of the page with its heading."""
    more = f' <span class="count">{text(count)}</span>' if count else ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">'
        f'<h2 id="{name}-title">{text(title)}{more}</h2>{body}</section>'
    )


def _class(number: bool) -> str:
    return ' class="number"' if number else ""
