"""The schema itself, and what is said where a spec does not fit it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.spec.bundled import bundled
from runner.spec.document import read_document
from runner.spec.problem import Problem
from runner.spec.schema import SCHEMA_PARTS, check_schema, check_values

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]
Edit = Callable[[str, str], str]

SCHEMA: dict[str, Any] = json.loads(bundled(*SCHEMA_PARTS).read_text(encoding="utf-8"))
OF_A_PARAMETER = {"default", "pattern", "min", "max", "allowed"}
"""Optional, and without one there is no such thing."""
WITHOUT = re.compile(r"\b[Ww]ithout (it|one|a |any)")

EXPRESSION = "one whole expression `{{ ... }}`"
TIME = "a time such as `90s`, `30m`, `24h`, `7d` or `1h30m`"
KEYS = (
    "allowed: `version`, `name`, `description`, `parameters`, `limits`, `containers`, `pool`,"
    " `job`, `task`, `tasks`"
)
NAME = "lower-case letters and digits, with single dashes between them"


def check(text: str) -> tuple[Problem, ...]:
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None, problems
    return (*problems, *check_schema(document))


RULES = {"then", "else", "dependentSchemas"}
"""What only says which keys go together."""


def objects(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        if "properties" in schema and not RULES.intersection(path.split("/")[-2:]):
            yield path, schema
        for key, value in schema.items():
            if key not in {"examples", "default"}:
                yield from objects(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from objects(value, f"{path}/{index}")


def test_the_schema_is_a_2020_12_schema() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_every_object_is_closed() -> None:
    for path, schema in objects(SCHEMA):
        assert schema.get("additionalProperties") is False, path


def test_every_property_is_described_with_examples_and_its_default() -> None:
    for path, schema in objects(SCHEMA):
        for name, each in schema["properties"].items():
            where = f"{path}/{name}"
            assert each["description"].endswith("."), where
            assert each["examples"], where
            if name in schema.get("required", []) or "default" in each:
                continue
            if not (name in OF_A_PARAMETER and "parameter" in path):
                assert WITHOUT.search(each["description"]), where


def test_examples_and_defaults_are_valid() -> None:
    for path, schema in objects(SCHEMA):
        for name, each in schema["properties"].items():
            validator = Draft202012Validator({**each, "$defs": SCHEMA["$defs"]})
            for example in [*each["examples"], *([each["default"]] if "default" in each else [])]:
                assert validator.is_valid(example), f"{path}/{name}: {example}"


def test_a_spec_that_is_right(spec: str) -> None:
    assert check(spec) == ()


WRONG = [
    (
        "version: 1",
        "version: 2",
        "1:10 unsupported-version",
        "`version` must be 1, not the number 2",
        "this release reads version 1 of the spec language",
    ),
    (
        "limits:",
        "limit:",
        "9:1 unknown-key",
        "`limit` is not a key of a workload",
        f"did you mean `limits`? {KEYS}",
    ),
    (
        "name: topics",
        "name: My Topics",
        "2:7 bad-value",
        f"`name` must be {NAME}, not `My Topics`",
        None,
    ),
    ("name: topics", "name: a--b", "2:7 bad-value", f"`name` must be {NAME}, not `a--b`", None),
    ("name: topics", "name: -a", "2:7 bad-value", f"`name` must be {NAME}, not `-a`", None),
    (
        "name: topics",
        "name: abcdefghijklmnopqrstuvwx",
        "2:7 too-long",
        "`name` is longer than 23 characters",
        None,
    ),
    (
        "name: topics",
        "name: 7.10",
        "2:7 wrong-type",
        "`name` must be text, not the number 7.10",
        'put it in quotes: `"7.10"`',
    ),
    (
        "duration: 24h",
        "duration: 24",
        "9:20 wrong-type",
        f"`limits.duration` must be {TIME}, not the number 24",
        "give it a unit: `24h`, `24m` or `24s`",
    ),
    (
        "duration: 24h",
        "duration: soon",
        "9:20 bad-value",
        f"`limits.duration` must be {TIME}, not `soon`",
        None,
    ),
    (
        "{duration: 24h, wait: 1h30m}",
        "wait:30m",
        "9:9 wrong-type",
        "`limits` must be a mapping, not `wait:30m`",
        "put a space behind the colon: `wait: 30m`",
    ),
    (
        "download: true",
        "download: yes",
        "14:22 wrong-type",
        f"`containers.output.download` must be `true` or `false` or {EXPRESSION}, not `yes`",
        "YAML 1.2 reads `yes` as text: write `true`",
    ),
    (
        "download: true",
        "download: 'true'",
        "14:22 wrong-type",
        f"`containers.output.download` must be `true` or `false` or {EXPRESSION}, not `true`",
        "remove the quotes: `true`",
    ),
    (
        'include: ["**/*.txt"]',
        'include: "**/*.txt"',
        "13:36 wrong-type",
        "`containers.input.upload[0].include` must be a list, not `**/*.txt`",
        'write a list: `["**/*.txt"]`',
    ),
    (
        'include: ["**/*.txt"]',
        "include: []",
        "13:36 empty",
        "`containers.input.upload[0].include` must not be empty",
        None,
    ),
    (
        'spot: "{{ parameters.nodes }}"',
        "spot: many",
        "20:31 wrong-type",
        f"`pool.nodes.spot` must be an integer or {EXPRESSION}, not `many`",
        None,
    ),
    (
        'spot: "{{ parameters.nodes }}"',
        "spot: 1_000",
        "20:31 wrong-type",
        f"`pool.nodes.spot` must be an integer or {EXPRESSION}, not `1_000`",
        "YAML 1.2 reads `1_000` as text: write `1000`",
    ),
    (
        'spot: "{{ parameters.nodes }}"',
        "spot: '5'",
        "20:31 wrong-type",
        f"`pool.nodes.spot` must be an integer or {EXPRESSION}, not `5`",
        "remove the quotes: `5`",
    ),
    (
        'spot: "{{ parameters.nodes }}"',
        "spot: -3",
        "20:31 out-of-range",
        "`pool.nodes.spot` must be at least 0, not the number -3",
        None,
    ),
    (
        'spot: "{{ parameters.nodes }}"',
        "spot: 2.5",
        "20:31 wrong-type",
        "`pool.nodes.spot` must be an integer, not the number 2.5",
        None,
    ),
    (
        'spot: "{{ parameters.nodes }}"',
        "spot: true",
        "20:31 wrong-type",
        f"`pool.nodes.spot` must be an integer or {EXPRESSION}, not `true`",
        None,
    ),
    (
        'spot: "{{ parameters.nodes }}"',
        'spot: "{{ parameters.nodes }}0"',
        "20:31 wrong-type",
        f"`pool.nodes.spot` must be an integer or {EXPRESSION}, not `{{{{ parameters.nodes }}}}0`",
        None,
    ),
    (
        "sku: server",
        "sku: 22.10",
        "18:63 wrong-type",
        "`pool.image.sku` must be text, not the number 22.10",
        'put it in quotes: `"22.10"`',
    ),
    (
        "  vm_size: Standard_D2s_v5\n",
        "",
        "17:1 missing-key",
        "`pool` needs the key `vm_size`",
        'for example `vm_size: "Standard_D2s_v5"`',
    ),
    (
        "vm_size: Standard_D2s_v5",
        "vm_size: ''",
        "19:12 empty",
        "`pool.vm_size` must not be empty",
        None,
    ),
    (
        "run_as: admin",
        "run_as: root",
        "24:13 not-allowed",
        "`pool.start_task.run_as` must be `user` or `admin`, not `root`",
        "allowed: `user`, `admin`",
    ),
    (
        "run_as: admin",
        'run_as: "{{ parameters.x }}y"',
        "24:13 bad-value",
        f"`pool.start_task.run_as` must be {EXPRESSION}, not `{{{{ parameters.x }}}}y`",
        None,
    ),
    (
        "delete: never",
        "delete: 3",
        "14:36 wrong-type",
        (
            "`containers.output.delete` must be `after-success`, `after-run`, `never` or"
            f" {EXPRESSION}, not the number 3"
        ),
        None,
    ),
    (
        "retries: 1",
        "retries: 200",
        "32:12 out-of-range",
        "`task.retries` must be at most 100, not the number 200",
        None,
    ),
    (
        "for_each: input",
        "for_each: [input]",
        "27:13 wrong-type",
        "`task.for_each` must be the name of a container of this spec or a mapping, not a list",
        None,
    ),
    (
        "for_each: input",
        "for_each: {file: input}",
        "27:14 unknown-key",
        "`file` is not a key of `task.for_each`",
        (
            "did you mean `files`? allowed: `files`, `include`, `exclude`, `case_sensitive`,"
            " `chunk`, `list`, `rows`, `format`, `range`, `matrix`, `zip`, `outputs_of`"
        ),
    ),
    (
        "LANG: C.UTF-8",
        "LANG: 1.10",
        "29:23 wrong-type",
        "`task.environment.LANG` must be text, not the number 1.10",
        'put it in quotes: `"1.10"`',
    ),
    (
        "LANG: C.UTF-8",
        "LC-ALL: C.UTF-8",
        "29:17 bad-name",
        "the name `LC-ALL` must be letters, digits and `_`, not starting with a digit",
        None,
    ),
    ("  output: {d", "  out.put: {d", "14:3 bad-name", f"the name `out.put` must be {NAME}", None),
    (
        "  output: {d",
        "  abcdefghijklmnopqr: {d",
        "14:3 bad-name",
        "the name `abcdefghijklmnopqr` is longer than 17 characters",
        None,
    ),
    (
        "  output: {download: true, delete: never}",
        "  output:",
        "14:9 wrong-type",
        "`containers.output` must be a mapping, and has no value",
        "write `{}` for a mapping without keys",
    ),
    (
        "command: python3 tool.py {{ file.path }} {{ parameters.rate }}",
        "command: [python3, 25]",
        "28:22 wrong-type",
        "`task.command[1]` must be text, not the number 25",
        'put it in quotes: `"25"`',
    ),
    (
        "command: python3 tool.py {{ file.path }} {{ parameters.rate }}",
        "command: 5",
        "28:12 wrong-type",
        "`task.command` must be text or a list, not the number 5",
        None,
    ),
    (
        "\ntask:\n",
        "\ntaks:\n",
        "26:1 unknown-key",
        "`taks` is not a key of a workload",
        f"did you mean `tasks`? {KEYS}",
    ),
    (
        "type: integer",
        "type: int",
        "7:17 not-allowed",
        "`parameters.nodes.type` must be `string`, `integer`, `number` or `boolean`, not `int`",
        "did you mean `integer`? allowed: `string`, `integer`, `number`, `boolean`",
    ),
]


@pytest.mark.parametrize(("old", "new", "place", "message", "hint"), WRONG)
def test_each_mistake_is_one_problem(
    old: str, new: str, place: str, message: str, hint: str | None, edit: Edit, facts: Facts
) -> None:
    assert facts(check(edit(old, new))) == [(place, message, hint)]


def test_a_key_and_the_lack_of_another_are_two_problems(edit: Edit, facts: Facts) -> None:
    assert facts(check(edit("to: output", "container: output"))) == [
        (
            "31:50 unknown-key",
            "`container` is not a key of `task.outputs[0]`",
            "allowed: `pattern`, `to`, `when`, `path`",
        ),
        (
            "31:14 missing-key",
            "`task.outputs[0]` needs the key `to`",
            'for example `to: "output"`',
        ),
    ]


def test_an_empty_mapping_lacks_every_key(facts: Facts) -> None:
    codes = [(code, message) for code, message, _ in facts(check("x: 1\n"))]
    assert codes == [
        ("1:1 unknown-key", "`x` is not a key of a workload"),
        *(
            ("1:1 missing-key", f"a workload needs the key `{key}`")
            for key in ("version", "name", "pool")
        ),
        ("1:1 missing-key", "a workload needs exactly one of the keys `task` and `tasks`"),
    ]


def test_a_value_that_a_template_gave_is_traced_to_it(spec: str, facts: Facts) -> None:
    document, _ = read_document("spec.yaml", spec.encode())
    assert document is not None
    data = json.loads(json.dumps(document.data))
    data["pool"]["nodes"]["spot"] = "many"
    data["limits"]["duration"] = "{{ 1 }}"
    assert facts(check_values(document, data)) == [
        (
            "9:20 bad-value",
            f"`limits.duration` must be {TIME}, not `{{{{ 1 }}}}`",
            "the value comes from `24h`",
        ),
        (
            "20:31 wrong-type",
            "`pool.nodes.spot` must be an integer, not `many`",
            'the value comes from `"{{ parameters.nodes }}"`',
        ),
    ]


def test_problems_are_bounded() -> None:
    keys = "".join(f"x{number}: 1\n" for number in range(5_000))
    assert len(check(keys)) <= 100
