"""How the emulator and the processes that make and are nodes talk: JSON and descriptors on sockets.

It must not know what is said.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
_MAX_DESCRIPTORS = 8
_SHORT = 65536


class ClosedError(Exception):
    """The other side has gone."""


def send_short(
    connection: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()
) -> None:
    """One message on a packet socket, with open files; raises `OSError` where nobody listens."""
    socket.send_fds(connection, [json.dumps(message).encode()], list(descriptors))


def receive_short(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message of a packet socket; raises `ClosedError` at its end."""
    content, descriptors, _, _ = socket.recv_fds(
        connection, _SHORT, _MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
    )
    if not content:
        raise ClosedError
    return json.loads(content), descriptors


def send_long(connection: socket.socket, message: dict[str, Any]) -> None:
    """One message of any length on a stream socket; raises `OSError` where nobody listens."""
    content = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive_long(connection: socket.socket) -> dict[str, Any]:
    """The next message of a stream socket; raises `ClosedError` at its end."""
    (length,) = _LENGTH.unpack(_receive(connection, _LENGTH.size))
    message: dict[str, Any] = json.loads(_receive(connection, length))
    return message


def _receive(connection: socket.socket, size_bytes: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size_bytes:
        try:
            piece = connection.recv(size_bytes - len(pieces))
        except ConnectionError:
            piece = b""
        if not piece:
            raise ClosedError
        pieces += piece
    return bytes(pieces)
