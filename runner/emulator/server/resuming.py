"""Begins a coroutine outside of any task, and goes on with it in one where it has to wait.

It must not know what the coroutine does.
"""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar, cast

T = TypeVar("T")


@types.coroutine
def resume(coroutine: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    """The rest of a coroutine that was begun by hand and gave `awaited`, which it waits for.

    A task costs some microseconds; most answers are there without waiting, and need none.
    """
    try:
        yield awaited
    except BaseException as error:  # noqa: BLE001 - CancelledError above all
        # Thrown in by the task, when it is cancelled: meant for the place that waits.
        try:
            awaited = coroutine.throw(error)
        except StopIteration as done:
            return cast("T", done.value)
        return (yield from resume(coroutine, awaited))
    result: T = yield from coroutine
    return result
