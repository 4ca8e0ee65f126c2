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
from enum import Enum
from typing import Any, NamedTuple

_LENGTH = struct.Struct("!I")
_MAX_DESCRIPTORS = 8
_SHORT = 65536
_TIME = struct.Struct("@ll")
_ANSWER = struct.Struct("!BiI")
_MOST_MESSAGE = 4096
MOST_ANSWER_BYTES = _ANSWER.size + _MOST_MESSAGE


class ClosedError(Exception):
    """The other side has gone."""


def send_short(
    connection: socket.socket,
    message: dict[str, Any],
    descriptors: Sequence[int] = (),
    flags: int = 0,
) -> None:
    """One message on a packet socket, with open files; raises `OSError` where nobody listens."""
    socket.send_fds(connection, [json.dumps(message).encode()], list(descriptors), flags)


def receive_short(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message of a packet socket; raises `ClosedError` at its end."""
    content, descriptors, _, _ = socket.recv_fds(
        connection, _SHORT, _MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
    )
    if not content:
        raise ClosedError
    return json.loads(content), descriptors


def pack_request(request: dict[str, Any]) -> bytes:
    """A request as it is sent on a stream socket, with open files, to a process of the same Python
    that trusts this one.
    """
    content = marshal.dumps(request)
    return _LENGTH.pack(len(content)) + content


def send_request(connection: socket.socket, packed: bytes, descriptors: Sequence[int]) -> None:
    """Sends what `pack_request` made; raises `OSError` where nobody listens."""
    sent = socket.send_fds(connection, [packed], list(descriptors))
    if sent < len(packed):
        connection.sendall(memoryview(packed)[sent:])


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


class Ending(Enum):
    """What became of a request."""

    EXIT = 0
    """Its command has ended, with the code."""
    SYSTEM_ERROR = 1
    """It could not be started, by the error number."""
    REFUSED = 2
    """Its words or its environment cannot be handed over; the message says why."""


class Answer(NamedTuple):
    """How a request ended, which is said in a few bytes."""

    ending: Ending
    number: int
    message: str = ""


def send_answer(connection: socket.socket, answer: Answer) -> None:
    """One message on a stream socket, to a process that need not trust this one; raises `OSError`
    where nobody listens.
    """
    message = answer.message.encode("utf-8", "replace")[:_MOST_MESSAGE]
    head = _ANSWER.pack(answer.ending.value, answer.number, len(message))
    connection.sendall(head + message)


def receive_answer(connection: socket.socket) -> Answer:
    """What `send_answer` sent; raises `ClosedError` at the end, and for what is no answer."""
    content = b""
    while True:
        try:
            piece = connection.recv(MOST_ANSWER_BYTES)
        except ConnectionError:
            raise ClosedError from None
        if not piece:
            raise ClosedError
        content += piece
        answer = read_answer(content)
        if answer is not None:
            return answer


def read_answer(content: bytes) -> Answer | None:
    """What the bytes of `send_answer` say, None while some are missing.

    Raises `ClosedError` for what is no answer.
    """
    if len(content) < _ANSWER.size:
        return None
    ending, number, length = _ANSWER.unpack_from(content)
    if ending >= len(_ENDINGS) or length > _MOST_MESSAGE:
        raise ClosedError
    if not length:
        return Answer(_ENDINGS[ending], number)
    message = content[_ANSWER.size : _ANSWER.size + length]
    if len(message) < length:
        return None
    return Answer(_ENDINGS[ending], number, message.decode("utf-8", "replace"))


_ENDINGS = tuple(Ending)


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
