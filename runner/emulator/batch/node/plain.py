"""Nodes that are nothing but folders: their commands are processes of this machine.

It must not know why a command is run, nor what its failure is called.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from runner.emulator.batch.node.crew import Work
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command
from runner.emulator.batch.node.starting import start_program

SUDO = ("sudo", "-n", "-E", "--")


def _tells_of_ends() -> bool:
    """Whether there are descriptors of processes: on Linux, as of 5.3."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


_TELLS_OF_ENDS = _tells_of_ends()

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

    def __init__(
        self,
        *,
        effective_user_id: Callable[[], int] = os.geteuid,
        tells_of_ends: bool = _TELLS_OF_ENDS,
    ) -> None:
        """`tells_of_ends` says whether there are descriptors of processes."""
        self._effective_user_id = effective_user_id
        self._tells_of_ends = tells_of_ends

    def begin(self, command: Command, interruption: Interruption) -> Work[int] | None:
        """As `run`, where the system tells of the end of a process by a file."""
        if not self._tells_of_ends or self._needs_sudo(command):
            return None
        process = _start(command, command.words)
        kill = partial(_kill_group, process, by_sudo=False)
        try:
            told = os.pidfd_open(process)
        except OSError:
            kill()
            os.waitpid(process, 0)
            raise
        loop = asyncio.get_running_loop()
        work: Work[int] = Work(loop=loop)
        work.stop = interruption.fire
        calling = interruption.calling(kill)
        calling.__enter__()

        def end() -> None:
            loop.remove_reader(told)
            os.close(told)
            calling.__exit__(None, None, None)
            kill()
            work.set_result(_reap(process))

        loop.add_reader(told, end)
        return work

    def run(self, command: Command, interruption: Interruption) -> int:
        """Runs a command as the emulator's user, or by `sudo` where it is to have all rights."""
        by_sudo = self._needs_sudo(command)
        process = _start(command, (*SUDO, *command.words) if by_sudo else command.words)
        try:
            with interruption.calling(lambda: _kill_group(process, by_sudo=by_sudo)):
                _await_exit(process)
        finally:
            # The main process is not reaped yet, so its id cannot have become another group's.
            _kill_group(process, by_sudo=by_sudo)
            code = _reap(process)
        return code

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

    def _needs_sudo(self, command: Command) -> bool:
        return command.elevated and self._effective_user_id() != 0


def _start(command: Command, words: tuple[str, ...]) -> int:
    return start_program(
        words,
        working_directory=command.working_directory,
        environment=command.environment,
        stdout=command.stdout,
        stderr=command.stderr,
    )


def _reap(process: int) -> int:
    """The exit code of a process that has ended, 128 + n for death by signal n."""
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


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
