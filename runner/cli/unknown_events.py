"""Says which events of a run were passed over, since a later release has added their types.

It must not know who reads events, nor for what.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.cli.world import World
from runner.run.records.reading import unknown_events_note


def tell_unknown(unknown: Mapping[str, int], world: World) -> None:
    """One line where there were any; `unknown` counts them by type."""
    note = unknown_events_note(unknown)
    if note is not None:
        world.say(f"note: {note}")
