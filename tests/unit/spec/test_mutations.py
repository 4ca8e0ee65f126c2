"""Broken specs by the hundred: each is read or refused, and a refusal points into the file.

`BATCH_RUN_MUTATIONS` sets how many there are in all, `BATCH_RUN_MUTATIONS_SEED` which.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.spec.bundled import bundled
from runner.spec.load import load_workload
from runner.spec.messages import problem_as_json, render_problem
from runner.spec.problem import Problem, SpecError
from tests.unit.spec.whole_language import SPECS

COUNT = int(os.environ.get("BATCH_RUN_MUTATIONS", "300"))
SEED = int(os.environ.get("BATCH_RUN_MUTATIONS_SEED", "1"))
IN_ONE_TEST = 250

PIECES = [
    *"\t\n\r \0#:,-?*&!|>'\"%@`{}[]<~é世\u2028\x85\x7f\ufeff",
    *("{{", "}}", " #", ": ", "- ", "{% x %}", "${#x}", "---\n", "...\n", "<<: ", "\\x", "\r\n"),
]
VALUES: list[Any] = [
    *(None, True, 0, -1, 2**70, 1.5, "", "x", "yes", "22_04", "{{", "{{ }}", "{{ x", "*", "../x"),
    *("{{ file.path }}", "{{ parameters }}", "{{ 1 / 0 }}", "{{ 'x' * 9 }}", "\n", "é" * 300),
    *([], {}, ["x"], {"x": 1}, [[[]]], {"": None}),
]
EXPRESSIONS = [
    *("{{ }}", "{{", "}}", "{{ file. }}", "{{ file.path | }}", "{{ file['path'] }}", "{{ (1 }}"),
    *("{{ parameters.nope }}", "{{ ''.__class__ }}", "{{ range(10**9) }}", "{{ a\nb }}", "{# c #}"),
    *(
        "{{ '}}' }}",
        "{{ {'a': 1} }}",
        "{{ 2**9999 }}",
        "{{ lambda: 0 }}",
        "{{ x if }}",
        "{{{ x }}}",
    ),
]


def mutate_bytes(content: bytes, choice: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(choice.randint(1, 4)):
        at = choice.randrange(len(changed))
        changed[at] ^= 1 << choice.randrange(8)
    return bytes(changed)


def mutate_characters(content: bytes, choice: random.Random) -> bytes:
    text = content.decode()
    for _ in range(choice.randint(1, 3)):
        at = choice.randrange(len(text))
        text = text[:at] + choice.choice(PIECES) + text[at + choice.choice([0, 1, 1, 5]) :]
    return text.encode()


def mutate_lines(content: bytes, choice: random.Random) -> bytes:
    lines = content.decode().splitlines(keepends=True)
    at = choice.randrange(len(lines))
    match choice.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, lines[at])
        case 2:
            lines.insert(at, lines.pop(choice.randrange(len(lines))))
        case 3:
            lines[at] = choice.choice([" ", "   ", "\t", ""]) + lines[at].lstrip()
        case _:
            lines = [*lines[:at], lines[at][: choice.randrange(len(lines[at]))]]
    return "".join(lines).encode()


def mutate_data(content: bytes, choice: random.Random) -> bytes:
    data = yaml.safe_load(content)
    for _ in range(choice.randint(1, 3)):
        parent, key = pick(data, choice)
        match choice.randrange(5):
            case 0:
                parent[key] = choice.choice(VALUES)
            case 1 if isinstance(parent, dict):
                parent[choice.choice(["x", key + "s", key.upper(), "from"])] = parent.pop(key)
            case 2:
                parent[key] = retyped(parent[key], choice)
            case 3:
                other, place = pick(data, choice)
                parent[key] = deepcopy(other[place])
            case _ if len(parent) > 1:
                del parent[key]
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode()


def pick(data: Any, choice: random.Random) -> tuple[Any, Any]:
    """A mapping or list somewhere in the data, and a key or index of it."""
    parent = data
    while True:
        key = choice.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        child = parent[key]
        if not (isinstance(child, (dict, list)) and child and choice.random() < 0.8):
            return parent, key
        parent = child


def retyped(value: Any, choice: random.Random) -> Any:
    """The same in another shape, as somebody would write it who remembers it wrongly."""
    match choice.randrange(6):
        case 0:
            return [value]
        case 1:
            return {"name": value}
        case 2:
            return str(value)
        case 3 if isinstance(value, list) and value:
            return value[0]
        case 4 if isinstance(value, dict) and value:
            return list(value)
        case 5 if isinstance(value, str):
            return len(value)
        case _:
            return {"x": [value]}


def mutate_keys(content: bytes, choice: random.Random) -> bytes:
    """A line with a key comes twice, or under another mapping, or with the key of another line."""
    lines = content.decode().splitlines(keepends=True)
    keyed = [at for at, line in enumerate(lines) if re.match(r"\s*(- )?\w+:", line)]
    one, other = choice.choice(keyed), choice.choice(keyed)
    indent = re.match(r"\s*", lines[other])
    assert indent is not None
    match choice.randrange(3):
        case 0:
            lines.insert(one, lines[one])
        case 1:
            lines.insert(other, indent.group() + lines[one].lstrip())
        case _:
            name = lines[other].split(":")[0]
            lines[one] = name + ":" + lines[one].partition(":")[2]
    return "".join(lines).encode()


def mutate_templates(content: bytes, choice: random.Random) -> bytes:
    text = content.decode()
    found = choice.choice(list(re.finditer(r"\{\{.*?\}\}", text)))
    return (text[: found.start()] + choice.choice(EXPRESSIONS) + text[found.end() :]).encode()


def check_place(problem: Problem, content: bytes) -> None:
    text = content.decode("utf-8-sig", errors="replace")
    lines = re.split(r"\r\n|\r|\n", text)
    start, end = problem.span.start, problem.span.end
    assert 1 <= start.line <= len(lines)
    assert 1 <= start.column <= len(lines[start.line - 1]) + 1
    assert start <= end
    if problem.code not in {"encoding", "too-large"}:
        assert problem.source_line == lines[start.line - 1]


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    *(mutate_bytes, mutate_characters, mutate_lines, mutate_data, mutate_keys, mutate_templates)
]
EACH = -(-COUNT // len(MUTATIONS))


@cache
def originals() -> tuple[bytes, ...]:
    """A spec of every key comes up as often as all others."""
    every, *more = (path.read_bytes() for path in SPECS)
    examples = [
        bundled("workloads", name).read_bytes() for name in ("ffmpeg.yaml", "topwords.yaml")
    ]
    return (*[every] * len((*more, *examples)), *more, *examples)


@pytest.mark.parametrize("first", range(0, EACH, IN_ONE_TEST))
@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: str(mutate.__name__))
def test_a_broken_spec_is_read_or_refused(
    mutate: Callable[[bytes, random.Random], bytes], first: int, tmp_path: Path
) -> None:
    path = tmp_path / "spec.yaml"
    numbers = range(first, min(first + IN_ONE_TEST, EACH))
    refused = 0
    for number in numbers:
        choice = random.Random(f"{SEED}/{mutate.__name__}/{number}")
        original = choice.choice(originals())
        if mutate is mutate_templates and b"{{" not in original:
            original = originals()[0]
        content = mutate(original, choice)
        path.write_bytes(content)
        try:
            load_workload(path, name="spec.yaml", given={})
        except SpecError as error:
            refused += 1
            assert error.problems
            for problem in error.problems:
                check_place(problem, content)
                render_problem(problem).encode()
                json.dumps(problem_as_json(problem))
        except Exception as error:
            raise AssertionError(
                f"mutation {number}: {content.decode(errors='replace')}"
            ) from error
    assert refused > len(numbers) // 4, "the mutations hardly break anything"
