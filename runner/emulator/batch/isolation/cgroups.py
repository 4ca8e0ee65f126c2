"""Limits of nodes: a control group for each, in either version of them that the kernel has.

It must not know what the limits are after, nor what runs in a node.
"""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "batch-run-"
_PERIOD_MICROSECONDS = 100_000
_TRIES = 100
_PAUSE_SECONDS = 0.01
_UNIFIED = ("memory", "cpu")


class Cgroups:
    """The groups of one emulator, made when the first node needs them.

    Their name has the id of the process that removes them, so that another one can tell when they
    have been left. `root` is where the kernel shows its groups. Methods raise `OSError`.
    """

    def __init__(self, *, owner: int, root: Path = _ROOT) -> None:
        self._root = root
        self._name = f"{_PREFIX}{owner}"

    def check(self) -> None:
        """Raises where groups with limits cannot be made, and leaves none."""
        try:
            for directory in self._make("trial"):
                list(directory.iterdir())
        finally:
            self.clear()

    def enter(self, node: str, *, memory_bytes: int | None, cores: int | None) -> None:
        """Puts the calling process, and what it starts from then on, under a node's limits."""
        directories = self._make(node)
        for directory in directories:
            _limit(directory, memory_bytes=memory_bytes, cores=cores)
        for directory in directories:
            _write(directory / "cgroup.procs", "0")

    def remove(self, node: str) -> None:
        """Removes the group of a node, all of whose processes are ending."""
        for base in self._bases():
            _remove(base / node)

    def clear(self) -> None:
        """Removes the groups of all nodes."""
        for base in self._bases():
            _remove_all(base)

    def clear_left(self) -> None:
        """Removes what those have left who were killed before they could."""
        for place in self._places():
            for base in place.glob(f"{_PREFIX}*"):
                owner = base.name.removeprefix(_PREFIX)
                if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
                    # Of another namespace of processes, it may be in use: then it stays.
                    with suppress(OSError):
                        _remove_all(base, tries=1)

    def _places(self) -> tuple[Path, ...]:
        if (self._root / "cgroup.controllers").exists():
            return (self._root,)
        return tuple(self._root / each for each in _UNIFIED)

    def _bases(self) -> tuple[Path, ...]:
        return tuple(place / self._name for place in self._places())

    def _make(self, node: str) -> tuple[Path, ...]:
        bases = self._bases()
        for base in bases:
            base.mkdir(exist_ok=True)
        if (self._root / "cgroup.controllers").exists():
            wanted = " ".join(f"+{each}" for each in _UNIFIED)
            for directory in (self._root, *bases):
                enabled = (directory / "cgroup.subtree_control").read_text("ascii").split()
                if not set(_UNIFIED).issubset(enabled):
                    _write(directory / "cgroup.subtree_control", wanted)
        directories = tuple(base / node for base in bases)
        for directory in directories:
            directory.mkdir(exist_ok=True)
        return directories


def _limit(directory: Path, *, memory_bytes: int | None, cores: int | None) -> None:
    quota = None if cores is None else str(cores * _PERIOD_MICROSECONDS)
    memory = None if memory_bytes is None else str(memory_bytes)
    # Nodes on Azure do not swap; where the kernel does not count it, nothing can be done.
    values = {
        "memory.max": memory,
        "memory.swap.max": memory and "0",
        "memory.limit_in_bytes": memory,
        "memory.memsw.limit_in_bytes": memory,
        "cpu.max": quota and f"{quota} {_PERIOD_MICROSECONDS}",
        "cpu.cfs_period_us": quota and str(_PERIOD_MICROSECONDS),
        "cpu.cfs_quota_us": quota,
    }
    for name, value in values.items():
        if value is not None and (directory / name).exists():
            _write(directory / name, value)


def _write(path: Path, content: str) -> None:
    # In one piece, and never as a new file, which the kernel's file system would refuse oddly.
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(descriptor, content.encode("ascii"))
    finally:
        os.close(descriptor)


def _remove_all(base: Path, tries: int = _TRIES) -> None:
    if not base.is_dir():
        return
    for each in base.iterdir():
        if each.is_dir():
            _remove(each, tries)
    _remove(base, tries)


def _remove(directory: Path, tries: int = _TRIES) -> None:
    """Removes a group, which its last processes may be about to leave."""
    for left in reversed(range(tries)):
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or not left:
                raise
            threading.Event().wait(_PAUSE_SECONDS)
        else:
            return
