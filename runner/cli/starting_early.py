"""Starts the local services early, for a run that is about to be taken up again.

It must not import what reads runs: that, and the reading, goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.cli.world import World
from runner.connect import PreparedEmulator, preparing_local
from runner.run.records.driving import find_driver
from runner.run.records.places import LOCAL_STATE


@contextmanager
def starting_early(directory: Path, world: World) -> Iterator[PreparedEmulator | None]:
    """What loads the services of a run of this machine that nobody drives; else None.

    Raises `UsageError` where that cannot be told.
    """
    rests_here = (directory / LOCAL_STATE).is_dir() and find_driver(directory) is None
    with preparing_local(world.environ, wanted=rests_here) as prepared:
        yield prepared
