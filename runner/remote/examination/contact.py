"""Reaches an endpoint without a credential: its name, its port, its certificate, its clock.

It must not know which service is there. Each step that fails is told in words of its own.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from runner.errors import ServiceError, ServiceUnreachableError, describe_os_error
from runner.remote.connections.routes import Origin, Proxy, Routes, read_origin
from runner.run.diagnosis.answers import Contact

_PROXY_HINT = "check HTTPS_PROXY and NO_PROXY, and that the proxy lets this host through"
_TRUST_HINT = "where a proxy opens TLS, name its certificates in REQUESTS_CA_BUNDLE"


def reach(
    endpoint: str, *, environ: Mapping[str, str], now: Callable[[], datetime], seconds: float
) -> Contact:
    """What answers at an endpoint; each wait takes at most so many seconds.

    Raises `ServiceUnreachableError` where nothing does, and `UsageError` for a malformed proxy.
    """
    origin = read_origin(endpoint)
    routes = Routes(environ)
    proxy = routes.find_proxy(origin)
    addresses = () if proxy is not None else _look_up(origin)
    connection = _connect(routes, origin, proxy, seconds)
    with contextlib.closing(connection):
        tls = connection.sock.version() if isinstance(connection.sock, ssl.SSLSocket) else None
        path = urlsplit(endpoint).path or "/"
        target = path if proxy is None or origin.scheme == "https" else f"{endpoint}/"
        fields = {} if proxy is None or origin.scheme == "https" else dict(proxy.fields)
        try:
            connection.request("GET", target, headers=fields)
            date = connection.getresponse().getheader("Date")
        except (OSError, HTTPException) as error:
            raise ServiceUnreachableError(
                f"{origin.name} takes a connection and answers nothing: {_words(error)}",
                hint=_PROXY_HINT if proxy is not None else "check that it is the right endpoint",
            ) from error
    return Contact(
        addresses=addresses,
        proxy=None if proxy is None else proxy.origin.name,
        tls=tls,
        date=_read_date(date),
        at=now(),
    )


def _look_up(origin: Origin) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServiceUnreachableError(
            f"the name `{origin.host}` has no address (DNS): {_words(error)}",
            hint="check the spelling of the account and its region, and the network; an account"
            " with a private endpoint is known inside its own network only",
        ) from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _connect(routes: Routes, origin: Origin, proxy: Proxy | None, seconds: float) -> HTTPConnection:
    where = origin.name if proxy is None else f"{origin.name} by the proxy {proxy.origin.name}"
    hint = "check the network and its firewall" if proxy is None else _PROXY_HINT
    try:
        return routes.connect(origin, proxy, seconds)
    except ssl.SSLCertVerificationError as error:
        raise ServiceError(
            f"the certificate of {where} is not trusted: {error.verify_message}", hint=_TRUST_HINT
        ) from error
    except ssl.SSLError as error:
        raise ServiceError(
            f"no TLS with {where}: {error.reason or error}", hint=_TRUST_HINT
        ) from error
    except TimeoutError as error:
        raise ServiceUnreachableError(
            f"no connection to {where} within {seconds:g} seconds", hint=hint
        ) from error
    except (OSError, HTTPException, UnicodeError) as error:
        raise ServiceUnreachableError(
            f"no connection to {where}: {_words(error)}", hint=hint
        ) from error


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return describe_os_error(error)
    return str(error) or type(error).__name__


def _read_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=timezone.utc)
