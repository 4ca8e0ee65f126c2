"""`batch-run logs`: what tasks print, while they run and afterwards."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode, InterruptedRunError, UsageError

EXAMPLES = """
batch-run logs                                      the logs that are here: of failed tasks
batch-run logs 7                                    what task 0007 has printed
batch-run logs 7 --follow                           and what it goes on to print
batch-run logs 7 mine-2026 --stderr                 one stream, of an earlier run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A task, a run, and what of them."""
    parser.usage = "%(prog)s [-h] [TASK] [RUN] [--follow] [--stdout | --stderr]"
    parser.add_argument(
        "words",
        metavar="TASK RUN",
        nargs="*",
        help="a task's id, which is a number (default: all tasks whose logs are here); the run's"
        " id, or as much of it as no other begins with (default: the last run)",
    )
    parser.add_argument(
        "--follow", action="store_true", help="go on until the task has ended; needs TASK"
    )
    streams = parser.add_mutually_exclusive_group()
    streams.add_argument("--stdout", action="store_true", help="standard output alone, as it is")
    streams.add_argument("--stderr", action="store_true", help="standard error alone, as it is")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints them; exit code 0, or 130 where Ctrl-C ends the following."""
    from runner.cli.runs import tell_apart
    from runner.cli.task_logs import STREAMS, Asked, show_home_logs, show_task_log
    from runner.run.records.directory import find_run
    from runner.run.stop import Stop

    task, run = tell_apart(arguments.words)
    chosen = tuple(stream for stream in STREAMS if getattr(arguments, stream))
    directory = find_run(world.working_directory, run)
    if task is None:
        if arguments.follow:
            raise UsageError("`--follow` needs the id of a task")
        show_home_logs(directory, Asked(streams=chosen or STREAMS, titled=True), world)
        return ExitCode.SUCCESS
    asked = Asked(streams=chosen or STREAMS, titled=not chosen)
    stop = Stop()
    if arguments.follow:
        interruptions.stop = stop.request
    try:
        show_task_log(directory, task, asked, world, follow=stop if arguments.follow else None)
    except InterruptedRunError:
        return ExitCode.INTERRUPTED
    return ExitCode.SUCCESS
