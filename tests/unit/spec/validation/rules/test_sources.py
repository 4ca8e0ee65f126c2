"""What steps are run for."""

from __future__ import annotations

import pytest

from runner.spec.model.sources import RangeOf
from runner.spec.validation.rules.sources import count_numbers
from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
containers:
  input: {upload: [{from: data}]}
  out: {download: true}
pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
tasks:
  one: {command: echo, for_each: {list: [1, 2]}}
  two: {command: echo, for_each: {range: {from: 0, to: 0.3, step: 0.1}}}
  three: {command: echo, for_each: {matrix: {size: [1, 2], at: {range: {from: 3, to: 1, step: -1}}, f: {files: input}}}}
  four: {command: echo, for_each: {zip: {name: [a, b], value: {list: [1.5, 2.5]}, rows: {rows: data/jobs.csv}}}}
  five: {command: echo, for_each: input, outputs: [{pattern: "{{ file.stem }}.x", to: out}]}
  six: {command: echo, for_each: {outputs_of: five}}
  seven: {command: echo, for_each: {rows: jobs.dat, format: csv}}
"""  # noqa: E501


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    ("list: [1, 2]}}", "list: [{a: 1, b: x}, {b: y, a: 2}]}}"),
    ("list: [1, 2]}}", 'list: ["1.10", true, 0.5, 1000, x, 22_04]}}'),
    ("f: {files: input}", "f: {files: input}, g: {files: input}"),
    ("from: 0, to: 0.3, step: 0.1", "from: 1, to: 10000000"),
    ("from: 0, to: 0.3, step: 0.1", "from: 5, to: 5"),
    ("data/jobs.csv", "data/JOBS.NDJSON"),
    ("to: out}]}\n", 'to: out}, {pattern: "*.y", to: out}]}\n'),
    ("to: out}]}\n", "to: out, when: completion}]}\n"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "to: 0.3, step: 0.1",
        "to: 0.3, step: 0",
        [
            (
                "9:67 empty-range",
                "a range with the step 0 has no end",
                "leave `step` out to count by 1",
            ),
        ],
    ),
    (
        "to: 0.3, step: 0.1",
        "to: 0.3, step: -0.1",
        [
            (
                "9:56 empty-range",
                "the range is empty: `from`, 0, lies below `to`, 0.3",
                "swap the two, or write `step: 0.1`",
            ),
        ],
    ),
    (
        "from: 3, to: 1, step: -1",
        "from: 3, to: 1",
        [
            (
                "10:86 empty-range",
                "the range is empty: `from`, 3, lies above `to`, 1",
                "swap the two, or write `step: -1`",
            ),
        ],
    ),
    (
        "from: 0, to: 0.3, step: 0.1",
        "from: 1, to: 10000001",
        [
            (
                "9:35 too-many-tasks",
                "this makes 10,000,001 tasks; a step can have 10,000,000",
                "let each task work through a part of them, in a loop of its own",
            ),
        ],
    ),
    (
        "from: 0, to: 0.3, step: 0.1",
        "from: 0, to: 1, step: 1.0e-9",
        [
            (
                "9:35 too-many-tasks",
                "this makes 1,000,000,001 tasks; a step can have 10,000,000",
                "let each task work through a part of them, in a loop of its own",
            ),
        ],
    ),
    (
        "from: 3, to: 1, step: -1",
        "from: 1, to: 5000001",
        [
            (
                "10:37 too-many-tasks",
                "this makes 10,000,002 tasks; a step can have 10,000,000",
                "let each task work through a part of them, in a loop of its own",
            ),
        ],
    ),
    (
        "list: [1, 2]}}",
        "list: [9223372036854775808]}}",
        [
            (
                "8:42 number",
                "the number has more than 64 bits",
                'to mean the digits, put them in quotes: `"9223372036854775808"`',
            ),
        ],
    ),
    (
        "from: 0, to: 0.3, step: 0.1",
        "from: 0, to: 9223372036854775808",
        [
            (
                "9:35 too-many-tasks",
                "this makes 9,223,372,036,854,775,809 tasks; a step can have 10,000,000",
                "let each task work through a part of them, in a loop of its own",
            ),
            (
                "9:56 number",
                "the number has more than 64 bits",
                "count from less, and add the rest in the command",
            ),
        ],
    ),
    (
        "from: 0, to: 0.3, step: 0.1",
        "from: 0, to: 1.0e300, step: 1.0e-300",
        [
            (
                "9:35 too-many-tasks",
                (
                    "this makes 1,000,000,000,000,000,000,000,000,000,000,000,000,000,000... "
                    "tasks; a step can have 10,000,000"
                ),
                "let each task work through a part of them, in a loop of its own",
            ),
        ],
    ),
    (
        "list: [1, 2]}}",
        "list: [1, {a: 2}]}}",
        [
            (
                "8:46 uneven-list",
                "the list has both mappings and plain values",
                "write all entries alike",
            ),
        ],
    ),
    (
        "list: [1, 2]}}",
        "list: [{a: 1}, {a: 2}, {b: 3}]}}",
        [
            (
                "8:59 uneven-list",
                "the entries of the list have different keys",
                "each entry has the keys of the first one: `a`",
            ),
        ],
    ),
    (
        "list: [1, 2]}}",
        "list: [3.9, 3.10]}}",
        [
            (
                "8:47 rewritten",
                "`3.10` is a number, which a command gets as `3.1`",
                'to keep it, put it in quotes: `"3.10"`; else write `3.1`',
            ),
        ],
    ),
    (
        "list: [1, 2]}}",
        "list: [{version: 1e3}, {version: True}]}}",
        [
            (
                "8:52 rewritten",
                "`1e3` is a number, which a command gets as `1000.0`",
                'to keep it, put it in quotes: `"1e3"`; else write `1000.0`',
            ),
            (
                "8:68 rewritten",
                "`True` is a boolean, which a command gets as `true`",
                'to keep it, put it in quotes: `"True"`; else write `true`',
            ),
        ],
    ),
    (
        "[1.5, 2.5]",
        "[1.5, 2.5, 3.5]",
        [
            (
                "11:56 uneven-zip",
                "`value` has 3 entries, but `name` has 2",
                "the columns of a `zip` are of one length; for all combinations: `matrix`",
            ),
        ],
    ),
    (
        "[1.5, 2.5]",
        "[1.5]",
        [
            (
                "11:56 uneven-zip",
                "`value` has 1 entry, but `name` has 2",
                "the columns of a `zip` are of one length; for all combinations: `matrix`",
            ),
        ],
    ),
    (
        'pattern: "{{ file.stem }}.x"',
        'pattern: "*.x"',
        [
            (
                "13:47 no-named-output",
                "no output of `five` is one file of a known name on success",
                (
                    'give `five` an output whose pattern has no wildcard, such as `{pattern: "{{ '
                    'index }}.txt", to: output}`'
                ),
            ),
        ],
    ),
    (
        "to: out}]}\n",
        "to: out, when: failure}]}\n",
        [
            (
                "13:47 no-named-output",
                "no output of `five` is one file of a known name on success",
                (
                    'give `five` an output whose pattern has no wildcard, such as `{pattern: "{{ '
                    'index }}.txt", to: output}`'
                ),
            ),
        ],
    ),
    (
        ', outputs: [{pattern: "{{ file.stem }}.x", to: out}]',
        "",
        [
            (
                "13:47 no-named-output",
                "`five` has no outputs to run tasks for",
                (
                    'give `five` an output whose pattern has no wildcard, such as `{pattern: "{{ '
                    'index }}.txt", to: output}`'
                ),
            ),
        ],
    ),
    (
        "rows: jobs.dat, format: csv",
        "rows: jobs.dat",
        [
            (
                "14:43 rows-format",
                "the name `jobs.dat` does not tell how its rows are written",
                "say so: `format: csv`, `tsv`, `json` or `jsonl`",
            ),
        ],
    ),
    (
        "data/jobs.csv",
        "data/jobs",
        [
            (
                "11:96 rows-format",
                "the name `data/jobs` does not tell how its rows are written",
                "say so: `format: csv`, `tsv`, `json` or `jsonl`",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_each_rule(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts


@pytest.mark.parametrize(
    ("first", "last", "step", "count"),
    [
        (1, 3, 1, 3),
        (1, 3, 2, 2),
        (3, 1, -1, 3),
        (0, 0.3, 0.1, 4),
        (0, 1, 0.3, 4),
        (5, 5, 1, 1),
        (1, 0, 1, 0),
        (1, 2, 0, 0),
        (-1.5, 1.5, 0.5, 7),
    ],
)
def test_numbers_of_a_range_are_counted_as_decimal_fractions(
    first: float, last: float, step: float, count: int
) -> None:
    source = RangeOf(first=first, last=last, step=step, pointer=())
    assert count_numbers(source) == count
