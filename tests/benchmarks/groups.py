"""Control groups (cgroup v2, Linux): what all processes of a command have used, to the last one.

Children that nobody waits for, as those of a node's first process, leave no trace in the times of
their parents. It must not know what is measured.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_NUMBERS = itertools.count()
_REMOVAL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Group:
    """A group of its own for one command."""

    folder: Path

    def enter(self) -> None:
        """Puts this process into it, and what it will start."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    def seconds(self) -> tuple[float, float]:
        """What all of it has used: as users, and in the system."""
        lines = (self.folder / "cpu.stat").read_text(encoding="ascii").splitlines()
        values = dict(line.split() for line in lines)
        return int(values["user_usec"]) / 1e6, int(values["system_usec"]) / 1e6

    def kill(self) -> None:
        """Ends all that is in it, or below it."""
        (self.folder / "cgroup.kill").write_text("1", encoding="ascii")

    def processes(self) -> list[int]:
        """Those that are still in it, or below it."""
        return [
            int(line)
            for path in self.folder.rglob("cgroup.procs")
            for line in path.read_text(encoding="ascii").split()
        ]


@contextmanager
def own_group() -> Iterator[Group | None]:
    """A group below the one of this process; None where none can be made."""
    parent = _own_folder()
    folder = None
    if parent is not None:
        folder = parent / f"benchmark-{os.getpid()}-{next(_NUMBERS)}"
        try:
            folder.mkdir()
        except OSError:
            folder = None
    try:
        yield None if folder is None else Group(folder)
    finally:
        if folder is not None:
            _remove(folder)


def _remove(folder: Path) -> None:
    """Takes a group away; what has ended holds it for a moment longer."""
    below = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
    for each in (*below, folder):
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while True:
            try:
                each.rmdir()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def _own_folder() -> Path | None:
    """Where the group of this process is; None without cgroup v2."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    roots = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    own = [line.removeprefix("0::") for line in lines if line.startswith("0::")]
    return Path(roots[0] + own[0]) if roots and own else None
