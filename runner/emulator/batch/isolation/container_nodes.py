"""Nodes as containers of podman or docker: commands are run in them by `exec`.

It must not know how an engine is found, nor why a command is run.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import subprocess
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.emulator.batch.isolation.engine import EngineContainers
from runner.emulator.batch.node.containers import ContainerError, split_environment
from runner.emulator.batch.node.containment import (
    ABSENT,
    NodeFolder,
    directory_below,
    open_regular,
)
from runner.emulator.batch.node.crew import Work
from runner.emulator.batch.node.directories import remove_entry
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command

_KILLED = 137
# Ends with the standard input that the emulator holds, and with it the container. It is marked as
# the node: from within a changed root, `exec` of some engines leads to the machine itself.
_LIFE = ("/bin/sh", "-c", ': > "/$0" && echo up && cat > /dev/null')
_ELSEWHERE = "elsewhere"
_MISSING = "missing"
_SAID_BYTES = 64
_GROUP = re.compile(r"[1-9][0-9]{0,9}")
# Says which group it is, so that it can be killed, and that a program is missing.
_STARTER = """
said=$0 mark=$1; shift
if ! test -e "/$mark"; then echo elsewhere > "$said"; exit 1; fi
if ! command -v "$1" > /dev/null; then echo missing > "$said"; exit 1; fi
echo $$ > "$said"; exec "$@"
"""


class NodeError(OSError):
    """A node's container could not be started."""


@dataclass(slots=True)
class _Node:
    """The container of a node; `life` is None until there is one."""

    name: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    life: subprocess.Popen[bytes] | None = None


class ContainerNodes:
    """Implements `Isolation` by one container a node; calls block, and may come from any thread.

    A container ends with this process, however that ends. What was installed in it goes with it, a
    restart of the node included.
    """

    runs_admin = True
    has_own_programs = True
    has_users = False

    def __init__(self, engine: EngineContainers) -> None:
        self._engine = engine
        self._nodes: dict[Path, _Node] = {}
        self._lock = threading.Lock()

    def begin(self, command: Command, interruption: Interruption) -> Work[int] | None:
        """Never: engines take long to answer."""
        del command, interruption
        return None

    def run(self, command: Command, interruption: Interruption) -> int:
        """Runs a command in its node; its exit code, as `Isolation` says."""
        node = self._node(command.node)
        with node.lock:
            if node.life is None or node.life.poll() is not None:
                self._start(node, command, interruption)
        content, inherited = split_environment(command.environment)
        name = f".{secrets.token_hex(8)}.started"
        with tempfile.NamedTemporaryFile(prefix="batch-run-") as variables:
            variables.write(content)
            variables.flush()
            words = ["exec", "--workdir", str(command.working_directory)]
            words += ["--env-file", variables.name]
            for variable in inherited:
                words += ["--env", variable]
            words += [node.name, "/bin/sh", "-c", _STARTER]
            words += [str(command.node / name), node.name]
            words += command.words
            try:
                code = self._engine.attach(
                    words, inherited, command.stdout, command.stderr, interruption
                )
            finally:
                said = _take(command.node, name)
        if said == _ELSEWHERE:
            raise NodeError("the engine does not run commands in the node's container")
        if said == _MISSING:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command.words[0])
        if _GROUP.fullmatch(said):
            # The rest of its group, and where it was interrupted, itself.
            self._engine.call("exec", node.name, "/bin/sh", "-c", f"kill -9 -- -{said}")
        return _KILLED if interruption.fired or code < 0 else code

    def is_running(self, root: Path) -> bool:
        """Whether a node has its container."""
        node = self._nodes.get(root)
        return node is not None and node.life is not None

    def end_node(self, root: Path) -> None:
        """Removes the container of a node; what was installed in it goes with it."""
        with self._lock:
            node = self._nodes.get(root)
        if node is None:
            return
        with node.lock:
            if node.life is None:
                return
            self._engine.call("rm", "--force", node.name)
            assert node.life.stdin is not None
            with suppress(OSError):
                node.life.stdin.close()
            assert node.life.stdout is not None
            node.life.stdout.close()
            node.life.wait()
            node.life = None

    def remove_node(self, root: Path) -> None:
        """As `end_node`."""
        self.end_node(root)
        with self._lock:
            self._nodes.pop(root, None)

    def close(self) -> None:
        """Removes all containers; harmless when repeated."""
        for root in tuple(self._nodes):
            self.remove_node(root)

    def _node(self, root: Path) -> _Node:
        with self._lock:
            if root not in self._nodes:
                self._nodes[root] = _Node(f"batch-run-node-{secrets.token_hex(8)}")
            return self._nodes[root]

    def _start(self, node: _Node, command: Command, interruption: Interruption) -> None:
        try:
            self._engine.pull(command.image, interruption)
            life = self._engine.open(
                [
                    *("--interactive", "--rm", "--name", node.name, "--network", "host"),
                    *("--user", "0:0", "--volume", f"{command.node}:{command.node}"),
                    *(command.image, *_LIFE, node.name),
                ]
            )
        except ContainerError as error:
            raise NodeError(str(error)) from error
        assert life.stdout is not None
        if life.stdout.readline() != b"up\n":
            life.kill()
            life.communicate()
            raise NodeError(f"the container of a node did not start from `{command.image}`")
        node.life = life


def _take(root: Path, name: str) -> str:
    """What a starter said, which is then removed; nothing where tasks put something else there."""
    content = b""
    # There is none where the engine did not get so far, nor a node that was removed meanwhile.
    with suppress(FileNotFoundError), directory_below(NodeFolder(root)) as directory:
        try:
            descriptor = open_regular(name, directory)
            if descriptor is not None:
                with os.fdopen(descriptor, "rb") as file:
                    content = file.read(_SAID_BYTES)
        except OSError as error:
            if error.errno not in ABSENT:
                raise
        finally:
            remove_entry(name, directory)
    return content.decode("ascii", "replace").strip()
