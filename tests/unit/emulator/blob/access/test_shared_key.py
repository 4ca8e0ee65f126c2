"""Requests signed with the account's key, and those that are refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from runner.emulator.blob.access.shared_key import check_shared_key
from runner.emulator.blob.core.refusals import RefusedError
from runner.emulator.server.http import Request
from tests.unit.emulator.blob.wire import (
    ACCOUNT,
    START,
    Wire,
    make_request,
    make_signature,
    read_answer,
    sign_request,
)


def test_the_string_to_sign_is_told_to_whoever_signs_wrongly() -> None:
    request = make_request(
        "PUT",
        "/localstorage/box/a%20b",
        "comp=block&BlockId=QQ%3D%3D",
        headers={"x-ms-date": format_datetime(START, usegmt=True), "content-type": "text/plain"},
        body=b"12345",
    )
    wrong = replace(
        request, headers={**request.headers, "authorization": "SharedKey localstorage:wrong"}
    )

    with pytest.raises(RefusedError) as refused:
        check_shared_key(wrong, ACCOUNT, START)

    string_to_sign = (
        "PUT\n\n\n5\n\ntext/plain\n\n\n\n\n\n\n"
        "x-ms-date:Wed, 04 Mar 2026 05:06:07 GMT\nx-ms-version:2021-12-02\n"
        "/localstorage/localstorage/box/a%20b\nblockid:QQ==\ncomp:block"
    )
    assert refused.value.refusal.code == "AuthenticationFailed"
    assert refused.value.details == (
        (
            "AuthenticationErrorDetail",
            (
                "The MAC signature found in the HTTP request 'wrong' is not the same as any "
                f"computed signature. Server used following string to sign: '{string_to_sign}'."
            ),
        ),
    )
    right = f"SharedKey localstorage:{make_signature(string_to_sign)}"
    check_shared_key(
        replace(request, headers={**request.headers, "authorization": right}), ACCOUNT, START
    )


def test_headers_may_be_sorted_as_windows_sorts_words() -> None:
    headers = {
        "x-ms-date": format_datetime(START, usegmt=True),
        "x-ms-meta-a_b": "1",
        "x-ms-meta-a1": "2",
        "x-ms-meta-ab": "3",
    }
    request = make_request("GET", "/localstorage/box/b", headers=headers)
    string_to_sign = (
        f"GET{chr(10) * 12}x-ms-date:{headers['x-ms-date']}\n"
        "x-ms-meta-a_b:1\nx-ms-meta-a1:2\nx-ms-meta-ab:3\nx-ms-version:2021-12-02\n"
        "/localstorage/localstorage/box/b"
    )
    signed = {**headers, "x-ms-version": "2021-12-02"}
    signed["authorization"] = f"SharedKey localstorage:{make_signature(string_to_sign)}"

    check_shared_key(replace(request, headers=signed), ACCOUNT, START)


@pytest.mark.parametrize(
    ("date_header", "signed_date", "dates"),
    [
        ("x-ms-date", "", "x-ms-date:Wed, 04 Mar 2026 05:06:07 GMT\n"),
        ("date", "Wed, 04 Mar 2026 05:06:07 GMT", ""),
    ],
)
def test_the_short_form_signs_fewer_headers(date_header: str, signed_date: str, dates: str) -> None:
    request = make_request(
        "PUT",
        "/localstorage/box/a%20b",
        "timeout=5&comp=block&BlockId=QQ%3D%3D",
        headers={date_header: format_datetime(START, usegmt=True), "content-type": "text/plain"},
        body=b"12345",
    )
    string_to_sign = (
        f"PUT\n\ntext/plain\n{signed_date}\n{dates}x-ms-version:2021-12-02\n"
        "/localstorage/localstorage/box/a%20b?comp=block"
    )
    right = f"SharedKeyLite localstorage:{make_signature(string_to_sign)}"
    signed = replace(request, headers={**request.headers, "authorization": right})

    check_shared_key(signed, ACCOUNT, START)
    with pytest.raises(RefusedError):
        check_shared_key(replace(signed, raw_path="/localstorage/box/b"), ACCOUNT, START)


@pytest.mark.parametrize(
    ("offset", "detail"),
    [
        (timedelta(minutes=-15, seconds=-1), "Request date header too old: '{}'"),
        (timedelta(minutes=15, seconds=2), "Request date header too far in the future: '{}'"),
    ],
)
def test_a_date_far_from_now_is_refused(wire: Wire, offset: timedelta, detail: str) -> None:
    request = make_request("GET", "/localstorage", "comp=list", headers={})
    date = wire.now + offset

    answer = asyncio.run(_handle(wire, sign_request(request, date)))

    assert answer == (
        403,
        "AuthenticationFailed",
        detail.format(format_datetime(date, usegmt=True)),
    )


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_date_near_now_is_taken(wire: Wire, minutes: int) -> None:
    request = make_request("GET", "/localstorage", "comp=list", headers={})

    status, _, _ = asyncio.run(
        _handle(wire, sign_request(request, wire.now + timedelta(minutes=minutes)))
    )

    assert status == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "NoAuthenticationInformation"),
        ({"authorization": "Bearer token"}, 403, "AuthenticationFailed"),
        ({"authorization": "Digest localstorage:c2ln"}, 400, "InvalidAuthenticationInfo"),
        ({"authorization": "SharedKeyLite localstorage:c2ln"}, 403, "AuthenticationFailed"),
        ({"authorization": "SharedKey"}, 400, "InvalidAuthenticationInfo"),
        ({"authorization": "SharedKey localstorage:\u00fc"}, 400, "InvalidAuthenticationInfo"),
        ({"authorization": "SharedKey other:c2ln"}, 403, "AuthenticationFailed"),
        ({"authorization": "SharedKey localstorage:c2ln"}, 403, "AuthenticationFailed"),
        (
            {"authorization": "SharedKey localstorage:c2ln", "x-ms-date": "today"},
            403,
            "AuthenticationFailed",
        ),
    ],
)
def test_requests_that_prove_nothing(
    wire: Wire, headers: dict[str, str], status: int, code: str
) -> None:
    answer = wire.ask("GET", "/localstorage", "comp=list", headers=headers, signed=False)

    assert (answer.status, answer.code) == (status, code)


def test_another_key_is_refused(wire: Wire) -> None:
    request = make_request("GET", "/localstorage", "comp=list", headers={})

    status, code, _ = asyncio.run(_handle(wire, sign_request(request, wire.now, b"another key")))

    assert (status, code) == (403, "AuthenticationFailed")


async def _handle(wire: Wire, request: Request) -> tuple[int, str | None, str | None]:
    answer = await read_answer(await wire.service.handle(request))
    return (
        answer.status,
        answer.headers.get("x-ms-error-code"),
        answer.text("AuthenticationErrorDetail"),
    )
