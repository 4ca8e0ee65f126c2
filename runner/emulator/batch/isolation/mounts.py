"""What is mounted where, as `/proc/self/mountinfo` tells it (proc_pid_mountinfo(5)).

It must not know what anybody does with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """One mounted file system; `kind` is its type, such as `ext4`."""

    point: str
    kind: str
    is_read_only: bool


def read_mounts(path: Path = MOUNTINFO) -> tuple[Mount, ...]:
    """All mounts, the upper ones of a path last; raises `OSError`."""
    return tuple(_parse(line) for line in path.read_bytes().splitlines())


def visible_mounts(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """One for each mount point, parents before what is below them."""
    last = {mount.point: mount for mount in mounts}
    return tuple(last[point] for point in sorted(last, key=lambda point: point.split("/")))


def is_below(point: str, directory: str) -> bool:
    """Whether a path is a directory or lies below it."""
    return point == directory or point.startswith(directory.rstrip("/") + "/")


def _parse(line: bytes) -> Mount:
    before, _, after = line.partition(b" - ")
    fields = before.split(b" ")
    point = _ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), fields[4])
    return Mount(
        point=point.decode("utf-8", "surrogateescape"),
        kind=after.split(b" ")[0].decode("ascii", "replace"),
        is_read_only=b"ro" in fields[5].split(b","),
    )
