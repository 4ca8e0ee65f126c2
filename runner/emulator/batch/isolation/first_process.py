"""The first process of a node: starts commands in the node's view, ends and reaps them.

It ends when the emulator lets go of it, and the kernel then ends all other processes of the node.
It must not know how the view was built, nor what the commands are for.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

from runner.emulator.batch.isolation.accounts import Accounts
from runner.emulator.batch.isolation.messages import (
    Answer,
    ClosedError,
    Ending,
    limit_silence,
    receive_request,
    receive_short,
    send_answer,
)
from runner.emulator.batch.isolation.spawning import start_program_alone

KILL = b"K"
"""What the emulator says on the line of a command to end it; it then gives up the line."""
_REQUEST_SECONDS = 60
_SWEEPS = 100
_OWN_ID = 1
_CHILDREN_BYTES = 16384


class _Line:
    """A connection on which the emulator asks for one command after the other.

    `process` is that of the command that runs, None in between; `mark` is in the environment of
    all that it started, None if those may stay. One that is `given_up` is of no use afterwards.
    """

    __slots__ = ("connection", "given_up", "mark", "process")

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.process: int | None = None
        self.mark: bytes | None = None
        self.given_up = False


class FirstProcess:
    """Serves the emulator on `control`, a packet socket; `run` does not return."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lines: dict[int, _Line] = {}
        self._commands: dict[int, _Line] = {}
        self._users = Accounts()
        self._poll = select.epoll()
        self._children = _open_children()

    def run(self) -> NoReturn:
        """Starts what is asked for until the other end of the socket is closed."""
        woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        control = self._control.fileno()
        self._poll.register(control, select.EPOLLIN)
        self._poll.register(woken, select.EPOLLIN)
        while True:
            for descriptor, _ in self._poll.poll():
                line = self._lines.get(descriptor)
                if line is not None:
                    self._listen(line)
                elif descriptor == woken:
                    os.read(woken, 4096)
                    self._reap()
                elif descriptor == control:
                    self._accept()

    def _accept(self) -> None:
        """A new line; what is asked for on it may be there already."""
        try:
            _, descriptors = receive_short(self._control)
        except (ClosedError, ConnectionError):
            os._exit(0)
        connection = socket.socket(fileno=descriptors[0])
        limit_silence(connection, _REQUEST_SECONDS)
        self._lines[descriptors[0]] = _Line(connection)
        self._poll.register(descriptors[0], select.EPOLLIN)

    def _listen(self, line: _Line) -> None:
        if line.process is not None:
            # The emulator wants the command to end, or waits for it no longer.
            self._poll.unregister(line.connection)
            line.given_up = True
            _kill_group(line.process)
            return
        try:
            request, descriptors = receive_request(line.connection)
        except ClosedError:
            self._close(line)
            return
        try:
            self._start(line, request, *descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _start(self, line: _Line, request: dict[str, Any], stdout: int, stderr: int) -> None:
        user = request["user"]
        try:
            if user is not None:
                self._users.introduce(*user)
            process = start_program_alone(
                request["words"],
                working_directory=request["working_directory"],
                environment=request["environment"],
                stdout=stdout,
                stderr=stderr,
                user=None if user is None else user[1],
                group=None if user is None else user[2],
            )
        except OSError as error:
            self._answer(line, Answer(Ending.SYSTEM_ERROR, error.errno or errno.EIO))
        except ValueError as error:
            self._answer(line, Answer(Ending.REFUSED, 0, str(error)))
        else:
            mark = request["mark"]
            line.process = process
            line.mark = None if mark is None else os.fsencode(mark)
            self._commands[process] = line

    def _reap(self) -> None:
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, options)
            except ChildProcessError:
                return
            if ended is None:
                return
            line = self._commands.pop(ended.si_pid, None)
            if line is not None:
                # Not reaped yet, so its id cannot have become another group's.
                _kill_group(ended.si_pid)
            _, status = os.waitpid(ended.si_pid, 0)
            if line is not None:
                self._finish(line, os.waitstatus_to_exitcode(status))

    def _finish(self, line: _Line, code: int) -> None:
        line.process = None
        if line.mark is not None:
            self._sweep(line.mark)
        self._answer(line, Answer(Ending.EXIT, code))

    def _sweep(self, mark: bytes) -> None:
        """Ends what left the group of its command; as long as it makes others, those too."""
        known = {_OWN_ID, *self._commands}
        if self._children is not None and _has_only(known, self._children):
            return
        for _ in range(_SWEEPS):
            found = [each for each in _processes() if each not in known and _has(each, mark)]
            if not found:
                return
            for each in found:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            known.update(found)

    def _answer(self, line: _Line, answer: Answer) -> None:
        try:
            send_answer(line.connection, answer)
        except OSError:
            # Nobody waits for it any more.
            self._close(line)
        else:
            if line.given_up:
                self._close(line)

    def _close(self, line: _Line) -> None:
        if not line.given_up:
            self._poll.unregister(line.connection)
        del self._lines[line.connection.fileno()]
        line.connection.close()


def _open_children() -> int | None:
    """What tells of the children of this process, at each reading; it stays open, since to find it
    takes longer than to read it.
    """
    try:
        return os.open("/proc/1/task/1/children", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        # Not every kernel is built to tell.
        return None


def _has_only(known: set[int], children: int) -> bool:
    """Whether nothing was left to the first process: what has lost its parent becomes its child."""
    content = os.pread(children, _CHILDREN_BYTES, 0)
    # What does not fit is too much to be nothing.
    return len(content) < _CHILDREN_BYTES and known.issuperset(map(int, content.split()))


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
