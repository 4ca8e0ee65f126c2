"""`batch-run diff`: what two runs were made of, and why the second ran tasks again."""

from __future__ import annotations

import argparse
import json

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument
from runner.cli.world import World
from runner.errors import ExitCode, UsageError

EXAMPLES = """
batch-run diff mine-20260101 mine-20260102          why the later one ran tasks again
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two runs, the earlier one first."""
    for name, which in (("first", "the earlier run"), ("second", "the later run")):
        parser.add_argument(
            name, metavar="RUN", help=f"{which}: its id, or as much of it as no other begins with"
        )
    add_json_argument(parser, "a line for each task")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints the differences; exit code 0, whether there are any or not."""
    del interruptions
    from runner.report.differences_as_text import (
        difference_as_json,
        differences_as_text,
        first_to_show,
        shows_script,
    )
    from runner.run.records.directory import find_run
    from runner.run.records.plan_file import read_scripts
    from runner.run.results.differences import compare_locks
    from runner.run.results.lock_file import LOCK_FILE, read_lock

    directories = [
        find_run(world.working_directory, name) for name in (arguments.first, arguments.second)
    ]
    if directories[0] == directories[1]:
        raise UsageError(
            f"`{arguments.first}` and `{arguments.second}` are the same run,"
            f" `{directories[0].name}`",
            hint="`batch-run runs` lists all of this folder",
        )
    first, second = (read_lock(directory / LOCK_FILE) for directory in directories)
    differences = tuple(compare_locks(first, second))
    told = differences if arguments.json else first_to_show(differences)
    ids = [each.ids for each in told if shows_script(each)]
    scripts = (
        read_scripts(directories[0], {first_id for first_id, _ in ids if first_id is not None}),
        read_scripts(directories[1], {second_id for _, second_id in ids if second_id is not None}),
    )
    if arguments.json:
        for each in differences:
            world.print(json.dumps(difference_as_json(each, scripts), ensure_ascii=False))
    else:
        world.print("\n".join(differences_as_text(first, second, differences, scripts)))
    return ExitCode.SUCCESS
