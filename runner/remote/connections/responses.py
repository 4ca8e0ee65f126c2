"""An answer as azure-core and the SDKs want it, of today's kind and of the one before.

It must not know connections, nor what an answer means.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from email.message import Message
from typing import Any

from azure.core.exceptions import (
    HttpResponseError,
    ResponseNotReadError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Self

from runner.json_text import read_json
from runner.remote.connections.bodies import AnswerBody, Unpacking
from runner.remote.connections.heads import Head, Headers

_PIECE_BYTES = 65_536


class Response(HttpResponse):
    """An answer, whose body may still be on its way."""

    def __init__(self, request: Any, head: Head, body: AnswerBody) -> None:
        self._request = request
        self._head = head
        self._body = body
        self._content: bytes | None = None
        self._encoding: str | None = None
        self._closed = False
        self._consumed = False

    @property
    def request(self) -> HttpRequest:
        """The request that it answers."""
        return self._request  # type: ignore[no-any-return]

    @property
    def url(self) -> str:
        """The URL that it answers."""
        return str(self._request.url)

    @property
    def status_code(self) -> int:
        """The status."""
        return self._head.status

    @property
    def reason(self) -> str:
        """The words that follow the status."""
        return self._head.reason

    @property
    def headers(self) -> Headers:
        """The fields, found in upper and lower case alike."""
        return self._head.headers

    @property
    def content_type(self) -> str | None:
        """The field `Content-Type`."""
        return self.headers.get("Content-Type")

    @property
    def is_closed(self) -> bool:
        """Whether nothing more comes of it."""
        return self._closed

    @property
    def is_stream_consumed(self) -> bool:
        """Whether somebody has read its body, or begun to."""
        return self._consumed

    @property
    def encoding(self) -> str | None:
        """That of the text, as given or as `Content-Type` says; None where it does not."""
        if self._encoding is None:
            named = _charset(self.content_type or "")
            self._encoding = named
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def content(self) -> bytes:
        """The body, which must have been read."""
        if self._content is None:
            raise ResponseNotReadError(self)
        return self._content

    def body(self) -> bytes:
        """The body; the name that it had before `azure.core.rest`."""
        return self.read()

    def read(self) -> bytes:
        """The body, read to its end and kept."""
        if self._content is None:
            self._begin()
            data = self._body.read()
            self._closed = True
            self._content = _unpacked(data) if self._is_packed() else data
        return self._content

    def fill(self, view: memoryview) -> int:
        """Fills a buffer with the next bytes as they were sent, and says how many; 0 at the end."""
        self._consumed = True
        return self._body.fill(view)

    def iter_raw(self, **_options: Any) -> Iterator[bytes]:
        """The body as it was sent, as it comes."""
        self._begin()
        while piece := self._body.take(_PIECE_BYTES):
            yield piece
        self.close()

    def iter_bytes(self, **_options: Any) -> Iterator[bytes]:
        """The body unpacked, as it comes."""
        if self._content is not None:
            yield self._content
            return
        unpacking = Unpacking() if self._is_packed() else None
        for piece in self.iter_raw():
            if unpacking is not None:
                piece = unpacking.unpack(piece)
            if piece:
                yield piece
        if unpacking is not None:
            unpacking.end()

    def stream_download(self, _pipeline: Any, *, decompress: bool = True) -> Iterator[bytes]:
        """The same by the name that it had before `azure.core.rest`."""
        return _Pieces(self, self.iter_bytes() if decompress else self.iter_raw())

    def text(self, encoding: str | None = None) -> str:
        """The body as text; bytes that are none are replaced where no encoding is named."""
        encoding = encoding or self.encoding
        if encoding is None:
            return codecs.decode(self.content, "utf-8-sig", "replace")
        # A mark of the byte order is no text.
        return self.content.decode("utf-8-sig" if encoding.lower() == "utf-8" else encoding)

    def json(self) -> Any:
        """The body, read as JSON; `ValueError` where it is none."""
        return read_json(self.text())

    def raise_for_status(self) -> None:
        """Raises `HttpResponseError` for a status that says that something went wrong."""
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    def close(self) -> None:
        """Gives up what has not come."""
        self._closed = True
        self._body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()

    def _begin(self) -> None:
        if self._consumed:
            raise StreamConsumedError(self)
        if self._closed:
            raise StreamClosedError(self)
        self._consumed = True

    def _is_packed(self) -> bool:
        return self.headers.get("Content-Encoding", "").lower() == "gzip"


class _Pieces(Iterator[bytes]):
    """A body as it comes, with what azure-storage-blob (12.31) looks for beside it."""

    def __init__(self, response: Response, pieces: Iterator[bytes]) -> None:
        self.response = response
        self.content_length = int(response.headers.get("Content-Length", 0))
        self._pieces = pieces

    def __next__(self) -> bytes:
        return next(self._pieces)


def _unpacked(data: bytes) -> bytes:
    unpacking = Unpacking()
    content = unpacking.unpack(data)
    unpacking.end()
    return content


def _charset(content_type: str) -> str | None:
    """The encoding that a content type names, if Python knows it."""
    if "charset" not in content_type.lower():
        return None
    message = Message()
    message["Content-Type"] = content_type
    named = message.get_content_charset()
    try:
        return codecs.lookup(named).name if named else None
    except LookupError:
        return None
