"""URLs with signatures: built right, and shown without them."""

from __future__ import annotations

import pytest

from runner.emulator.batch.node.urls import add_query, blob_url, without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://a.blob.core.windows.net/c/b.txt?sv=1&sig=SECRET",
            "https://a.blob.core.windows.net/c/b.txt",
        ),
        ("http://user:SECRET@127.0.0.1:10000/c", "http://127.0.0.1:10000/c"),
        ("http://h/c?x#sig=SECRET", "http://h/c"),
        ("http://[::1/?sig=SECRET", "<invalid URL>"),
        ("", ""),
    ],
)
def test_a_shown_url_holds_no_secret(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_query_is_merged_and_the_signature_stays_as_it_is() -> None:
    url = add_query("http://h:1/c?sig=a%2Bb%3D", {"comp": "list", "prefix": "a b&c/é"})
    assert url == "http://h:1/c?sig=a%2Bb%3D&comp=list&prefix=a%20b%26c%2F%C3%A9"
    assert add_query("http://h/c", {"comp": "list"}) == "http://h/c?comp=list"


def test_a_blob_name_is_encoded_into_the_path() -> None:
    name = "a b/é?#%41&'\"\\.txt"
    assert blob_url("http://h/acc/c/?sig=x", name) == (
        "http://h/acc/c/a%20b/%C3%A9%3F%23%2541%26%27%22%5C.txt?sig=x"
    )
