"""`batch-run cancel`: ends a run and takes away what it has made."""

from __future__ import annotations

import argparse

from runner.cli.runs import add_run_argument
from runner.cli.signals import Interruptions
from runner.cli.world import World

EXAMPLES = """
batch-run cancel                                    end the last run; nothing of it is left
batch-run cancel mine-2026                          the one whose id begins so
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run."""
    add_run_argument(parser)


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Exit code 0 where nothing of the run is left, 5 where something is."""
    from runner.cli.cancelling import cancel_run
    from runner.run.records.directory import find_run

    return cancel_run(find_run(world.working_directory, arguments.run), world, interruptions)
