"""YAML's traps in a whole spec: what is read otherwise than it seems is said, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.spec.load import load_workload
from runner.spec.problem import SpecError

Fact = tuple[str, str, str | None]

SPEC = """\
version: 1
name: topics
containers:
  input: {upload: [{from: data}]}
  out: {download: true}
pool:
  image: debian 12
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  inter_node_communication: true
  start_task: {command: echo}
job:
  preparation: {command: echo}
  release:
    command: echo
tasks:
  one:
    command: run a {{ file.path }}
    for_each: input
    instances: {count: 1, coordination: echo}
    resources: [{from: input, file: a, to: b, mode: "0755"}]
    outputs: [{pattern: "*", to: out}]
    timeout: 30m
"""

TRAPS: list[tuple[str, str, list[Fact]]] = [
    (
        "download: true",
        "download: yes",
        [
            (
                "5:19 wrong-type",
                (
                    "`containers.out.download` must be `true` or `false` or one whole expression "
                    "`{{ ... }}`, not `yes`"
                ),
                "YAML 1.2 reads `yes` as text: write `true`",
            ),
        ],
    ),
    (
        "download: true",
        "download: on",
        [
            (
                "5:19 wrong-type",
                (
                    "`containers.out.download` must be `true` or `false` or one whole expression "
                    "`{{ ... }}`, not `on`"
                ),
                "YAML 1.2 reads `on` as text: write `true`",
            ),
        ],
    ),
    (
        "download: true",
        "download: No",
        [
            (
                "5:19 wrong-type",
                (
                    "`containers.out.download` must be `true` or `false` or one whole expression "
                    "`{{ ... }}`, not `No`"
                ),
                "YAML 1.2 reads `No` as text: write `false`",
            ),
        ],
    ),
    (
        "timeout: 30m",
        "timeout: 1:30",
        [
            (
                "23:14 bad-value",
                (
                    "`tasks.one.timeout` must be a time such as `90s`, `30m`, `24h`, `7d` or "
                    "`1h30m`, not `1:30`"
                ),
                "write `1h30m` or `1m30s`",
            ),
        ],
    ),
    (
        "timeout: 30m",
        "timeout: 90",
        [
            (
                "23:14 wrong-type",
                (
                    "`tasks.one.timeout` must be a time such as `90s`, `30m`, `24h`, `7d` or "
                    "`1h30m`, not the number 90"
                ),
                "give it a unit: `90h`, `90m` or `90s`",
            ),
        ],
    ),
    (
        '"0755"',
        "0755",
        [
            (
                "21:53 leading-zero",
                "`0755` is the number 755: the zeros are lost",
                'to keep them, put it in quotes: `"0755"`; else write `755`',
            ),
        ],
    ),
    (
        '"0755"',
        "0o755",
        [
            (
                "21:53 wrong-type",
                (
                    "`tasks.one.resources[0].mode` must be three or four octal digits such as "
                    "`0755`, not the number 0o755"
                ),
                'write its digits in quotes: `"0755"`',
            ),
        ],
    ),
    (
        '"0755"',
        "755",
        [
            (
                "21:53 wrong-type",
                (
                    "`tasks.one.resources[0].mode` must be three or four octal digits such as "
                    "`0755`, not the number 755"
                ),
                'put it in quotes: `"755"`',
            ),
        ],
    ),
    (
        "dedicated: 2",
        "dedicated: 1_000",
        [
            (
                "9:22 wrong-type",
                (
                    "`pool.nodes.dedicated` must be an integer or one whole expression `{{ ... "
                    "}}`, not `1_000`"
                ),
                "YAML 1.2 reads `1_000` as text: write `1000`",
            ),
        ],
    ),
    (
        "dedicated: 2",
        "dedicated: 010",
        [
            (
                "9:22 leading-zero",
                "`010` is the number 10: the zeros are lost",
                'to keep them, put it in quotes: `"010"`; else write `10`',
            ),
            (
                "9:22 wrong-type",
                (
                    "`pool.nodes.dedicated` must be an integer or one whole expression `{{ ... "
                    "}}`, not `010`"
                ),
                "YAML 1.2 reads `010` as text: write `010`",
            ),
        ],
    ),
    (
        "dedicated: 2",
        "dedicated: 2.5",
        [
            (
                "9:22 wrong-type",
                "`pool.nodes.dedicated` must be an integer, not the number 2.5",
                None,
            ),
        ],
    ),
    (
        "image: debian 12",
        "image: {publisher: a, offer: b, sku: 22_04, version: 1.10}",
        [
            (
                "7:56 wrong-type",
                "`pool.image.version` must be text, not the number 1.10",
                'put it in quotes: `"1.10"`',
            ),
        ],
    ),
    (
        "name: topics",
        "name: null",
        [
            (
                "2:7 wrong-type",
                "`name` must be text, and has no value",
                'to mean the word, put it in quotes: `"null"`',
            ),
        ],
    ),
    (
        "name: topics",
        "name: ~",
        [
            ("2:7 wrong-type", "`name` must be text, and has no value", None),
        ],
    ),
    (
        "name: topics",
        "name:",
        [
            ("2:5 wrong-type", "`name` must be text, and has no value", None),
        ],
    ),
    (
        "command: run a {{ file.path }}",
        "command: run # all\n",
        [
            (
                "18:18 comment-cut",
                "` #` starts a YAML comment here and ends the command",
                (
                    "write the command as a block (`|`) or in quotes; a comment on it goes on a "
                    "line of its own"
                ),
            ),
        ],
    ),
    (
        "command: run a {{ file.path }}",
        "command: run {{ file.path }} # all",
        [
            (
                "18:34 comment-cut",
                "` #` starts a YAML comment here and ends the command",
                (
                    "write the command as a block (`|`) or in quotes; a comment on it goes on a "
                    "line of its own"
                ),
            ),
        ],
    ),
    (
        "  release:\n    command: echo",
        "  release:\n    command: echo # x",
        [
            (
                "15:19 comment-cut",
                "` #` starts a YAML comment here and ends the command",
                (
                    "write the command as a block (`|`) or in quotes; a comment on it goes on a "
                    "line of its own"
                ),
            ),
        ],
    ),
    (
        "preparation: {command: echo}",
        "preparation:\n    command: echo # x",
        [
            (
                "14:19 comment-cut",
                "` #` starts a YAML comment here and ends the command",
                (
                    "write the command as a block (`|`) or in quotes; a comment on it goes on a "
                    "line of its own"
                ),
            ),
        ],
    ),
    (
        "start_task: {command: echo}",
        "start_task:\n    command: echo # x",
        [
            (
                "12:19 comment-cut",
                "` #` starts a YAML comment here and ends the command",
                (
                    "write the command as a block (`|`) or in quotes; a comment on it goes on a "
                    "line of its own"
                ),
            ),
        ],
    ),
    (
        "instances: {count: 1, coordination: echo}",
        "instances:\n      count: 1\n      coordination: echo # x",
        [
            (
                "22:26 comment-cut",
                "` #` starts a YAML comment here and ends the command",
                (
                    "write the command as a block (`|`) or in quotes; a comment on it goes on a "
                    "line of its own"
                ),
            ),
        ],
    ),
    (
        "command: run a {{ file.path }}",
        "command: {{ file.path }} x",
        [
            (
                "18:14 unquoted-template",
                "`{{` at the start of a plain value is a YAML mapping, not an expression",
                'put the whole value in quotes: "{{ ... }}"',
            ),
        ],
    ),
    (
        "command: run a {{ file.path }}",
        "command: # comment\n",
        [
            (
                "18:12 wrong-type",
                "`tasks.one.command` must be text or a list, and has no value",
                None,
            ),
        ],
    ),
    (
        'outputs: [{pattern: "*", to: out}]',
        "outputs: [{pattern: a, b, to: out}]",
        [
            (
                "22:28 comma-in-flow",
                "`b` has no value: the comma ends the value of `pattern`",
                'to keep the comma, write `pattern: "a, b"`',
            ),
        ],
    ),
    (
        'outputs: [{pattern: "*", to: out}]',
        "outputs: [{pattern: *.txt, to: out}]",
        [
            (
                "22:25 yaml-syntax",
                "`*` at the start of a plain value starts an alias",
                "put the value in quotes",
            ),
        ],
    ),
    (
        'outputs: [{pattern: "*", to: out}]',
        "outputs: [{pattern: {{ file.stem }}.txt, to: out}]",
        [
            (
                "22:25 unquoted-template",
                "`{{` at the start of a plain value is a YAML mapping, not an expression",
                'put the whole value in quotes: "{{ ... }}"',
            ),
        ],
    ),
    (
        'outputs: [{pattern: "*", to: out}]',
        "outputs: {pattern: x, to: out}",
        [
            (
                "22:14 wrong-type",
                "`tasks.one.outputs` must be a list, not a mapping",
                "write a list: one entry to a line, each behind `- `",
            ),
        ],
    ),
    (
        "count: 1, coordination: echo",
        "count: 1, coordination: echo a, b",
        [
            (
                "20:49 comma-in-flow",
                "`b` has no value: the comma ends the value of `coordination`",
                'to keep the comma, write `coordination: "echo a, b"`',
            ),
        ],
    ),
    (
        "    timeout: 30m",
        "\ttimeout: 30m",
        [
            ("23:1 tab-indentation", "a tab indents here", "YAML indents with spaces only"),
        ],
    ),
    (
        "    timeout: 30m",
        "    timeout: 30m\n    timeout: 1h",
        [
            (
                "24:5 duplicate-key",
                "`timeout` is given twice; the first is on line 23",
                "keep one of the two",
            ),
        ],
    ),
    (
        "command: run a {{ file.path }}",
        "command: &c run\n",
        [
            (
                "18:14 anchor",
                "anchors (`&c`) are not read",
                "remove `&c`; to mean the text, put the value in quotes",
            ),
        ],
    ),
    (
        "    timeout: 30m",
        "    <<: *base",
        [
            (
                "23:5 merge-key",
                "merge keys (`<<`) are not read",
                "write the keys out; values used in several places can be parameters",
            ),
            (
                "23:9 alias",
                "aliases (`*base`) are not read",
                'write the value out, or use a parameter; to mean the text, quote it: "*base"',
            ),
        ],
    ),
    (
        "command: run a {{ file.path }}",
        "command: [run, #x]",
        [
            (
                "18:20 comment-cut",
                "` #` starts a comment here, which hides the `]`",
                "put the value in quotes",
            ),
        ],
    ),
    (
        "dedicated: 2",
        "dedicated: 0b11",
        [
            (
                "9:22 wrong-type",
                (
                    "`pool.nodes.dedicated` must be an integer or one whole expression `{{ ... "
                    "}}`, not `0b11`"
                ),
                None,
            ),
        ],
    ),
    (
        "dedicated: 2",
        "dedicated: 1,000",
        [
            (
                "9:24 comma-in-flow",
                "`000` has no value: the comma ends the value of `dedicated`",
                "write the number without commas: `1000`",
            ),
        ],
    ),
    (
        "    timeout: 30m",
        "    timeout: !!str 30m",
        [
            (
                "23:14 tag",
                "tags (`!...`) are not read",
                "remove it; to mean the text, put the value in quotes",
            ),
        ],
    ),
    (
        "name: topics",
        "name: “topics”",
        [
            (
                "2:7 curly-quote",
                "`“` is no quote of YAML: it becomes part of the text",
                'write straight quotes: `"topics"`',
            ),
        ],
    ),
    (
        "command: run a {{ file.path }}",
        "command:\xa0run",
        [
            (
                "18:13 odd-space",
                "this looks like a space, but is the character U+00A0",
                "replace it by a plain space",
            ),
        ],
    ),
    (
        "    timeout: 30m",
        "    timeout:30m",
        [
            ("23:12 missing-space", "a space is missing after `timeout:`", "write `timeout: ...`"),
        ],
    ),
    (
        "    timeout: 30m",
        "    timeout: 30m\n   retries: 1",
        [
            (
                "24:4 yaml-syntax",
                "the indentation does not fit the lines above",
                (
                    "align it with the other entries; a value of several lines is indented below "
                    "its key"
                ),
            ),
        ],
    ),
]


def facts_of(text: str, folder: Path) -> list[Fact]:
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        load_workload(path, name="spec.yaml", given={})
    except SpecError as error:
        return [
            (
                f"{each.span.start.line}:{each.span.start.column} {each.code}",
                each.message,
                each.hint,
            )
            for each in error.problems
        ]
    return []


@pytest.mark.parametrize(("old", "new", "facts"), TRAPS)
def test_each_trap(old: str, new: str, facts: list[Fact], tmp_path: Path) -> None:
    assert SPEC.count(old) == 1
    assert facts_of(SPEC.replace(old, new), tmp_path) == facts


RIGHT = [
    ('"0755"', '"755"'),
    ("dedicated: 2", "dedicated: 1e1"),
    ("name: topics", "name: on"),
    ("name: topics", "name: 2026-01-01"),
    ("command: run a {{ file.path }}", "command:\n      - run # x\n      - b"),
    ("name: topics", "name: no"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_the_core_schema_reads_as_it_seems(old: str, new: str, tmp_path: Path) -> None:
    assert SPEC.count(old) == 1
    assert facts_of(SPEC.replace(old, new), tmp_path) == []
