"""Reads rules of faults from the text of an option and from JSON, with the place of what is wrong.

It must not know what a rule may hold (`decode`).
"""

from __future__ import annotations

import json
from pathlib import Path

from runner.emulator.faults.decode import decode_rule
from runner.emulator.faults.rules import Rule
from runner.emulator.phrases import PhraseError, Word, split_words


class FaultError(Exception):
    """Rules cannot be read; the message is one line for people, and says where."""


def parse_option(text: str) -> Rule:
    """A rule such as `503 operation=create_task* rate=0.1`; raises `FaultError`."""
    words = split_words(text)
    if not words:
        raise FaultError("`--fault` is empty; it takes a fault such as `latency=40ms` or `503`")
    where = f"`--fault '{text}'`"
    fault, *others = words
    positions: dict[str, int] = {}
    values: dict[str, str] = {}
    for word in others:
        values[word.name] = _value_of(word, values, where)
        positions[word.name] = word.position
    try:
        return decode_rule((fault.name, fault.value), values)
    except PhraseError as error:
        position = positions.get(error.key, fault.position)
        raise FaultError(f"{where}, character {position}: {error.message}") from error


def _value_of(word: Word, values: dict[str, str], where: str) -> str:
    if word.value is None:
        raise FaultError(
            f"{where}, character {word.position}: `{word.name}` is no `key=value`;"
            " a second fault is an option of its own"
        )
    if word.name in values:
        raise FaultError(
            f"{where}, character {word.position}: `{word.name}` is there a second time"
        )
    return word.value


def load_rules(path: Path) -> tuple[Rule, ...]:
    """The rules of a file of JSON; raises `FaultError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FaultError(f"`{path}` cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FaultError(f"`{path}` is not UTF-8: byte {error.start + 1}") from error
    return parse_rules(text, str(path))


def parse_rules(text: str, name: str) -> tuple[Rule, ...]:
    """The rules of JSON: a list of them, or one; `name` is what messages call the text."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise FaultError(f"{name}:{error.lineno}:{error.colno}: {_lower(error.msg)}") from error
    except RecursionError as error:
        raise FaultError(f"{name}: it is nested too deeply") from error
    if not isinstance(document, list):
        return (_parse_object(document, name),)
    return tuple(
        _parse_object(item, f"{name}: rule {number}") for number, item in enumerate(document, 1)
    )


def _parse_object(item: object, where: str) -> Rule:
    if not isinstance(item, dict):
        raise FaultError(f"{where} is no object such as " + '`{"fault": "503", "rate": 0.1}`')
    values: dict[str, str] = {}
    for key, value in item.items():
        values[key] = _as_text(value, key, where)
    fault = values.pop("fault", None)
    if not fault:
        raise FaultError(f"{where}: `fault` is missing")
    name, equals, value = fault.partition("=")
    try:
        return decode_rule((name, value if equals else None), values)
    except PhraseError as error:
        raise FaultError(f"{where}: {error.message}") from error


def _as_text(value: object, key: str, where: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list() if value and all(isinstance(part, str) for part in value):
            return ",".join(value)
        case _:
            raise FaultError(f"{where}: `{key}` is neither a text nor a number")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
