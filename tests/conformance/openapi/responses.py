"""Checks a whole response: operation, status, headers, body, error.

It must not know what is allowed beyond the documents, nor which client asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.conformance.openapi.exchange import Exchange
from tests.conformance.openapi.findings import Fault, Finding
from tests.conformance.openapi.schema import (
    Content,
    Operation,
    Reference,
    Sequence,
    Surface,
    Type,
)
from tests.conformance.openapi.values import check_object, check_value

METADATA = "odata.metadata"
JSON_TYPE = "application/json;odata=minimalmetadata"
_GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HTTP_DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
_HEADERS = {
    "request-id": re.compile(_GUID),
    "date": re.compile(_HTTP_DATE),
    "last-modified": re.compile(_HTTP_DATE),
    "etag": re.compile(r"0x[0-9A-F]{15,16}"),
    "dataserviceid": re.compile(r"https?://\S+"),
    "location": re.compile(r"https?://\S+"),
    "content-length": re.compile(r"\d+"),
    "ocp-batch-file-isdirectory": re.compile("True|False"),
    "ocp-batch-file-mode": re.compile(r"0o\d{6}"),
    "ocp-batch-file-url": re.compile(r"https?%3[aA]%2[fF]%2[fF]\S+"),
    "ocp-creation-time": re.compile(_HTTP_DATE),
}
_EVERYWHERE = ("request-id", "date")
_MESSAGE = re.compile(
    rf"(?P<text>.+)\nRequestId:(?P<request>{_GUID})\nTime:\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{7}}Z",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """The error codes of the service, each with its statuses; none where it is not documented."""

    statuses: Mapping[str, frozenset[int]]

    def know(self, code: str, status: int | None) -> bool:
        """Whether there is such a code, and with this status where one is asked for."""
        known = self.statuses.get(code)
        return known is not None and (not known or status is None or status in known)


def check_response(seen: Exchange, surface: Surface, codes: Codes) -> Iterator[Finding]:
    """What is wrong with a response, seen with one surface."""
    yield from _check_headers(seen)
    operation = surface.find(seen.method, seen.path)
    if operation is None:
        if seen.status not in (400, 404, 405):
            yield Finding(fault=Fault.OPERATION_UNKNOWN, place=f"{seen.method} {seen.path}")
        return
    if seen.status in operation.statuses and seen.succeeded:
        yield from _check_success(seen, operation, surface, codes)
    elif seen.status == 304:
        if not any(name.startswith("if-") for name in seen.asked) or seen.content:
            yield Finding(fault=Fault.STATUS_UNKNOWN, place=operation.title, value=str(seen.status))
    elif seen.status < 400:
        yield Finding(fault=Fault.STATUS_UNKNOWN, place=operation.title, value=str(seen.status))
    else:
        yield from _check_error(seen, operation, surface, codes)


def _check_headers(seen: Exchange) -> Iterator[Finding]:
    for name in _EVERYWHERE:
        if name not in seen.headers:
            yield Finding(fault=Fault.HEADER_MISSING, place=f"every answer: {name}")
    for name, pattern in _HEADERS.items():
        value = seen.headers.get(name)
        if value is not None and not pattern.fullmatch(value):
            yield Finding(fault=Fault.HEADER_MALFORMED, place=name, value=value)
    wanted = seen.asked.get("return-client-request-id", "").lower() == "true"
    sent, back = seen.asked.get("client-request-id"), seen.headers.get("client-request-id")
    if wanted and sent is not None and sent != back:
        yield Finding(
            fault=Fault.HEADER_MISSING, place="every answer: client-request-id", value=str(back)
        )


def _check_success(
    seen: Exchange, operation: Operation, surface: Surface, codes: Codes
) -> Iterator[Finding]:
    for name in sorted(operation.headers - {"client-request-id"}):
        if name not in seen.headers:
            yield Finding(fault=Fault.HEADER_MISSING, place=f"{operation.title}: {name}")
    if seen.content is None or isinstance(operation.body, Content):
        return
    if operation.body is None:
        if seen.content:
            yield Finding(fault=Fault.BODY_UNKNOWN, place=operation.title)
        return
    body = yield from _read_object(seen, operation.title)
    if body is None:
        return
    yield from _check_body(body, operation.body, surface, selected="$select" in seen.query)
    yield from _check_codes(body, codes)


def _check_body(
    body: dict[str, Any], type_: Type, surface: Surface, *, selected: bool
) -> Iterator[Finding]:
    if not isinstance(type_, Reference):
        yield from check_value(body, type_, surface, place="body", path="")
        return
    model = surface.models[type_.name]
    listed = model.properties.get("value")
    if not selected:
        yield from check_object(body, model, surface, path="", extra=(METADATA,))
    elif listed is None or not isinstance(listed.type, Sequence):
        yield from check_object(body, model, surface, path="", optional=True, extra=(METADATA,))
    else:
        outer = {name: value for name, value in body.items() if name != "value"} | {"value": []}
        yield from check_object(outer, model, surface, path="", extra=(METADATA,))
        item = listed.type.item
        assert isinstance(item, Reference)
        for number, entry in enumerate(body.get("value", [])):
            yield from check_object(
                entry, surface.models[item.name], surface, path=f"value[{number}]", optional=True
            )


def _check_error(
    seen: Exchange, operation: Operation, surface: Surface, codes: Codes
) -> Iterator[Finding]:
    if seen.method == "HEAD":
        if seen.content:
            yield Finding(fault=Fault.BODY_UNKNOWN, place=operation.title)
        return
    if seen.content is None:
        return
    body = yield from _read_object(seen, operation.title)
    if body is None:
        return
    model = surface.models[surface.error]
    yield from check_object(body, model, surface, path="", extra=(METADATA,))
    yield from _check_detail(body, codes, seen.status, path="")
    message = body.get("message")
    found = _MESSAGE.fullmatch(message.get("value", "")) if isinstance(message, dict) else None
    if found is not None and found["request"] != seen.headers.get("request-id"):
        yield Finding(fault=Fault.FORM_WRONG, place=f"{model.name}.message", value=found["request"])


def _read_object(
    seen: Exchange, place: str
) -> Iterator[Finding] | Any:  # a generator that returns the object
    if not seen.content:
        yield Finding(fault=Fault.BODY_MISSING, place=place)
        return None
    kind = seen.headers.get("content-type", "").replace(" ", "")
    if kind != JSON_TYPE:
        yield Finding(fault=Fault.HEADER_MALFORMED, place="content-type", value=kind)
    try:
        body = json.loads(seen.content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        yield Finding(fault=Fault.BODY_MALFORMED, place=place)
        return None
    if METADATA not in body:
        yield Finding(fault=Fault.PROPERTY_MISSING, place=f"every body: {METADATA}")
    return body


def _check_codes(body: dict[str, Any], codes: Codes) -> Iterator[Finding]:
    """The errors within a success: of the tasks of a collection."""
    entries = body.get("value")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        error = entry.get("error") if isinstance(entry, dict) else None
        if isinstance(error, dict):
            yield from _check_detail(error, codes, None, path=f"value[{number}].error")


def _check_detail(
    error: dict[str, Any], codes: Codes, status: int | None, *, path: str
) -> Iterator[Finding]:
    code, message = str(error.get("code")), error.get("message")
    if not codes.know(code, status):
        yield Finding(
            fault=Fault.CODE_UNKNOWN,
            place=f"BatchError.code: {code}",
            path=path,
            value=str(status or ""),
        )
    text = message.get("value") if isinstance(message, dict) else None
    if not isinstance(text, str) or not _MESSAGE.fullmatch(text):
        yield Finding(
            fault=Fault.FORM_WRONG, place="BatchError.message", path=path, value=repr(text)
        )
