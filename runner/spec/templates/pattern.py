"""Patterns of output files: what was written may hold wildcards, what values bring in may not.

It knows nothing of files; the syntax is that of Azure Batch (REST: OutputFile, `filePattern`).
"""

from __future__ import annotations

import re

from runner.frozen import dataclass
from runner.spec.templates.expression import Expression
from runner.spec.templates.fault import Reference, TemplateError, TemplateFault
from runner.spec.templates.lookup import Scope
from runner.spec.templates.segments import Literal, Segment, cut, references_of
from runner.spec.templates.template import render_segments, text_of

_SPECIAL = re.compile(r"[*?\[$]")
_ESCAPED = re.compile(r"\[[*?\[$]\]")
_WILDCARD = re.compile(r"[*?]|\[(?:!\]|!|\])?[^\]/]+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternTemplate:
    """A pattern with expressions.

    `has_wildcard` is whether the text around them has one, so that it may find several files.
    """

    text: str
    references: tuple[Reference, ...]
    has_wildcard: bool
    segments: tuple[Segment, ...]

    def render(self, scope: Scope) -> str:
        """The pattern, values escaped; raises `TemplateError` with all faults."""
        parts: list[str] = []
        faults: list[TemplateFault] = []
        for segment in self.segments:
            try:
                parts.append(_render(segment, scope))
            except TemplateError as error:
                faults.extend(error.faults)
        if faults:
            raise TemplateError(faults)
        return "".join(parts)

    def render_text(self, scope: Scope) -> str:
        """The text with values as they are: where there is no wildcard, the name of the file."""
        return render_segments(self.segments, scope)


def compile_pattern(text: str) -> PatternTemplate:
    """The template of a pattern; raises `TemplateError` with all that is wrong in its syntax."""
    segments, faults = cut(text)
    if faults:
        raise TemplateError(faults)
    written = "".join(_written(segment) for segment in segments)
    return PatternTemplate(
        text=text,
        references=references_of(segments),
        has_wildcard=_WILDCARD.search(_ESCAPED.sub("", written)) is not None,
        segments=segments,
    )


def glob_escape(value: str) -> str:
    """The pattern that finds a file of just this name: `*`, `?`, `[` and `$` in brackets.

    A `]` without a `[` before it stands for itself; `$` would start a variable of the task.
    """
    return _SPECIAL.sub(r"[\g<0>]", value) if _SPECIAL.search(value) else value


def _render(segment: Segment, scope: Scope) -> str:
    if isinstance(segment, Literal):
        return segment.text
    if segment.constant is not None:
        return segment.constant
    text = text_of(segment, scope)
    return text if segment.is_raw else glob_escape(text)


def _written(segment: Segment) -> str:
    """What stands in the spec; a value counts as a letter, or where it is raw as a wildcard."""
    if isinstance(segment, Expression):
        if segment.constant is not None:
            return segment.constant
        return "*" if segment.is_raw else "x"
    return segment.text
