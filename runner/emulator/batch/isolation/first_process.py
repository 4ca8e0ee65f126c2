"""The first process of a node: starts commands in the node's view, ends and reaps them.

It ends when the emulator lets go of it, and the kernel then ends all other processes of the node.
It must not know how the view was built, nor what the commands are for.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from runner.emulator.batch.isolation.accounts import Accounts
from runner.emulator.batch.isolation.messages import (
    ClosedError,
    receive_long,
    receive_short,
    send_long,
)
from runner.emulator.batch.node.starting import start_program

KILL = b"K"
"""What the emulator says on the socket of a command to end it."""
_REQUEST_SECONDS = 60.0
_SWEEPS = 100
_OWN_ID = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """A command that runs; `mark` is in the environment of all that it started, None if those
    may stay.
    """

    process: subprocess.Popen[bytes]
    connection: socket.socket
    mark: bytes | None


class FirstProcess:
    """Serves the emulator on `control`, a packet socket; `run` does not return."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._commands: dict[int, _Command] = {}
        self._users = Accounts()
        self._selector = selectors.DefaultSelector()

    def run(self) -> NoReturn:
        """Starts what is asked for until the other end of the socket is closed."""
        woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    self._accept()
                elif key.fileobj == woken:
                    os.read(woken, 4096)
                    self._reap()
                else:
                    self._end(key.data)

    def _accept(self) -> None:
        try:
            _, descriptors = receive_short(self._control)
        except (ClosedError, ConnectionError):
            os._exit(0)
        connection = socket.socket(fileno=descriptors[0])
        connection.settimeout(_REQUEST_SECONDS)
        try:
            self._start(connection, *descriptors[1:])
        except (ClosedError, TimeoutError):
            connection.close()
        finally:
            for descriptor in descriptors[1:]:
                os.close(descriptor)

    def _start(self, connection: socket.socket, stdout: int, stderr: int) -> None:
        request = receive_long(connection)
        user = request["user"]
        try:
            if user is not None:
                self._users.introduce(*user)
            process = start_program(
                request["words"],
                working_directory=request["working_directory"],
                environment=request["environment"],
                stdout=stdout,
                stderr=stderr,
                user=None if user is None else user[1],
                group=None if user is None else user[2],
            )
        except OSError as error:
            self._answer(connection, {"errno": error.errno, "message": str(error)})
        except ValueError as error:
            self._answer(connection, {"errno": None, "message": str(error)})
        else:
            mark = request["mark"]
            command = _Command(
                process=process,
                connection=connection,
                mark=None if mark is None else os.fsencode(mark),
            )
            self._commands[process.pid] = command
            self._selector.register(connection, selectors.EVENT_READ, process.pid)

    def _end(self, process: int) -> None:
        """The emulator wants a command to end, or waits for it no longer."""
        command = self._commands.get(process)
        if command is None:
            # It ended of itself, and was reaped in this very round of events.
            return
        self._selector.unregister(command.connection)
        _kill_group(process)

    def _reap(self) -> None:
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, options)
            except ChildProcessError:
                return
            if ended is None:
                return
            command = self._commands.pop(ended.si_pid, None)
            if command is not None:
                # Not reaped yet, so its id cannot have become another group's.
                _kill_group(ended.si_pid)
            _, status = os.waitpid(ended.si_pid, 0)
            if command is not None:
                self._finish(command, os.waitstatus_to_exitcode(status))

    def _finish(self, command: _Command, code: int) -> None:
        command.process.returncode = code
        if command.mark is not None:
            self._sweep(command.mark)
        with suppress(KeyError):
            self._selector.unregister(command.connection)
        self._answer(command.connection, {"code": code})

    def _sweep(self, mark: bytes) -> None:
        """Ends what left the group of its command; as long as it makes others, those too."""
        known = {_OWN_ID, *self._commands}
        if _has_only(known):
            return
        for _ in range(_SWEEPS):
            found = [each for each in _processes() if each not in known and _has(each, mark)]
            if not found:
                return
            for each in found:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            known.update(found)

    def _answer(self, connection: socket.socket, message: dict[str, Any]) -> None:
        with suppress(OSError):
            send_long(connection, message)
        connection.close()


def _has_only(known: set[int]) -> bool:
    """Whether nothing was left to the first process: what has lost its parent becomes its child."""
    try:
        with open("/proc/1/task/1/children", "rb") as file:  # noqa: PTH123 - after each command
            return known.issuperset(map(int, file.read().split()))
    except OSError:
        # Not every kernel is built to tell.
        return False


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208 - fast


def _has(process: int, mark: bytes) -> bool:
    try:
        with open(f"/proc/{process}/environ", "rb") as file:  # noqa: PTH123 - for each process
            return mark in file.read().split(b"\0")
    except OSError:
        return False


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
