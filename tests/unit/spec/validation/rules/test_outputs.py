"""Where outputs go, and that those of one task do not hit each other."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
containers:
  input: {upload: [{from: data}]}
  out: {download: true}
  more: {download: true}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
task:
  for_each: input
  command: run {{ file.path }}
  resources: [{from: input, file: a, to: b/a}]
  outputs:
    - {pattern: "*.png", to: out, path: "pages/{{ file.stem }}"}
    - {pattern: "{{ file.stem }}.txt", to: out}
"""


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    (
        'pattern: "{{ file.stem }}.txt", to: out',
        'pattern: "*.json", to: out, path: "pages/{{ file.stem }}"',
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out',
        'pattern: "*.png", to: more, path: "pages/{{ file.stem }}"',
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out',
        'pattern: x.txt, to: out, path: "pages/{{ file.stem }}/x.txt"',
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out',
        'pattern: x, to: out, path: "pages/{{ file.stem }}/logs/x.png"',
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out',
        'pattern: "*.png", to: out, path: "pages/{{ file.stem }}.d"',
    ),
    ('"{{ file.stem }}.txt"', '"..a/{{ file.stem }}.."'),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        'pattern: "{{ file.stem }}.txt"',
        'pattern: "/tmp/{{ file.stem }}"',
        [
            (
                "17:18 output-path",
                "`pattern` starts with `/`",
                "write it relative to the task's working directory",
            ),
        ],
    ),
    (
        'pattern: "{{ file.stem }}.txt"',
        'pattern: "{{ file.stem }}/../x"',
        [
            (
                "17:34 output-path",
                "`pattern` leads out of its folder by `..`",
                "write it relative to the task's working directory",
            ),
        ],
    ),
    (
        '"{{ file.stem }}.txt", to: out',
        "x, to: out, path: ../x",
        [
            (
                "17:35 output-path",
                "`path` leads out of its folder by `..`",
                "write it relative to the container",
            ),
        ],
    ),
    (
        "to: b/a",
        "to: ../a",
        [
            (
                "14:42 resource-path",
                "`to` leads out of its folder by `..`",
                "write it relative to the task's working directory",
            ),
        ],
    ),
    (
        "to: b/a",
        "to: /etc/a",
        [
            (
                "14:42 resource-path",
                "`to` starts with `/`",
                "write it relative to the task's working directory",
            ),
        ],
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out',
        'pattern: "*.png", to: out, path: "pages/{{ file.stem }}"',
        [
            (
                "17:7 same-output",
                "this writes the same blobs as `outputs[0]`",
                "keep one of the two, or give them different paths",
            ),
        ],
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out}',
        "pattern: a.txt, to: out}\n    - {pattern: a.txt, to: out, when: completion}",
        [
            (
                "18:7 same-output",
                "this writes the same blobs as `outputs[1]`",
                "keep one of the two, or give them different paths",
            ),
        ],
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out}',
        "pattern: a.txt, to: out, path: c}\n    - {pattern: b.txt, to: out, path: c}",
        [
            (
                "18:7 same-output",
                "this writes the same blobs as `outputs[1]`",
                "keep one of the two, or give them different paths",
            ),
        ],
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out',
        'pattern: x.png, to: out, path: "pages/{{ file.stem }}/x.png"',
        [
            (
                "17:39 outputs-overlap",
                (
                    "this and `outputs[0]` may write the same blob: one goes into a folder of the "
                    "other"
                ),
                "give each a folder of its own, such as `path: logs` and `path: pages`",
            ),
        ],
    ),
    (
        'pattern: "{{ file.stem }}.txt", to: out',
        'pattern: x.png, to: out, path: "pages/{{ file.stem }}/"',
        [
            (
                "17:39 outputs-overlap",
                (
                    "this and `outputs[0]` may write the same blob: one goes into a folder of the "
                    "other"
                ),
                "give each a folder of its own, such as `path: logs` and `path: pages`",
            ),
        ],
    ),
    (
        (
            'pattern: "*.png", to: out, path: "pages/{{ file.stem }}"}\n    - {pattern: "{{ '
            'file.stem }}.txt", to: out'
        ),
        ('pattern: "logs/*", to: out, path: a}\n    - {pattern: "**/*.txt", to: out, path: a/logs'),
        [
            (
                "17:44 outputs-overlap",
                (
                    "this and `outputs[0]` may write the same blob: one goes into a folder of the "
                    "other"
                ),
                "give each a folder of its own, such as `path: logs` and `path: pages`",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_each_rule(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts


def test_outputs_of_success_and_of_failure_may_share_a_name() -> None:
    pair = "{pattern: a, to: out}\n    - {pattern: a, to: out, when: failure}"
    assert facts_of(edited(SPEC, '{pattern: "{{ file.stem }}.txt", to: out}', pair)) == []


def test_the_name_of_a_blob_has_a_bound() -> None:
    old = 'pattern: "{{ file.stem }}.txt"'
    assert facts_of(edited(SPEC, old, f"pattern: {'x' * 1024}")) == []
    assert facts_of(edited(SPEC, old, f"pattern: {'x' * 1025}")) == [
        (
            "17:17 too-long",
            "`pattern` is longer than the 1,024 characters that the name of a blob may have",
            "shorten it",
        )
    ]


def test_there_is_a_bound_to_the_number_of_outputs() -> None:
    old = '    - {pattern: "{{ file.stem }}.txt", to: out}\n'
    many = [f"    - {{pattern: a{number}, to: out}}\n" for number in range(100)]
    assert facts_of(edited(SPEC, old, "".join(many[:99]))) == []
    assert facts_of(edited(SPEC, old, "".join(many))) == [
        (
            "116:7 too-many",
            "a task can have 100 outputs",
            "find several files by one pattern, such as `pattern: results/**/*`",
        )
    ]
