"""Reads the small language of rules given as options: `503 operation=create_* rate=0.1`.

It must not know what any word means: who asks for a value says what it has to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar

from runner.emulator.storage.record import record

T = TypeVar("T")

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)")
_WORD = re.compile(r"\S+")


class PhraseError(ValueError):
    """A rule cannot be read; `key` is the word that it is about, "" where it is none."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key
        self.message = message


@record(frozen=True, slots=True, kw_only=True)
class Word:
    """`name=value`, or a name alone, and where it begins: the first character has number 1."""

    name: str
    value: str | None
    position: int


def split_words(text: str) -> tuple[Word, ...]:
    """The words of a phrase, parted by white space."""
    words = []
    for match in _WORD.finditer(text):
        name, equals, value = match[0].partition("=")
        words.append(Word(name=name, value=value if equals else None, position=match.start() + 1))
    return tuple(words)


def read(values: Mapping[str, str], key: str, parse: Callable[[str], T], default: T) -> T:
    """What a key holds, parsed, or the default; raises `PhraseError` that names the key."""
    found = find(values, key, parse)
    return default if found is None else found


def find(values: Mapping[str, str], key: str, parse: Callable[[str], T]) -> T | None:
    """What a key holds, parsed, or None; raises `PhraseError` that names the key."""
    text = values.get(key)
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise PhraseError(key, f"`{key}`: {error}") from error


def parse_duration(text: str) -> timedelta:
    """`40ms`, `1.5s`, `10m`, `2h`, `7d`; raises `ValueError`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is no duration such as `40ms`, `1.5s`, `10m`, `2h` or `7d`")
    return float(match[1]) * _UNITS[match[2]]


def parse_offset(text: str) -> timedelta:
    """A duration with a sign: `+20m`, `-1h`; raises `ValueError`."""
    if text[:1] not in ("+", "-"):
        raise ValueError(f"`{text}` has no sign: `+20m` is ahead of the time, `-20m` behind it")
    length = parse_duration(text[1:])
    return length if text[0] == "+" else -length


def parse_span(text: str) -> tuple[timedelta, timedelta]:
    """One duration, or two as `40ms..200ms`; raises `ValueError`."""
    first, dots, second = text.partition("..")
    shortest = parse_duration(first)
    longest = parse_duration(second) if dots else shortest
    if longest < shortest:
        raise ValueError(f"`{text}` ends before it begins")
    return shortest, longest


def parse_share(text: str) -> float:
    """A number from 0 to 1; raises `ValueError`."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"`{text}` is not a number from 0 to 1")
    return share


def parse_count(text: str) -> int:
    """An integer from 0; raises `ValueError`."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ValueError(f"`{text}` is not an integer from 0")
    return int(text)


def parse_positive(text: str) -> int:
    """An integer from 1; raises `ValueError`."""
    count = parse_count(text) if text.isascii() and text.isdigit() else 0
    if count < 1:
        raise ValueError(f"`{text}` is not an integer from 1")
    return count


def parse_exit_code(text: str) -> int:
    """An integer from 0 to 255; raises `ValueError`."""
    if not (text.isascii() and text.isdigit() and len(text) < 4 and int(text) < 256):
        raise ValueError(f"`{text}` is not an exit code from 0 to 255")
    return int(text)


def parse_name(text: str) -> str:
    """Any text but none; raises `ValueError`."""
    if not text:
        raise ValueError("there is nothing behind the `=`")
    return text


def parse_one_of(*names: str) -> Callable[[str], str]:
    """One of the names; what it gives raises `ValueError`."""

    def parse(text: str) -> str:
        if text not in names:
            *others, last = (f"`{name}`" for name in names)
            raise ValueError(f"`{text}` is none of {', '.join(others)} and {last}")
        return text

    return parse
