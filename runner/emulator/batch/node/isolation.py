"""What a node has to be able to do for its tasks: run commands, end, be forgotten.

It must not know of any way to do that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Protocol

from runner.emulator.batch.node.crew import Work
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.users import User
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the machine is that a node stands for, as far as its name tells."""

    memory_bytes: int | None = None
    cores: int | None = None


UNKNOWN_SIZE = Size()


@record(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run on a node, whose folder is `node`, by its words.

    `stdout` and `stderr` are open files. Whatever has `mark`, a `NAME=value`, in its environment
    belongs to the command and ends with it; None where it may leave services behind.
    """

    node: Path
    words: tuple[str, ...]
    working_directory: Path
    environment: Mapping[str, str] = field(repr=False)
    stdout: int
    stderr: int
    image: str = ""
    """Of a container with the node's system, for nodes that are containers."""
    elevated: bool = False
    user: User | None = None
    """Whom nodes with users run it as; None is root there."""
    mark: str | None = None
    size: Size = UNKNOWN_SIZE
    """Of the node, whose limits are set when it first runs something."""


class Isolation(Protocol):
    """How nodes are kept apart from the machine.

    Calls block, and may come from any thread, but for `begin`.
    """

    @property
    def runs_admin(self) -> bool:
        """Whether a command may be given all rights on its node without harm to the machine."""
        ...

    @property
    def has_own_programs(self) -> bool:
        """Whether nodes have a path and a home other than those of the machine."""
        ...

    @property
    def has_users(self) -> bool:
        """Whether a command runs as its user; elsewhere it runs as the emulator does."""
        ...

    def begin(self, command: Command, interruption: Interruption) -> Work[int] | None:
        """As `run`, on the loop, without waiting; None where only a thread can run it.

        What is begun gives, or raises, what `run` would.
        """
        ...

    def run(self, command: Command, interruption: Interruption) -> int:
        """Runs a command to its end; its exit code, 128 + n for death by signal n.

        When its main process has ended, or it is interrupted, the rest of its group is killed.
        Raises `OSError` where it cannot start, `ValueError` where its words or its environment
        cannot be handed over.
        """
        ...

    def is_running(self, root: Path) -> bool:
        """Whether `end_node` has something to end; answers at once."""
        ...

    def end_node(self, root: Path) -> None:
        """Ends whatever runs on a node, as a reboot does; what was installed stays."""
        ...

    def remove_node(self, root: Path) -> None:
        """Ends a node and forgets what was installed; its folder is the caller's."""
        ...

    def close(self) -> None:
        """Ends and forgets all nodes; harmless when repeated."""
        ...
