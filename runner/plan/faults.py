"""What values do to templates, as problems at the template's place in the spec.

It knows nothing of what is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from runner.spec.document import Document, Pointer
from runner.spec.parsing.leaves import fault_problem
from runner.spec.problem import Problem, SpecError
from runner.spec.templates.template import TemplateError, TemplateFault


@contextmanager
def faults_at(document: Document, pointer: Pointer, *, item: str | None = None) -> Iterator[None]:
    """Turns a `TemplateError` of the template at `pointer` into a `SpecError`.

    `item` is what it was rendered for.
    """
    try:
        yield
    except TemplateError as error:
        raise placed(error, document, pointer, item=item) from error


def placed(
    error: TemplateError, document: Document, pointer: Pointer, *, item: str | None = None
) -> SpecError:
    """The same as problems of the spec; for where a context manager would cost too much."""
    problems = [fault_problem(document, pointer, fault) for fault in error.faults]
    return SpecError(_for_item(each, item) for each in problems)


def whole_fault(*, code: str, message: str, hint: str) -> TemplateError:
    """A fault of a rendered text as a whole, not of one expression in it."""
    fault = TemplateFault(offset=0, length=1, code=code, message=message, hint=hint)
    return TemplateError((fault,))


def _for_item(problem: Problem, item: str | None) -> Problem:
    if not item:
        return problem
    return replace(problem, message=f"{problem.message} (for `{item}`)")
