"""One request to the service and its answer, as a client saw them.

It must not know what is documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """`path` is as sent, below the account; names of headers and of query parameters are in lower
    case; `content` is None where the client reads the body piece by piece."""

    method: str
    path: str
    query: Mapping[str, str]
    asked: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    content: bytes | None

    @property
    def version(self) -> str:
        """The api-version asked for."""
        return self.query.get("api-version", "")

    @property
    def succeeded(self) -> bool:
        """Whether the service did, or gave, what it was asked for."""
        return self.status < 300


def exchange(
    *,
    method: str,
    url: str,
    endpoint: str,
    asked: Mapping[str, str],
    status: int,
    headers: Mapping[str, str],
    content: bytes | None,
) -> Exchange:
    """An exchange with the account at `endpoint`, a URL that may have a path."""
    split = urlsplit(url)
    return Exchange(
        method=method,
        path=split.path.removeprefix(urlsplit(endpoint).path.rstrip("/")),
        query={
            name.lower(): value for name, value in parse_qsl(split.query, keep_blank_values=True)
        },
        asked={name.lower(): value for name, value in asked.items()},
        status=status,
        headers={name.lower(): value for name, value in headers.items()},
        content=content,
    )
