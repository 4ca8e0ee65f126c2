"""Lines to the first process of a node on which the loop itself asks for one command after another.

It must not know how a node is made, nor what the commands are.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress

from runner.emulator.batch.isolation.messages import (
    MOST_ANSWER_BYTES,
    Answer,
    ClosedError,
    Ending,
    read_answer,
)
from runner.emulator.batch.node.crew import Work
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.never import unforeseen

KILLED = 137
MOST_REQUEST_BYTES = 64 * 1024
"""What every line takes at once: larger requests might have the loop wait."""
_KILL = b"K"


class Line:
    """One connection, for one command after the other; all is to be called on its loop.

    It is listened to as long as it is open, since each beginning and end of that are calls of the
    system. `idle` is told when another command may be asked for.
    """

    __slots__ = ("_calling", "_connection", "_idle", "_interruption", "_loop", "_received", "_work")

    def __init__(self, connection: socket.socket, idle: Callable[[Line], None]) -> None:
        self._connection = connection
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._work: Work[int] | None = None
        self._interruption: Interruption | None = None
        self._calling: AbstractContextManager[None] | None = None
        self._received = b""
        self._loop.add_reader(connection, self._read)

    def ask(
        self, packed: bytes, descriptors: Sequence[int], interruption: Interruption
    ) -> Work[int]:
        """Asks for a command by a request of at most `MOST_REQUEST_BYTES`, with open files.

        Raises `OSError` where nobody listens; the line is closed then.
        """
        try:
            sent = socket.send_fds(
                self._connection, [packed], list(descriptors), socket.MSG_DONTWAIT
            )
            if sent < len(packed):
                raise BlockingIOError
        except OSError:
            self.close()
            raise
        work: Work[int] = Work(loop=self._loop)
        work.stop = interruption.fire
        self._work, self._interruption = work, interruption
        # Only now: what came before the request would be read as its beginning.
        self._calling = interruption.calling(self._say_kill)
        self._calling.__enter__()
        return work

    def serves(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether it is of that loop, and open."""
        return self._loop is loop and self._connection.fileno() != -1

    def close(self) -> None:
        """Hangs up; harmless when repeated, or after the end of the loop."""
        if not self._loop.is_closed() and self._connection.fileno() != -1:
            self._loop.remove_reader(self._connection)
        self._connection.close()

    def _say_kill(self) -> None:
        # Where it has ended meanwhile there is nothing to kill.
        with suppress(OSError):
            self._connection.send(_KILL, socket.MSG_DONTWAIT)

    def _read(self) -> None:
        try:
            answer = self._receive()
        except ClosedError:
            # The node was ended, and all that ran on it.
            self.close()
            self._finish(Answer(Ending.EXIT, KILLED))
            return
        if answer is not None:
            self._received = b""
            self._finish(answer)

    def _receive(self) -> Answer | None:
        """An answer, once all of it is there; raises `ClosedError` at the end of the line."""
        try:
            piece = self._connection.recv(MOST_ANSWER_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except ConnectionError:
            raise ClosedError from None
        if not piece or self._work is None:
            # What nobody has asked for is no answer.
            raise ClosedError
        self._received += piece
        return read_answer(self._received)

    def _finish(self, answer: Answer) -> None:
        work, interruption, calling = self._work, self._interruption, self._calling
        self._work = self._interruption = self._calling = None
        if work is None or interruption is None or calling is None:
            return
        calling.__exit__(None, None, None)
        if interruption.fired:
            # What was said to end it may still lie there.
            self.close()
        elif self._connection.fileno() != -1:
            self._idle(self)
        try:
            work.set_result(exit_code_of(answer))
        except (OSError, ValueError) as error:
            work.set_exception(error)


def exit_code_of(answer: Answer) -> int:
    """The exit code of a command, 128 + n for death by signal n.

    Raises `OSError` where it could not start, `ValueError` where it could not be handed over.
    """
    match answer.ending:
        case Ending.EXIT:
            return 128 - answer.number if answer.number < 0 else answer.number
        case Ending.SYSTEM_ERROR:
            raise OSError(answer.number, os.strerror(answer.number))
        case Ending.REFUSED:
            raise ValueError(answer.message)
        case _:
            raise unforeseen(answer.ending)
