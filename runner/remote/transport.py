"""The connections that our threads share.

It must not know which service is at the other end.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter

from runner.remote.endurance import Patience

CONNECTIONS = 32
"""More than the threads that a run uses, so that none waits for another's connection."""


PROBE_OPTIONS: dict[str, Any] = {
    "connection_timeout": 2.5,
    "read_timeout": 5.0,
    "retry_connect": 1,
    "retry_read": 0,
}
"""Options of the first call to a service: silence is believed after about five seconds."""


class _DirectSession(requests.Session):
    """Takes of the environment what requests takes, but for proxies."""

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """The settings of one request."""
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return {**settings, "proxies": {}}


def open_transport(endpoint: str, patience: Patience) -> RequestsTransport:
    """Connections for one service, to be shared by threads.

    A proxy named by the environment is not asked for an address of this machine: it could not
    reach the emulator. Whom to trust over TLS is the environment's to say there too.
    """
    session = _DirectSession() if _is_loopback(endpoint) else requests.Session()
    adapter = HTTPAdapter(pool_maxsize=CONNECTIONS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return RequestsTransport(
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
