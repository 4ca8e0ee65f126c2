"""`batch-run explain`: why a task waits, has failed or was skipped, and what to do about it."""

from __future__ import annotations

import argparse
import json

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument
from runner.cli.world import World
from runner.errors import ExitCode, UsageError

EXAMPLES = """
batch-run explain 7                                 why task 0007 waits, or has failed
batch-run explain 7 mine-2026                       the same of an earlier run
batch-run explain 7 --json                          reasons, evidence and hints as data
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A task, a run, and how it is shown."""
    parser.usage = "%(prog)s [-h] TASK [RUN] [--json]"
    parser.add_argument(
        "words",
        metavar="TASK RUN",
        nargs="+",
        help="a task's id, which is a number; the run's id, or as much of it as no other begins"
        " with (default: the last run)",
    )
    add_json_argument(parser, "one object")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints it; exit code 0 however the task stands, also where the service is out of reach."""
    del interruptions
    from runner.cli.explaining import explain_task
    from runner.cli.runs import tell_apart
    from runner.report.explanation_as_text import explanation_as_json, explanation_as_text
    from runner.run.records.directory import find_run

    task, run = tell_apart(arguments.words)
    if task is None:
        raise UsageError("`explain` needs the id of a task", hint="it is a number")
    explanation = explain_task(find_run(world.working_directory, run), task, world)
    if arguments.json:
        world.print(json.dumps(explanation_as_json(explanation), ensure_ascii=False))
    else:
        world.print(explanation_as_text(explanation))
    return ExitCode.SUCCESS
