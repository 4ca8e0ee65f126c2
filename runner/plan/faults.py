"""What values do to templates, as problems at the template's place in the spec.

It knows nothing of what is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from runner.spec.document import Document, Pointer
from runner.spec.leaves import fault_problem
from runner.spec.problem import Problem, SpecError
from runner.spec.template import TemplateError


@contextmanager
def faults_at(document: Document, pointer: Pointer, *, item: str | None = None) -> Iterator[None]:
    """Turns a `TemplateError` of the template at `pointer` into a `SpecError`.

    `item` is the file that it was rendered for.
    """
    try:
        yield
    except TemplateError as error:
        problems = [fault_problem(document, pointer, fault) for fault in error.faults]
        raise SpecError(_for_item(each, item) for each in problems) from error


def _for_item(problem: Problem, item: str | None) -> Problem:
    if item is None:
        return problem
    return replace(problem, message=f"{problem.message} (for `{item}`)")
