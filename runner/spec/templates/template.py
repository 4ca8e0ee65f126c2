"""Templates of plain text: compiled once, rendered for each task.

It knows nothing of shells, nor of what the text is for; values go in verbatim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from runner.frozen import dataclass
from runner.spec.templates.expression import Expression
from runner.spec.templates.fault import Reference, TemplateError, TemplateFault, undefined_fault
from runner.spec.templates.lookup import Scope
from runner.spec.templates.segments import Literal, Segment, cut, references_of
from runner.spec.templates.values import NoValueError, to_text

__all__ = [
    "Reference",
    "Template",
    "TemplateError",
    "TemplateFault",
    "check_references",
    "compile_template",
]


class HasReferences(Protocol):
    """Anything compiled from text with expressions."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """The names that its expressions speak of."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text with expressions. `is_expression` where it is one expression and white space."""

    text: str
    is_expression: bool
    references: tuple[Reference, ...]
    segments: tuple[Segment, ...]

    def render(self, scope: Scope) -> object:
        """The text; or, of one whole expression, its value as it is.

        Raises `TemplateError` with the faults of all expressions.
        """
        if self.is_expression:
            return self._expression().evaluate(scope)
        return self.render_text(scope)

    def render_text(self, scope: Scope) -> str:
        """The text, also of one whole expression; raises `TemplateError` likewise."""
        if self.is_expression:
            return text_of(self._expression(), scope)
        return render_segments(self.segments, scope)

    def _expression(self) -> Expression:
        return next(each for each in self.segments if isinstance(each, Expression))


def compile_template(text: str) -> Template:
    """The template of a text; raises `TemplateError` with all that is wrong in its syntax."""
    segments, faults = cut(text)
    if faults:
        raise TemplateError(faults)
    expressions = [each for each in segments if isinstance(each, Expression)]
    literals = [each for each in segments if isinstance(each, Literal)]
    return Template(
        text=text,
        is_expression=len(expressions) == 1 and not any(each.text.strip() for each in literals),
        references=references_of(segments),
        segments=segments,
    )


def text_of(expression: Expression, scope: Scope) -> str:
    """The text of an expression's value; raises `TemplateError`."""
    value = expression.evaluate(scope)
    if type(value) is str:
        return value
    try:
        return to_text(value)
    except NoValueError as error:
        raise TemplateError((expression.fault("bad-value", error.message, error.hint),)) from error


def render_segments(segments: Iterable[Segment], scope: Scope) -> str:
    """The texts of all segments, one behind the other; raises `TemplateError` with all faults."""
    parts: list[str] = []
    faults: list[TemplateFault] = []
    for segment in segments:
        if isinstance(segment, Literal):
            parts.append(segment.text)
            continue
        try:
            parts.append(text_of(segment, scope))
        except TemplateError as error:
            faults.extend(error.faults)
    if faults:
        raise TemplateError(faults)
    return "".join(parts)


def check_references(
    template_or_references: HasReferences | Iterable[Reference],
    names: Mapping[str, frozenset[str] | None],
) -> tuple[TemplateFault, ...]:
    """A fault for each reference to what is not there.

    `names` maps each name to its fields, or to None where anything goes. A field that an
    expression calls optional may be missing, a name never.
    """
    references = (
        template_or_references
        if isinstance(template_or_references, Iterable)
        else template_or_references.references
    )
    faults = (_check_reference(reference, names) for reference in references)
    return tuple(fault for fault in faults if fault is not None)


def _check_reference(
    reference: Reference, names: Mapping[str, frozenset[str] | None]
) -> TemplateFault | None:
    root, *fields = reference.path
    if root not in names:
        return _undefined(reference, (root,), names)
    known = names[root]
    if known is None or not fields or fields[0] in known or reference.optional:
        return None
    return _undefined(reference, (root, fields[0]), known)


def _undefined(reference: Reference, path: tuple[str, ...], known: Iterable[str]) -> TemplateFault:
    return undefined_fault(
        path,
        offset=reference.offset,
        length=reference.length,
        known=known,
        item=reference.item,
    )
