"""Reads requests off a connection's bytes: heads, contents, and where one ends and the next begins.

It must not know who answers them, nor when.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import httptools

from runner.emulator.server.content import Content

SMALL_BYTES = 256 * 1024
"""A content up to this size is waited for, so that its service need not; of a larger one so much is
held at most, and each of both is what one read of the socket may bring."""
LARGEST_HEAD_BYTES = 64 * 1024
"""Azure takes about 16 KiB and URLs of 8 KiB (REST reference, "Size and time limits")."""

_METADATA = b"x-ms-meta-"
_MOST_NAMES = 1000


class BadRequestError(Exception):
    """What arrived is no request; the message is one line for people."""


class Incoming:
    """A request whose head has arrived."""

    __slots__ = (
        "_gathers",
        "content",
        "expects",
        "headers",
        "keeps_alive",
        "method",
        "raw_path",
        "raw_query",
        "simple",
        "spelling",
    )

    def __init__(
        self,
        *,
        method: str,
        url: tuple[str, str],
        headers: dict[str, str],
        spelling: dict[str, str],
        content: Content,
        simple: bool,
        keeps_alive: bool,
    ) -> None:
        self.method = method
        self.raw_path, self.raw_query = url
        self.headers = headers
        self.spelling = spelling
        self.content = content
        self.simple = simple
        """HTTP/1.0: it knows no chunks, no 100, and one request a connection."""
        self.keeps_alive = keeps_alive
        self.expects = not simple and headers.get("expect", "").lower() == "100-continue"
        """Whether the client waits to be told to send the content."""
        size = int(headers.get("content-length", "0"))
        self._gathers = (
            size <= SMALL_BYTES and not self.expects and "transfer-encoding" not in headers
        )

    @property
    def is_ready(self) -> bool:
        """Whether a service can be asked: not while a small content is under way."""
        return self.content.ended or not self._gathers


class Reader:
    """The requests of one connection, in the order of their heads.

    `demand` is called whenever somebody waits for more of a content.
    """

    def __init__(self, demand: Callable[[], None]) -> None:
        self._demand = demand
        self._parser = httptools.HttpRequestParser(self)
        self._incoming: Incoming | None = None
        self._url = b""
        self._headers: dict[str, str] = {}
        self._spelling: dict[str, str] = {}
        self._head_bytes = 0
        self._barren_bytes = 0
        self.queue: deque[Incoming] = deque()
        """Those that nobody has been asked for yet."""
        self.is_closed = False
        """Whether no request follows those that were read; what else arrives is dropped."""

    @property
    def is_between(self) -> bool:
        """Whether nothing is under way but, at most, a part of a head."""
        return self._incoming is None and not self.queue

    def feed(self, data: memoryview) -> None:
        """Takes in what has arrived; raises `BadRequestError` where it is no request."""
        if self.is_closed:
            return
        # A head, a trailer or the size of a chunk that never ends must end some time.
        self._barren_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            # What follows a request that said that it is the last is nobody's.
            if not self.is_closed:
                cause = error.__context__
                message = str(cause) if isinstance(cause, BadRequestError) else _INVALID
                raise BadRequestError(message) from error
        if self._barren_bytes > LARGEST_HEAD_BYTES + SMALL_BYTES:
            raise BadRequestError(_TOO_LARGE)

    def close(self) -> None:
        """No request follows; the content of the last is lost, if it is not whole."""
        self.is_closed = True
        if self._incoming is not None:
            self._incoming.content.lose()

    def _parse(self, data: memoryview) -> None:
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # A client that would like another protocol has to go on with this one.
                data = data[upgrade.args[0] :]
            else:
                return

    # The parser's callbacks; whatever they raise comes out of `feed_data`.

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._spelling = {}
        self._head_bytes = 0

    def on_url(self, piece: bytes) -> None:
        self._url += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > LARGEST_HEAD_BYTES:
            raise BadRequestError(_TOO_LARGE)
        if self._incoming is not None:
            # A trailer: no operation of either service has one.
            return
        known = _names.get(name)
        if known is None:
            known = _learn(name)
            if name[: len(_METADATA)].lower() == _METADATA:
                self._spelling[known] = name.decode("latin-1")
        text = value.decode("latin-1")
        headers = self._headers
        headers[known] = f"{headers[known]},{text}" if known in headers else text

    def on_headers_complete(self) -> None:
        if self._head_bytes + len(self._url) > LARGEST_HEAD_BYTES:
            raise BadRequestError(_TOO_LARGE)
        parser, headers = self._parser, self._headers
        if parser.should_upgrade() and (
            "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        ):
            # The parser takes the content for that of the other protocol.
            raise BadRequestError(_UPGRADE)
        self._incoming = Incoming(
            method=parser.get_method().decode("ascii"),
            url=_split_url(self._url),
            headers=headers,
            spelling=self._spelling,
            content=Content(self._demand),
            simple=(simple := parser.get_http_version() in ("0.9", "1.0")),
            keeps_alive=not simple and parser.should_keep_alive(),
        )
        self.queue.append(self._incoming)
        self._barren_bytes = 0

    def on_body(self, piece: bytes) -> None:
        assert self._incoming is not None
        self._incoming.content.add(piece)
        self._barren_bytes = 0

    def on_message_complete(self) -> None:
        assert self._incoming is not None
        self._incoming.content.end()
        self.is_closed = not self._incoming.keeps_alive
        self._incoming = None
        self._barren_bytes = 0


def _split_url(url: bytes) -> tuple[str, str]:
    """The path and the query as sent."""
    if url[:1] == b"/" and b"#" not in url:
        path, _, query = url.partition(b"?")
    else:
        try:
            parts = httptools.parse_url(url)
        except httptools.HttpParserInvalidURLError:
            raise BadRequestError(_INVALID) from None
        path, query = parts.path or b"/", parts.query or b""
    try:
        return path.decode("ascii"), query.decode("latin-1")
    except UnicodeDecodeError:
        raise BadRequestError(_INVALID) from None


# Headers by their names as sent: there are few, and each comes with every request.
_names: dict[bytes, str] = {}


def _learn(name: bytes) -> str:
    known = name.decode("latin-1").lower()
    # Those of metadata are the client's own, and are told back as they were spelled.
    if not known.startswith("x-ms-meta-") and len(_names) < _MOST_NAMES:
        _names[name] = known
    return known


_INVALID = "Invalid HTTP request received."
_TOO_LARGE = "The head of the request is too large."
_UPGRADE = "A request to change the protocol cannot have content."
