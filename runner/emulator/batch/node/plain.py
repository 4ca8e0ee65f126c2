"""Nodes that are nothing but folders: their commands are processes of this machine.

It must not know why a command is run, nor what its failure is called.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command
from runner.emulator.batch.node.starting import start_program

SUDO = ("sudo", "-n", "-E", "--")

if sys.platform == "darwin":
    import select

    def _await_exit(pid: int) -> None:
        """Returns once the process has ended, and leaves it to be reaped."""
        event = select.kevent(
            pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD | select.KQ_EV_ONESHOT, select.KQ_NOTE_EXIT
        )
        queue = select.kqueue()
        try:
            # A process that has ended already cannot be registered; then it is an error or event.
            with suppress(ProcessLookupError):
                queue.control([event], 1)
        finally:
            queue.close()

else:

    def _await_exit(pid: int) -> None:
        """Returns once the process has ended, and leaves it to be reaped."""
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


class PlainProcesses:
    """Implements `Isolation` by none at all.

    A process that leaves its session (a daemon) is not of the command's group, and survives it.
    """

    runs_admin = False
    has_own_programs = False
    has_users = False

    def __init__(self, *, effective_user_id: Callable[[], int] = os.geteuid) -> None:
        self._effective_user_id = effective_user_id

    def run(self, command: Command, interruption: Interruption) -> int:
        """Runs a command as the emulator's user, or by `sudo` where it is to have all rights."""
        by_sudo = command.elevated and self._effective_user_id() != 0
        process = start_program(
            (*SUDO, *command.words) if by_sudo else command.words,
            working_directory=command.working_directory,
            environment=command.environment,
            stdout=command.stdout,
            stderr=command.stderr,
        )
        try:
            with interruption.calling(lambda: _kill_group(process, by_sudo=by_sudo)):
                _await_exit(process)
        finally:
            # The main process is not reaped yet, so its id cannot have become another group's.
            _kill_group(process, by_sudo=by_sudo)
            _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        return 128 - code if code < 0 else code

    def is_running(self, root: Path) -> bool:
        """Never: nothing belongs to a node but its commands."""
        del root
        return False

    def end_node(self, root: Path) -> None:
        """Nothing belongs to a node but its commands, which end by their interruption."""

    def remove_node(self, root: Path) -> None:
        """Nothing is installed on a node alone."""

    def close(self) -> None:
        """Nothing is open."""


def _kill_group(group: int, *, by_sudo: bool) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        # macOS answers so for a group of ended processes; else they are another user's, by sudo.
        if by_sudo:
            subprocess.run(
                ["sudo", "-n", "kill", "-KILL", "--", f"-{group}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
