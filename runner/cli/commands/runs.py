"""`batch-run runs`: the runs that were started in this folder, the newest last."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument
from runner.cli.world import World
from runner.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from runner.report.runs_as_text import Unreadable
    from runner.run.records.standing import RunSummary

EXAMPLES = """
batch-run runs                                      the runs of this folder, the newest last
batch-run runs --json                               the same as lines of JSON
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing but how they are shown."""
    add_json_argument(parser, "one run a line")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints them; exit code 0, also where there is none."""
    del interruptions
    from runner.report.runs_as_text import run_as_json, runs_as_text
    from runner.run.records.directory import list_runs

    runs = [_summarize(directory) for directory in list_runs(world.working_directory)]
    if arguments.json:
        for run in runs:
            world.print(json.dumps(run_as_json(run), ensure_ascii=False))
    elif runs:
        world.print(runs_as_text(runs))
    else:
        world.say("no run was started in this folder")
    return ExitCode.SUCCESS


def _summarize(directory: Path) -> RunSummary | Unreadable:
    """One run that cannot be told of must not hide the others."""
    from runner.report.runs_as_text import Unreadable
    from runner.run.records.standing import Standing, summarize

    try:
        run = summarize(directory)
    except UsageError as error:
        return Unreadable(run=directory.name, why=error.message)
    if run.standing is not Standing.DETACHED or run.record.target != "local":
        return run
    from runner.cli.resting import have_services_ended

    return replace(run, rests=have_services_ended(directory))
