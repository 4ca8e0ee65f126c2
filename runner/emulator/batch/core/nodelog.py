"""What a node's agent would have written down: the last that happened on each node.

It must not know where the lines are sent.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from enum import Enum

from runner.emulator.batch.core.ids import Key, NodeId, key_of
from runner.emulator.storage.record import record

# Of a thousand nodes they are to be kept too.
_LINES_PER_NODE = 50


class Severity(Enum):
    """How a line is marked."""

    INFO = "INFO"
    WARNING = "WARNING"


@record(frozen=True, slots=True)
class LogLine:
    """One thing that happened."""

    moment: datetime
    severity: Severity
    text: str


class NodeLogs:
    """The last lines of every node; in memory alone."""

    def __init__(self) -> None:
        self._lines: dict[Key, deque[LogLine]] = {}

    def note(
        self, node: NodeId, moment: datetime, text: str, severity: Severity = Severity.INFO
    ) -> None:
        """Adds a line."""
        lines = self._lines.setdefault(key_of(node), deque(maxlen=_LINES_PER_NODE))
        lines.append(LogLine(moment, severity, text))

    def warn(self, node: NodeId, moment: datetime, text: str) -> None:
        """Adds a line that tells of a failure."""
        self.note(node, moment, text, Severity.WARNING)

    def of(self, node: NodeId) -> tuple[LogLine, ...]:
        """The lines of a node, oldest first."""
        return tuple(self._lines.get(key_of(node), ()))

    def forget(self, node: NodeId) -> None:
        """Drops the lines of a node that has gone."""
        self._lines.pop(key_of(node), None)
