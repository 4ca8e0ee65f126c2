"""The text that a new spec starts from: the commented starter, or an example, under a new name.

It knows nothing of the command line, and writes no file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner.errors import UsageError
from runner.frozen import dataclass
from runner.spec.bundled import bundled
from runner.spec.document import Document, Pointer, read_document
from runner.spec.problem import Position
from runner.spec.suggestion import suggest
from runner.spec.validation.schema import SCHEMA_PARTS
from runner.spec.yaml.scalars import resolve_plain

_STARTER = Path(__file__).resolve().parent / "starter.yaml"
_HEADER = re.compile(r"^# yaml-language-server: \$schema=.*$", re.MULTILINE)
_NAME = re.compile(r"^name: \S+", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A spec that ships with batch-run."""

    name: str
    description: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalInput:
    """A file or folder of this machine that a spec reads, by the path that is written there."""

    source: str
    position: Position


def examples() -> tuple[Example, ...]:
    """The bundled examples, by name."""
    paths = sorted(bundled("workloads").glob("*.yaml"))
    return tuple(
        Example(name=path.stem, description=_description(path), path=path) for path in paths
    )


def find_example(name: str) -> Example:
    """The example meant by `ffmpeg`, `ffmpeg.yaml` or `workloads/ffmpeg.yaml`.

    Raises `UsageError` where there is none.
    """
    known = {example.name: example for example in examples()}
    wanted = name.removeprefix("workloads/").removesuffix(".yaml")
    if wanted not in known:
        hint = suggest(wanted, known, label="examples")
        raise UsageError(f"there is no example `{name}`", hint=hint)
    return known[wanted]


def check_name(name: str) -> None:
    """Raises `UsageError` where the schema takes no workload of that name."""
    schema: dict[str, Any] = json.loads(bundled(*SCHEMA_PARTS).read_bytes())
    rule = schema["properties"]["name"]
    if not re.fullmatch(rule["pattern"].removeprefix("^").removesuffix("$"), name):
        raise UsageError(f"the name `{name}` {rule['patternErrorMessage']}")
    if len(name) > rule["maxLength"]:
        raise UsageError(f"the name `{name}` is longer than {rule['maxLength']} characters")


def make_spec(name: str, *, example: Example | None, schema: str) -> str:
    """The text of a spec called `name`, whose header names the schema by a path or URL."""
    path = _STARTER if example is None else example.path
    text = path.read_text(encoding="utf-8")
    # `name: 123` would be a number, and `null` nothing.
    written = name if isinstance(resolve_plain(name), str) else f'"{name}"'
    text = _HEADER.sub(lambda _: f"# yaml-language-server: $schema={schema}", text, count=1)
    return _NAME.sub(lambda _: f"name: {written}", text, count=1)


def local_inputs(name: str, text: str) -> Iterator[LocalInput]:
    """The files and folders that a spec reads on this machine: what it brings up, and its rows.

    Paths with expressions in them are left out.
    """
    document, _ = read_document(name, text.encode())
    if document is None:
        return
    for pointer, value in _leaves(document.data, ()):
        is_upload = pointer[0] == "containers" and pointer[-1] == "from"
        is_rows = pointer[-1] == "rows" and "for_each" in pointer and "list" not in pointer
        if (is_upload or is_rows) and "{{" not in value:
            yield LocalInput(source=value, position=document.span(pointer).start)


def _leaves(value: object, pointer: Pointer) -> Iterator[tuple[Pointer, str]]:
    """Every text of a document with its place."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, (*pointer, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _leaves(each, (*pointer, index))


def _description(path: Path) -> str:
    document: Document | None
    document, _ = read_document(path.name, path.read_bytes())
    return "" if document is None else str(document.data.get("description", ""))
