"""Secret parameters: how they are declared, and the only places that take them."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
parameters:
  token: {type: string, secret: true}
containers:
  output: {}
pool:
  image: debian 12
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  start_task: {command: echo, environment: {A: "{{ parameters.token }}"}}
job:
  environment: {MODE: fast}
  preparation: {command: echo, environment: {A: "{{ parameters.token }}"}}
  release: {command: echo, environment: {B: fast}}
task:
  command: echo
  environment: {TOKEN: "{{ parameters.token }}"}
  outputs: [{pattern: a, to: output, path: b}]
"""
ONLY = (
    "the secret `token` can only be the whole value of a variable in the `environment` of a task,"
    " a start task or a job preparation"
)
HINT = 'write `TOKEN: "{{ parameters.token }}"` there; the command has it as a variable'


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    ("secret: true", 'secret: true, pattern: "[a-z]+", description: of the service'),
    ("secret: true", "secret: false, default: plain"),
    ("task:\n  command: echo", "task:\n  command: echo\n  shell: sh"),
    ("containers:\n  output: {}", "containers:\n  output: {}\n  secret: {}"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("TOKEN: ", 'X: "a{{ parameters.token }}", TOKEN: ', "18:25"),
        ("TOKEN: ", 'X: "{{ parameters.token | upper }}", TOKEN: ', "18:24"),
        ("TOKEN: ", "X: \"{{ parameters['token'] }}\", TOKEN: ", "18:24"),
        ("TOKEN: ", 'X: "{{ parameters.token }}{{ index }}", TOKEN: ', "18:24"),
        ("task:\n  command: echo", "task:\n  command: echo {{ parameters.token }}", "17:20"),
        ("task:\n  command: echo", 'task:\n  command: [echo, "{{ parameters.token }}"]', "17:23"),
        ("pattern: a", 'pattern: "{{ parameters.token }}"', "19:27"),
        ("path: b", 'path: "x/{{ parameters.token }}"', "19:50"),
        ("Standard_D2s_v5", '"{{ parameters.token }}"', "9:16"),
        ("MODE: fast", 'MODE: "{{ parameters.token }}"', "13:27"),
        ("B: fast", 'B: "{{ parameters.token }}"', "15:49"),
        ("job:\n", 'job:\n  metadata: {a: "{{ parameters.token }}"}\n', "13:21"),
    ],
)
def test_no_other_place_takes_one(old: str, new: str, place: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == [(f"{place} misplaced-secret", ONLY, HINT)]


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "type: string, secret: true",
        "type: integer, secret: true",
        [
            (
                "4:17 misplaced-key",
                "a secret is text, not of the type `integer`",
                "write `type: string`",
            )
        ],
    ),
    (
        "secret: true",
        "secret: true, default: hunter2",
        [
            (
                "4:39 exposed-secret",
                "`default` of the secret `token` would stand in the spec for all to read",
                "take it out, and set BATCH_RUN_SECRET_TOKEN",
            )
        ],
    ),
    (
        "secret: true",
        "secret: true, allowed: [hunter2]",
        [
            (
                "4:39 exposed-secret",
                "`allowed` of the secret `token` would stand in the spec for all to read",
                "take it out, and set BATCH_RUN_SECRET_TOKEN",
            )
        ],
    ),
    (
        "secret: true",
        "secret: true, min: 3",
        [("4:39 misplaced-key", "`min` does not go with `secret`", None)],
    ),
    (
        "secret: true",
        'secret: true, pattern: "["',
        [("4:48 bad-pattern", "`[` is not a regular expression", None)],
    ),
    (
        "task:\n  command: echo",
        "task:\n  shell: none\n  command: echo",
        [
            (
                "19:17 misplaced-secret",
                (
                    "without a shell, nothing can read the file that brings the secret `TOKEN` to"
                    " the command"
                ),
                "write `shell: bash`",
            )
        ],
    ),
    (
        "  output: {}",
        "  output: {}\n  secrets: {}",
        [
            (
                "7:3 reserved-role",
                (
                    "the role `secrets` is taken: the run hands its secret parameters to the tasks"
                    " there"
                ),
                "give the container another role",
            )
        ],
    ),
    (
        "nodes: {dedicated: 2}",
        "nodes: {dedicated: 2}\n  keep: 1h",
        [
            (
                "12:45 misplaced-secret",
                (
                    "the start task of a pool that outlasts the run cannot have the secret `A`,"
                    " which goes with it"
                ),
                "leave out `keep`, or bring the secret to the tasks",
            )
        ],
    ),
    (
        "TOKEN: ",
        "AZ_BATCH_TOKEN: ",
        [
            (
                "18:17 reserved-variable",
                "`AZ_BATCH_TOKEN` cannot be set: the service sets `AZ_BATCH_...` itself",
                "give the variable another name",
            )
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_what_may_not_be(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts


def test_cmd_cannot_read_one() -> None:
    spec = """\
version: 1
name: topics
parameters:
  token: {type: string, secret: true}
pool: {image: windows 2022, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
task:
  command: echo
  environment: {TOKEN: "{{ parameters.token }}"}
"""
    assert facts_of(spec) == [
        (
            "8:17 misplaced-secret",
            "cmd cannot read the file that brings the secret `TOKEN` to the command",
            "write `shell: powershell`",
        )
    ]
    assert facts_of(edited(spec, "task:\n", "task:\n  shell: powershell\n")) == []


def test_a_schedule_outlasts_its_secrets() -> None:
    spec = """\
version: 1
name: topics
parameters:
  token: {type: string, secret: true}
pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
job:
  schedule: {every: 1m, end: 2026-01-01T00:00:01Z}
task:
  command: echo
  environment: {TOKEN: "{{ parameters.token }}"}
"""
    assert facts_of(spec) == [
        (
            "10:17 misplaced-secret",
            (
                "the jobs of a `schedule` cannot have the secret `TOKEN`: a run takes its secrets"
                " away when it ends"
            ),
            "have the command fetch it itself, for example from a key vault",
        )
    ]
