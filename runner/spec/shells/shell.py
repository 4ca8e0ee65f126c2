"""The shells that a command may be written for."""

from __future__ import annotations

from enum import Enum


class Shell(Enum):
    """What runs a command on a node; `NONE`: the program itself, without a shell."""

    BASH = "bash"
    SH = "sh"
    NONE = "none"
    CMD = "cmd"
    POWERSHELL = "powershell"

    @property
    def is_windows(self) -> bool:
        """Whether only Windows nodes have it."""
        return self in (Shell.CMD, Shell.POWERSHELL)
