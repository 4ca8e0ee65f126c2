"""The way to a server: straight or through a proxy, in the clear or by TLS, and whom to trust.

It must not know what goes over a connection. The environment is asked for what requests asks it
for, so that who is behind the proxy of a company changes nothing.
"""

from __future__ import annotations

import base64
import ipaddress
import ssl
import sys
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runner.errors import UsageError
from runner.frozen import dataclass

_PORTS = {"http": 80, "https": 443}
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_EXAMPLE = "`http://proxy.example.com:8080`"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request goes."""

    scheme: str
    host: str
    port: int

    @property
    def name(self) -> str:
        """As the field `Host` has it: without a port that the scheme implies."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine: no proxy could reach an emulator here."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")


def read_origin(url: str) -> Origin:
    """The origin of a URL; `ValueError` where it has none."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"no connection goes to {parts.scheme}://{parts.hostname}")
    return Origin(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and, where it wants to know who asks, what tells it."""

    origin: Origin
    fields: Mapping[str, str] = field(repr=False)


class Routes:
    """Ways to servers, as an environment has them; may be used by several threads at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """Whom to trust: a bundle that is named, else the system (`SSL_CERT_FILE` with it).

        `UsageError` where the bundle cannot be read.
        """
        named = next((name for name in _BUNDLES if self._environ.get(name)), None)
        if named is None:
            context = ssl.create_default_context()
            _trust_what_requests_trusts(context)
        else:
            context = _trust_bundle(named, self._environ[named])
        context.set_alpn_protocols(["http/1.1"])
        return context

    def find_proxy(self, origin: Origin) -> Proxy | None:
        """The proxy to ask; None where it goes straight. `UsageError` for one that is malformed."""
        if origin.is_loopback:
            return None
        proxies = _named_proxies(self._environ)
        if not proxies and sys.platform in ("darwin", "win32"):
            # Settings of the system; it costs start-up where there are none.
            from urllib.request import getproxies, proxy_bypass

            proxies = {} if proxy_bypass(origin.host) else getproxies()
        url = proxies.get(origin.scheme) or proxies.get("all")
        if not url or _is_exempt(origin, proxies.get("no", "")):
            return None
        return _read_proxy(url, f"{origin.scheme.upper()}_PROXY")

    def connect(self, origin: Origin, proxy: Proxy | None, seconds: float) -> HTTPConnection:
        """Opens a connection; raises the errors of `http.client`, of TLS and of the system."""
        at = origin if proxy is None else proxy.origin
        connection = (
            HTTPSConnection(at.host, at.port, timeout=seconds, context=self.trust)
            if origin.scheme == "https"
            else HTTPConnection(at.host, at.port, timeout=seconds)
        )
        if proxy is not None and origin.scheme == "https":
            connection.set_tunnel(origin.host, origin.port, dict(proxy.fields))
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection


def _named_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """What variables such as `https_proxy` say, by the part before `_proxy`.

    Lower case wins, also where it is empty: so is a proxy left out for one command.
    """
    told = {
        name.lower().removesuffix("_proxy"): environ[name]
        for name in sorted(environ, key=str.islower)
        if name.lower().endswith("_proxy") and (environ[name] or name.islower())
    }
    named = {scheme: url for scheme, url in told.items() if url}
    if "REQUEST_METHOD" in environ:
        # A server of CGI has `HTTP_PROXY` from whoever asks it.
        named.pop("http", None)
    return named


def _read_proxy(url: str, variable: str) -> Proxy:
    malformed = f"{variable} is malformed: it must be a URL such as {_EXAMPLE}"
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:  # of an address in brackets
        raise UsageError(malformed) from None
    if parts.scheme != "http":
        raise UsageError(
            f"{variable} names a proxy that is asked by `{parts.scheme}`",
            hint=f"give the address at which it takes plain HTTP, such as {_EXAMPLE}",
        )
    try:
        origin = Origin("http", parts.hostname or "", parts.port or 80)
    except ValueError:
        origin = Origin("http", "", 0)
    if not origin.host:
        raise UsageError(malformed)
    if parts.username is None:
        return Proxy(origin, {})
    who = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(origin, {"Proxy-Authorization": f"Basic {base64.b64encode(who).decode()}"})


def _is_exempt(origin: Origin, no_proxy: str) -> bool:
    """Whether `NO_PROXY` names it: by its domain, its address or a range of addresses."""
    names = [name for name in no_proxy.replace(" ", "").lower().split(",") if name]
    try:
        address = ipaddress.ip_address(origin.host)
    except ValueError:
        port = f":{origin.port}"
        return any(
            name == "*" or f".{origin.host}".endswith(f".{name.removesuffix(port).lstrip('*.')}")
            for name in names
        )
    return any(name == "*" or _holds(name, address) for name in names)


def _holds(name: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _trust_bundle(variable: str, path: str) -> ssl.SSLContext:
    try:
        if Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise UsageError(
            f"{variable} names no certificates that can be read: {error.strerror or error}",
            hint="give the path of a file in PEM format",
        ) from error


def _trust_what_requests_trusts(context: ssl.SSLContext) -> None:
    """Where a system has no certificates of its own, requests still trusts those of certifi."""
    try:
        import certifi
    except ImportError:
        return
    context.load_verify_locations(cafile=certifi.where())
