"""How patient we are with a service, and the connections that our threads share.

It must not know which service is at the other end.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter

Pause = Callable[[float], object]
"""Waits for a number of seconds."""

CONNECTIONS = 32
"""More than the threads that a run uses, so that none waits for another's connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one call may take before the service counts as out of reach.

    `retries` bounds the answers that ask for another try (408, 429, 500, 502, 503, 504);
    `silent_retries` those tries that got no connection or no answer.
    """

    connect_seconds: float = 10
    read_seconds: float = 60
    retries: int = 5
    silent_retries: int = 3
    backoff_seconds: float = 0.8


PROBE_OPTIONS: dict[str, Any] = {
    "connection_timeout": 2.5,
    "read_timeout": 5.0,
    "retry_connect": 1,
    "retry_read": 0,
}
"""Options of the first call to a service: silence is believed after about five seconds."""


# azure-core loads the class on first use, so that mypy sees no type.
class PausingTransport(RequestsTransport):  # type: ignore[misc]
    """The transport of azure-core, whose waits between two tries go through our own pause."""

    def __init__(self, *, pause: Pause, **options: Any) -> None:
        super().__init__(**options)
        self._pause = pause

    def sleep(self, duration: float) -> None:
        """Waits between two tries."""
        self._pause(duration)


class _DirectSession(requests.Session):
    """Takes of the environment what requests takes, but for proxies."""

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """The settings of one request."""
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return {**settings, "proxies": {}}


def open_transport(endpoint: str, patience: Patience, pause: Pause) -> PausingTransport:
    """Connections for one service, to be shared by threads.

    A proxy named by the environment is not asked for an address of this machine: it could not
    reach the emulator. Whom to trust over TLS is the environment's to say there too.
    """
    session = _DirectSession() if _is_loopback(endpoint) else requests.Session()
    adapter = HTTPAdapter(pool_maxsize=CONNECTIONS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return PausingTransport(
        pause=pause,
        session=session,
        connection_timeout=patience.connect_seconds,
        read_timeout=patience.read_seconds,
    )


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
