"""The schema itself, and what is said where a spec does not fit it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from runner.spec.document import read_document
from runner.spec.parsing.autoscale import SCENARIOS
from runner.spec.parsing.image_aliases import ALIASES
from runner.spec.problem import Problem
from runner.spec.validation.schema import check_schema, check_values
from tests.unit.spec.whole_language import SCHEMA, SPECS, keys_of, keys_used

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]
Edit = Callable[[str, str], str]

OF_A_PARAMETER = {"default", "pattern", "min", "max", "allowed"}
"""Optional, and without one there is no such thing."""
WITHOUT = re.compile(r"\b[Ww]ithout (it|one|a |any)")

EXPRESSION = "one whole expression `{{ ... }}`"
TIME = "a time such as `90s`, `30m`, `24h`, `7d` or `1h30m`"
KEYS = (
    "allowed: `version`, `name`, `description`, `parameters`, `limits`, `halt`, `containers`,"
    " `pool`, `job`, `task`, `tasks`"
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
        "duration: 24h",
        "cost: five",
        "9:16 bad-value",
        "`limits.cost` must be an amount such as `5` or `5 EUR`, not `five`",
        None,
    ),
    (
        "duration: 24h",
        "cost: 0",
        "9:16 out-of-range",
        "`limits.cost` must be at least 0.01, not the number 0",
        None,
    ),
    (
        "duration: 24h",
        "cost: 5 euros",
        "9:16 bad-value",
        "`limits.cost` must be an amount such as `5` or `5 EUR`, not `5 euros`",
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
        "app: {upload: [{from: tool.py}]}",
        "app: {upload: tool.py}",
        "15:17 wrong-type",
        "`containers.app.upload` must be a list, not `tool.py`",
        'for example `upload: [{"from": "data/videos", "include": ["**/*.mp4"]}]`',
    ),
    (
        "app: {upload: [{from: tool.py}]}",
        "app: {upload: [tool.py]}",
        "15:18 wrong-type",
        "`containers.app.upload[0]` must be a mapping, not `tool.py`",
        'for example `- {"from": "data/videos", "include": ["**/*.mp4"]}`',
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
        "for the values themselves write `{list: [...]}`",
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


POOL = "image: debian 12, vm_size: v, nodes: {dedicated: 1}"
STEP = "command: a"


def of(*, root: str = "", pool: str = POOL, step: str = STEP) -> str:
    """A spec in three lines: what is tested stands on line 1, 2 (from column 8) or 3 (8)."""
    return f"{root or 'name: a'}\npool: {{{pool}}}\ntask: {{{step}}}\nversion: 1\n" + (
        "name: a\n" if root else ""
    )


SOURCES = "`files`, `list`, `rows`, `range`, `matrix`, `zip` and `outputs_of`"
TOGETHER = [
    (
        of(root="tasks: {}"),
        [
            (
                "3:1 misplaced-key",
                "a workload needs exactly one of the keys `task` and `tasks`",
                "remove all but one of `tasks` and `task`",
            ),
            ("1:8 empty", "`tasks` must not be empty", None),
        ],
    ),
    (
        of(pool="existing: p, keep: 1h"),
        [
            (
                "2:21 misplaced-key",
                "`keep` does not go with `existing`",
                "remove one of the two",
            )
        ],
    ),
    (
        of(pool="image: debian 12, vm_size: v"),
        [
            (
                "2:1 missing-key",
                "`pool` needs exactly one of the keys `nodes` and `autoscale`",
                'for example `nodes: {"dedicated": 2}`',
            )
        ],
    ),
    (
        of(pool=POOL + ", autoscale: {scenario: tasks}"),
        [
            (
                "2:61 misplaced-key",
                "`pool` needs exactly one of the keys `nodes` and `autoscale`",
                "remove all but one of `nodes` and `autoscale`",
            ),
            (
                "2:73 missing-key",
                "`scenario` needs the key `max` beside it",
                "for example `max: 10`",
            ),
        ],
    ),
    (
        of(root="job: {release: {command: x}}"),
        [
            (
                "1:7 missing-key",
                "`release` needs the key `preparation` beside it",
                (
                    'for example `preparation: {"command": "tar -xf models.tar -C'
                    ' \\"$AZ_BATCH_NODE_SHARED_DIR\\"", "resources": [{"from": "models"}]}`'
                ),
            )
        ],
    ),
    (
        of(pool=POOL.replace("debian 12", "{publisher: a, offer: b}")),
        [("2:8 missing-key", "`pool.image` needs the key `sku`", 'for example `sku: "server"`')],
    ),
    (
        of(pool=POOL.replace("debian 12", "{id: a, node_agent: b, sku: c}")),
        [("2:38 misplaced-key", "`sku` does not go with `id`", "remove one of the two")],
    ),
    (
        of(pool=POOL + ", packages: {apt: [g++, 'jq:arm64=1.6-2.1', vim/stable, vim-, 'a b']}"),
        [
            (
                "2:115 bad-value",
                "`pool.packages.apt[3]` must be the name of a package, not `vim-`",
                None,
            ),
            (
                "2:121 bad-value",
                "`pool.packages.apt[4]` must be the name of a package, not `a b`",
                None,
            ),
        ],
    ),
    (
        of(pool=POOL.replace("debian 12", "debain 12")),
        [
            (
                "2:15 not-allowed",
                "`pool.image` must be one of 9 names, not `debain 12`",
                (
                    "did you mean `debian 12`? allowed: `ubuntu 24.04`, `ubuntu 22.04`,"
                    " `debian 12`, `almalinux 9`, `almalinux 8`, `ubuntu 22.04 containers`,"
                    " `windows 2022`, `windows 2019`, `windows 2022 containers`"
                ),
            )
        ],
    ),
    (
        of(step=STEP + ", for_each: {list: [a], rows: a.csv}"),
        [
            (
                "3:42 misplaced-key",
                f"`task.for_each` needs exactly one of the keys {SOURCES}",
                "remove all but one of `list` and `rows`",
            )
        ],
    ),
    (
        of(step=STEP + ", for_each: {lists: [a]}"),
        [
            (
                "3:31 unknown-key",
                "`lists` is not a key of `task.for_each`",
                (
                    "did you mean `list`? allowed: `files`, `include`, `exclude`,"
                    " `case_sensitive`, `chunk`, `list`, `rows`, `format`, `range`, `matrix`,"
                    " `zip`, `outputs_of`"
                ),
            )
        ],
    ),
    (
        of(step=STEP + ", for_each: {}"),
        [
            (
                "3:20 missing-key",
                f"`task.for_each` needs exactly one of the keys {SOURCES}",
                'for example `files: "input"`',
            )
        ],
    ),
    (
        of(step=STEP + ", for_each: {list: [a], chunk: 2}"),
        [
            (
                "3:42 missing-key",
                "`chunk` needs the key `files` beside it",
                'for example `files: "input"`',
            )
        ],
    ),
    (
        of(step=STEP + ", for_each: {chunk: 2}"),
        [
            (
                "3:31 missing-key",
                "`chunk` needs the key `files` beside it",
                'for example `files: "input"`',
            )
        ],
    ),
    (
        of(step=STEP + ", exit_rules: [{cods: [1], job: continue}, {codes: [2]}]"),
        [
            (
                "3:34 unknown-key",
                "`cods` is not a key of `task.exit_rules[0]`",
                "did you mean `codes`? allowed: `codes`, `causes`, `job`, `dependents`",
            ),
            (
                "3:62 missing-key",
                "`task.exit_rules[1]` needs at least one of the keys `job` and `dependents`",
                'for example `job: "terminate"`',
            ),
        ],
    ),
    (
        of(root="containers: {a: {existing: abc, if_not_empty: keep}, b: {prefix: x}}"),
        [
            (
                "1:33 misplaced-key",
                "`if_not_empty` does not go with `existing`",
                "remove one of the two",
            ),
            (
                "1:58 missing-key",
                "`prefix` needs the key `existing` beside it",
                'for example `existing: "media"`',
            ),
        ],
    ),
    (
        of(step=STEP + ", resources: [{url: https://a/b, to: a, file: b}]"),
        [("3:58 misplaced-key", "`file` does not go with `url`", "remove one of the two")],
    ),
    (
        of(step=STEP + ", resources: [{from: a, mode: '8'}]"),
        [
            (
                "3:48 bad-value",
                (
                    "`task.resources[0].mode` must be three or four octal digits such as `0755`,"
                    " not `8`"
                ),
                None,
            )
        ],
    ),
    # Where it is not even a mapping, that is all there is to say.
    (
        of(pool=POOL + ", autoscale: []").replace(", nodes: {dedicated: 1}", ""),
        [
            (
                "2:49 wrong-type",
                "`pool.autoscale` must be a mapping, not a list",
                'for example `autoscale: {"scenario": "tasks", "min": 0, "max": 10}`',
            )
        ],
    ),
    (
        of(pool=POOL.replace("{dedicated: 1}", "2")) + "parameters: {level: 6}\n",
        [
            (
                "2:45 wrong-type",
                "`pool.nodes` must be a mapping, not the number 2",
                'for example `nodes: {"dedicated": 2}`',
            ),
            (
                "5:21 wrong-type",
                "`parameters.level` must be a mapping, not the number 6",
                'for example `level: {"type": "integer", "default": 5, "min": 1}`',
            ),
        ],
    ),
    # One step, written where several have names.
    (
        of().replace("task:", "tasks:"),
        [
            (
                "3:18 wrong-type",
                "`tasks.command` must be a mapping, not `a`",
                "`tasks` has a name for each step; where there is only one, write `task:`",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("text", "found"), TOGETHER)
def test_keys_that_go_together(
    text: str, found: list[tuple[str, str, str | None]], facts: Facts
) -> None:
    assert sorted(facts(check(text))) == sorted(found)


def test_an_end_of_line_is_no_part_of_a_name() -> None:
    (problem,) = check(of(root='name: "a\\n"').removesuffix("name: a\n"))
    assert problem.message == f"`name` must be {NAME}, not `a`"


def schemas_of(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key in {"properties", "$defs", "dependentSchemas"}:
                for each in value.values():
                    yield from schemas_of(each)
            elif key not in {"examples", "default", "enum", "const", "dependentRequired"}:
                yield from schemas_of(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from schemas_of(each)


SAID = {
    *("type", "enum", "const", "pattern", "minimum", "maximum", "maxLength"),
    *("minLength", "minItems", "minProperties", "required", "additionalProperties"),
    *("anyOf", "oneOf", "dependentRequired", "dependentSchemas"),
}
"""The keywords that `findings` has words for; each is in a test above."""
LEADING = {
    *("$schema", "$id", "$defs", "$ref", "title", "description", "default", "examples"),
    *("patternErrorMessage", "properties", "items", "propertyNames", "allOf"),
    *("if", "then", "else"),
}
"""Those that lead to others, or say nothing that could be broken."""


def test_every_keyword_of_the_schema_has_words() -> None:
    for schema in schemas_of(SCHEMA):
        assert set(schema) <= SAID | LEADING, schema
        if "pattern" in schema:
            said = schema.get("patternErrorMessage", "")
            assert said.startswith("must be ") or schema["title"] == "template", schema
        if "oneOf" in schema:
            assert all(list(each) == ["required"] for each in schema["oneOf"]), schema
        if any(list(each) == ["required"] for each in schema.get("anyOf", ())):
            assert all(list(each) == ["required"] for each in schema["anyOf"]), schema
        for rule in schema.get("dependentSchemas", {}).values():
            assert list(rule) == ["properties"], schema
            assert set(rule["properties"].values()) == {False}, schema


def test_variants_are_told_apart_by_their_types() -> None:
    """But for text, where one may be a value and another an expression that gives it."""
    for schema in schemas_of(SCHEMA):
        variants = [
            SCHEMA["$defs"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
            for each in schema.get("anyOf", ())
            if list(each) != ["required"]
        ]
        plain = [each for each in variants if each.get("title") not in {"expression", "template"}]
        kinds = [each.get("type", "string") for each in plain]
        assert len(set(kinds)) == len(kinds), schema
        assert len(variants) - len(plain) <= 1, schema


def test_the_names_of_images_and_scenarios_are_those_that_there_are() -> None:
    properties = SCHEMA["properties"]["pool"]["properties"]
    assert properties["image"]["anyOf"][0]["enum"] == list(ALIASES)
    scenario = properties["autoscale"]["properties"]["scenario"]
    assert scenario["anyOf"][0]["enum"] == list(SCENARIOS)


def test_every_key_is_in_a_spec_of_the_tests() -> None:
    used = {
        key for path in SPECS for key in keys_used(yaml.safe_load(path.read_text(encoding="utf-8")))
    }
    assert set(keys_of(SCHEMA)) == used


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
