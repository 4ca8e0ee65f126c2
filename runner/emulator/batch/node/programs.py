"""Which file a program's name stands for.

It must not know how programs are started.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping


def find_program(
    program: str, working_directory: str | os.PathLike[str], environment: Mapping[str, str]
) -> str:
    """The file to execute, by the task's `PATH`; raises `FileNotFoundError`.

    Left to `Popen`, a directory of the path that may not be entered would hide other errors.
    """
    if "/" in program:
        return program
    place = os.path.abspath(working_directory)  # noqa: PTH100 - resolves no links, and is light
    for directory in environment.get("PATH", os.defpath).split(os.pathsep):
        candidate = os.path.join(place, directory, program)  # noqa: PTH118 - as above
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):  # noqa: PTH113 - as above
            return candidate
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
