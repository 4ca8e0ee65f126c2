"""`batch-run cancel`: ends a run and takes away what it has made."""

from __future__ import annotations

import argparse

from runner.cli.runs import add_run_argument
from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument
from runner.cli.world import World
from runner.errors import ExitCode, InterruptedRunError

EXAMPLES = """
batch-run cancel                                    end the last run; nothing of it is left
batch-run cancel mine-2026                          the one whose id begins so
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and how it is told."""
    add_run_argument(parser)
    add_json_argument(parser, "what became of it")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Exit code 0 where nothing of the run is left, 5 where something is."""
    from runner.cli.cancelling import cancel_run, cancelled_as_json, has_ended
    from runner.run.records.directory import find_run

    directory = find_run(world.working_directory, arguments.run)
    had_ended = has_ended(directory)
    code = cancel_run(directory, world, interruptions)
    if not arguments.json:
        return code
    if code == ExitCode.INTERRUPTED:
        raise InterruptedRunError("interrupted: the run may go on")
    world.print_json(cancelled_as_json(directory, had_ended=had_ended))
    return code
