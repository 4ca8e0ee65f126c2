"""`timeOut`: how many seconds a client gives the service to answer.

It must not know how long anything takes: the emulator answers at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.emulator.batch.core.refusal import invalid_query
from runner.emulator.batch.operations.wire import parse_whole


def check_timeout(query: Mapping[str, str]) -> None:
    """Raises `RefusedError` for what is no number of seconds.

    More than the 30 seconds that the service takes at most count as those (REST reference).
    """
    text = query.get("timeout")
    if text is None:
        return
    seconds = parse_whole(text)
    if seconds is None:
        raise invalid_query("timeOut", text, "The value is not an integer")
    if seconds < 1:
        raise invalid_query("timeOut", text, "Timeout cannot be less than 1")
