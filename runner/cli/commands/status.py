"""`batch-run status`: how a run stands, whoever drives it, and what to do next."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from runner.cli.runs import add_run_argument
from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument
from runner.cli.world import World
from runner.errors import ExitCode

EXAMPLES = """
batch-run status                                    how the last run stands
batch-run status mine-2026 --json                   another one, as data
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and how it is shown."""
    add_run_argument(parser)
    add_json_argument(parser, "one object")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints it; exit code 0 however the run stands, also where the service is out of reach."""
    del interruptions
    from runner.cli.following_up import calling_of
    from runner.cli.looking import find_status
    from runner.report.next_steps import next_steps
    from runner.report.status_as_text import status_as_json, status_as_text
    from runner.run.records.directory import find_run

    directory = find_run(world.working_directory, arguments.run)
    status = find_status(directory, world)
    if arguments.json:
        world.print(json.dumps(status_as_json(status), ensure_ascii=False))
    else:
        text = status_as_text(
            status,
            run_directory=world.shown(directory),
            output_directory=world.shown(Path(status.record.output_directory)),
            steps=next_steps(status.report, calling_of(status.record, world)),
        )
        world.print(text)
    return ExitCode.SUCCESS
