"""The samples that formulas look at: one value for each metric every 30 seconds.

It must not know what is measured.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from runner.emulator.storage.record import record

PERIOD = timedelta(seconds=30)
"""How often the service takes samples ("Obtain sample data")."""

_MOST_SAMPLES = 2880

MEASURED = (
    "$ActiveTasks",
    "$RunningTasks",
    "$PendingTasks",
    "$SucceededTasks",
    "$FailedTasks",
    "$TaskSlotsPerNode",
    "$UsableNodeCount",
    "$SampleNodeCount",
    "$CurrentDedicatedNodes",
    "$CurrentLowPriorityNodes",
    "$PreemptedNodeCount",
)
"""What there are always samples of."""

OF_MACHINES = (
    "$CPUPercent",
    "$WallClockSeconds",
    "$MemoryBytes",
    "$DiskBytes",
    "$DiskReadBytes",
    "$DiskWriteBytes",
    "$DiskReadOps",
    "$DiskWriteOps",
    "$NetworkInBytes",
    "$NetworkOutBytes",
)
"""Metrics of machines; there are samples where the machine that all nodes share tells them."""

ALIASES = {
    "$CurrentDedicated": "$CurrentDedicatedNodes",
    "$CurrentLowPriority": "$CurrentLowPriorityNodes",
}


@record(frozen=True, slots=True, kw_only=True)
class Sample:
    """All metrics at one moment."""

    moment: datetime
    values: Mapping[str, float]


class History:
    """The samples of one pool, oldest first, of the last 24 hours."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=_MOST_SAMPLES)

    def add(self, sample: Sample) -> None:
        """Appends a sample; its moment is not before the last one's."""
        self._samples.append(sample)

    def of(self, metric: str) -> Series:
        """The samples of one metric."""
        return Series(
            name=metric,
            points=tuple(
                (sample.moment, sample.values[metric])
                for sample in self._samples
                if metric in sample.values
            ),
        )


@record(frozen=True, slots=True, kw_only=True)
class Series:
    """The samples of one metric, oldest first."""

    name: str
    points: Sequence[tuple[datetime, float]]

    def within(self, start: datetime, end: datetime) -> tuple[float, ...]:
        """The values from one moment to another, both inclusive."""
        return tuple(value for moment, value in self.points if start <= moment <= end)

    def percent(self, start: datetime, end: datetime) -> float:
        """How many there are of those that could be, at most 100."""
        possible = max(1, (end - start) // PERIOD)
        return min(100.0, 100.0 * len(self.within(start, end)) / possible)
