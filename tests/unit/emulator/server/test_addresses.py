"""Accounts are found in the path or in the host, and links are made of what was sent."""

from __future__ import annotations

import pytest

from runner.emulator.server.accounts import Kind
from runner.emulator.server.addresses import Address, HostError, find_address


@pytest.mark.parametrize(
    ("host", "path", "account", "endpoint", "resource"),
    [
        ("127.0.0.1:80", "/one", "one", "http://127.0.0.1:80/one", ""),
        ("[::1]:80", "/one/", "one", "http://[::1]:80/one", "/"),
        ("localhost", "/two/a%2Fb//c", "two", "http://localhost/two", "/a%2Fb//c"),
        ("", "/one/x", "one", None, "/x"),
        # Names that only look like an account's.
        ("blob.localhost", "/one/x", "one", "http://blob.localhost/one", "/x"),
        ("one.batch.localhost", "/one/x", "one", "http://one.batch.localhost/one", "/x"),
        ("one.blob", "/one/x", "one", "http://one.blob/one", "/x"),
        ("a-b.blob.localhost", "/one/x", "one", "http://a-b.blob.localhost/one", "/x"),
    ],
)
def test_an_account_in_the_path(
    host: str, path: str, account: str, endpoint: str | None, resource: str
) -> None:
    assert find_address("http", host, path) == Address(
        account=account, kind=None, endpoint=endpoint, resource=resource
    )


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("one.westeurope.batch.localhost:80", Kind.BATCH),
        ("ONE.West-Europe.Batch.LocalHost", Kind.BATCH),
        ("one.eastus.batch.azure.com", Kind.BATCH),
        ("one.blob.localhost:80", Kind.BLOB),
        ("One.Blob.localhost.:80", Kind.BLOB),
        ("one.blob.core.windows.net", Kind.BLOB),
    ],
)
@pytest.mark.parametrize("path", ["/", "/one/x", "/a%2Fb"])
def test_an_account_in_the_host(host: str, kind: Kind, path: str) -> None:
    assert find_address("https", host, path) == Address(
        account="one", kind=kind, endpoint=f"https://{host}", resource=path
    )


@pytest.mark.parametrize(
    "host", ['a"><b', "a b", "h/p", "u@h", "h:x", "[::1", "é", "h?", "a.blob.localhost:80\t"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(HostError):
        find_address("http", host, "/one")
