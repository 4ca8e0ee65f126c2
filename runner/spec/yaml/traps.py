"""Plain values that mean something else in YAML than they seem to.

It knows nothing of a spec's keys: what is a trap here is one wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.frozen import dataclass

_ODD_SPACES = "\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff"
_ODD_SPACE = re.compile(f"\\A[{_ODD_SPACES}]|[{_ODD_SPACES}]\\Z|(?<=:)[{_ODD_SPACES}]")
_LEADING_ZERO = re.compile(r"[-+]?0+(?=[0-9])")
_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]+\Z")
_ENTRY_IN_TEXT = re.compile(r"[\r\n][ \t]*(-)[ \t]+\S")
_CURLY_QUOTES = {"\u201c": "\u201c\u201d", "\u201e": "\u201c\u201d", "\u2018": "\u2018\u2019"}
_PLAIN_QUOTES = {"\u201c": '"', "\u201e": '"', "\u2018": "'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """One of them: `length` characters from `start` of the value's text in the file.

    `meant` is the text to go on with, so that one mistake is said once.
    """

    start: int
    length: int
    code: str
    message: str
    hint: str
    meant: str


def find_traps(value: str, written: str) -> Iterator[Trap]:
    """All that may be misunderstood in a plain value, given as YAML reads it and as it stands."""
    odd = find_odd_space(value) if value == written else None
    if odd is not None:
        yield odd
    if _WHOLE_NUMBER.match(value):
        zeros = _LEADING_ZERO.match(value)
        if zeros:
            sign = value[0].strip("0123456789")
            plain = f"{sign}{value[zeros.end() :]}"
            yield Trap(
                start=0,
                length=len(value),
                code="leading-zero",
                message=f"`{_short(value)}` is the number {_short(plain)}: the zeros are lost",
                hint=f'to keep them, put it in quotes: `"{_short(value)}"`; else write'
                f" `{_short(plain)}`",
                meant=value,
            )
    if value[:1] in _CURLY_QUOTES and value[-1] in _CURLY_QUOTES[value[0]]:
        quote = _PLAIN_QUOTES[value[0]]
        yield Trap(
            start=0,
            length=1,
            code="curly-quote",
            message=f"`{value[0]}` is no quote of YAML: it becomes part of the text",
            hint=f"write straight quotes: `{quote}{_short(value[1:-1])}{quote}`",
            meant=value[1:-1],
        )
    entry = _ENTRY_IN_TEXT.search(written)
    if entry:
        yield Trap(
            start=entry.start(1),
            length=1,
            code="list-in-text",
            message="this `-` starts no entry: it belongs to the text that began above",
            hint="align it with the other entries; a text of several lines can be a block (`>-`)",
            meant=value,
        )


def find_odd_space(text: str) -> Trap | None:
    """A character that looks like a space where YAML needs one, and is none to it."""
    found = _ODD_SPACE.search(text)
    if found is None:
        return None
    return Trap(
        start=found.start(),
        length=1,
        code="odd-space",
        message=f"this looks like a space, but is the character U+{ord(found.group()):04X}",
        hint="replace it by a plain space",
        meant=f"{text[: found.start()]} {text[found.end() :]}".strip(),
    )


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
