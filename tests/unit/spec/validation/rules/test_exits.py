"""What follows from exit codes."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
tasks:
  one:
    command: echo
    exit_rules:
      - {codes: [1, 3-5], dependents: run}
      - {codes: [6-9, 2], causes: [other], job: terminate}
  two: {command: echo, needs: one}
"""


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    ("6-9, 2", "6-6, 255"),
    ("causes: [other]", "causes: [other, upload-error, resource-error]"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "6-9, 2",
        "9-6, 2",
        [
            ("9:18 empty-range", "there is no exit code from 9 to 6", "write `6-9`"),
        ],
    ),
    (
        "6-9, 2",
        "5-9, 2",
        [
            (
                "9:18 same-exit-code",
                "`exit_rules[0]` speaks of exit code 5 too",
                "name each exit code once",
            ),
        ],
    ),
    (
        "6-9, 2",
        "6-9, 1",
        [
            (
                "9:23 same-exit-code",
                "`exit_rules[0]` speaks of exit code 1 too",
                "name each exit code once",
            ),
        ],
    ),
    (
        "6-9, 2",
        "6-9, 7",
        [
            (
                "9:23 same-exit-code",
                "this rule speaks of exit code 7 too",
                "name each exit code once",
            ),
        ],
    ),
    (
        "3-5]",
        "3-5], causes: [other]",
        [
            (
                "9:36 same-exit-code",
                "`exit_rules[0]` speaks of `other` too",
                "name each cause once",
            ),
        ],
    ),
    (
        "causes: [other]",
        "causes: [other, other]",
        [
            ("9:43 same-exit-code", "this rule speaks of `other` too", "name each cause once"),
        ],
    ),
    (
        "codes: [1, 3-5]",
        "codes: []",
        [
            (
                "8:10 idle-rule",
                "this rule speaks of no exit code and of no cause",
                "say when it holds: `codes: [2, 10-20]` or `causes: [other]`",
            ),
        ],
    ),
    (
        "two: {command: echo, needs: one}",
        "two: {command: echo}",
        [
            (
                "8:27 idle-rule",
                "no step needs this one, so it has no dependents",
                "take `dependents` away, or give another step `needs: one`",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_each_rule(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts
