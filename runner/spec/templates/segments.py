"""A string of the spec cut into its literal text and its expressions.

It knows nothing of what the string is for. Only `{{ ... }}` is cut out: `{% %}` and `{# #}` are
plain text, so that `${#name}` stays shell.
"""

from __future__ import annotations

import re

from runner.frozen import dataclass
from runner.spec.templates.expression import Expression, compile_expression
from runner.spec.templates.fault import Reference, TemplateError, TemplateFault

_OPEN = "{{"
_STOP = re.compile(r"""\}\}|['"]""")
_QUOTED = {
    "'": re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'", re.DOTALL),
    '"': re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL),
}


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself, from `offset` of the leaf."""

    text: str
    offset: int


Segment = Literal | Expression


def cut(text: str) -> tuple[tuple[Segment, ...], tuple[TemplateFault, ...]]:
    """The segments of `text` in order, and what is wrong with its expressions.

    An expression that is wrong is left out of the segments.
    """
    segments: list[Segment] = []
    faults: list[TemplateFault] = []
    at = 0
    while True:
        start = text.find(_OPEN, at)
        if start < 0:
            break
        if start > at:
            segments.append(Literal(text[at:start], at))
        end = _find_end(text, start + len(_OPEN))
        if end is None:
            faults.append(_unclosed(start))
            closed = text.find("}}", start)
            at = len(text) if closed < 0 else closed + 2
            continue
        try:
            segments.append(_compile(text, start, end))
        except TemplateError as error:
            faults.extend(error.faults)
        at = end
    if at < len(text):
        segments.append(Literal(text[at:], at))
    return tuple(segments), tuple(faults)


def references_of(segments: tuple[Segment, ...]) -> tuple[Reference, ...]:
    """The names that the expressions speak of, in the order of the text."""
    return tuple(
        reference
        for segment in segments
        if isinstance(segment, Expression)
        for reference in segment.references
    )


def _find_end(text: str, start: int) -> int | None:
    """Just behind the `}}` that closes; one inside a quoted text does not."""
    at = start
    while True:
        found = _STOP.search(text, at)
        if found is None:
            return None
        if found.group() == "}}":
            return found.end()
        quoted = _QUOTED[found.group()].match(text, found.start())
        if quoted is None:
            return None
        at = quoted.end()


def _compile(text: str, start: int, end: int) -> Expression:
    source = text[start + 2 : end - 2]
    for sign, offset in (("-", start + 2), ("-", end - 3), ("+", start + 2)):
        if source and text[offset] == sign:
            fault = TemplateFault(
                offset=offset,
                length=1,
                code="bad-expression",
                message=f"`{sign}` cannot stand directly at the braces",
                hint="white space around an expression is kept; put a space between",
            )
            raise TemplateError((fault,))
    return compile_expression(source, start + 2, start=start, end=end)


def _unclosed(start: int) -> TemplateFault:
    return TemplateFault(
        offset=start,
        length=len(_OPEN),
        code="unclosed-expression",
        message="`{{` is never closed",
        hint=("close it with `}}`, and each quote in it; literal braces are `{{ '{{' }}`"),
    )
