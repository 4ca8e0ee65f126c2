"""`batch-run events`: what happened in a run, as the lines of JSON that they are."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode

EXAMPLES = """
batch-run events                                    all events of the last run
batch-run events --follow                           and those to come, until it has ended
batch-run events --type task.finished --since 1h    tasks that have ended within the hour
batch-run events --from 101                         from the 101st event on
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run, and whether to stay."""
    from runner.cli.runs import add_run_argument

    add_run_argument(parser)
    parser.add_argument(
        "--follow",
        action="store_true",
        help="go on until who drives the run has ended; one that dies is waited for, since"
        " `resume` may go on with the run",
    )
    parser.add_argument(
        "--from",
        dest="first",
        metavar="N",
        type=int,
        default=1,
        help="from the N-th event of the run on: whoever has read 100 goes on with `--from 101`"
        " (default: 1)",
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="those since `2026-01-31T12:00:00Z`, or of the last `10m` (default: all)",
    )
    parser.add_argument(
        "--type",
        dest="types",
        metavar="TYPE",
        action="append",
        default=[],
        help="those of this type, such as task.finished; may be repeated (default: all)",
    )
    parser.add_argument(
        "--json", action="store_true", help="as other commands have it: events are JSON anyway"
    )


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints them; exit code 0, or 130 where Ctrl-C ends the following."""
    from runner.cli.event_choice import choose_events, chosen_lines
    from runner.run.records.directory import find_run
    from runner.run.records.following import Following
    from runner.run.stop import Stop

    choice = choose_events(arguments, now=world.clock.now())
    directory = find_run(world.working_directory, arguments.run)
    stop = Stop()
    interruptions.stop = stop.request
    following = Following(directory)

    def wait_for_another() -> None:
        run = directory.name
        world.say(
            f"who drove run {run} has died; waiting for `batch-run resume {run}`, Ctrl-C ends this"
        )

    pieces = following.pieces()
    if arguments.follow:
        pieces = following.follow(
            world.clock, stop, outlive=wait_for_another, is_wanted=world.look_for_reader
        )
    for piece in chosen_lines(pieces, choice):
        world.write(piece)
        stop.check()
        if not world.has_reader:
            break
    return ExitCode.SUCCESS
