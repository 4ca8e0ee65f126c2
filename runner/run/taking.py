"""Takes what comes next from a queue, with a limit that holds.

It must not know what is in the queue.
"""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")


def take_next(queue: SimpleQueue[_T], seconds: float | None) -> _T:
    """What comes next, within so many seconds; raises `queue.Empty`. None waits for ever.

    A queue at which nobody has waited yet is not locked: Python (3.11.7, `SimpleQueue.get`) then
    looks twice, and waits for ever where the time is over by its second look, as on a busy machine.
    A look without a wait locks it.
    """
    try:
        return queue.get_nowait()
    except Empty:
        return queue.get(timeout=None if seconds is None else max(seconds, 0.0))
