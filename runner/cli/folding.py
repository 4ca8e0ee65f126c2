"""The report of a run as it is now, whoever drives it.

It must not know what is shown of it, and asks no service.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from runner.cli.unknown_events import tell_unknown
from runner.cli.world import World
from runner.report.fold import Report
from runner.report.journal_fold import JournalFold, fold_journal
from runner.run.records.driving import Driver


def fold_now(directory: Path, driver: Driver | None, world: World) -> JournalFold:
    """What its journal comes to; nodes of a run that somebody drives cost money up to now.

    Raises `UsageError` where its events cannot be read.
    """
    folded = fold_journal(directory)
    tell_unknown(folded.unknown, world)
    spend_until(folded.report, folded.seen if driver is None else world.clock.now())
    return folded


def spend_until(report: Report, alive: datetime | None) -> None:
    """Counts the nodes of a run up to when it was known to be alive last; None if it never was."""
    if alive is not None:
        report.spending.look(alive)
