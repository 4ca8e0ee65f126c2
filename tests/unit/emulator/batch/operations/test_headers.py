"""Headers of output files: those that describe a blob, and none that are of a transfer."""

from __future__ import annotations

from typing import Any

import pytest

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.bodies.headers import UPLOAD_HEADERS


def refusal(**header: Any) -> tuple[tuple[str, str], ...]:
    """Why a header is refused."""
    with pytest.raises(RefusedError) as caught:
        UPLOAD_HEADERS.read([header], "uploadHeaders")
    assert caught.value.reason is Reason.PROPERTY_INVALID
    return caught.value.details


def test_what_describes_a_blob_is_taken() -> None:
    given = [
        {"name": "Content-Type", "value": "text/plain; charset=utf-8"},
        {"name": "x-ms-meta-a", "value": ""},
        {"name": "x-ms-access-tier", "value": "Cool"},
    ]
    assert UPLOAD_HEADERS.read(given, "uploadHeaders") == given


@pytest.mark.parametrize("name", ["content-LENGTH", "Host", "x-ms-version", "x-ms-blob-type"])
def test_what_follows_from_the_transfer_is_refused(name: str) -> None:
    assert refusal(name=name, value="1") == (
        ("PropertyName", "name"),
        ("PropertyValue", name),
        ("Reason", "The header is not one that may be asked for"),
    )


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("a b", "", "name"),
        ("a\r\n", "", "name"),
        ("a", "x\r\nHost: h", "value"),
        ("a", "ü", "value"),
    ],
)
def test_no_header_is_more_than_one(name: str, value: str, named: str) -> None:
    details = dict(refusal(name=name, value=value))
    assert details["PropertyName"] == named
    assert details["Reason"] == "The value has characters that are not allowed"
