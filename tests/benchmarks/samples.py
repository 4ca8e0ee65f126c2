"""What was measured: values, and how they are read from JSON and written to it.

It must not know how anything is measured, nor what is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CLIENT = "client"
EMULATOR = "emulator"
NODES = "nodes"
TASKS = "tasks"
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process has used, or all of one kind together: processor time and memory.

    `peak_bytes` is the most that was resident (VmHWM); None where that is not known.
    """

    role: str
    user_seconds: float
    system_seconds: float
    peak_bytes: int | None = None

    @property
    def seconds(self) -> float:
        """Processor time."""
        return self.user_seconds + self.system_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement. `figures` are what else was counted or worked out, by name with its unit."""

    wall_seconds: float
    costs: tuple[Cost, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all processes."""
        return sum(cost.seconds for cost in self.costs)

    def figure(self, name: str) -> float:
        """One of the figures, or of what every sample has: `wall_seconds`, `cpu_seconds`,
        `peak_bytes` (the largest process), and `client_peak_bytes` and the like of a role.
        """
        if name in self.figures:
            return self.figures[name]
        if name == "wall_seconds":
            return self.wall_seconds
        if name == "cpu_seconds":
            return self.cpu_seconds
        role = name.removesuffix("_peak_bytes")
        peaks = [
            cost.peak_bytes
            for cost in self.costs
            if cost.peak_bytes is not None and (name == "peak_bytes" or cost.role == role)
        ]
        if not peaks:
            raise KeyError(name)
        return float(max(peaks))

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "wall_seconds": round(self.wall_seconds, 6),
            "costs": [
                {
                    "role": cost.role,
                    "user_seconds": round(cost.user_seconds, 6),
                    "system_seconds": round(cost.system_seconds, 6),
                    "peak_bytes": cost.peak_bytes,
                }
                for cost in self.costs
            ],
            "figures": dict(self.figures),
        }


def sample_from_json(data: Mapping[str, Any]) -> Sample:
    """The inverse of `Sample.as_json`."""
    return Sample(
        wall_seconds=data["wall_seconds"],
        costs=tuple(Cost(**cost) for cost in data["costs"]),
        figures=dict(data["figures"]),
    )


def cost_of(costs: Iterable[Cost], role: str) -> float:
    """The processor seconds of a role; 0 where nothing of it ran."""
    return sum(cost.seconds for cost in costs if cost.role == role)
