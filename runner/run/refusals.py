"""Shows what a service has refused at the line of the spec that set it.

It must not know how requests look on the wire: the service's answer comes with its place.
"""

from __future__ import annotations

from dataclasses import replace

from runner.errors import BatchRunError, Refusal, ServiceRefusedError
from runner.run.advice import SPOT_IS_GONE, advise
from runner.spec.document import Document
from runner.spec.problem import SpecRefusedError

_CODE = "refused"
_NODES = ("pool", "nodes")
_SPOT_NODES = ("pool", "nodes", "spot")
_OUR_FORMULA = (
    "`nodes` are asked for by a formula, so that the service takes them once no task needs them;"
    " where it takes none, name a pool of your own with `existing`"
)


def show_place(error: BatchRunError, document: Document) -> BatchRunError:
    """The error with the place in the spec that it is about, where there is one."""
    if not isinstance(error, ServiceRefusedError) or error.refusal is None:
        return error
    refusal, hint = error.refusal, error.hint or advise(error.code)
    if hint is None and refusal.place == _SPOT_NODES:
        hint = f"ask for `dedicated` nodes: {SPOT_IS_GONE}"
    if hint is None and refusal.place == _NODES and _is_about_formula(refusal):
        hint = _OUR_FORMULA
    if refusal.place is None or not document.has(refusal.place[:1]):
        return ServiceRefusedError(error.message, code=error.code, hint=hint, refusal=refusal)
    message = _describe(refusal, error.message)
    if document.has(refusal.place):
        problem = document.problem(refusal.place, code=_CODE, message=message, hint=hint)
    else:
        missing = f"`{_key(refusal.place)}` is not in the spec: batch-run or a default has set it"
        problem = document.key_problem(
            refusal.place,
            code=_CODE,
            message=message,
            hint=missing if hint is None else f"{missing}; {hint}",
        )
    if problem.span.start.line != problem.span.end.line:
        # Of a whole part its key is enough.
        problem = replace(problem, span=document.key_span(refusal.place))
        problem = replace(problem, source_line=document.source_line(problem.span.start.line))
    return SpecRefusedError(problem, cause=error)


def _is_about_formula(refusal: Refusal) -> bool:
    """A pool that is asked for so many nodes has a formula of ours."""
    return "autoscal" in f"{refusal.property} {refusal.code}".lower()


def _describe(refusal: Refusal, message: str) -> str:
    if refusal.property is None:
        return message
    value = "" if refusal.value is None or not refusal.value.strip() else f": {refusal.value}"
    said = refusal.reason or refusal.words
    return f"{refusal.service} refused `{refusal.property}{value}`: {said} ({refusal.code})"


def _key(pointer: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in pointer)
