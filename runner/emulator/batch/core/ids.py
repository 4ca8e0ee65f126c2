"""The names of Batch's things and how two of them are compared.

It must not know what an id looks like on the wire, nor who makes new ones.
"""

from __future__ import annotations

from typing import NewType

PoolId = NewType("PoolId", str)
ScheduleId = NewType("ScheduleId", str)
NodeId = NewType("NodeId", str)
JobId = NewType("JobId", str)
TaskId = NewType("TaskId", str)
RunId = NewType("RunId", int)
"""One execution of a task or start task; never used twice."""

Key = NewType("Key", str)
"""An id as it is compared: ids keep their case and are unique without regard to it."""


def key_of(identifier: str) -> Key:
    """The form of an id under which it is stored; the same text where that is the id itself."""
    lowered = identifier.lower()
    # Not by a call of `Key`, which is half of what this costs, 50 times in the life of a task.
    return identifier if lowered == identifier else lowered  # type: ignore[return-value]
