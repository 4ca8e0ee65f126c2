"""Ends the processes of tasks that an emulator left behind when it was killed.

It must not know what they ran.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROOT_VARIABLE = b"AZ_BATCH_NODE_ROOT_DIR="
_LIMIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


def kill_leftovers(nodes: Path, processes: Path = Path("/proc")) -> tuple[int, ...]:
    """Kills every process that belongs to a node below `nodes`, and waits until it is gone.

    To be called while no task runs. A process belongs to a node by the variable
    `AZ_BATCH_NODE_ROOT_DIR` of its environment: so no process of another program is taken for one,
    nor a task of another emulator. Returns the ids. Where there is no `/proc` (macOS), and of
    processes of other users, nothing is found.
    """
    root = os.fsencode(nodes.absolute()) + b"/"
    killed: dict[int, None] = {}
    deadline = time.monotonic() + _LIMIT_SECONDS
    # Again and again, since what is killed may have started others in the meantime.
    while (found := tuple(_find(root, processes))) and time.monotonic() < deadline:
        for process in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
            killed[process] = None
        _pause(_PAUSE_SECONDS)
    return tuple(killed)


def _find(root: bytes, processes: Path) -> Iterator[int]:
    if not processes.is_dir():
        return
    for entry in processes.iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        # Processes of other users are closed to us, and others have ended by now; one that has
        # ended and was not waited for has no environment.
        with suppress(OSError):
            variables = (entry / "environ").read_bytes().split(b"\0")
            if any(variable.startswith(_ROOT_VARIABLE + root) for variable in variables):
                yield int(entry.name)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
