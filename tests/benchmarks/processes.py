"""Reads from /proc what processes have used (Linux).

It must not know what the processes are for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """A line of /proc/PID/stat: seconds to the clock's tick (a hundredth); `started` in ticks."""

    parent: int
    started: int
    user: float
    system: float

    @property
    def total(self) -> float:
        """Its own processor time."""
        return self.user + self.system


def parse_stat(line: str) -> Times:
    """The times of a line; the name before them may hold blanks and parentheses."""
    fields = line.rpartition(")")[2].split()
    user, system = (int(each) * _TICK for each in fields[11:13])
    return Times(
        parent=int(fields[1]),
        started=int(fields[19]),
        user=user,
        system=system,
    )


def read_times(pid: int) -> Times | None:
    """None where it is gone; one that has ended is there until it was waited for."""
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace"))
    except (FileNotFoundError, ProcessLookupError):
        return None


def read_exact_seconds(pid: int) -> float:
    """The processor time of the threads that a process has now, to the nanosecond; those that have
    ended are not in it.
    """
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(path.read_text(encoding="ascii").split()[0]) for path in files) / 1e9


def read_peak_bytes(pid: int) -> int | None:
    """The most memory that was ever resident (VmHWM); None where it is gone or has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    for line in lines.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def read_command(pid: int) -> tuple[str, ...]:
    """The arguments of a process; none where it is gone."""
    try:
        content = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    return tuple(os.fsdecode(content).split("\0")[:-1])


def read_program(pid: int) -> str | None:
    """The file that a process runs; None where it is gone."""
    try:
        return os.fspath(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return None


def list_processes() -> Iterator[int]:
    """The ids of all there are."""
    for name in os.listdir("/proc"):  # noqa: PTH208 asked ten times a second, for names alone
        if name.isdecimal():
            yield int(name)
