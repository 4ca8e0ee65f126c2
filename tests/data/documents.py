"""Holds what the command prints and writes against the published schemas, to the last key.

The schemas let keys be added, since users are told to ignore what they do not know. Here nothing
may be there that they do not describe. It knows nothing of the runner's code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.protocols import Validator

SCHEMAS = Path(__file__).resolve().parents[2] / "schema"
_SPEC = "workload"
LINES = frozenset({"event", "runs", "diff", "logs"})
"""Documents that come as lines."""
_EVENTS_OF = frozenset({"run", "resume", "attach", "events"})
_MOST_BYTES = 200_000
"""What is larger is more of the same, and takes its time to be held against a schema."""


def names() -> list[str]:
    """The published schemas but that of specs."""
    found = (path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))
    return sorted(name for name in found if name != _SPEC)


@cache
def schema(name: str) -> Mapping[str, Any]:
    """One of them, as it is."""
    found: Mapping[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    return found


def check(name: str, value: object) -> None:
    """Fails unless a document is as the schema of that name has it, and has no other key."""
    _fail_on(_validator(name), name, value)


def check_event(event: Mapping[str, Any]) -> None:
    """The same of one event, whose schema its type names; those that look alike only once."""
    kind = event.get("type")
    shape = (kind, *((key, _shape(value)) for key, value in event.items()))
    if shape in _SEEN:
        return
    assert kind in schema("event")["$defs"], f"no schema has the event `{kind}`"
    _fail_on(_event_validator(str(kind)), f"event {kind}", event)
    _SEEN.add(shape)


_SEEN: set[tuple[object, ...]] = set()


def check_printed(arguments: Sequence[str], stdout: str) -> None:
    """What a command with `--json` has printed: its document, its lines, or why it has none."""
    if "--json" not in arguments or not stdout:
        return
    command = next((word for word in arguments if not word.startswith("-")), "")
    if "--help" in arguments or (command == "schema" and "--list" not in arguments):
        return
    name = _name(command, arguments)
    if name not in LINES:
        value = json.loads(stdout)
        check("error" if _is_error(value) else name, value)
        return
    for line in stdout.splitlines():
        value = json.loads(line)
        if _is_error(value):
            check("error", value)
        elif name == "event":
            check_event(value)
        else:
            check(name, value)


def check_directory(directory: Path) -> None:
    """What is in a run's directory: the lines of its journal that are whole, and its report."""
    events = directory / "events.jsonl"
    if events.exists():
        with events.open("rb") as stream:
            for line in stream:
                if line.endswith(b"\n"):
                    check_event(json.loads(line))
    for name in ("report", "plan"):
        path = directory / f"{name}.json"
        if path.exists() and path.stat().st_size < _MOST_BYTES:
            check(name, json.loads(path.read_bytes()))


def _name(command: str, arguments: Sequence[str]) -> str:
    if "--version" in arguments:
        return "version"
    if command == "plan" and any(word.partition("=")[0] == "--task" for word in arguments):
        return "plan-task"
    if command == "schema":
        return "schemas"
    if command == "new" and "--list" in arguments:
        return "examples"
    if command in _EVENTS_OF or command not in names():
        return "event"
    return command


def _is_error(value: object) -> bool:
    return isinstance(value, dict) and value.get("type") == "error"


def _shape(value: object) -> object:
    """What two values have in common that one schema takes alike, as far as is worth telling."""
    match value:
        case dict():
            return tuple((key, _shape(each)) for key, each in value.items())
        case list():
            return tuple(sorted({str(_shape(each)) for each in value}))
        case _:
            return type(value).__name__


def _fail_on(validator: Validator, name: str, value: Any) -> None:
    problems = [
        f"{error.json_path}: {error.message[:300]}"
        for outer in validator.iter_errors(value)
        for error in (outer.context or [outer])
    ]
    assert not problems, f"not as schema/{name} has it:\n" + "\n".join(problems)


@cache
def _validator(name: str) -> Validator:
    return Draft202012Validator(closed(schema(name)), format_checker=FormatChecker())


@cache
def _event_validator(kind: str) -> Validator:
    whole = schema("event")
    one = {"$ref": f"#/$defs/{kind}", "$defs": whole["$defs"]}
    return Draft202012Validator(closed(one), format_checker=FormatChecker())


def closed(part: Any) -> Any:
    """A schema whose objects take no other keys than those that it describes."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {key: closed(value) for key, value in part.items()}
    if isinstance(part.get("properties"), dict) and "type" in part:
        found.setdefault("additionalProperties", False)
    return found


def fields_of(name: str) -> Iterator[tuple[str, str]]:
    """Each key of a document by its path, and what it may be; for the list of what was published.

    `[]` is an entry of a list, `*` any key, and `(n)` one of several forms.
    """
    whole = schema(name)
    yield from _fields(whole, "", whole.get("$defs", {}))


def _fields(
    part: Mapping[str, Any], path: str, defs: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    if "$ref" in part:
        part = defs[str(part["$ref"]).rpartition("/")[2]]
    kinds = part.get("type", "const" if "const" in part else "enum" if "enum" in part else None)
    for number, form in enumerate((*part.get("anyOf", ()), *part.get("oneOf", ()))):
        mark = f"({_kind_of_event(form, number, defs)})"
        yield from _fields(form, f"{path}{mark}", defs)
    if kinds is not None:
        yield path or ".", kinds if isinstance(kinds, str) else "|".join(sorted(kinds))
    required = part.get("required", ())
    for key, value in part.get("properties", {}).items():
        mark = "" if key in required else "?"
        yield from _fields(value, f"{path}.{key}{mark}", defs)
    if "items" in part:
        yield from _fields(part["items"], f"{path}[]", defs)
    if isinstance(part.get("additionalProperties"), dict):
        yield from _fields(part["additionalProperties"], f"{path}.*", defs)


def _kind_of_event(form: Mapping[str, Any], number: int, defs: Mapping[str, Any]) -> str:
    """Events are known by their type, other forms by their number."""
    name = str(form.get("$ref", "")).rpartition("/")[2]
    inner = defs.get(name, form)
    kind = inner.get("properties", {}).get("type", {})
    return str(kind["const"]) if isinstance(kind, dict) and "const" in kind else str(number)
