"""How the emulator and the processes that make and are nodes talk: messages and descriptors on
sockets.

It must not know what is said.
"""

from __future__ import annotations

import json
import marshal
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
_MAX_DESCRIPTORS = 8
_SHORT = 65536
_TIME = struct.Struct("@ll")


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


def send_request(
    connection: socket.socket, request: dict[str, Any], descriptors: Sequence[int]
) -> None:
    """One message of any length on a stream socket, with open files, to a process of the same
    Python that trusts this one; raises `OSError` where nobody listens.
    """
    content = marshal.dumps(request)
    content = _LENGTH.pack(len(content)) + content
    sent = socket.send_fds(connection, [content], list(descriptors))
    if sent < len(content):
        connection.sendall(memoryview(content)[sent:])


def receive_request(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """What `send_request` sent; raises `ClosedError` where the other side ends or falls silent."""
    try:
        content, descriptors, _, _ = socket.recv_fds(
            connection, _SHORT, _MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
    except (ConnectionError, BlockingIOError):
        raise ClosedError from None
    try:
        return marshal.loads(_read_on(connection, content)), descriptors  # noqa: S302 - trusted
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        raise


def send_answer(connection: socket.socket, answer: dict[str, Any]) -> None:
    """One message on a stream socket, to a process that need not trust this one; raises `OSError`
    where nobody listens.
    """
    content = json.dumps(answer).encode()
    connection.sendall(_LENGTH.pack(len(content)) + content)


def receive_answer(connection: socket.socket) -> dict[str, Any]:
    """What `send_answer` sent; raises `ClosedError` at the end."""
    try:
        content = connection.recv(_SHORT)
    except ConnectionError:
        raise ClosedError from None
    answer: dict[str, Any] = json.loads(_read_on(connection, content))
    return answer


def limit_silence(connection: socket.socket, seconds: int) -> None:
    """How long receiving waits at most; unlike `settimeout`, at no cost for each message."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIME.pack(seconds, 0))


def _read_on(connection: socket.socket, begun: bytes) -> bytes:
    """A message whose length stands before it, and of which something was received."""
    if len(begun) < _LENGTH.size:
        raise ClosedError
    missing = _LENGTH.size + _LENGTH.unpack_from(begun)[0] - len(begun)
    content = begun[_LENGTH.size :]
    return content + _receive(connection, missing) if missing > 0 else content


def _receive(connection: socket.socket, size_bytes: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size_bytes:
        try:
            piece = connection.recv(size_bytes - len(pieces))
        except (ConnectionError, BlockingIOError):
            piece = b""
        if not piece:
            raise ClosedError
        pieces += piece
    return bytes(pieces)
