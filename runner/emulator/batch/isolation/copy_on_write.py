"""Nodes as views of this machine: each shows all of its files, and keeps what is written to itself.

It must not know how a view is built, nor why a command is run.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from runner.emulator.batch.isolation.lines import (
    KILLED,
    MOST_REQUEST_BYTES,
    Line,
    exit_code_of,
)
from runner.emulator.batch.isolation.messages import (
    ClosedError,
    pack_request,
    receive_answer,
    receive_short,
    send_request,
    send_short,
)
from runner.emulator.batch.node.crew import Work
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command, Size

_KILL = b"K"
# At its end nothing is left that Python would have to do, and the emulator waits for it.
_START = (
    "import os, sys; sys.path.insert(0, sys.argv[1]);"
    "from runner.emulator.batch.isolation.nursery import run_from_command_line as run;"
    "os._exit(run())"
)
_PACKAGES = Path(__file__).resolve().parents[4]


class Limits(Enum):
    """What of the size of its machine a node is held to."""

    NONE = "none"
    MEMORY = "memory"
    VM_SIZE = "vm-size"


class UnavailableError(Exception):
    """Views cannot be built on this machine; the message is the kernel's reason."""


class NodeError(OSError):
    """A node's processes could not be started."""


@dataclass(slots=True)
class _Node:
    """The first process of a node; `control` is None until there is one."""

    real: Path
    """The node's folder, with no links on the way to it."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    control: socket.socket | None = None
    process: int = -1
    """Its pidfd."""
    lines: list[Line] = field(default_factory=list)
    """Those of the loop on which nothing is asked at the moment; some may be of one before it."""


class CopyOnWrite:
    """Implements `Isolation` for Linux and root; calls block, and may come from any thread.

    Below `hidden` a node sees its own folder and nothing else. What nodes change is kept below
    `layers`, which nobody else uses at the time, and is removed with them.
    The processes of nodes end with this one, however that ends. After `check`, `unlimited` is why
    nodes have no limits where they should.
    """

    runs_admin = True
    has_own_programs = False
    has_users = True

    def __init__(
        self,
        *,
        layers: Path,
        hidden: Path,
        reached: Iterable[Path] = (),
        limits: Limits = Limits.NONE,
    ) -> None:
        """Starts the process that makes nodes, and does not wait until it can.

        All users of nodes may enter the directories in `reached`, on the nodes. `limits` is what of
        the size of its machine a node is held to.
        """
        self._limits = limits
        self.unlimited = ""
        self._reached = tuple(reached)
        # Of our own: what an emulator that was killed left there may still be being removed.
        self._layers = Path(os.path.realpath(layers)) / secrets.token_hex(8)
        self._hidden = Path(os.path.realpath(hidden))
        self._nodes: dict[Path, _Node] = {}
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._nursery = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _START, str(_PACKAGES)),
                    *(str(theirs.fileno()), str(self._layers), limits.value),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def check(self) -> None:
        """Waits until nodes can be made; raises `UnavailableError`, and is closed then."""
        try:
            said, _ = receive_short(self._control)
        except (ClosedError, ConnectionError):
            said = {"error": "the process that makes nodes ended"}
        if "error" in said:
            self.close()
            raise UnavailableError(said["error"])
        self.unlimited = said["unlimited"]

    def begin(self, command: Command, interruption: Interruption) -> Work[int] | None:
        """Begins a command on the loop; None where its node must be started, or it is too large."""
        node = self._nodes.get(command.node)
        if node is None or node.control is None:
            return None
        packed = pack_request(_request(command))
        if len(packed) > MOST_REQUEST_BYTES:
            return None
        descriptors, loop = (command.stdout, command.stderr), asyncio.get_running_loop()
        while node.lines:
            line = node.lines.pop()
            if line.serves(loop):
                # It may be to a first process that is gone.
                with suppress(OSError):
                    return line.ask(packed, descriptors, interruption)
            line.close()
        with suppress(OSError):
            made = _new_line(node)
            return None if made is None else made.ask(packed, descriptors, interruption)
        return None

    def run(self, command: Command, interruption: Interruption) -> int:
        """Runs a command in its node; its exit code, as `Isolation` says."""
        packed = pack_request(_request(command))
        line, theirs = socket.socketpair()
        with closing(line):
            with closing(theirs):
                self._connect(self._node(command.node), command, theirs)
            with suppress(ConnectionError):
                # Where the node was ended meanwhile, there is no answer either.
                send_request(line, packed, (command.stdout, command.stderr))
            try:
                # Only now: what came before the request would be read as its beginning.
                with interruption.calling(lambda: _say_kill(line)):
                    answer = receive_answer(line)
            except ClosedError:
                # The node was ended, and all that ran on it.
                return KILLED
        return exit_code_of(answer)

    def is_running(self, root: Path) -> bool:
        """Whether anything was run on a node since it was started."""
        node = self._known(root)
        return node is not None and node.control is not None

    def end_node(self, root: Path) -> None:
        """Ends all processes of a node and waits until they are gone; its changes stay."""
        node = self._known(root)
        if node is not None:
            with node.lock:
                _end(node)

    def remove_node(self, root: Path) -> None:
        """Ends a node, and forgets what it changed; waits until that is gone."""
        self.end_node(root)
        node = self._known(root)
        if node is None:
            return
        with self._lock:
            self._nodes = {path: each for path, each in self._nodes.items() if each is not node}
        ours, theirs = socket.socketpair()
        with closing(ours):
            with closing(theirs):
                self._ask_nursery(
                    {"do": "remove", "layers": str(self._own(root)), "name": root.name}, theirs
                )
            ours.recv(1)

    def close(self) -> None:
        """Ends all nodes and removes what they changed; harmless when repeated."""
        for root in tuple(self._nodes):
            self.end_node(root)
        for node in self._nodes.values():
            while node.lines:
                node.lines.pop().close()
        self._nodes.clear()
        self._control.close()
        self._nursery.wait()

    def _node(self, root: Path) -> _Node:
        node = self._nodes.get(root)
        if node is not None:
            return node
        real = _real(root)
        with self._lock:
            node = self._nodes.setdefault(real, _Node(real))
            # By whatever path it is called: links are looked up once.
            self._nodes[root] = node
            return node

    def _known(self, root: Path) -> _Node | None:
        return self._nodes.get(root) or self._nodes.get(_real(root))

    def _own(self, root: Path) -> Path:
        return self._layers / root.name

    def _connect(self, node: _Node, command: Command, line: socket.socket) -> None:
        """Hands a line to a node, which is started first where it has to be."""
        with node.lock:
            if node.control is not None:
                try:
                    send_short(node.control, {}, [line.fileno()])
                except OSError:
                    # Killed from outside, as by the kernel when memory is short.
                    _end(node)
                else:
                    return
            self._make(node, command)
            assert node.control is not None
            send_short(node.control, {}, [line.fileno()])

    def _make(self, node: _Node, command: Command) -> None:
        root = command.node
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {
            "do": "make",
            "layers": str(self._own(root)),
            "shared": [str(node.real)],
            "hidden": [str(self._hidden)],
            "reached": [str(each) for each in self._reached],
            "name": root.name,
            "limits": None if self.unlimited else self._limits_of(command.size),
        }
        try:
            with closing(theirs):
                self._ask_nursery(request, theirs)
            process = _await_start(control)
        except BaseException:
            control.close()
            raise
        node.control, node.process = control, process

    def _limits_of(self, size: Size) -> dict[str, int | None] | None:
        """What is less than the machine has, which limits all nodes together."""
        memory = size.memory_bytes if self._limits is not Limits.NONE else None
        if memory is not None and memory >= os.sysconf("SC_PAGE_SIZE") * os.sysconf(
            "SC_PHYS_PAGES"
        ):
            memory = None
        cores = size.cores if self._limits is Limits.VM_SIZE else None
        if cores is not None and cores >= (os.cpu_count() or 1):
            cores = None
        return {"memory_bytes": memory, "cores": cores} if memory or cores else None

    def _ask_nursery(self, request: dict[str, Any], connection: socket.socket) -> None:
        send_short(self._control, request, [connection.fileno()])


def _real(root: Path) -> Path:
    return Path(os.path.realpath(root))


def _await_start(control: socket.socket) -> int:
    """The descriptor of a node's first process, once it takes commands; raises `NodeError`."""
    process = -1
    try:
        # One message from its parent, and one from itself, in any order.
        for _ in range(2):
            said, descriptors = receive_short(control)
            process = descriptors[0] if descriptors else process
            if "error" in said:
                break
        else:
            return process
    except (ClosedError, ConnectionError):
        said = {"error": "the processes of a node could not be started"}
    if process != -1:
        os.close(process)
    raise NodeError(said["error"])


