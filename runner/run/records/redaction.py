"""Takes the values of secrets out of texts: the last line of defence before they are shown or kept.

Nothing that it is given should hold one. It must not know what a secret opens, nor what a text is.
"""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import quote, quote_plus

from typing_extensions import Buffer, override

MARK = "REDACTED"
LEAST_CHARACTERS = 8
"""Of a value, or a line of one, that is looked for: a shorter one would ruin other texts."""

_NAMES = frozenset(
    {"blob", "job", "name", "node", "path", "pool", "role", "stderr", "stdout", "task"}
)
_COUNTED = frozenset({"task"})
_PIECE_BYTES = 1024 * 1024
# Signatures of Azure Storage, and what the headers and connection strings of Azure hold.
_UNKNOWN = re.compile(
    rb"(?i)(\bsig=|\bsig%3D|\b(?:AccountKey|SharedAccessKey)=|\bSharedKey(?:Lite)? [^\s:]{1,64}:"
    rb"|\bBearer )[A-Za-z0-9+/=%._~-]{8,}"
)
_WORDS = (b"sig=", b"sig%3d", b"accountkey=", b"sharedaccesskey=", b"sharedkey", b"bearer ")
_BASIC = re.compile(rb"(?i)(\bBasic )([A-Za-z0-9+/]{8,}={0,2})")


class Redaction:
    """The secrets that are known so far; may be used by several threads."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: frozenset[bytes] = frozenset()
        self._pattern: re.Pattern[bytes] | None = None
        self._longest = 0
        self.learn(*values)

    def learn(self, *values: str) -> None:
        """From now on these are taken out too, as they are and in the forms that they travel in."""
        found = frozenset(form for value in values for form in _forms(value))
        with self._lock:
            self._forms |= found
            if not self._forms:
                return
            # Of two that begin alike the longer one is to be found.
            ordered = sorted(self._forms, key=len, reverse=True)
            self._longest = len(ordered[0])
            self._pattern = re.compile(b"|".join(map(re.escape, ordered)))

    def content(self, data: bytes) -> bytes:
        """The content without known values, and without what looks like a key or a signature."""
        data = self._without_known(data)
        lowered = data.lower()  # much faster than the pattern, where there is nothing to find
        if b"basic " in lowered:
            data = _BASIC.sub(_without_credentials, data)
        if not any(word in lowered for word in _WORDS):
            return data
        return _UNKNOWN.sub(rb"\1" + MARK.encode(), data)

    def is_clean(self, text: str) -> bool:
        """Whether there is nothing to take out; false too where only a closer look would tell."""
        data = text.encode("utf-8", "surrogatepass")
        if self._pattern is not None and _has_any(self._forms, data):
            return False
        lowered = data.lower()
        return b"basic " not in lowered and not any(word in lowered for word in _WORDS)

    def text(self, text: str) -> str:
        """As `content`; characters that are no text stay as they are."""
        return self.content(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def tail(self, data: bytes, *, cut: bool) -> bytes:
        """As `content`, of the end of something longer where it is `cut`: the rest of a value that
        began before it is taken away as well."""
        pattern = self._pattern
        if cut and pattern is not None:
            rest = max(_overlap(form, data) for form in self._forms)
            whole = pattern.match(data)
            data = data if whole is not None and whole.end() >= rest else data[rest:]
        return self.content(data)

    @contextmanager
    def cleaning(self, target: BinaryIO) -> Iterator[BinaryIO]:
        """What takes known values out of all that is written to it, on the way to the target.

        A value may come in several pieces: nothing of it ever reaches the target.
        """
        stream = _Cleaning(target, self._find, self._longest)
        yield cast("BinaryIO", stream)
        stream.finish()

    def _find(self, data: bytes) -> Iterator[re.Match[bytes]]:
        """Each known value in the order of the data."""
        if self._pattern is not None and _has_any(self._forms, data):
            yield from self._pattern.finditer(data)

    def _without_known(self, data: bytes) -> bytes:
        pattern, forms = self._pattern, self._forms
        if pattern is None or not _has_any(forms, data):
            return data
        return pattern.sub(_mark, data)


_T = TypeVar("_T")
_Find = Callable[[bytes], Iterator[re.Match[bytes]]]


def redacted(value: _T, redaction: Redaction, *, also_names: bool = False) -> _T:
    """The same value without secrets in its texts: those of lists, mappings and frozen values.

    Names of things and files stay as they are, since they lead to what they name; `also_names` is
    for what is only shown. Ids of tasks always stay: they are numbers of ours.
    """
    kept = _COUNTED if also_names else _NAMES
    texts = _plain_texts(value, kept)
    if texts is not None and redaction.is_clean(texts):
        return value
    clean = _redacted(value, redaction, kept)
    return cast("_T", clean)


# Values without parts that could hold a text.
_PLAIN = frozenset({bool, int, float, datetime, type(None)})


def _plain_texts(value: object, kept: frozenset[str]) -> str | None:
    """All texts of a frozen value that may hold a secret; None where it has more than texts.

    There are five events a task: whether there is anything to take out is told at once.
    """
    kind = type(value)
    names = _TEXT_NAMES.get((kind, kept))
    if names is None:
        if not is_dataclass(kind):
            return None
        names = tuple(each.name for each in fields(kind) if each.name not in kept)
        _TEXT_NAMES[kind, kept] = names
    found = []
    for name in names:
        each = getattr(value, name)
        if isinstance(each, str):
            found.append(each)
        elif type(each) not in _PLAIN:
            return None
    return "\n".join(found)


_TEXT_NAMES: dict[tuple[type[Any], frozenset[str]], tuple[str, ...]] = {}
"""The fields of kinds of values that are not kept as they are."""


def _redacted(value: object, redaction: Redaction, kept: frozenset[str]) -> object:
    if isinstance(value, str):
        return redaction.text(value)
    if isinstance(value, tuple):
        return tuple(_redacted(each, redaction, kept) for each in value)
    if isinstance(value, list):
        return [_redacted(each, redaction, kept) for each in value]
    if isinstance(value, Mapping):
        return {key: _redacted(each, redaction, kept) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for field in fields(value):
            before = getattr(value, field.name)
            if field.name not in kept:
                after = _redacted(before, redaction, kept)
                if after != before:
                    changed[field.name] = after
        return replace(value, **changed) if changed else value
    return value


class _Cleaning(io.RawIOBase):
    """Holds back the end of what was written for as long as it may be the beginning of a value."""

    def __init__(self, target: BinaryIO, find: _Find, longest: int) -> None:
        self._target = target
        self._find = find
        self._longest = longest
        self._held = b""

    @override
    def writable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def write(self, data: Buffer, /) -> int:
        self._held += bytes(data)
        if len(self._held) >= _PIECE_BYTES:
            self._pass_on(len(self._held) - self._longest + 1)
        return len(memoryview(data))

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Back to the beginning, and nowhere else: what was held back is forgotten."""
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("seek")
        self._held = b""
        return self._target.seek(0)

    @override
    def truncate(self, size: int | None = None, /) -> int:
        return self._target.truncate(size)

    def finish(self) -> None:
        """Nothing more will come."""
        self._pass_on(len(self._held))

    def _pass_on(self, safe: int) -> None:
        """A value that begins before `safe` is there as a whole."""
        parts, at = [], 0
        for match in self._find(self._held):
            if match.start() >= safe:
                break
            parts += [self._held[at : match.start()], _mark(match)]
            at = match.end()
        end = max(safe, at)
        self._target.write(b"".join([*parts, self._held[at:end]]))
        self._held = self._held[end:]


