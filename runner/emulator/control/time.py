"""`/.emulator/time`: says what time it is for tasks, and lets virtual time pass.

It must not know what happens meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from runner.emulator.batch.modelling.passage import Passage, VirtualTime
from runner.emulator.control.gate import ControlError, Told
from runner.emulator.phrases import parse_duration

_LONGEST = timedelta(days=3650)


class TimeControl:
    """`GET` shows the time; `POST` with `{"advance": "24h"}` has so much of it pass at once."""

    def __init__(self, passage: Passage | None, clock: Callable[[], datetime]) -> None:
        """Without a passage, time is that of the clock."""
        self._passage = passage
        self._clock = clock

    async def answer(self, told: Told) -> object:
        """The time as it is then."""
        if told.path:
            raise ControlError(404, f"there is no `time/{told.path}`")
        match told.method:
            case "GET" | "HEAD":
                pass
            case "POST":
                if not isinstance(self._passage, VirtualTime):
                    raise ControlError(
                        409,
                        "time is real; `--time virtual` and `--time manual` let it pass at will",
                    )
                await self._passage.advance(_read_length(told.body))
            case _:
                raise ControlError(405, f"`{told.method}` is none of GET and POST")
        return self._show()

    def _show(self) -> dict[str, str | None]:
        if not isinstance(self._passage, VirtualTime):
            now = self._clock() if self._passage is None else self._passage.now()
            return {"mode": "real", "now": _format(now)}
        upcoming = self._passage.next_moment
        return {
            "mode": self._passage.mode.value,
            "now": _format(self._passage.now()),
            "next": None if upcoming is None else _format(upcoming),
        }


def _read_length(body: str) -> timedelta:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or list(document) != ["advance"]:
        raise ControlError(400, 'the content is not such as `{"advance": "24h"}`')
    try:
        length = parse_duration(str(document["advance"]))
    except ValueError as error:
        raise ControlError(400, f"`advance`: {error}") from error
    if length > _LONGEST:
        raise ControlError(400, f"`advance`: `{document['advance']}` is more than ten years")
    return length


def _format(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
