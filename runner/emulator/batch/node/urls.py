"""URLs of storage with a shared access signature: build them, and show them without it.

It must not know who sends the requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from os import fsencode
from urllib.parse import quote, urlencode, urlsplit, urlunsplit


@lru_cache(maxsize=256)
def without_secrets(url: str) -> str:
    """The URL for messages and logs: no query (that is where the signature is), no user info."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<invalid URL>"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def add_query(url: str, pairs: Mapping[str, str]) -> str:
    """The URL with more query parameters; those that it has, the signature's, stay as they are."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(pairs, quote_via=quote))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def blob_url(container_url: str, name: str) -> str:
    """The URL of a blob in a container, under the container's signature.

    Every byte that could mean something else in a URL is percent-encoded; `/` stays.
    """
    before, after = _around_names(container_url)
    return f"{before}{quote(fsencode(name), safe='/')}{after}"


@lru_cache(maxsize=256)
def _around_names(container_url: str) -> tuple[str, str]:
    """What is before and behind the name in the URLs of a container's blobs."""
    parts = urlsplit(container_url)
    path = f"{parts.path.rstrip('/')}/"
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), (
        f"?{parts.query}" if parts.query else ""
    )
