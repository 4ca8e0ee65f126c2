"""Rules on what follows from exit codes: each rule says something, and no two say it of one code.

It knows nothing of commands.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner.spec.document import Document
from runner.spec.model.step import ExitCause
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem
from runner.spec.validation.rules.uses import Rule


def _rules_speak_of_something(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        for rule in step.exit_rules:
            if not rule.codes and not rule.causes:
                yield document.key_problem(
                    rule.pointer,
                    code="idle-rule",
                    message="this rule speaks of no exit code and of no cause",
                    hint="say when it holds: `codes: [2, 10-20]` or `causes: [other]`",
                )


def _codes_are_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        for rule in step.exit_rules:
            for index, (first, last) in enumerate(rule.codes):
                pointer = (*rule.pointer, "codes", index)
                if first > last:
                    yield document.problem(
                        pointer,
                        code="empty-range",
                        message=f"there is no exit code from {first} to {last}",
                        hint=f"write `{last}-{first}`",
                    )


def _codes_are_told_apart(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        ranges = sorted(
            (first, last, number, index)
            for number, rule in enumerate(step.exit_rules)
            for index, (first, last) in enumerate(rule.codes)
            if first <= last
        )
        reach: tuple[int, int] | None = None  # the highest code so far, and the rule it is of
        for first, last, number, index in ranges:
            if reach is not None and first <= reach[0]:
                where = "this rule" if reach[1] == number else f"`exit_rules[{reach[1]}]`"
                yield document.problem(
                    (*step.exit_rules[number].pointer, "codes", index),
                    code="same-exit-code",
                    message=f"{where} speaks of exit code {first} too",
                    hint="name each exit code once",
                )
            if reach is None or last > reach[0]:
                reach = (last, number)


def _causes_are_told_apart(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        first: dict[ExitCause, int] = {}
        for number, rule in enumerate(step.exit_rules):
            for index, cause in enumerate(rule.causes):
                other = first.setdefault(cause, number)
                if (other, index) != (number, rule.causes.index(cause)):
                    where = "this rule" if other == number else f"`exit_rules[{other}]`"
                    yield document.problem(
                        (*rule.pointer, "causes", index),
                        code="same-exit-code",
                        message=f"{where} speaks of `{cause.value}` too",
                        hint="name each cause once",
                    )


def _dependents_exist(workload: Workload, document: Document) -> Iterator[Problem]:
    needed = {name for step in workload.steps for name in step.needs}
    for step in workload.steps:
        if step.name in needed:
            continue
        for rule in step.exit_rules:
            if rule.dependents is not None:
                yield document.key_problem(
                    (*rule.pointer, "dependents"),
                    code="idle-rule",
                    message="no step needs this one, so it has no dependents",
                    hint=f"take `dependents` away, or give another step `needs: {step.name}`",
                )


EXITS: tuple[Rule, ...] = (
    _rules_speak_of_something,
    _codes_are_possible,
    _codes_are_told_apart,
    _causes_are_told_apart,
    _dependents_exist,
)
