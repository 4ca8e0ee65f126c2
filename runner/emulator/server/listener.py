"""Opens the port, on loopback only.

It must not know what is served on it.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket


class ListenError(Exception):
    """The port cannot be opened; the message is one line for people."""


def open_listener(host: str, port: int) -> socket.socket:
    """A bound socket on a loopback address (port 0: any free one); raises `ListenError`."""
    address = _parse_loopback(host)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named: without that, a
    # response of two writes waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A restart on the same port must not wait for the old connections' TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address), port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ListenError(_explain(host, port, error)) from error
    return listener


def open_listener_again(host: str, port: int, former: tuple[int, ...]) -> socket.socket:
    """As `open_listener`; where any port will do, the last of the `former` ones if it is free."""
    if port == 0 and former:
        with contextlib.suppress(ListenError):
            return open_listener(host, former[-1])
    return open_listener(host, port)


def format_origin(listener: socket.socket, tls_host: str | None = None) -> str:
    """`http://127.0.0.1:8000`, or `https` with the host that a certificate is good for."""
    address, port = listener.getsockname()[:2]
    host = address if tls_host is None else tls_host
    scheme = "http" if tls_host is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _parse_loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise ListenError(f"`{host}` is not an IP address nor `localhost`") from error
    if not address.is_loopback:
        raise ListenError(
            f"`{host}` is not a loopback address: whoever reaches the emulator can run commands "
            "as you, so it listens on 127.0.0.0/8 or ::1 only"
        )
    return address


def _explain(host: str, port: int, error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return f"port {port} is not between 0 and 65535"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use"
    return f"port {port} on {host} cannot be opened: {error.strerror}"