def _forms(value: str) -> Iterator[bytes]:
    """A value as it may appear, line by line too: plain, escaped in JSON and URLs, in hexadecimal
    digits, in base64 alone or as a part of something, and as the programs of Windows write."""
    for part in (value, *value.splitlines()):
        if len(part) < LEAST_CHARACTERS:
            continue
        plain = part.encode("utf-8", "surrogatepass")
        yield plain
        if len(plain.rstrip(b"=")) >= LEAST_CHARACTERS:
            yield plain.rstrip(b"=")
        for escaped in (json.dumps(part), json.dumps(part, ensure_ascii=False)):
            yield escaped[1:-1].encode("utf-8", "surrogatepass")
        for quoted in (quote(plain, safe=""), quote(plain), quote_plus(plain)):
            yield quoted.encode()
            yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), quoted).encode()
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield from _in_base64(plain, encode)
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        yield part.encode("utf-16-le", "surrogatepass")


def _in_base64(plain: bytes, encode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """A value behind nothing, one or two bytes, as in `user:value`: where digits begin with it.

    Each with the digit that it ends in where nothing follows, and without.
    """
    for before in range(3):
        digits = encode(b"\0" * before + plain).rstrip(b"=")
        # What has bits of other bytes besides its own is not always the same digit.
        first = (before * 8 + 5) // 6
        whole = (before + len(plain)) * 8 // 6
        yield digits[first:]
        yield digits[first:whole]


def _mark(match: re.Match[bytes]) -> bytes:
    """What stands in the place of a value, in the encoding of the text around it."""
    is_wide = match[0][1:2] == b"\0"
    return MARK.encode("utf-16-le" if is_wide else "ascii")


def _without_credentials(match: re.Match[bytes]) -> bytes:
    """RFC 7617: user and password have a colon between them, which plain words do not decode to."""
    digits = match[2].rstrip(b"=")
    decoded = base64.b64decode(digits[: len(digits) // 4 * 4])
    return match[1] + MARK.encode() if b":" in decoded else match[0]


def _has_any(forms: Iterable[bytes], data: bytes) -> bool:
    """Much faster than the pattern, where there is nothing to find."""
    return any(form in data for form in forms)


def _overlap(form: bytes, data: bytes) -> int:
    """How much of the beginning of `data` is the end of `form`."""
    for length in range(min(len(form) - 1, len(data)), 0, -1):
        if data.startswith(form[-length:]):
            return length
    return 0
