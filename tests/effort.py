"""Counts what a piece of work takes in steps of Python: so many on every machine, busy or idle.

It must not know whose work it counts, nor how long that takes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def count_steps(work: Callable[[], object]) -> int:
    """The lines of Python that are run, those of loops each time, and the C functions called.

    Only of the calling thread. What a C function does by itself is one step, however long it is:
    a pattern that goes back and forth is shown by a text so long that it would take hours.
    """
    steps = 0

    def note_line(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal steps
        if event == "line":
            steps += 1
        return note_line

    def note_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal steps
        if event == "c_call":
            steps += 1

    tracer, profiler = sys.gettrace(), sys.getprofile()
    sys.settrace(note_line)
    sys.setprofile(note_call)
    try:
        work()
    finally:
        sys.setprofile(profiler)
        sys.settrace(tracer)
    return steps


def assert_linear(work: Callable[[int], Callable[[], object]], size: int) -> None:
    """Ten times the size takes ten times the steps, not a hundred times.

    `work` makes ready for a size, which is not counted, and gives back what to count.
    """
    few, many = (count_steps(work(each)) for each in (size, 10 * size))
    assert many < 15 * few, f"{few} steps for {size}, {many} for ten times as many"
