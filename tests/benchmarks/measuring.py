"""Runs one command and measures it: wall clock, and processor time and memory by process.

It must not know what the command does; of its processes it knows only what `Watch` tells apart.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.groups import Group, own_group
from tests.benchmarks.processes import (
    Times,
    list_processes,
    read_command,
    read_peak_bytes,
    read_program,
    read_times,
)
from tests.benchmarks.samples import ALL, CLIENT, EMULATOR, NODES, TASKS, Cost, Sample

_LOOK_SECONDS = 0.05
"""How often processes are looked at. What one uses between the last look and its end is counted
with the tasks."""
_SEARCH_LOOKS = 6
"""Every so many looks new processes are searched for, which costs more."""
_REST_SECONDS = 10.0
_EMULATOR_MODULE = "runner.emulator"


class FailedError(Exception):
    """A command did not do what it is measured at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that has run to its end."""

    sample: Sample
    stdout: str
    stderr: str


@dataclass(slots=True)
class Watch:
    """A process and those it starts: which is the emulator, and which are nodes of it."""

    root: int
    apart: bool
    """Whether there is an emulator to be told apart."""
    passed: set[int] = field(default_factory=lambda: set(list_processes()))
    """Looked at, and of no interest."""
    roles: dict[int, str] = field(default_factory=dict)
    times: dict[int, Times] = field(default_factory=dict)
    peaks: dict[int, int] = field(default_factory=dict)
    _looks: int = 0

    def __post_init__(self) -> None:
        self.passed.discard(self.root)
        self.roles[self.root] = CLIENT

    def look(self) -> None:
        """Takes down what the processes have used until now."""
        if self.apart and self._looks % _SEARCH_LOOKS == 0:
            self._search()
        self._looks += 1
        for pid in self.roles:
            times = read_times(pid)
            known = self.times.get(pid)
            # Another process may have got the number.
            if times is not None and (known is None or known.started == times.started):
                self.times[pid] = times
                self.peaks[pid] = read_peak_bytes(pid) or self.peaks.get(pid, 0)

    def _search(self) -> None:
        """A task that has just been forked looks like a node: it is one if it stays so."""
        programs = {pid: read_program(pid) for pid, role in self.roles.items() if role != CLIENT}
        for pid in sorted(set(list_processes()) - self.passed - self.roles.keys()):
            times = read_times(pid)
            role = None if times is None else self.roles.get(times.parent)
            if role == CLIENT and EMULATOR not in self.roles.values():
                if _EMULATOR_MODULE in read_command(pid):
                    self.roles[pid] = EMULATOR
                continue
            if role in {EMULATOR, NODES} and times is not None:
                # The commands of tasks are other programs.
                if read_program(pid) == programs.get(times.parent) is not None:
                    self.roles[pid] = NODES
                continue
            self.passed.add(pid)

    def costs(self, total: tuple[float, float], ended: Times) -> tuple[Cost, ...]:
        """All of a tree that used so much (user, system), and whose root has `ended` so."""
        self.times[self.root] = ended
        costs = []
        left_user, left_system = total
        for role in (CLIENT, EMULATOR, NODES):
            pids = [pid for pid, each in self.roles.items() if each == role and pid in self.times]
            if not pids:
                continue
            user = sum(self.times[pid].user for pid in pids)
            system = sum(self.times[pid].system for pid in pids)
            peak = max(self.peaks.get(pid, 0) for pid in pids) or None
            left_user, left_system = left_user - user, left_system - system
            costs.append(Cost(role=role, user_seconds=user, system_seconds=system, peak_bytes=peak))
        # What is left is what ran within: tasks, and what nodes were made by.
        rest = Cost(
            role=TASKS, user_seconds=max(0.0, left_user), system_seconds=max(0.0, left_system)
        )
        return (*costs, rest)


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environ: Mapping[str, str],
    apart: bool = False,
    codes: frozenset[int] = frozenset({0}),
    limit_seconds: float = 3600.0,
) -> Finished:
    """Runs a command in a folder; `FailedError` where its exit code is none of `codes`, or where
    it leaves processes behind.

    With `apart` it is a batch-run, whose client, emulator, nodes and tasks are told apart. What it
    writes goes to files, so that nobody has to read it meanwhile.
    """
    with (
        (folder / "stdout.txt").open("w+", errors="replace") as stdout,
        (folder / "stderr.txt").open("w+", errors="replace") as stderr,
        own_group() as group,
    ):
        os.sync()  # what others have left to be written is not ours
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            # No thread of ours is there to be harmed, and nothing else puts all of it into a group.
            preexec_fn=None if group is None else group.enter,  # noqa: PLW1509
        )
        watch = Watch(process.pid, apart)
        try:
            _wait(process, watch, begun + limit_seconds)
        except BaseException:
            process.kill()
            process.wait()
            if group is not None:
                group.kill()
            raise
        wall = time.perf_counter() - begun
        # It has ended, and is not waited for: its own time can still be read.
        ended = read_times(process.pid)
        assert ended is not None
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        total = usage.ru_utime, usage.ru_stime
        if group is not None:
            _wait_for_rest(group)
            total = group.seconds()
        stdout.seek(0)
        stderr.seek(0)
        output, messages = stdout.read(), stderr.read()
    line = " ".join(map(str, command))
    if process.returncode not in codes:
        raise FailedError(f"`{line}` ended with {process.returncode}:\n{messages[-2000:]}")
    if apart:
        costs = watch.costs(total, ended)
    else:
        user, system = total
        peak = usage.ru_maxrss * 1024
        costs = (Cost(role=ALL, user_seconds=user, system_seconds=system, peak_bytes=peak),)
    return Finished(sample=Sample(wall_seconds=wall, costs=costs), stdout=output, stderr=messages)


def _wait_for_rest(group: Group) -> None:
    """What a command leaves behind has to end soon: its time is the command's."""
    deadline = time.perf_counter() + _REST_SECONDS
    while left := group.processes():
        if time.perf_counter() > deadline:
            commands = [" ".join(read_command(pid)) for pid in left]
            group.kill()
            raise FailedError(f"processes were left behind: {commands}")
        time.sleep(_LOOK_SECONDS)


def _wait(process: subprocess.Popen[bytes], watch: Watch, deadline: float) -> None:
    """Returns as soon as it has ended; kills it where it takes too long."""
    descriptor = os.pidfd_open(process.pid)
    try:
        while not select.select([descriptor], [], [], _LOOK_SECONDS)[0]:
            watch.look()
            if time.perf_counter() > deadline:
                raise FailedError("it was killed, since it took too long")
    finally:
        os.close(descriptor)
