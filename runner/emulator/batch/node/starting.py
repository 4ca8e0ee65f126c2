"""Starting one program in a process group of its own.

It must not know in which view of the machine it is called, nor what failures are called.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from runner.emulator.batch.node.programs import find_program


def start_program(
    words: Sequence[str],
    *,
    working_directory: str | os.PathLike[str],
    environment: Mapping[str, str],
    stdout: int,
    stderr: int,
) -> int:
    """Starts a program by its words; the id of the process, which the caller has to reap.

    Raises `OSError` where it cannot start, `ValueError` for a null character or an environment
    variable whose name cannot be one.
    """
    process = subprocess.Popen(
        list(words),
        executable=find_program(words[0], working_directory, environment),
        cwd=working_directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        # A new session is a new group too, and lets Python start the process by vfork.
        start_new_session=True,
    )
    # It is not waited for here: without a code, Python would do so when it starts another.
    process.returncode = 0
    return process.pid
