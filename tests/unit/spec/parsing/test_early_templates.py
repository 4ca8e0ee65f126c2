"""Values of the workload that parameters may set: each gives what was written out before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.spec.document import Pointer, read_document
from runner.spec.model.workload import Workload
from runner.spec.parsing.parse import parse_workload
from runner.spec.parsing.places import Kind, find_places
from runner.spec.problem import Problem
from tests.unit.spec.whole_language import SPECS

LITERAL = {"version", "name", "description", "parameters"}
CONSTANT = {
    *("files", "outputs_of", "needs", "shell"),
    *("key_secret", "sas_secret", "password_secret"),
}
"""What other parts of a spec name, what its templates are compiled for, and names of secrets."""


def parse(data: dict[str, Any]) -> tuple[Workload | None, tuple[Problem, ...]]:
    text = json.dumps(data, default=str)  # which is YAML, and written much sooner
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None, problems
    parsed = parse_workload(document, {})
    return parsed.workload, parsed.problems


def scalars(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if pointer or key not in LITERAL:
                yield from scalars(each, (*pointer, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from scalars(each, (*pointer, index))
    else:
        yield pointer, value


def replaced(data: Any, pointer: Pointer, value: Any) -> Any:
    if not pointer:
        return value
    first, rest = pointer[0], pointer[1:]
    if isinstance(data, dict):
        return {key: replaced(v, rest, value) if key == first else v for key, v in data.items()}
    return [replaced(v, rest, value) if at == first else v for at, v in enumerate(data)]


def kind_of(value: object) -> str:
    kinds: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return kinds[type(value)]


def is_constant(pointer: Pointer) -> bool:
    """Whether the value has to be written out."""
    *_, parent, key = (None, *pointer)
    role = ("resources" in pointer and key == "from") or ("outputs" in pointer and key == "to")
    return role or key == "for_each" or key in CONSTANT or parent in CONSTANT


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.stem))
def test_each_value_may_come_from_a_parameter(path: Path) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    late = {each.pointer for each in find_places(data) if each.kind is not Kind.EARLY}
    written, _ = parse(data)
    assert written is not None
    tried = 0
    for pointer, value in scalars(data):
        if any(pointer[:depth] in late for depth in range(1, len(pointer) + 1)):
            continue
        if isinstance(value, str) and "{{" in value:
            continue
        tried += 1
        parameters = {
            **data.get("parameters", {}),
            "value": {"type": kind_of(value), "default": value},
        }
        template = replaced(data, pointer, "{{ parameters.value }}")
        workload, problems = parse({**template, "parameters": parameters})
        if is_constant(pointer):
            assert workload is None, pointer
            continue
        assert problems == (), pointer
        assert workload is not None
        assert workload.containers == written.containers, pointer
        assert workload.pool == written.pool, pointer
        assert workload.job == written.job, pointer
        assert workload.steps == written.steps, pointer
        assert workload.limits == written.limits, pointer
    assert tried >= 5
