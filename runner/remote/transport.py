"""The connections that our threads share, as a transport of azure-core.

It must not know which service is at the other end. The transport that azure-core brings goes
through requests, which takes three times as long for each request as all the rest of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from http.client import HTTPException
from types import TracebackType
from typing import Any

from azure.core.exceptions import (
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import HttpTransport
from typing_extensions import Self

from runner.remote.connections.bodies import AnswerBody
from runner.remote.connections.heads import HeadError, write_head
from runner.remote.connections.line import Body, Line
from runner.remote.connections.pool import Pool
from runner.remote.connections.responses import Response
from runner.remote.connections.routes import Origin, Proxy, Routes, read_origin
from runner.remote.endurance import Patience

PROBE_OPTIONS: dict[str, Any] = {
    "connection_timeout": 2.5,
    "read_timeout": 5.0,
    "retry_connect": 1,
    "retry_read": 0,
}
"""Options of the first call to a service: silence is believed after about five seconds."""

_URL = re.compile(r"(https?://[^/?#]+)([^#]*)")
_ILLEGAL = re.compile(r"[^\x21-\x7e]")
_BODILESS = frozenset({"GET", "HEAD"})


class DirectTransport(HttpTransport[Any, Any]):
    """Sends requests over connections that it keeps; may be used by several threads at once."""

    def __init__(self, routes: Routes, patience: Patience) -> None:
        self._routes = routes
        self._patience = patience
        self._pool: Pool[Origin] = Pool()
        self._known: dict[str, tuple[Origin, Proxy | None, Callable[[Line, bool], None]]] = {}

    def open(self) -> None:
        """Connections are opened as they are needed."""
        self._pool.open()

    def close(self) -> None:
        """Closes the connections that are idle."""
        self._pool.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def send(
        self,
        request: Any,
        *,
        stream: bool = False,
        connection_timeout: float | None = None,
        read_timeout: float | None = None,
        **options: Any,
    ) -> Response:
        """Sends a request, of today's kind or of the one before, and gives the answer.

        The time-outs are in seconds, of one wait each. With `stream`, the body is still to be
        read. `ServiceRequestError` where no connection came about, `ServiceResponseError` and
        `IncompleteReadError` where the request may have arrived.
        """
        if options:
            raise TypeError(f"the transport knows no option `{next(iter(options))}`")
        where = _URL.match(request.url)
        if where is None:
            raise ServiceRequestError("the URL of a request is malformed")
        origin, proxy, release = self._known.get(where[1]) or self._know(where[1])
        target = where[2] if where[2].startswith("/") else f"/{where[2]}"
        if proxy is not None and origin.scheme == "http":
            target = f"http://{origin.name}{target}"
        body = _body(request)
        head, chunked = _head(request, origin, proxy, target, body)
        line = self._pool.take(origin)
        if line is None:
            line = self._connect(origin, proxy, connection_timeout)
        line.limit(self._patience.read_seconds if read_timeout is None else read_timeout)
        answered = False
        try:
            response = _exchange(line, request, head, body, chunked, release)
            answered = True
        finally:
            if not answered:
                line.close()
        # What went wrong is read at once: the SDKs do not come back for it. From here on the line
        # is the answer's to give back or to close: another thread may have it already.
        if not stream or response.status_code >= 400:
            try:
                response.read()
            except BaseException:
                response.close()
                raise
        return response

    def _know(self, place: str) -> tuple[Origin, Proxy | None, Callable[[Line, bool], None]]:
        try:
            origin = read_origin(place)
        except ValueError as error:
            raise ServiceRequestError(str(error), error=error) from error
        known = origin, self._routes.find_proxy(origin), self._pool.returner(origin)
        self._known[place] = known
        return known

    def _connect(self, origin: Origin, proxy: Proxy | None, seconds: float | None) -> Line:
        if seconds is None:
            seconds = self._patience.connect_seconds
        try:
            return Line(self._routes.connect(origin, proxy, seconds))
        except TimeoutError as error:
            raise ServiceRequestTimeoutError(str(error), error=error) from error
        except (OSError, HTTPException, UnicodeError) as error:
            raise ServiceRequestError(str(error), error=error) from error


def open_transport(endpoint: str, patience: Patience) -> DirectTransport:
    """Connections for one service, to be shared by threads.

    A proxy named by the environment is not asked for an address of this machine: it could not
    reach the emulator. Whom to trust over TLS is the environment's to say there too, and
    `UsageError` says what is wrong with that.
    """
    routes = Routes(os.environ)  # noqa: TID251 as requests does, whom users have set it up for
    origin = read_origin(endpoint)
    routes.find_proxy(origin)
    if origin.scheme == "https":
        routes.trust  # noqa: B018 says at once what is wrong with it
    return DirectTransport(routes, patience)


def _body(request: Any) -> Body | None:
    """What is sent with a request, of either kind of azure-core's."""
    body = request.content if hasattr(request, "content") else request.data
    if isinstance(body, str):
        data = body.encode()
        if "Content-Length" in request.headers:
            # azure-core (1.41) counts characters; what goes beyond would begin the next request.
            request.headers["Content-Length"] = str(len(data))
        return data
    if isinstance(body, dict):
        raise TypeError("the transport sends no forms")
    return body  # type: ignore[no-any-return]


def _head(
    request: Any, origin: Origin, proxy: Proxy | None, target: str, body: Body | None
) -> tuple[bytes, bool]:
    """The head of a request, and whether its body is sent in chunks."""
    if _ILLEGAL.search(target):
        # It costs start-up, and the SDKs quote what they send.
        from urllib.parse import quote

        target = quote(target, safe="!#$%&'()*+,/:;=?@[]~")
    given: Mapping[str, str] = request.headers
    fields: dict[str, str] = {"Host": origin.name}
    if "Accept-Encoding" not in given:
        fields["Accept-Encoding"] = "gzip"
    if proxy is not None and origin.scheme == "http":
        fields.update(proxy.fields)
    fields.update(given)
    chunked = False
    if "Content-Length" not in given and "Transfer-Encoding" not in given:
        if body is None:
            if request.method not in _BODILESS:
                fields["Content-Length"] = "0"
        elif isinstance(body, (bytes, bytearray, memoryview)):
            fields["Content-Length"] = str(len(body))
        else:
            chunked = True
            fields["Transfer-Encoding"] = "chunked"
    return write_head(request.method, target, fields), chunked


def _exchange(
    line: Line,
    request: Any,
    head: bytes,
    body: Body | None,
    chunked: bool,
    release: Callable[[Line, bool], None],
) -> Response:
    """Sends a request and reads the head of its answer."""
    broken: OSError | None = None
    try:
        line.send(head, body, chunked=chunked)
    except TimeoutError as error:
        raise ServiceResponseTimeoutError(str(error), error=error) from error
    except OSError as error:
        # Who refuses a long body may close the connection once it has said why.
        broken = error
    try:
        answer = line.read_head()
        while answer.is_interim:
            answer = line.read_head()
        coming = AnswerBody(line, answer, request.method, release, keeps=broken is None)
    except TimeoutError as error:
        raise ServiceResponseTimeoutError(str(error), error=error) from error
    except (OSError, HeadError) as error:
        cause = broken or error
        raise ServiceResponseError(str(cause), error=cause) from cause
    return Response(request, answer, coming)
