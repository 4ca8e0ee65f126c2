"""Lists: filter, page, selection of properties, and the link to the next page.

It must not know what is listed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from runner.emulator.batch.core.ids import Key
from runner.emulator.batch.core.refusal import invalid_query
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.filters.evaluate import Filter, Property, compile_filter
from runner.emulator.batch.operations.filters.parse import Expression
from runner.emulator.batch.operations.replies import Reply, metadata
from runner.emulator.batch.operations.selections import pick
from runner.emulator.batch.operations.wire import parse_whole

R = TypeVar("R")

_TOKEN_START, _TOKEN_END = "WATV2:", ":1$1"
# A filter that fits almost nothing must not hold up everybody else: the page then ends early, with
# a link to go on from, as the service does when it crosses its own partitions.
_LONGEST_SCAN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[R]):
    """What a list shows: `after` gives the records behind a key, in order.

    `narrowed` gives those of them that may fit a filter, None where it cannot tell well.
    """

    name: str
    after: Callable[[Key | None], Iterator[tuple[Key, R]]]
    show: Callable[[R], dict[str, Any]]
    properties: Mapping[str, Property[R]]
    selectable: bool = True
    narrowed: Callable[[Expression, Key | None], Iterable[tuple[Key, R]] | None] | None = None


def list_page(call: Call, listing: Listing[R]) -> Reply:
    """One page of a list; raises `RefusedError` for parameters that do not fit."""
    size = page_size(call)
    text = call.query.get("$filter")
    filtered = compile_filter(text, listing.properties) if text else None
    shown: list[dict[str, Any]] = []
    last: Key | None = None
    more = False
    for scanned, (key, record) in enumerate(_records(listing, filtered, _start(call))):
        if len(shown) == size or scanned == _LONGEST_SCAN:
            more = True
            break
        last = key
        if filtered is None or filtered.fits(record):
            shown.append(listing.show(record))
    if listing.selectable:
        shown = [select(call, document) for document in shown]
    body = {**metadata(call.endpoint, listing.name), "value": shown}
    if more and last is not None:
        body["odata.nextLink"] = _next_link(call, last)
    return Reply(status=200, json=body)


def _records(
    listing: Listing[R], filtered: Filter[R] | None, start: Key | None
) -> Iterable[tuple[Key, R]]:
    if filtered is not None and listing.narrowed is not None:
        found = listing.narrowed(filtered.expression, start)
        if found is not None:
            return found
    return listing.after(start)


def number_in_order(records: Iterable[R]) -> Callable[[Key | None], Iterator[tuple[Key, R]]]:
    """Records without keys, for `Listing.after`: the key is the place in the list."""

    def after(start: Key | None) -> Iterator[tuple[Key, R]]:
        for number, record in enumerate(records):
            key = Key(f"{number:012d}")
            if start is None or key > start:
                yield key, record

    return after


def page_size(call: Call) -> int:
    """`maxresults`, or as many as a page may have: of counts of nodes fewer than of others."""
    limits = call.state.limits
    most = limits.counts_page_size if call.resource.endswith("/nodecounts") else limits.page_size
    text = call.query.get("maxresults")
    if text is None:
        return most
    size = parse_whole(text)
    if size is None:
        raise invalid_query("maxresults", text, "The value is not an integer")
    if size < 1:
        raise invalid_query("maxresults", text, "MaxResults cannot be less than 1")
    if size > most:
        raise invalid_query("maxresults", text, f"MaxResults cannot be more than {most}")
    return size


def select(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    """The properties that `$select` names, in the order of the document."""
    return pick(call.query, document)


def _start(call: Call) -> Key | None:
    token = call.query.get("$skiptoken")
    if token is None:
        return None
    inner = token.removeprefix(_TOKEN_START).removesuffix(_TOKEN_END)
    try:
        return Key(base64.urlsafe_b64decode(inner.encode("ascii")).decode("utf-8"))
    except (ValueError, binascii.Error):
        raise invalid_query("$skiptoken", token, "The value is not a token") from None


def _next_link(call: Call, last: Key) -> str:
    token = base64.urlsafe_b64encode(last.encode("utf-8")).decode("ascii")
    parts = call.raw_query.split("&")
    kept = [part for part in parts if not part.lower().startswith(("$skiptoken=", "%24skiptoken="))]
    query = "&".join([*kept, f"$skiptoken={_TOKEN_START}{token}{_TOKEN_END}"])
    return f"{call.url}?{query}"
