"""Names that are used and names that are there."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
containers:
  input: {upload: [{from: data}]}
  media: {existing: media, prefix: 2026/}
  mid: {}
  done: {name: results, download: true}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  users: [{name: worker, password_secret: WORKER}]
  start_task: {command: echo start, resources: [{from: input}]}
tasks:
  merge: {command: cat *, needs: [split, count], resources: [{from: mid}], outputs: [{pattern: all, to: done}]}
  split: {command: echo, for_each: input, outputs: [{pattern: "{{ file.name }}", to: mid}]}
  count: {command: echo, for_each: {outputs_of: split}, run_as: {name: worker}}
  other: {command: echo, for_each: {matrix: {file: {files: media}, size: [1, 2]}}}
"""  # noqa: E501


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    ("needs: [split, count]", "needs: count"),
    ("needs: [split, count]", "needs: [split, count, split]"),
    ("command: echo start", "command: echo begin"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "from: input}]}\ntasks",
        "from: inptu}]}\ntasks",
        [
            (
                "13:56 unknown-container",
                "there is no container `inptu`",
                "did you mean `input`? containers: `input`, `media`, `mid`, `done`",
            ),
        ],
    ),
    (
        "files: media",
        "files: books",
        [
            (
                "18:60 unknown-container",
                "there is no container `books`",
                "containers: `input`, `media`, `mid`, `done`",
            ),
        ],
    ),
    (
        "to: done",
        "to: don",
        [
            (
                "15:105 unknown-container",
                "there is no container `don`",
                "did you mean `done`? containers: `input`, `media`, `mid`, `done`",
            ),
        ],
    ),
    (
        "resources: [{from: mid}]",
        "resources: [{from: mid}, {from: nowhere}]",
        [
            (
                "15:82 unknown-container",
                "there is no container `nowhere`",
                "containers: `input`, `media`, `mid`, `done`",
            ),
        ],
    ),
    (
        "needs: [split, count]",
        "needs: [split, cuont]",
        [
            (
                "15:42 unknown-step",
                "there is no step `cuont`",
                "did you mean `count`? other steps: `split`, `count`, `other`",
            ),
        ],
    ),
    (
        "needs: [split, count]",
        "needs: splt",
        [
            (
                "15:34 unknown-step",
                "there is no step `splt`",
                "did you mean `split`? other steps: `split`, `count`, `other`",
            ),
        ],
    ),
    (
        "outputs_of: split",
        "outputs_of: splti",
        [
            (
                "17:49 unknown-step",
                "there is no step `splti`",
                "did you mean `split`? other steps: `split`, `merge`, `other`",
            ),
        ],
    ),
    (
        "needs: [split, count]",
        "needs: [split, count, merge]",
        [
            ("15:49 circle", "`merge` needs itself", "take one of these needs away"),
        ],
    ),
    (
        "outputs_of: split",
        "outputs_of: count",
        [
            ("17:49 circle", "`count` needs itself", "take one of these needs away"),
        ],
    ),
    (
        'outputs: [{pattern: "{{ file.name }}"',
        'needs: [merge], outputs: [{pattern: "{{ file.name }}"',
        [
            (
                "15:35 circle",
                "these steps wait for each other: `merge` needs `split`, `split` needs `merge`",
                "take one of these needs away",
            ),
        ],
    ),
    (
        "split: {command: echo",
        "split: {needs: count, command: echo",
        [
            (
                "16:18 circle",
                "these steps wait for each other: `split` needs `count`, `count` needs `split`",
                "take one of these needs away",
            ),
        ],
    ),
    (
        "run_as: {name: worker}",
        "run_as: {name: wroker}",
        [
            (
                "17:72 unknown-user",
                "the pool has no user `wroker`",
                "did you mean `worker`? users: `worker`",
            ),
        ],
    ),
    (
        "start, resources",
        "start, run_as: {name: root}, resources",
        [
            ("13:52 unknown-user", "the pool has no user `root`", "users: `worker`"),
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_each_rule(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts


SINGLE = """\
version: 1
name: topics
pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}
task:
  command: echo
  needs: first
"""


def test_a_single_task_needs_nothing() -> None:
    assert facts_of(SINGLE) == [
        (
            "6:10 unknown-step",
            "`task` is the only step: there is no other that it could need",
            "write `tasks:`, with a name for each step: `tasks: {first: {...}}`",
        )
    ]


def test_users_of_an_existing_pool_are_not_in_the_spec() -> None:
    pool = "pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}"
    text = edited(SINGLE, pool, "pool: {existing: mine}")
    assert facts_of(edited(text, "needs: first", "run_as: {name: worker}")) == []


def test_two_circles_are_both_named() -> None:
    names = {"a": "b", "b": "a", "c": "d", "d": "e", "e": "c", "f": "a"}
    head = SINGLE.partition("task:")[0] + "tasks:\n"
    text = head + "".join(
        f"  {name}: {{command: echo, needs: {need}}}\n" for name, need in names.items()
    )
    hint = "take one of these needs away"
    assert facts_of(text) == [
        ("5:29 circle", "these steps wait for each other: `a` needs `b`, `b` needs `a`", hint),
        (
            "7:29 circle",
            "these steps wait for each other: `c` needs `d`, `d` needs `e`, `e` needs `c`",
            hint,
        ),
    ]


def test_there_is_a_bound_to_the_number_of_steps() -> None:
    head = SINGLE.partition("task:")[0] + "tasks:\n"
    steps = [f"  s{number}: {{command: echo}}\n" for number in range(1001)]
    assert facts_of(head + "".join(steps[:1000])) == []
    assert facts_of(head + "".join(steps)) == [
        (
            "1005:3 too-many",
            "a workload can have 1,000 steps",
            "run one step for many items: `for_each`",
        )
    ]
