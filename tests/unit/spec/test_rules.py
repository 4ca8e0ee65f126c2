"""What must hold between the parts of a workload."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from runner.spec.document import read_document
from runner.spec.parsing.parse import parse_workload
from runner.spec.problem import Problem
from runner.spec.validation.rules import check_rules

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]
Edit = Callable[[str, str], str]


def check(text: str) -> tuple[Problem, ...]:
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None, problems
    parsed = parse_workload(document, {})
    workload, problems = parsed.workload, parsed.problems
    assert workload is not None, problems
    return check_rules(workload)


def test_a_spec_that_is_right(spec: str) -> None:
    assert check(spec) == ()


CONTAINERS = "containers: `input`, `output`, `app`"
INSIDE = "write it relative to the task's working directory"
BROKEN = [
    (
        "for_each: input",
        "for_each: inputs",
        "27:13 unknown-container",
        "there is no container `inputs`",
        f"did you mean `input`? {CONTAINERS}",
    ),
    (
        "for_each: input",
        "for_each: {files: books}",
        "27:21 unknown-container",
        "there is no container `books`",
        CONTAINERS,
    ),
    (
        "    resources: [{from: app}]\n    command",
        "    resources: [{from: aps}]\n    command",
        "22:24 unknown-container",
        "there is no container `aps`",
        f"did you mean `app`? {CONTAINERS}",
    ),
    (
        "  resources: [{from: app}]\n  outputs",
        "  resources: [{from: app}, {from: books}]\n  outputs",
        "30:35 unknown-container",
        "there is no container `books`",
        CONTAINERS,
    ),
    (
        "to: output",
        "to: books",
        "31:54 unknown-container",
        "there is no container `books`",
        CONTAINERS,
    ),
    (
        "to: output",
        "to: input",
        "31:54 output-into-input",
        "`input` holds the input files; outputs would mix with them",
        "add a container for the outputs, such as `output: {download: true}`",
    ),
    (
        "for_each: input",
        "for_each: output",
        "14:3 no-input",
        "`output` has no `upload`: there are no files to run tasks for",
        "for example `upload: [{from: data}]`",
    ),
    (
        '"{{ parameters.nodes }}"',
        "0",
        "20:3 no-nodes",
        "the pool has no nodes: `dedicated` and `spot` are both 0",
        "for example `nodes: {dedicated: 1}`",
    ),
    (
        "duration: 24h",
        "duration: 0h",
        "9:20 out-of-range",
        "`limits.duration` must be longer than nothing",
        None,
    ),
    (
        "wait: 1h30m",
        "wait: 181d",
        "9:31 out-of-range",
        "`limits.wait` must be at most 180d",
        "the service ends a task 180 days after it was added",
    ),
    (
        "timeout: 30m",
        "timeout: 0s",
        "33:12 out-of-range",
        "`task.timeout` must be longer than nothing",
        None,
    ),
    (
        "LANG: C.UTF-8",
        "AZ_BATCH_TASK_ID: x",
        "29:17 reserved-variable",
        "`AZ_BATCH_TASK_ID` cannot be set: the service sets `AZ_BATCH_...` itself",
        "give the variable another name",
    ),
    (
        '"{{ file.stem }}_OUT.txt"',
        '"/tmp/{{ file.stem }}"',
        "31:24 output-path",
        "`pattern` starts with `/`",
        INSIDE,
    ),
    (
        '"{{ file.stem }}_OUT.txt"',
        '"{{ file.dir }}/../x"',
        "31:39 output-path",
        "`pattern` leads out of its folder by `..`",
        INSIDE,
    ),
    (
        "to: output",
        "to: output, path: ../x",
        "31:68 output-path",
        "`path` leads out of its folder by `..`",
        "write it relative to the container",
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "message", "hint"), BROKEN)
def test_each_rule(
    old: str, new: str, place: str, message: str, hint: str | None, edit: Edit, facts: Facts
) -> None:
    found = facts(check(edit(old, new)))
    assert (place, message, hint) in found
    assert {fact[0].split()[1] for fact in found} - {"output-into-input"} <= {place.split()[1]}


def test_the_role_of_a_runs_logs_is_taken(spec: str, facts: Facts) -> None:
    assert facts(check(spec.replace("app", "logs"))) == [
        (
            "15:3 reserved-role",
            "the role `logs` is taken: a run keeps its tasks' output there",
            "give the container another role",
        )
    ]


@pytest.mark.parametrize("pattern", ["..a/x..", "a..b", "...", "a/.hidden", "{{ file.dir }}/x"])
def test_dots_that_lead_nowhere(pattern: str, edit: Edit) -> None:
    assert check(edit('"{{ file.stem }}_OUT.txt"', f'"{pattern}"')) == ()
