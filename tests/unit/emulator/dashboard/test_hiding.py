"""Secrets are taken out of what is shown; all else stays as it is."""

from __future__ import annotations

from runner.emulator.dashboard.hiding import hide_in_document, show_query

SIGNED = "https://a.blob.core.windows.net/c/b.txt?sv=2023&se=2030-01-01&sig=abc%2Fdef%3D"


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
