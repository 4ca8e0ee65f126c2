"""Words for what a schema wants and for what was found instead, and hints for YAML's traps.

It knows nothing of validation and of positions.
"""

from __future__ import annotations

import json
import re
from typing import Any

from runner.spec.document import Pointer
from runner.spec.suggestion import shorten

_TYPES = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a mapping",
}
_YAML_1_1_BOOLEANS = {
    "yes": "true",
    "y": "true",
    "on": "true",
    "no": "false",
    "n": "false",
    "off": "false",
}
_MOST_VALUES = 8
_CLOCK = re.compile(r"([0-9]{1,4}):([0-9]{1,2})\Z")
_GROUPED_NUMBER = re.compile(r"[-+]?[0-9][0-9_,]*\Z")
_SQUEEZED_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(\S.*)\Z", re.DOTALL)


def dotted(pointer: Pointer) -> str:
    """A pointer as people write it: `task.outputs[0].pattern`; the root is `the spec`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in pointer)
    return shorten(text.lstrip(".")) or "the spec"


def is_template(schema: dict[str, Any]) -> bool:
    """Whether a variant stands for an expression that gives the value."""
    return schema.get("title") in {"expression", "template"}


def describe_wanted(schema: dict[str, Any]) -> str:
    """What a schema wants: `an integer or one whole expression`."""
    words = [word for variant in schema.get("anyOf", [schema]) for word in _wanted_words(variant)]
    return _either(list(dict.fromkeys(words)))


def describe_found(value: object, written: str | None) -> str:
    """What stands there instead, as the end of a sentence; `written` is its text in the file."""
    if value is None:
        return "and has no value"
    if isinstance(value, bool):
        return f"not `{str(value).lower()}`"
    if isinstance(value, str):
        return f"not `{shorten(value)}`" if value else "not empty text"
    if isinstance(value, (int, float)):
        return f"not the number {shorten(written or str(value))}"
    return "not a list" if isinstance(value, list) else "not a mapping"


def hint_for_type(schema: dict[str, Any], value: object, written: str | None) -> str | None:
    """How to write what was meant, where that can be told."""
    types = _types(schema)
    if value is None:
        if types == {"object"}:
            return "write `{}` for a mapping without keys"
        if types == {"string"} and written and written != "~":
            return f'to mean the word, put it in quotes: `"{written}"`'
        return None
    if isinstance(value, str):
        return _hint_for_text(types, value, written)
    if "string" in types and isinstance(value, (bool, int, float)):
        text = written or str(value)
        if _wants(schema, "a time"):
            return f"give it a unit: `{text}h`, `{text}m` or `{text}s`"
        if types == {"string"}:
            octal = text.lower().removeprefix("0o")
            if octal != text and _wants(schema, "octal digits"):
                return f'write its digits in quotes: `"0{shorten(octal.lstrip("0"))}"`'
            return f'put it in quotes: `"{shorten(text)}"`'
    if isinstance(value, list) and any("list" in each for each in _properties(schema)):
        return "for the values themselves write `{list: [...]}`"
    if types == {"array"}:
        return "write a list: one entry to a line, each behind `- `"
    return None


def hint_for_pattern(pattern_message: str, value: object) -> str | None:
    """How to write text that its pattern does not take, where that can be told."""
    clock = _CLOCK.match(value) if isinstance(value, str) else None
    if clock is None or "a time such as" not in pattern_message:
        return None
    first, second = (int(part) for part in clock.groups())
    return f"write `{first}h{second}m` or `{first}m{second}s`"


def _hint_for_text(types: set[str], value: str, written: str | None) -> str | None:
    quoted = written is not None and written[:1] in {'"', "'"}
    if "boolean" in types and value.lower() in _YAML_1_1_BOOLEANS:
        meant = _YAML_1_1_BOOLEANS[value.lower()]
        return f"YAML 1.2 reads `{value}` as text: write `{meant}`"
    if "boolean" in types and value.lower() in {"true", "false"} and quoted:
        return f"remove the quotes: `{value.lower()}`"
    if types & {"integer", "number"} and _GROUPED_NUMBER.match(value):
        if quoted and value.lstrip("+-").isdigit():
            return f"remove the quotes: `{shorten(value)}`"
        plain = value.replace("_", "").replace(",", "")
        return f"YAML 1.2 reads `{shorten(value)}` as text: write `{shorten(plain)}`"
    squeezed = _SQUEEZED_PAIR.match(value)
    if "object" in types and squeezed and not quoted:
        name, rest = squeezed.groups()
        return f"put a space behind the colon: `{name}: {shorten(rest)}`"
    if "array" in types and "string" not in types:
        return f"write a list: `[{shorten(json.dumps(value, ensure_ascii=False))}]`"
    return None


def _types(schema: dict[str, Any]) -> set[str]:
    types: set[str] = set()
    for variant in schema.get("anyOf", [schema]):
        if is_template(variant) or "enum" in variant:
            continue  # text in YAML's eyes only
        kind = variant.get("type", "string")
        types.update([kind] if isinstance(kind, str) else kind)
    return types


def _properties(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [each.get("properties", {}) for each in schema.get("anyOf", [schema])]


def _wants(schema: dict[str, Any], words: str) -> bool:
    """Whether a pattern of the schema asks for that."""
    return any(words in each.get("patternErrorMessage", "") for each in schema.get("anyOf", []))


def _wanted_words(schema: dict[str, Any]) -> list[str]:
    if "enum" in schema:
        values = [f"`{value}`" for value in schema["enum"]]
        return values if len(values) <= _MOST_VALUES else [f"one of {len(values)} names"]
    if "const" in schema:
        return [f"`{json.dumps(schema['const'])}`"]
    message = schema.get("patternErrorMessage", "")
    if message.startswith("must be "):
        return [message.removeprefix("must be ")]
    if "pattern" in schema:
        return []
    kinds = schema.get("type", "string")
    return [_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]


def both(names: list[str]) -> str:
    """Several names in a sentence: `` `a`, `b` and `c` ``."""
    *others, last = [f"`{name}`" for name in names]
    return f"{', '.join(others)} and {last}" if others else last


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
