"""One mistake does not hide the next, and makes up none that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.spec.load import load_workload
from runner.spec.problem import SpecError

MISTAKES = """\
version: 1
name: x
descripton: fifteen mistakes and more
parameters:
  rate: {type: string, pattern: "[", default: a}
  size: {type: integer, minn: 1, min: 5, max: 2}
  word: {type: string, min: 3}
  level: {type: integer}
containers:
  input: {uplod: [{from: data, inclde: ["*"]}]}
  logs: {}
  output: {}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 0}
tasks:
  first:
    for_each: input
    command: echo {{ file.pth }} {{ parameters.rate
    outputs: [{pattern: "{{ x", to: output}, {pattern: "*.txt", to: outptu}]
    needs: [thrid]
    environment: {AZ_BATCH_X: "1"}
  second:
    comand: echo '{{ parameters.level }}'
    timeout: 48h
    exit_rules: [{codes: [5-3], job: terminate}]
color: {a: 1}
"""
FOUND = [
    "3:1 unknown-key: `descripton` is not a key of a workload",
    "5:33 bad-pattern: `[` is not a regular expression",
    "6:25 unknown-key: `minn` is not a key of `parameters.size`",
    "6:47 out-of-range: `max` is less than `min`",
    "7:24 misplaced-key: `min` does not go with the type `string`",
    "8:3 missing-parameter: `level` has no default, and no value is given",
    "10:11 unknown-key: `uplod` is not a key of `containers.input`",
    "10:32 unknown-key: `inclde` is not a key of `containers.input.upload[0]`",
    "11:3 reserved-role: the role `logs` is taken: a run keeps its tasks' output there",
    "16:3 no-nodes: the pool has no nodes: `dedicated` and `spot` are both 0",
    "20:22 undefined: `file.pth` is not defined",
    "20:34 unclosed-expression: `{{` is never closed",
    "21:26 unclosed-expression: `{{` is never closed",
    "21:69 unknown-container: there is no container `outptu`",
    "22:13 unknown-step: there is no step `thrid`",
    "23:19 reserved-variable: `AZ_BATCH_X` cannot be set: the service sets `AZ_BATCH_...` itself",
    "25:5 unknown-key: `comand` is not a key of `tasks.second`",
    "25:19 misplaced-expression: an expression cannot stand in single quotes",
    "26:14 out-of-range: `tasks.second.timeout` is longer than the whole job may take",
    "27:27 empty-range: there is no exit code from 5 to 3",
    "28:1 unknown-key: `color` is not a key of a workload",
]
FIXES = [
    ("descripton", "description"),
    ('pattern: "[", ', ""),
    ("minn: 1, min: 5, max: 2", "min: 1, max: 2, default: 1"),
    ("word: {type: string, min: 3}", "word: {type: string, default: a}"),
    ("level: {type: integer}", "level: {type: integer, default: 1}"),
    ("uplod", "upload"),
    ("inclde", "include"),
    ("logs:", "log:"),
    ("dedicated: 0", "dedicated: 1"),
    ("file.pth", "file.path"),
    ("{{ parameters.rate\n", "{{ parameters.rate }}\n"),
    ("{{ x", "{{ file.name }}"),
    ("outptu", "output"),
    ("needs: [thrid]", "retries: 1"),
    ("AZ_BATCH_X", "X"),
    ("comand", "command"),
    ("'{{ parameters.level }}'", "{{ parameters.level }}"),
    ("48h", "8h"),
    ("5-3", "3-5"),
    ("color: {a: 1}\n", ""),
]
SMALL = """\
version: 1
name: x
parameters:
  nodes: {type: integer, default: 1, max: 2}
containers:
  input: {upload: [{from: data}]}
  output: {}
pool: {image: ubuntu 24.04, vm_size: v, nodes: {dedicated: "{{ parameters.nodes }}"}}
tasks:
  first:
    for_each: input
    command: echo {{ file.path }}
    outputs: [{pattern: a.txt, path: "{{ index }}/", to: output}]
  second:
    for_each: {outputs_of: first}
    command: cat {{ file.path }}
    resources: [{from: output}]
"""


def found_in(folder: Path, text: str) -> list[str]:
    path = folder / "spec.yaml"
    path.write_text(text)
    try:
        load_workload(path, name="spec.yaml", given={})
    except SpecError as error:
        return [
            f"{each.span.start.line}:{each.span.start.column} {each.code}: {each.message}"
            for each in error.problems
        ]
    return []


def edited(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_all_mistakes_are_found_in_one_round(tmp_path: Path) -> None:
    assert found_in(tmp_path, MISTAKES) == FOUND
    assert found_in(tmp_path, edited(MISTAKES, *FIXES)) == []


NEVER_CLOSED = "unclosed-expression: `{{` is never closed"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        # The pattern may be a file's name or hold a wildcard, so neither is a reason to complain.
        ("pattern: a.txt", 'pattern: "{{ x"', [f"13:26 {NEVER_CLOSED}"]),
        (
            'pattern: a.txt, path: "{{ index }}/"',
            'pattern: "*.txt", path: "{{ x"',
            [
                f"13:41 {NEVER_CLOSED}",
                (
                    "15:28 no-named-output: no output of `first` is one file of a known name on"
                    " success"
                ),
            ],
        ),
        (
            'path: "{{ index }}/", to: output}',
            'path: "{{ x", to: output}, {pattern: b.txt, path: "{{ y", to: output}',
            [f"13:39 {NEVER_CLOSED}", f"13:83 {NEVER_CLOSED}"],
        ),
        (
            'path: "{{ index }}/", to: output}',
            (
                'path: own/, to: output}, {pattern: "{{ y", path: logs/, to: output},'
                ' {pattern: "*", path: logs/, to: output}'
            ),
            [f"13:68 {NEVER_CLOSED}"],
        ),
        ("command: echo {{ file.path }}", "command: echo %X% {{ x", [f"12:23 {NEVER_CLOSED}"]),
        # A key that is close to another is read as that.
        ("upload:", "uploads:", ["6:11 unknown-key: `uploads` is not a key of `containers.input`"]),
        (
            "for_each: input",
            "foreach: input",
            ["11:5 unknown-key: `foreach` is not a key of `tasks.first`"],
        ),
        ("image:", "imagee:", ["8:8 unknown-key: `imagee` is not a key of `pool`"]),
        # But not where its value would not fit, or where that stands there as well.
        (
            "command: cat {{ file.path }}",
            "command: cat {{ file.path }}\n    slot: {a: 1}",
            ["17:5 unknown-key: `slot` is not a key of `tasks.second`"],
        ),
        (
            "    resources: [{from: output}]\n",
            "    resources: [{from: output}]\n    resource: [{from: nowhere}]\n",
            ["18:5 unknown-key: `resource` is not a key of `tasks.second`"],
        ),
        (
            "name: x\n",
            "name: x\ntask: {comand: a}\n",
            [
                "3:8 unknown-key: `comand` is not a key of `task`",
                "10:1 misplaced-key: a workload needs exactly one of the keys `task` and `tasks`",
            ],
        ),
    ],
)
def test_what_stands_in_for_a_mistake_is_none_itself(
    tmp_path: Path, old: str, new: str, found: list[str]
) -> None:
    assert found_in(tmp_path, edited(SMALL, (old, new))) == found


@pytest.mark.parametrize(
    ("edits", "found"),
    [
        # No rule is asked about nodes of which nobody knows how many there are.
        (
            [("default: 1, ", ""), ("from: output}]", "from: nowhere}]")],
            ["4:3 missing-parameter: `nodes` has no default, and no value is given"],
        ),
        (
            [("default: 1", "default: 3"), ("{outputs_of: first}", "{outputs_of: third}")],
            ["4:35 out-of-range: this value of `nodes` must be at most 2, not 3"],
        ),
        # Definitions are judged beside whatever the schema has against other parts of the spec.
        (
            [
                ("nodes: {type: integer, default: 1,", "nodes: {type: integer, default: 3,"),
                ("containers:", "  other: {type: text}\ncontainers:"),
                ("    resources: [{from: output}]\n", "    resources: [{from: 5}]\n"),
            ],
            [
                "4:35 out-of-range: this value of `nodes` must be at most 2, not 3",
                (
                    "5:17 not-allowed: `parameters.other.type` must be `string`, `integer`,"
                    " `number` or `boolean`, not `text`"
                ),
                "18:24 wrong-type: `tasks.second.resources[0].from` must be text, not the number 5",
            ],
        ),
        (
            [("default: 1, max: 2", 'default: "1"'), ("tasks:", "tusks:\n  a: {}\ntasks:")],
            [
                "4:35 wrong-type: this value of `nodes` must be an integer, not `1`",
                "9:1 unknown-key: `tusks` is not a key of a workload",
            ],
        ),
        # A name that may be missing is none that has lost its value.
        ([("parameters.nodes }}", "parameters.other | default(1) }}")], []),
        (
            [("{{ parameters.nodes }}", "{{ parameters }}")],
            ["8:60 bad-value: the expression gives neither text nor a number nor a boolean"],
        ),
        # What one expression gives is judged where another has a fault.
        (
            [
                ("default: 1, max: 2", "default: -1"),
                ("vm_size: v", 'vm_size: "{{ x"'),
            ],
            [
                f"8:39 {NEVER_CLOSED}",
                "8:65 out-of-range: `pool.nodes.dedicated` must be at least 0, not the number -1",
            ],
        ),
    ],
)
def test_what_is_known_for_sure_is_said(
    tmp_path: Path, edits: list[tuple[str, str]], found: list[str]
) -> None:
    assert found_in(tmp_path, edited(SMALL, *edits)) == found
