"""What the rules say of a spec that the schema has passed."""

from __future__ import annotations

from runner.spec.document import read_document
from runner.spec.parsing.parse import parse_workload
from runner.spec.validation.rules import check_rules

Fact = tuple[str, str, str | None]
"""`line:column code`, the message, the hint."""


def facts_of(text: str) -> list[Fact]:
    """All problems of a spec in which nothing else is wrong, in reading order."""
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None, problems
    assert problems == ()
    parsed = parse_workload(document, {})
    workload, problems = parsed.workload, parsed.problems
    if workload is not None:
        problems = check_rules(workload)
    return [
        (f"{each.span.start.line}:{each.span.start.column} {each.code}", each.message, each.hint)
        for each in problems
    ]


def edited(spec: str, old: str, new: str) -> str:
    """The spec with one piece of text replaced, which must be there once."""
    assert spec.count(old) == 1, f"{old!r} is there {spec.count(old)} times"
    return spec.replace(old, new)
