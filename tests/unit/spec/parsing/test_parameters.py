"""Values of parameters: converted, checked, missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from runner.spec.document import read_document
from runner.spec.model.terms import ParameterValue
from runner.spec.parsing.parameters import read_parameters
from runner.spec.problem import Problem
from runner.spec.templates.values import NumberText

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]
Values = dict[str, ParameterValue]


def read(definition: str, given: Values | None = None) -> tuple[Values, tuple[Problem, ...]]:
    text = f"parameters:\n  x: {{{definition}}}\n"
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None
    assert problems == ()
    return read_parameters(document, given or {})


@pytest.mark.parametrize(
    ("definition", "given", "value"),
    [
        ("type: string, default: a", None, "a"),
        ("type: string", "5", "5"),
        ("type: string", "-x", "-x"),
        ("type: string", "-3", NumberText("-3")),
        ("type: string, default: '-.5'", None, NumberText("-.5")),
        ("type: string", "", ""),
        ("type: string", " a\nb ", " a\nb "),
        ('type: string, pattern: "^[0-9]+k$"', "12k", "12k"),
        ("type: string, allowed: [mp3, ogg]", "ogg", "ogg"),
        ("type: integer, default: 5", None, 5),
        ("type: integer", "7", 7),
        ("type: integer", " 7 ", 7),
        ("type: integer", "0x10", 16),
        ("type: integer", 7, 7),
        ("type: integer, min: 1, max: 3", "3", 3),
        ("type: number", "1.5", 1.5),
        ("type: number", "2", 2),
        ("type: number", 2.5, 2.5),
        ("type: boolean", "true", True),
        ("type: boolean", "False", False),
        ("type: boolean, default: true", False, False),
    ],
)
def test_values(definition: str, given: ParameterValue | None, value: ParameterValue) -> None:
    values, problems = read(definition, {} if given is None else {"x": given})
    assert problems == ()
    assert values == {"x": value}
    assert type(values["x"]) is type(value)


@pytest.mark.parametrize(
    ("definition", "given", "message"),
    [
        ("type: integer", "7.0", "must be an integer, not `7.0`"),
        ("type: integer", "seven", "must be an integer, not `seven`"),
        ("type: integer", "", "must be an integer, not ``"),
        ("type: integer", "1_000", "must be an integer, not `1_000`"),
        ("type: integer", True, "must be an integer, not `true`"),
        ("type: integer", "true", "must be an integer, not `true`"),
        ("type: number", "nan", "must be a number, not `nan`"),
        ("type: number", ".inf", "must be a number, not `.inf`"),
        ("type: boolean", "yes", "must be `true` or `false`, not `yes`"),
        ("type: boolean", 1, "must be `true` or `false`, not `1`"),
        ("type: integer, min: 1", "0", "must be at least 1, not 0"),
        ("type: integer, max: 3", "4", "must be at most 3, not 4"),
        ('type: string, pattern: "[0-9]+k"', "12kk", "must match `[0-9]+k`, and `12kk` does not"),
        ('type: string, pattern: "^a$"', "a\n", "must match `^a$`, and `a` does not"),
    ],
)
def test_a_value_given_that_does_not_fit(
    definition: str, given: ParameterValue, message: str, facts: Facts
) -> None:
    values, problems = read(definition, {"x": given})
    assert values == {}
    ((place, said, hint),) = facts(problems)
    assert place.startswith("2:3 ")
    assert said == f"the value given for `x` {message}"
    assert hint is not None


def test_hints_for_values_given(facts: Facts) -> None:
    _, problems = read("type: string, allowed: [mp3, ogg]", {"x": "mp4"})
    assert facts(problems) == [
        (
            "2:3 not-allowed",
            "the value given for `x` is not among those allowed: `mp4`",
            "did you mean `mp3`? allowed: `mp3`, `ogg`",
        )
    ]
    _, problems = read("type: integer", {"x": "a"})
    assert facts(problems)[0][2] == "it was given as `-p x=a`"


def test_a_parameter_that_is_missing_or_unknown(facts: Facts) -> None:
    _, problems = read("type: string", {"y": "1"})
    assert facts(problems) == [
        (
            "1:1 unknown-parameter",
            "`y` is given, but is not a parameter of this workload",
            "parameters: `x`",
        ),
        (
            "2:3 missing-parameter",
            "`x` has no default, and no value is given",
            "give one: `-p x=...`",
        ),
    ]


def test_a_value_given_to_a_spec_without_parameters(facts: Facts) -> None:
    document, _ = read_document("spec.yaml", b"version: 1\n")
    assert document is not None
    _, problems = read_parameters(document, {"y": "1"})
    assert facts(problems) == [
        (
            "1:1 unknown-parameter",
            "`y` is given, but is not a parameter of this workload",
            "parameters: none",
        )
    ]


@pytest.mark.parametrize(
    ("definition", "place", "message", "hint"),
    [
        (
            "type: string, default: 192",
            "2:30 wrong-type",
            "this value of `x` must be text, not `192`",
            'put it in quotes: `"192"`',
        ),
        (
            "type: integer, default: a",
            "2:31 wrong-type",
            "this value of `x` must be an integer, not `a`",
            None,
        ),
        (
            "type: integer, default: 0, min: 1",
            "2:31 out-of-range",
            "this value of `x` must be at least 1, not 0",
            None,
        ),
        (
            "type: integer, allowed: [1, a]",
            "2:35 wrong-type",
            "this value of `x` must be an integer, not `a`",
            None,
        ),
        (
            "type: string, default: c, allowed: [a, b]",
            "2:30 not-allowed",
            "this value of `x` is not among those allowed: `c`",
            "allowed: `a`, `b`",
        ),
        (
            "type: string, min: 1",
            "2:21 misplaced-key",
            "`min` does not go with the type `string`",
            "`pattern` is for text, `min` and `max` are for numbers",
        ),
        (
            "type: integer, pattern: a",
            "2:22 misplaced-key",
            "`pattern` does not go with the type `integer`",
            "`pattern` is for text, `min` and `max` are for numbers",
        ),
        (
            "type: string, pattern: '['",
            "2:30 bad-pattern",
            "`[` is not a regular expression",
            None,
        ),
        (
            "type: string, pattern: 'a{99999999999999999999}'",
            "2:30 bad-pattern",
            "`a{99999999999999999999}` is not a regular expression",
            None,
        ),
        ("type: integer, min: 3, max: 1", "2:35 out-of-range", "`max` is less than `min`", None),
    ],
)
def test_a_definition_that_contradicts_itself(
    definition: str, place: str, message: str, hint: str | None, facts: Facts
) -> None:
    values, problems = read(definition, {})
    assert values == {}
    assert facts(problems) == [(place, message, hint)]


def test_an_odd_pattern_gives_no_warning() -> None:
    values, problems = read("type: string, pattern: '[[a]', default: a")
    assert problems == ()
    assert values == {"x": "a"}
