"""YAML scalars: what plain ones mean in the 1.2 core schema, and where their characters stand.

It knows nothing of collections and of specs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from enum import Enum

Scalar = str | int | float | bool | None


class Style(Enum):
    """How a node is written."""

    PLAIN = "plain"
    SINGLE_QUOTED = "'"
    DOUBLE_QUOTED = '"'
    LITERAL = "|"
    FOLDED = ">"
    MAPPING = "mapping"
    SEQUENCE = "sequence"


class NumberTooLargeError(ValueError):
    """A number that JSON, and so the service, could not take."""


# YAML 1.2.2, section 10.3.2. `yes`, `on`, `1:30`, `22_04`, `0777` and dates are not special there.
_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_DECIMAL = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_MOST_DIGITS = 100

_BLANK = frozenset(" \t\r\n\x85\u2028\u2029")  # PyYAML folds the last three as line breaks
_HEXADECIMAL_ESCAPES = {"x": 2, "u": 4, "U": 8}
_LETTER_ESCAPES_OF_BLANKS = frozenset("tnrNLP \t")


def resolve_plain(text: str) -> Scalar:
    """The value of a plain scalar. Raises `NumberTooLargeError`."""
    if _NULL.match(text):
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NOT_FINITE.match(text):
        raise NumberTooLargeError(text)
    for pattern, base in ((_DECIMAL, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if pattern.match(text):
            if len(text) > _MOST_DIGITS:
                raise NumberTooLargeError(text)
            return int(text if base == 10 else text[2:], base)
    if _FLOAT.match(text):
        number = float(text)
        if not math.isfinite(number):
            raise NumberTooLargeError(text)
        return number
    return text


def locate_character(source: str, style: Style, value: str, offset: int) -> int:
    """The offset in a scalar's source text of character `offset` of its value.

    Folding, indentation, chomping and `''` change nothing but white space and quoting, so the nth
    character of the value that is not white space is the nth such character of the source. White
    space itself is counted on from the character before it: exact within a line.
    """
    offset = min(max(offset, 0), len(value))
    solid = list(_solid_characters(source, style))
    before = sum(1 for character in value[:offset] if character not in _BLANK)
    if offset < len(value) and value[offset] not in _BLANK and before < len(solid):
        return solid[before]
    if before == 0:
        return solid[0] if solid else 0
    blanks = 0
    while value[offset - 1 - blanks] in _BLANK:
        blanks += 1
    return min(solid[min(before, len(solid)) - 1] + 1 + blanks, len(source))


def _solid_characters(source: str, style: Style) -> Iterator[int]:
    """Offsets of what becomes a character other than white space, in order."""
    match style:
        case Style.DOUBLE_QUOTED:
            yield from _solid_in_double_quotes(source)
        case Style.SINGLE_QUOTED:
            index = 1
            while index < len(source) - 1:
                if source[index] not in _BLANK:
                    yield index
                index += 2 if source[index] == "'" else 1
        case Style.LITERAL | Style.FOLDED:
            header = re.search(r"[\r\n]", source)
            start = header.end() if header else len(source)
            yield from (i for i in range(start, len(source)) if source[i] not in _BLANK)
        case Style.PLAIN | Style.MAPPING | Style.SEQUENCE:
            yield from (i for i, character in enumerate(source) if character not in _BLANK)


def _solid_in_double_quotes(source: str) -> Iterator[int]:
    index = 1
    while index < len(source) - 1:
        character = source[index]
        if character != "\\":
            if character not in _BLANK:
                yield index
            index += 1
            continue
        letter = source[index + 1]
        digits = _HEXADECIMAL_ESCAPES.get(letter, 0)
        if digits:
            decoded = chr(int(source[index + 2 : index + 2 + digits], 16))
            if decoded not in _BLANK:
                yield index
        elif letter not in _LETTER_ESCAPES_OF_BLANKS and letter not in _BLANK:
            yield index
        index += 2 + digits
