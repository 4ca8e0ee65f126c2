"""The spec's `halt`, from data that the schema has passed to values.

It must not know what a run makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.spec.model.halt import Halt, HaltWhen, Share


def parse_halt(data: Mapping[str, Any]) -> Halt:
    """When the run stops early. The defaults are those that the schema promises."""
    after = data.get("after")
    same = data.get("same_failure")
    return Halt(
        after=Share(text=after) if isinstance(after, str) else _count(after),
        when=HaltWhen(data.get("when", "soon")),
        same_failure=_count(same),
        canary=int(data.get("canary", 0)),
    )


def _count(value: float | None) -> int | None:
    """JSON Schema takes `3.0` for an integer; `false` is 0 here."""
    return None if value is None else int(value)