def _request(command: Command) -> dict[str, Any]:
    user = command.user
    return {
        "words": list(command.words),
        "working_directory": str(command.working_directory.absolute()),
        "environment": dict(command.environment),
        "user": None if user is None else [user.name, user.number, user.group, user.group_name],
        "mark": command.mark,
    }


def _new_line(node: _Node) -> Line | None:
    """A line of the loop to a node; None where that would have to wait. Raises `OSError`."""
    if not node.lock.acquire(blocking=False):
        return None
    try:
        if node.control is None:
            return None
        ours, theirs = socket.socketpair()
        try:
            with closing(theirs):
                send_short(node.control, {}, [theirs.fileno()], socket.MSG_DONTWAIT)
        except OSError:
            ours.close()
            raise
    finally:
        node.lock.release()
    return Line(ours, node.lines.append)


def _say_kill(connection: socket.socket) -> None:
    # Where it has ended meanwhile there is nothing to kill.
    with suppress(OSError):
        connection.send(_KILL)


def _end(node: _Node) -> None:
    if node.control is None:
        return
    node.control.close()
    node.control = None
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(node.process, signal.SIGKILL)
    # Readable once it and with it all processes of the node have ended.
    poller = select.poll()
    poller.register(node.process, select.POLLIN)
    poller.poll()
    os.close(node.process)
    node.process = -1
