"""`batch-run logs`: what tasks print, while they run and afterwards."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument
from runner.cli.world import World
from runner.errors import ExitCode, InterruptedRunError, UsageError

if TYPE_CHECKING:
    from runner.run.stop import Stop

EXAMPLES = """
batch-run logs                                      the logs that are here: of failed tasks
batch-run logs 7                                    what task 0007 has printed
batch-run logs 7 --follow                           and what it goes on to print
batch-run logs --follow                             what all tasks print, as it comes
batch-run logs 7 mine-2026 --stderr                 one stream, of an earlier run
batch-run logs --start-task                         what the start task printed on each node
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A task, a run, and what of them."""
    parser.usage = (
        "%(prog)s [-h] [TASK] [RUN] [--follow] [--start-task [--node NODE]]"
        " [--stdout | --stderr] [--json]"
    )
    parser.add_argument(
        "words",
        metavar="TASK RUN",
        nargs="*",
        help="a task's id, which is a number (default: all tasks whose logs are here); the run's"
        " id, or as much of it as no other begins with (default: the last run)",
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="go on until the task has ended; without TASK, show what all tasks print as it comes,"
        " until the run has ended",
    )
    parser.add_argument(
        "--start-task",
        action="store_true",
        help="what the start task prints on the nodes; of nodes that are gone, where it failed",
    )
    parser.add_argument(
        "--node",
        metavar="NODE",
        help="with `--start-task`: of this node, or a part of its id (default: of all nodes)",
    )
    streams = parser.add_mutually_exclusive_group()
    streams.add_argument("--stdout", action="store_true", help="standard output alone, as it is")
    streams.add_argument("--stderr", action="store_true", help="standard error alone, as it is")
    add_json_argument(parser, "a piece of a log a line")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints them; exit code 0, or 130 where Ctrl-C ends the following."""
    from runner.cli.runs import tell_apart
    from runner.run.records.directory import find_run
    from runner.run.stop import Stop

    task, run = tell_apart(arguments.words)
    if arguments.node is not None and not arguments.start_task:
        raise UsageError("`--node` is for `--start-task`")
    if arguments.start_task and task is not None:
        raise UsageError(
            f"a start task is no task: `{task}` cannot be one",
            hint="`--node ID` names a node",
        )
    directory = find_run(world.working_directory, run)
    stop = Stop()
    if arguments.follow:
        interruptions.stop = stop.request
    try:
        _show(arguments, directory, task, world, stop)
    except InterruptedRunError:
        return ExitCode.INTERRUPTED
    return ExitCode.SUCCESS


def _show(
    arguments: argparse.Namespace, directory: Path, task: str | None, world: World, stop: Stop
) -> None:
    from runner.cli.log_output import Json, LogOutput, Plain, Prefixed
    from runner.cli.task_logs import STREAMS, Asked, show_home_logs, show_task_log

    chosen = tuple(stream for stream in STREAMS if getattr(arguments, stream))
    what = "node" if arguments.start_task else "task"
    output: LogOutput = Plain(world, titled=task is None or not chosen, what=what)
    if arguments.json:
        output = Json(world, directory.name, what=what)
    elif arguments.follow and task is None:
        output = Prefixed(world)
    asked = Asked(streams=chosen or STREAMS, output=output)
    follow = stop if arguments.follow else None
    if arguments.start_task:
        from runner.cli.start_task_logs import show_start_tasks

        show_start_tasks(directory, asked, world, node=arguments.node, follow=follow)
    elif task is not None:
        show_task_log(directory, task, asked, world, follow=follow)
    elif follow is not None:
        from runner.cli.following_logs import follow_run

        follow_run(directory, asked, world, follow)
    else:
        show_home_logs(directory, asked, world)
