"""Secrets are taken out wherever they stand; what is around them stays."""

from __future__ import annotations

import pytest

from runner.emulator.server.record.redaction import (
    hide_in_json,
    hide_in_query,
    hide_in_text,
    select_headers,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h/c/b?sv=1&sig=ab%2Bc%3D&se=2", "http://h/c/b?sv=1&sig=***&se=2"),
        ("http://h/c?SIG=abc", "http://h/c?SIG=***"),
        ("curl 'http://h/c?sig=abc' -o x", "curl 'http://h/c?sig=***' -o x"),
        ("a=http://h/?sig=1 b=http://h/?x&sig=2", "a=http://h/?sig=*** b=http://h/?x&sig=***"),
        (
            "AccountName=a;AccountKey=abc==;BlobEndpoint=u",
            "AccountName=a;AccountKey=***;BlobEndpoint=u",
        ),
        ("gpg --sig=file design=1", "gpg --sig=file design=1"),
    ],
)
def test_only_signatures_and_keys_are_replaced_in_texts(text: str, shown: str) -> None:
    assert hide_in_text(text) == shown


def test_secret_properties_are_replaced_at_any_depth() -> None:
    body = {
        "userAccounts": [{"name": "u", "password": "p", "linux": {"sshPrivateKey": "k"}}],
        "mountConfiguration": [{"azureBlobFileSystemConfiguration": {"accountKey": "k"}}],
        "password": None,
        "resourceFiles": [{"httpUrl": "http://h/c/b?sig=abc", "count": 3}],
    }
    assert hide_in_json(body) == {
        "userAccounts": [{"name": "u", "password": "***", "linux": {"sshPrivateKey": "***"}}],
        "mountConfiguration": [{"azureBlobFileSystemConfiguration": {"accountKey": "***"}}],
        "password": None,
        "resourceFiles": [{"httpUrl": "http://h/c/b?sig=***", "count": 3}],
    }


def test_query_parameters_are_shown_by_name() -> None:
    query = (("sv", "1"), ("sig", "abc"), ("x", "1"), ("x", "2"))
    assert hide_in_query(query) == {"sv": "1", "sig": "***", "x": "1,2"}


def test_headers_that_prove_who_asks_are_left_out() -> None:
    headers = {
        "authorization": "SharedKey a:b",
        "x-ms-copy-source": "http://h/c/b?sig=abc",
        "x-ms-copy-source-authorization": "Bearer x",
        "x-ms-version": "2025-01-05",
        "cookie": "c",
        "if-match": '"1"',
    }
    assert select_headers(headers) == {
        "x-ms-copy-source": "http://h/c/b?sig=***",
        "x-ms-version": "2025-01-05",
        "if-match": '"1"',
    }
