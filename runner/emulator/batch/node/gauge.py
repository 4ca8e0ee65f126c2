"""What this machine is doing, as the metrics of nodes that formulas know: read from `/proc`.

All nodes share the machine, so each has the same values. It must not know formulas or pools.
Source: "Read-only service-defined variables" of Batch, and proc(5).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from runner.emulator.storage.record import record

_SECTOR_BYTES = 512
_PAUSE = timedelta(seconds=25)
_WHOLE_DISKS = ("sd", "vd", "xvd", "nvme", "hd", "mmcblk")


@record(frozen=True, slots=True, kw_only=True)
class _Counters:
    """What only grows, at a moment; times are in ticks."""

    moment: datetime
    busy: float
    total: float
    sums: Mapping[str, float]


class Gauge:
    """Reads at most once in 25 seconds; what grows is shown as its growth since the reading before.

    A pool takes its samples every 30 seconds, and so finds what the reading of that moment tells.
    """

    def __init__(self, folder: Path, processes: Path = Path("/proc")) -> None:
        """`folder` is on the disk whose use is shown."""
        self._folder = folder
        self._processes = processes
        self._last: _Counters | None = None
        self._due: datetime | None = None
        self._values: Mapping[str, float] = {}

    def read(self, now: datetime) -> Mapping[str, float]:
        """The metrics by name; none where there is no `/proc` (macOS), or nothing to compare with.

        Does not raise.
        """
        if self._due is not None and now < self._due:
            return self._values
        # Where nothing can be read there is no use in trying at every step of the emulator either.
        self._due = now + _PAUSE
        try:
            counters = self._count(now)
            used = self._used()
        except (OSError, ValueError, IndexError):
            self._values = {}
            return self._values
        before, self._last = self._last, counters
        if before is not None:
            self._values = {**used, **_since(before, counters)}
        return self._values

    def _count(self, now: datetime) -> _Counters:
        ticks = [float(part) for part in self._lines("stat")[0].split()[1:9]]
        # Idle, and waiting for a disk.
        idle = ticks[3] + ticks[4]
        return _Counters(
            moment=now,
            busy=sum(ticks) - idle,
            total=sum(ticks),
            sums={**self._disks(), **self._network()},
        )

    def _used(self) -> dict[str, float]:
        memory = {}
        for line in self._lines("meminfo"):
            name, _, value = line.partition(":")
            memory[name] = float(value.split()[0]) * 1024
        disk = os.statvfs(self._folder)
        return {
            "$MemoryBytes": memory["MemTotal"] - memory["MemAvailable"],
            "$DiskBytes": float((disk.f_blocks - disk.f_bfree) * disk.f_frsize),
        }

    def _disks(self) -> dict[str, float]:
        reads = written = read_sectors = written_sectors = 0.0
        for line in self._lines("diskstats"):
            parts = line.split()
            # Partitions are part of their disks.
            if not parts[2].startswith(_WHOLE_DISKS) or _is_partition(parts[2]):
                continue
            reads += float(parts[3])
            read_sectors += float(parts[5])
            written += float(parts[7])
            written_sectors += float(parts[9])
        return {
            "$DiskReadOps": reads,
            "$DiskReadBytes": read_sectors * _SECTOR_BYTES,
            "$DiskWriteOps": written,
            "$DiskWriteBytes": written_sectors * _SECTOR_BYTES,
        }

    def _network(self) -> dict[str, float]:
        received = sent = 0.0
        for line in self._lines("net/dev")[2:]:
            name, _, rest = line.partition(":")
            if name.strip() != "lo":
                parts = rest.split()
                received += float(parts[0])
                sent += float(parts[8])
        return {"$NetworkInBytes": received, "$NetworkOutBytes": sent}

    def _lines(self, name: str) -> list[str]:
        return (self._processes / name).read_text(encoding="ascii").splitlines()


def _is_partition(name: str) -> bool:
    if name.startswith(("nvme", "mmcblk")):
        return "p" in name.removeprefix("mmcblk").removeprefix("nvme")
    return name[-1].isdigit()


def _since(before: _Counters, after: _Counters) -> dict[str, float]:
    elapsed = (after.moment - before.moment).total_seconds()
    total = after.total - before.total
    busy = after.busy - before.busy
    values = {
        "$CPUPercent": 100.0 * busy / total if total > 0 else 0.0,
        "$WallClockSeconds": elapsed,
    }
    for name, value in after.sums.items():
        values[name] = max(0.0, value - before.sums[name])
    return values
