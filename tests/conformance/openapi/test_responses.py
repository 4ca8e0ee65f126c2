"""Responses that fit a small service, and each way in which one does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.conformance.openapi.exchange import Exchange, exchange
from tests.conformance.openapi.findings import Fault
from tests.conformance.openapi.responses import Codes, check_response
from tests.conformance.openapi.swagger import read_swagger

REQUEST_ID = "01234567-89ab-cdef-0123-456789abcdef"
HEADERS = {
    "Request-Id": REQUEST_ID,
    "Date": "Fri, 02 Jan 2026 03:04:05 GMT",
    "Content-Type": "application/json;odata=minimalmetadata",
}
VERSIONED = {**HEADERS, "ETag": "0x8DD671E62323E77"}
MESSAGE = f"No.\nRequestId:{REQUEST_ID}\nTime:2026-01-02T03:04:05.0000000Z"
CODES = Codes(statuses={"CatNotFound": frozenset({404}), "Odd": frozenset()})


ETAG = {"ETag": {"type": "string"}, "client-request-id": {"type": "string"}}
SURFACE = read_swagger(
    {
        "info": {"version": "1"},
        "paths": {
            "/cats": {
                "get": {
                    "operationId": "Cat_List",
                    "responses": {"200": {"schema": {"$ref": "#/definitions/CatList"}}},
                },
                "post": {"operationId": "Cat_Add", "responses": {"201": {"headers": ETAG}}},
            },
            "/cats/{catId}": {
                "get": {
                    "operationId": "Cat_Get",
                    "responses": {
                        "200": {"schema": {"$ref": "#/definitions/Cat"}, "headers": ETAG}
                    },
                },
                "head": {"operationId": "Cat_Exists", "responses": {"200": {}, "404": {}}},
            },
            "/cats/{catId}/files/{filePath}": {
                "get": {
                    "operationId": "Cat_File",
                    "responses": {"200": {"schema": {"type": "object", "format": "file"}}},
                }
            },
        },
        "definitions": {
            "Cat": {
                "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
                "required": ["name"],
            },
            "CatList": {
                "properties": {
                    "value": {"type": "array", "items": {"$ref": "#/definitions/Cat"}},
                    "odata.nextLink": {"type": "string"},
                }
            },
            "BatchError": {
                "properties": {
                    "code": {"type": "string"},
                    "message": {"$ref": "#/definitions/ErrorMessage"},
                }
            },
            "ErrorMessage": {
                "properties": {"lang": {"type": "string"}, "value": {"type": "string"}}
            },
        },
    }
)


def answer(
    method: str,
    path: str,
    status: int,
    body: object = None,
    headers: Mapping[str, str] = HEADERS,
    asked: Mapping[str, str] | None = None,
) -> Exchange:
    """An answer of the small service; a body that is not bytes is JSON with its metadata."""
    if isinstance(body, dict):
        content = json.dumps({"odata.metadata": "x", **body}).encode()
    else:
        content = body if isinstance(body, bytes) else b""
    return exchange(
        method=method,
        url=f"http://h/account{path}",
        endpoint="http://h/account/",
        asked=asked or {},
        status=status,
        headers=headers,
        content=content,
    )


def error(code: str, message: str = MESSAGE) -> dict[str, Any]:
    return {"code": code, "message": {"lang": "en-US", "value": message}}


def found(seen: Exchange) -> list[tuple[Fault, str]]:
    return [(finding.fault, finding.place) for finding in check_response(seen, SURFACE, CODES)]


@pytest.mark.parametrize(
    "seen",
    [
        answer("GET", "/cats", 200, {"value": [{"name": "a"}]}),
        answer("GET", "/cats?$select=age", 200, {"value": [{"age": 1}, {}]}),
        answer("POST", "/cats", 201, headers=VERSIONED),
        answer("GET", "/cats/a", 200, {"name": "a", "age": 3}, headers=VERSIONED),
        answer("GET", "/cats/a?%24select=age", 200, {"age": 3}, headers=VERSIONED),
        answer("GET", "/cats/a/files/wd%2Fx", 200, b"\x00"),
        answer("GET", "/cats/a/files/wd/x", 200, b"\x00"),
        replace(answer("GET", "/cats/a/files/x", 404), content=None),
        answer("HEAD", "/cats/a", 404),
        answer("GET", "/cats/a", 404, error("CatNotFound")),
        answer("GET", "/cats/a", 418, error("Odd")),
        answer("GET", "/cats/a", 304, asked={"If-None-Match": "0x1"}),
        answer("GET", "/dogs", 400, error("Odd")),
    ],
)
def test_what_fits(seen: Exchange) -> None:
    assert found(seen) == []


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in HEADERS.items() if key != name}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (answer("GET", "/dogs", 200, {}), (Fault.OPERATION_UNKNOWN, "GET /dogs")),
        (answer("PUT", "/cats", 200, {}), (Fault.OPERATION_UNKNOWN, "PUT /cats")),
        (answer("GET", "/cats", 202, {}), (Fault.STATUS_UNKNOWN, "GET /cats")),
        (answer("GET", "/cats", 304), (Fault.STATUS_UNKNOWN, "GET /cats")),
        (answer("POST", "/cats", 201), (Fault.HEADER_MISSING, "POST /cats: etag")),
        (
            answer("HEAD", "/cats/a", 404, headers=without("Request-Id")),
            (Fault.HEADER_MISSING, "every answer: request-id"),
        ),
        (
            answer("HEAD", "/cats/a", 404, headers={**HEADERS, "Date": "now, now"}),
            (Fault.HEADER_MALFORMED, "date"),
        ),
        (
            answer("POST", "/cats", 201, headers={**HEADERS, "ETag": '"0x8DD671E62323E77"'}),
            (Fault.HEADER_MALFORMED, "etag"),
        ),
        (
            answer(
                "HEAD",
                "/cats/a",
                404,
                asked={"client-request-id": "mine", "return-client-request-id": "true"},
            ),
            (Fault.HEADER_MISSING, "every answer: client-request-id"),
        ),
        (answer("GET", "/cats", 200), (Fault.BODY_MISSING, "GET /cats")),
        (answer("GET", "/cats", 200, b"[1"), (Fault.BODY_MALFORMED, "GET /cats")),
        (answer("POST", "/cats", 201, {}, VERSIONED), (Fault.BODY_UNKNOWN, "POST /cats")),
        (answer("HEAD", "/cats/a", 404, {}), (Fault.BODY_UNKNOWN, "HEAD /cats/{catId}")),
        (
            answer("GET", "/cats", 200, b'{"value": []}'),
            (Fault.PROPERTY_MISSING, "every body: odata.metadata"),
        ),
        (
            answer("GET", "/cats", 200, {"value": []}, {**HEADERS, "Content-Type": "text/plain"}),
            (Fault.HEADER_MALFORMED, "content-type"),
        ),
        (
            answer("GET", "/cats", 200, {"value": [{"age": 3}]}),
            (Fault.PROPERTY_MISSING, "Cat.name"),
        ),
        (
            answer("GET", "/cats?$select=age", 200, {"value": [{"age": "3"}]}),
            (Fault.TYPE_WRONG, "Cat.age"),
        ),
        (
            answer("GET", "/cats/a", 200, {"name": "a", "tail": 1}, VERSIONED),
            (Fault.PROPERTY_UNKNOWN, "Cat.tail"),
        ),
        (
            answer("GET", "/cats/a", 404, error("NoSuchCat")),
            (Fault.CODE_UNKNOWN, "BatchError.code: NoSuchCat"),
        ),
        (
            answer("GET", "/cats/a", 409, error("CatNotFound")),
            (Fault.CODE_UNKNOWN, "BatchError.code: CatNotFound"),
        ),
        (
            answer("GET", "/cats/a", 404, error("CatNotFound", "No.")),
            (Fault.FORM_WRONG, "BatchError.message"),
        ),
        (
            answer("GET", "/cats/a", 404, error("CatNotFound", MESSAGE.replace("0123", "3210"))),
            (Fault.FORM_WRONG, "BatchError.message"),
        ),
        (
            answer("GET", "/cats/a", 404, {**error("CatNotFound"), "why": "so"}),
            (Fault.PROPERTY_UNKNOWN, "BatchError.why"),
        ),
    ],
)
def test_what_does_not_fit(seen: Exchange, expected: tuple[Fault, str]) -> None:
    assert found(seen) == [expected]


def test_errors_within_a_list_are_checked() -> None:
    body = {"value": [{"name": "a", "error": error("NoSuchCat")}]}
    assert found(answer("GET", "/cats", 200, body)) == [
        (Fault.PROPERTY_UNKNOWN, "Cat.error"),
        (Fault.CODE_UNKNOWN, "BatchError.code: NoSuchCat"),
    ]
