"""Heads of HTTP/1.1 messages: written for requests, read from answers.

It must not know connections. The standard library reads heads by its parser of mail, which costs
more than all else that an answer does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping

from runner.frozen import dataclass

MOST_HEAD_BYTES = 65_536
_MOST_FIELDS = 256


class HeadError(Exception):
    """What came is no head of an answer."""


class Headers(MutableMapping[str, str]):
    """The fields of an answer, whose names are found in upper and lower case alike."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: dict[str, tuple[str, str]] = {}
        """Names as they came and values, by names in lower case."""

    def __getitem__(self, name: str) -> str:
        return self.fields[name.lower()][1]

    def __setitem__(self, name: str, value: str) -> None:
        self.fields[name.lower()] = name, value

    def __delitem__(self, name: str) -> None:
        del self.fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self.fields.values()])

    def __len__(self) -> int:
        return len(self.fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.fields

    def add(self, name: str, value: str) -> None:
        """Adds a field; one of the same name is continued (RFC 9110, section 5.3)."""
        key = name.lower()
        before = self.fields.get(key)
        self.fields[key] = name, value if before is None else f"{before[1]}, {value}"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer."""

    version: str
    status: int
    reason: str
    headers: Headers

    @property
    def is_interim(self) -> bool:
        """Whether the answer itself is still to come."""
        return 100 <= self.status < 200


def read_head(data: bytes) -> Head:
    """Reads what stands before the empty line; `HeadError` where that is not HTTP."""
    first, *lines = data.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    status, _, reason = rest.partition(" ")
    # `isdecimal` alone takes digits of other scripts, which Latin-1 has not.
    if version not in ("HTTP/1.1", "HTTP/1.0") or len(status) != 3 or not status.isdecimal():
        raise HeadError(f"no answer in HTTP: {first[:80]!r}")
    if len(lines) > _MOST_FIELDS:
        raise HeadError(f"more than {_MOST_FIELDS} header fields")
    headers = Headers()
    # As `add` does for each, without a call: an answer has sixteen or so.
    fields = headers.fields
    for line in lines:
        name, colon, value = line.partition(":")
        # A folded field begins with a space; neither that nor one before the colon is HTTP any
        # more (RFC 9112, section 5), and servers differ in what they make of it.
        if not colon or not name or name[0] in " \t" or name[-1] in " \t":
            raise HeadError(f"a malformed header field: {line[:80]!r}")
        key = name.lower()
        if key in fields:
            headers.add(name, value.strip(" \t"))
        else:
            fields[key] = name, value.strip(" \t")
    return Head(version, int(status), reason, headers)


def write_head(method: str, target: str, fields: Mapping[str, str]) -> bytes:
    """The head of a request with the empty line; `ValueError` for a field that is not one line."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    text = "\r\n".join(lines)
    ends = len(lines) - 1
    if text.count("\n") != ends or text.count("\r") != ends:
        raise ValueError("a header field of a request holds the end of a line")
    return text.encode("latin-1") + b"\r\n\r\n"
