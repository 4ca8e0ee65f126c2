"""`batch-run events`: what happened in a run, as the lines of JSON that they are."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode

EXAMPLES = """
batch-run events                                    all events of the last run
batch-run events --follow                           and those to come, until it has ended
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and whether to stay."""
    from runner.cli.runs import add_run_argument

    add_run_argument(parser)
    parser.add_argument(
        "--follow", action="store_true", help="go on until who drives the run has ended"
    )
    parser.add_argument(
        "--json", action="store_true", help="as other commands have it: events are JSON anyway"
    )


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints them; exit code 0, or 130 where Ctrl-C ends the following."""
    from runner.run.records.directory import find_run
    from runner.run.records.following import Following
    from runner.run.stop import Stop

    directory = find_run(world.working_directory, arguments.run)
    stop = Stop()
    interruptions.stop = stop.request
    following = Following(directory)
    lines = following.follow(world.clock, stop) if arguments.follow else following.pieces()
    for line in lines:
        world.write(line)
        stop.check()
        if not world.has_reader:
            break
    return ExitCode.SUCCESS
