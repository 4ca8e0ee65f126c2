"""`batch-run resume`: goes on with a run, wherever it was broken off."""

from __future__ import annotations

import argparse
from dataclasses import replace

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument, add_secrets_argument
from runner.cli.world import World
from runner.errors import UsageError

EXAMPLES = """
batch-run resume                                    go on with the last run
batch-run resume mine-2026                          the one whose id begins so
batch-run resume --params secrets.yaml              with the values of secrets once more
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and where what is known of it comes from."""
    parser.add_argument(
        "run", metavar="RUN", nargs="?", help="the run's id, or how it begins (default: the last)"
    )
    parser.add_argument(
        "--from-service",
        action="store_true",
        help="go on here with a run that was begun in another folder or on another machine, by"
        " what Azure has of it; RUN is its whole id",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="where outputs go from here on, those too that are home already (default: where they"
        " went; with `--from-service` results/<workload name>)",
    )
    add_secrets_argument(parser)
    add_json_argument(parser, "one event a line")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only how it ends")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Drives the run to its end; the exit code is the run's."""
    from runner.cli.starting_early import starting_early
    from runner.run.records.directory import find_run

    if arguments.from_service:
        return _resume_from_service(arguments, world, interruptions)
    directory = find_run(world.working_directory, arguments.run)
    with starting_early(directory, world) as prepared:
        from runner.cli.resuming import read_resumption, resume_run

        resumption = read_resumption(arguments, world, prepared=prepared)
        return resume_run(directory, resumption, world, interruptions)


def _resume_from_service(
    arguments: argparse.Namespace, world: World, interruptions: Interruptions
) -> int:
    from runner.cli.resuming import fetch_run, read_resumption, resume_run

    resumption = replace(read_resumption(arguments, world), output=None)
    if arguments.run is None:
        raise UsageError("`--from-service` needs the id of the run")
    directory = fetch_run(arguments.run, arguments.output, world)
    return resume_run(directory, resumption, world, interruptions)
