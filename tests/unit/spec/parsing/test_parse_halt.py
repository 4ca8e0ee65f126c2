"""When a run stops early: what the spec says, as values, and where it says nothing that can be."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from runner.spec.document import read_document
from runner.spec.model.halt import Halt, HaltWhen, Share
from runner.spec.model.terms import ParameterValue
from runner.spec.parsing.parse import parse_workload
from runner.spec.problem import Problem
from runner.spec.validation.schema import check_schema

SPEC = """\
version: 1
name: demo
parameters:
  share: {type: number, default: 2.5}
  most: {type: integer, default: 7}
  word: {type: string, default: now}
  flag: {type: boolean, default: false}
halt: HALT
pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}
task: {command: echo}
"""
EXPRESSION = "one whole expression `{{ ... }}`"


def parse(
    halt: str, given: Mapping[str, ParameterValue] | None = None
) -> tuple[Halt | None, tuple[Problem, ...]]:
    document, problems = read_document("spec.yaml", SPEC.replace("HALT", halt).encode())
    assert document is not None
    assert problems == ()
    problems = check_schema(document)
    if problems:
        return None, problems
    parsed = parse_workload(document, given or {})
    return None if parsed.workload is None else parsed.workload.halt, parsed.problems


RIGHT = [
    ("{}", Halt()),
    ("{after: 3}", Halt(after=3)),
    ("{after: 3.0}", Halt(after=3)),
    ("{after: 10%}", Halt(after=Share(text="10%"))),
    ("{after: 100%}", Halt(after=Share(text="100%"))),
    ("{after: 0.25%}", Halt(after=Share(text="0.25%"))),
    ("{when: soon}", Halt()),
    ("{when: now}", Halt(when=HaltWhen.NOW)),
    ("{same_failure: 0}", Halt(same_failure=0)),
    ("{same_failure: false}", Halt(same_failure=0)),
    ("{same_failure: 5}", Halt(same_failure=5)),
    ("{canary: 4}", Halt(canary=4)),
    (
        (
            '{after: "{{ parameters.share }}%", when: "{{ parameters.word }}",'
            ' same_failure: "{{ parameters.flag }}", canary: "{{ parameters.most }}"}'
        ),
        Halt(after=Share(text="2.5%"), when=HaltWhen.NOW, same_failure=0, canary=7),
    ),
    ('{after: "{{ parameters.most }}"}', Halt(after=7)),
]


@pytest.mark.parametrize(("written", "halt"), RIGHT)
def test_what_may_be_written(written: str, halt: Halt) -> None:
    assert parse(written) == (halt, ())


WRONG = [
    ("{after: 0}", "8:15 out-of-range", "`halt.after` must be at least 1, not the number 0"),
    (
        "{after: 0.0%}",
        "8:15 bad-value",
        "`halt.after` must be a share such as `10%`, not `0.0%`",
    ),
    (
        "{after: 101%}",
        "8:15 bad-value",
        "`halt.after` must be a share such as `10%`, not `101%`",
    ),
    (
        "{after: 10 %}",
        "8:15 bad-value",
        "`halt.after` must be a share such as `10%`, not `10 %`",
    ),
    (
        "{after: true}",
        "8:15 wrong-type",
        "`halt.after` must be an integer or a share such as `10%`, not `true`",
    ),
    (
        "{when: later}",
        "8:14 not-allowed",
        "`halt.when` must be `soon` or `now`, not `later`",
    ),
    (
        "{same_failure: true}",
        "8:22 not-allowed",
        "`halt.same_failure` must be `false`, not `true`",
    ),
    (
        "{same_failure: no}",
        "8:22 wrong-type",
        f"`halt.same_failure` must be an integer, `false` or {EXPRESSION}, not `no`",
    ),
    ("{canary: -1}", "8:16 out-of-range", "`halt.canary` must be at least 0, not the number -1"),
    ("10%", "8:7 wrong-type", "`halt` must be a mapping, not `10%`"),
    (
        '{after: "{{ parameters.share }}"}',
        "8:15 wrong-type",
        "`halt.after` must be an integer, not the number 2.5",
    ),
]


@pytest.mark.parametrize(("written", "place", "message"), WRONG)
def test_what_may_not(written: str, place: str, message: str) -> None:
    halt, problems = parse(written)
    assert halt is None
    start = problems[0].span.start
    assert f"{start.line}:{start.column} {problems[0].code}" == place
    assert problems[0].message == message


@pytest.mark.parametrize(
    ("text", "total", "count"),
    [
        ("10%", 100, 10),
        ("10%", 101, 11),
        ("10%", 3, 1),
        ("0.01%", 50, 1),
        ("33.3%", 1000, 333),
        ("100%", 7, 7),
    ],
)
def test_a_share_is_rounded_up_exactly(text: str, total: int, count: int) -> None:
    assert Halt(after=Share(text=text)).most_failures(total) == count


def test_a_number_is_a_number_whatever_the_total() -> None:
    assert Halt(after=12).most_failures(5) == 12
    assert Halt().most_failures(5) is None
