"""What the two lists have in common: their parameters, markers and responses.

It must not know what is listed.
"""

from __future__ import annotations

import base64
import binascii

from runner.emulator.blob.core.refusals import (
    OUT_OF_RANGE_QUERY_PARAMETER_VALUE,
    not_implemented,
    query_refused,
)
from runner.emulator.blob.operations.call import Call
from runner.emulator.blob.operations.documents import DECLARATION, element, name_element
from runner.emulator.server.http import Response
from runner.emulator.storage.record import record

_MAXIMUM_PAGE = 5000
LAST_SNAPSHOT = "~"
"""Comes after every snapshot: the page begins with the blob itself."""


@record(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page is asked for.

    `start` is the first name that it may hold, and `start_snapshot` the first snapshot of that.
    """

    prefix: str
    delimiter: str
    marker: str
    start: str
    start_snapshot: str
    maximum: int
    maximum_given: bool
    includes: frozenset[str]

    def echo(self) -> str:
        """The parameters as the answer repeats them."""
        parts = (
            name_element("Prefix", self.prefix) if self.prefix else "",
            element("Marker", self.marker) if self.marker else "",
            f"<MaxResults>{self.maximum}</MaxResults>" if self.maximum_given else "",
            name_element("Delimiter", self.delimiter) if self.delimiter else "",
        )
        return "".join(parts)


def read_page_request(call: Call, *, known_includes: frozenset[str]) -> PageRequest:
    """The parameters of a list; refuses those out of range, and 501 for what is not listed."""
    query = call.query
    includes = frozenset(filter(None, query.get("include", "").split(",")))
    for name in sorted(includes - known_includes):
        raise not_implemented(f"`include={name}`")
    marker = query.get("marker", "")
    start_snapshot, start = _read_marker(marker)
    text = query.get("maxresults")
    return PageRequest(
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        marker=marker,
        start=start,
        start_snapshot=start_snapshot,
        maximum=_MAXIMUM_PAGE if text is None else min(_read_maximum(text), _MAXIMUM_PAGE),
        maximum_given=text is not None,
        includes=includes,
    )


def write_marker(next_name: str | None, snapshot: str = "") -> str:
    """A marker that any client can hand back, whatever the name holds."""
    if next_name is None:
        return ""
    text = f"{snapshot}/{next_name}"
    return base64.urlsafe_b64encode(text.encode("utf-8")).decode("ascii")


def xml_response(text: str) -> Response:
    """An answer of one document."""
    return Response(
        status=200,
        headers=(("Content-Type", "application/xml"),),
        body=(DECLARATION + text).encode("utf-8"),
    )


def _read_marker(marker: str) -> tuple[str, str]:
    if not marker:
        return "", ""
    try:
        text = base64.b64decode(marker, altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        reason = "The marker is not one that a list gave out."
        raise query_refused("marker", marker, reason) from error
    snapshot, _, name = text.partition("/")
    return snapshot, name


def _read_maximum(text: str) -> int:
    try:
        maximum = int(text)
    except ValueError as error:
        raise query_refused("maxresults", text, "It is not a number.") from error
    if maximum < 1:
        raise query_refused(
            "maxresults", text, "It is below 1.", OUT_OF_RANGE_QUERY_PARAMETER_VALUE
        )
    return maximum
