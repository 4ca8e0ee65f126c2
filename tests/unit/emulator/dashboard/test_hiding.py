"""Secrets are taken out of what is shown; all else stays as it is."""

from __future__ import annotations

import pytest

from runner.emulator.dashboard.hiding import hide_in_document, hide_in_text, show_query

SIGNED = "https://a.blob.core.windows.net/c/b.txt?sv=2023&se=2030-01-01&sig=abc%2Fdef%3D"

LONG = "aBcDeFgH%2FiJkLmNoPqRsTuVwXyZ0123456789%2Bab%3D"


def test_a_document_without_its_secrets() -> None:
    document = {
        "id": "one",
        "commandLine": f"curl '{SIGNED}' -o x && echo sig=ok",
        "environmentSettings": [{"name": "TOKEN", "value": "s3cret"}, {"name": "EMPTY"}],
        "commonEnvironmentSettings": "none",
        "resourceFiles": [{"httpUrl": SIGNED, "filePath": "b.txt"}, {"httpUrl": "http://h/x?y=1"}],
        "userAccounts": [{"name": "me", "password": "s3cret"}],
        "constraints": {"maxTaskRetryCount": 3},
    }

    assert hide_in_document(document) == {
        "id": "one",
        "commandLine": "curl 'https://a.blob.core.windows.net/c/b.txt?***' -o x && echo sig=ok",
        "environmentSettings": [
            {"name": "TOKEN", "value": "***"},
            {"name": "EMPTY", "value": "***"},
        ],
        "commonEnvironmentSettings": "***",
        "resourceFiles": [
            {"httpUrl": "https://a.blob.core.windows.net/c/b.txt?***", "filePath": "b.txt"},
            {"httpUrl": "http://h/x?y=1"},
        ],
        "userAccounts": [{"name": "me", "password": "***"}],
        "constraints": {"maxTaskRetryCount": 3},
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"SAS='sig={LONG}&sp=r'; run", "SAS='sig=***&sp=r'; run"),
        (f"get --sas sig={LONG}", "get --sas sig=***"),
        (f"open http://h/?u=http%3A%2F%2Fa%3Fsp%3Dr%26sig%3D{LONG}", None),
        (f"http%3A%2F%2Fa%3Fsig%3D{LONG}", "http%3A%2F%2Fa%3Fsig%3D***"),
        ("gpg --verify a.sig; sig=ok; design=abcdefghijklmnopqrstuvwxyz", None),
        ("nothing at all", None),
    ],
)
def test_a_signature_that_no_url_stands_before(text: str, shown: str | None) -> None:
    assert hide_in_text(text) == (text.replace(LONG, "***") if shown is None else shown)


def test_a_query_without_its_signature() -> None:
    assert show_query([("comp", "list"), ("prefix", "a"), ("sp", "x")]) == {
        "comp": "list",
        "prefix": "a",
        "sp": "x",
    }
    assert show_query([("comp", "list"), ("sv", "1"), ("SE", "2"), ("sig", "abc")]) == {
        "comp": "list",
        "sig": "***",
    }


def test_a_long_text_is_looked_at_once() -> None:
    # A look ahead from each of its characters would take minutes.
    text = "?" * 100_000 + " sig="

    assert hide_in_text(text) == text
