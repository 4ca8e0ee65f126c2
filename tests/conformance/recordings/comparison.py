"""Compares an answer of the emulator with the recorded one: what differs, and where.

It must not know which differences are excused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from operator import itemgetter
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.conformance.recordings.reading import Exchange


class Kind(Enum):
    """In what two answers can differ."""

    STATUS = "status"
    MISSING = "missing"
    EXTRA = "extra"
    VALUE = "value"
    COUNT = "count"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference; `where` is `status`, `header NAME`, or a path into the body from `$`."""

    source: str
    number: int
    kind: Kind
    where: str
    recorded: Any = None
    ours: Any = None

    def __str__(self) -> str:
        return (
            f"{self.source} {self.number}: {self.where} {self.kind.value}:"
            f" recorded {self.recorded!r}, ours {self.ours!r}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the emulator answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Counterparts:
    """Which ETag of ours stands for which recorded one: one for one, throughout a recording.

    Tasks that are added together may get one ETag between them; those are `shared`, and say
    nothing.
    """

    shared: frozenset[str] = frozenset()
    ours: dict[str, str] = field(default_factory=dict)
    recorded: dict[str, str] = field(default_factory=dict)

    def match(self, recorded: str, ours: str) -> bool:
        """Whether the two can stand for each other, after all that was matched before."""
        return recorded in self.shared or (
            self.ours.setdefault(recorded, ours) == ours
            and self.recorded.setdefault(ours, recorded) == recorded
        )


# Names of headers whose values say only when and over which connection an answer came.
_PASSING = frozenset({"date", "request-id", "last-modified"})
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?Z")
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_ETAG = re.compile(r"0x8D[0-9A-F]{13}")
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_AUTO_POOL = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")
_TOKEN = re.compile(r"\$skiptoken=WATV2:[A-Za-z0-9/^_=-]+:1\$1$")
_MESSAGE = re.compile(
    rf"(?P<text>.*)\nRequestId:{_GUID.pattern}\nTime:\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{7}}Z"
)
_LONG_NAME = re.compile(r"\bbatch(\d?)[0-9a-f]{8}\b")
_LOG_FOLDER = re.compile(rf"batch-[0-9A-F]{{16}}/(?P<rest>.*)/{_GUID.pattern}")
_FORMS = (_MOMENT, _ETAG, _AUTO_POOL)


# What Azure makes up: addresses of nodes, versions of agents and images.
_IP_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_HOST_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_DOTTED_NUMBERS = re.compile(r"\d+(\.\d+)+")
_MADE_UP = {
    "publicIPAddress": _IP_ADDRESS,
    "remoteLoginIPAddress": _IP_ADDRESS,
    "publicFQDN": _HOST_NAME,
    "nodeAgentInfo.version": _DOTTED_NUMBERS,
    "exactVersion": _DOTTED_NUMBERS,
}


def compare(exchange: Exchange, answer: Answer, counterparts: Counterparts) -> list[Difference]:
    """All differences between the recorded answer and ours, in the order of the recorded one."""
    return list(_Comparison(exchange, counterparts).differences(answer))


@dataclass(frozen=True, slots=True)
class _Comparison:
    exchange: Exchange
    counterparts: Counterparts

    def differences(self, answer: Answer) -> Iterator[Difference]:
        recorded = self.exchange
        if recorded.status != answer.status:
            yield self._found(
                Kind.STATUS,
                "status",
                (recorded.status, _code(recorded.body)),
                (answer.status, _code(answer.body)),
            )
            return
        yield from self._headers(answer.headers)
        if (recorded.body is None) != (answer.body is None):
            yield self._found(Kind.VALUE, "$", recorded.body, answer.body)
        elif recorded.body is not None:
            yield from self._values("$", recorded.body, answer.body)

    def _found(self, kind: Kind, where: str, recorded: Any = None, ours: Any = None) -> Difference:
        return Difference(
            source=self.exchange.source,
            number=self.exchange.number,
            kind=kind,
            where=where,
            recorded=recorded,
            ours=ours,
        )

    def _headers(self, ours: Mapping[str, str]) -> Iterator[Difference]:
        recorded = self.exchange.headers
        for name in sorted(recorded.keys() - ours.keys()):
            yield self._found(Kind.MISSING, f"header {name}", recorded[name])
        for name in sorted(ours.keys() - recorded.keys()):
            yield self._found(Kind.EXTRA, f"header {name}", None, ours[name])
        for name in sorted(recorded.keys() & ours.keys()):
            if not self._same_header(name, recorded[name], ours[name]):
                yield self._found(Kind.VALUE, f"header {name}", recorded[name], ours[name])

    def _same_header(self, name: str, recorded: str, ours: str) -> bool:
        if name == "request-id":
            return bool(_GUID.fullmatch(recorded) and _GUID.fullmatch(ours))
        if name in _PASSING:
            return bool(_HTTP_DATE.fullmatch(recorded) and _HTTP_DATE.fullmatch(ours))
        if name == "etag":
            return bool(_ETAG.fullmatch(ours)) and self.counterparts.match(recorded, ours)
        if name == "content-length" and recorded != "0":
            # It follows from the white space of the body, which both choose for themselves.
            return ours.isdigit() and ours != "0"
        return self._same_text(recorded, ours)

    def _same_text(self, recorded: str, ours: str) -> bool:
        if recorded == ours:
            return True
        return self._without_account(recorded) == self._without_account(ours)

    def _without_account(self, text: str) -> str:
        """The names of accounts and jobs were replaced in some places, not in all."""
        text = _LONG_NAME.sub(r"batch\1", unquote(text))
        own = urlsplit(self.exchange.endpoint).netloc.partition(".")[2]
        return re.sub(rf"(?<=//)[A-Za-z0-9]+(?=\.{re.escape(own)})", "account", text)

    def _values(self, where: str, recorded: Any, ours: Any) -> Iterator[Difference]:
        if isinstance(recorded, dict) and isinstance(ours, dict):
            yield from self._objects(where, recorded, ours)
        elif isinstance(recorded, list) and isinstance(ours, list):
            identity = _identity_of(where, recorded)
            if identity is not None:
                yield from self._objects(
                    where, _by_name(recorded, identity), _by_name(ours, identity)
                )
                return
            if len(recorded) != len(ours):
                yield self._found(Kind.COUNT, where, len(recorded), len(ours))
            for number, (one, other) in enumerate(zip(recorded, ours, strict=False)):
                yield from self._values(f"{where}[{number}]", one, other)
        elif not self._same_value(where, recorded, ours):
            yield self._found(Kind.VALUE, where, recorded, ours)

    def _objects(
        self, where: str, recorded: Mapping[str, Any], ours: Mapping[str, Any]
    ) -> Iterator[Difference]:
        for name in recorded:
            if name not in ours:
                yield self._found(Kind.MISSING, f"{where}.{name}", recorded[name])
            else:
                yield from self._values(f"{where}.{name}", recorded[name], ours[name])
        for name in ours:
            if name not in recorded:
                yield self._found(Kind.EXTRA, f"{where}.{name}", None, ours[name])
        common = [name for name in recorded if name in ours]
        order = [name for name in ours if name in recorded]
        if common != order:
            yield self._found(Kind.ORDER, where, common, order)

    def _same_value(self, where: str, recorded: Any, ours: Any) -> bool:
        name = where.rpartition(".")[2]
        if type(recorded) is not type(ours):
            return False
        if not isinstance(recorded, str):
            return bool(recorded == ours)
        if name == "eTag":
            return bool(_ETAG.fullmatch(ours)) and self.counterparts.match(recorded, ours)
        for ending, form in _MADE_UP.items():
            if where.endswith(f".{ending}"):
                return bool(form.fullmatch(recorded) and form.fullmatch(ours))
        for form in _FORMS:
            if form.fullmatch(recorded):
                return form.fullmatch(ours) is not None
        for form, part in ((_MESSAGE, "text"), (_LOG_FOLDER, "rest")):
            found, other = form.fullmatch(recorded), form.fullmatch(ours)
            if found is not None:
                return other is not None and other[part] == found[part]
        if name == "nextLink":
            return self._same_text(_TOKEN.sub("", recorded), _TOKEN.sub("", ours)) and bool(
                _TOKEN.search(ours)
            )
        return self._same_text(recorded, ours)


def _identity_of(where: str, entries: list[Any]) -> Callable[[Any], str] | None:
    """How the entries of a list that has no order are told apart; None for any other.

    Images come and go, files come as the file system of the node has them, and tasks that are
    added together as each of them is done.
    """
    if where != "$.value" or not entries or not isinstance(entries[0], dict):
        return None
    if "imageReference" in entries[0]:
        return _image_name
    for name in ("isDirectory", "status"):
        if name in entries[0]:
            return itemgetter("name" if name == "isDirectory" else "taskId")
    return None


def _image_name(entry: Any) -> str:
    reference = entry["imageReference"]
    return f"{reference['publisher']} {reference['offer']} {reference['sku']}"


def _by_name(entries: list[Any], identity: Callable[[Any], str]) -> dict[str, Any]:
    return dict(sorted((f"<{identity(entry)}>", entry) for entry in entries))


def _code(body: Any) -> str | None:
    if not isinstance(body, dict):
        return None
    code = body.get("code")
    values = body.get("values", ())
    return None if code is None else f"{code} {json.dumps(values)}" if values else str(code)
