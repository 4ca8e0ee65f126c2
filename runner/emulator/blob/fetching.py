"""Gets the source of a copy from another server, over HTTP.

It must not know what is copied, nor where to.
"""

from __future__ import annotations

import asyncio
import http
import ssl
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runner.emulator.storage.record import record

if TYPE_CHECKING:
    import http.client  # noqa: TC004 - imported with the first source, since it takes a while

_PIECE_BYTES = 1024 * 1024
_TIMEOUT_SECONDS = 30
_METADATA = "x-ms-meta-"
# Not the loop's own threads: the other server may be this one, which needs those to answer.
_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="blob-source")


class FetchError(Exception):
    """The other server cannot be asked; the message is one line."""


@record(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer whose content is still to be read; to be closed, read or not."""

    status: int
    reason: str
    headers: Mapping[str, str]
    """Names in lower case."""
    metadata: tuple[tuple[str, str], ...]
    """Of a blob: names, as sent, and values."""
    connection: http.client.HTTPConnection = field(repr=False)
    response: http.client.HTTPResponse = field(repr=False)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content; raises `FetchError` where it breaks off."""
        loop = asyncio.get_running_loop()
        while piece := await loop.run_in_executor(_THREADS, self._read):
            yield piece

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()

    def _read(self) -> bytes:
        try:
            return self.response.read(_PIECE_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise FetchError(f"the source broke off: {error}") from error


async def fetch_url(
    url: str, headers: Mapping[str, str], tls: ssl.SSLContext | None = None
) -> Fetched:
    """Asks for `url` with GET, following no redirections; raises `FetchError`.

    `tls` says whom to trust; by default, whom this machine trusts.
    """
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _open, url, headers, tls)


def _open(url: str, headers: Mapping[str, str], tls: ssl.SSLContext | None) -> Fetched:
    import http.client

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise FetchError(f"the source is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise FetchError("the source is not an http or https URL")
    connection = (
        http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=tls)
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers=dict(headers))
        response = connection.getresponse()
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        raise FetchError(f"the source cannot be reached: {error}") from error
    return Fetched(
        status=response.status,
        reason=response.reason,
        headers={name.lower(): value for name, value in response.getheaders()},
        metadata=tuple(
            (name[len(_METADATA) :], value)
            for name, value in response.getheaders()
            if name.lower().startswith(_METADATA)
        ),
        connection=connection,
        response=response,
    )
