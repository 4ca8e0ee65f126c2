"""The report of a run as it is now, whoever drives it.

It must not know what is shown of it, and asks no service.
"""

from __future__ import annotations

from pathlib import Path

from runner.cli.unknown_events import tell_unknown
from runner.cli.world import World
from runner.report.journal_fold import JournalFold, fold_journal
from runner.run.records.driving import Driver


def fold_now(directory: Path, driver: Driver | None, world: World) -> JournalFold:
    """What its journal comes to; nodes of a run that somebody drives cost money up to now.

    Raises `UsageError` where its events cannot be read.
    """
    folded = fold_journal(directory)
    tell_unknown(folded.unknown, world)
    alive = folded.seen if driver is None else world.clock.now()
    if alive is not None:
        folded.report.spending.look(alive)
    return folded
