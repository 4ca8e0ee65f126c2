"""`batch-run attach`: shows a run as it goes, whoever started it, to its end."""

from __future__ import annotations

import argparse

from runner.cli.runs import add_run_argument
from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument, add_secrets_argument
from runner.cli.world import World

EXAMPLES = """
batch-run attach                                    see the last run through to its end
batch-run attach mine-2026 -q                       another one; say only how it ends
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and how it is shown."""
    add_run_argument(parser)
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="where nobody drives the run: where outputs go from here on, those too that are home"
        " already (default: where they went)",
    )
    add_secrets_argument(parser)
    add_json_argument(parser, "one event a line")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only how it ends")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Follows the run, or drives it where nobody does; the exit code is the run's."""
    from runner.cli.starting_early import starting_early
    from runner.run.records.directory import find_run

    directory = find_run(world.working_directory, arguments.run)
    with starting_early(directory, world) as prepared:
        from runner.cli.attaching import attach_run
        from runner.cli.resuming import read_resumption

        resumption = read_resumption(arguments, world, prepared=prepared)
        return attach_run(directory, resumption, world, interruptions)
