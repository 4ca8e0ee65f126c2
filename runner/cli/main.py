"""The command `batch-run`: which command is meant, and how its end becomes an exit code.

It knows nothing of what the commands do; each is one function in `cli.commands`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from threading import Event as Signal

from runner import __version__
from runner.cli.signals import Interruptions, watch_signals
from runner.cli.table import COMMANDS, RESERVED, Command
from runner.cli.world import World
from runner.errors import BatchRunError, UsageError
from runner.run.clock import Clock
from runner.spec.problem import SpecError

_EPILOG = """examples:
  batch-run workloads/topwords.yaml              run a workload on this machine
  batch-run workloads/topwords.yaml -p number=5  with another parameter
  batch-run run spec.yaml --target azure         run it on Azure Batch
  batch-run validate *.yaml                      check specs, all problems at once

`batch-run SPEC` is the same as `batch-run run SPEC`.
"""


def main() -> int:
    """The entry point of the installed command."""
    # Python opens them with the locale's encoding; odd file names must not stop a message.
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    clock = Clock(
        now=lambda: datetime.now(timezone.utc),  # noqa: TID251 - the one place
        monotonic=time.monotonic,
        wait=Signal.wait,
    )
    world = World(
        environ=os.environ,  # noqa: TID251 - the one place
        working_directory=Path.cwd(),
        stdout=sys.stdout.buffer,
        stderr=sys.stderr,
        clock=clock,
    )
    with watch_signals() as interruptions:
        return run_command(sys.argv[1:], world, interruptions)


def run_command(argv: Sequence[str], world: World, interruptions: Interruptions) -> int:
    """Runs one command line to its exit code; errors of ours become one clear line."""
    try:
        words = _with_command(argv)
        arguments = build_parser(words[:1]).parse_args(words)
        command: Command = arguments.command
        return command.execute(arguments, world, interruptions)
    except SpecError as error:
        from runner.spec.messages import render_problem

        for problem in error.problems:
            world.say(render_problem(problem))
        world.say(f"batch-run: {error.message}")
        return error.exit_code
    except BatchRunError as error:
        world.show_error(error)
        return error.exit_code


def build_parser(chosen: Sequence[str]) -> argparse.ArgumentParser:
    """All commands, and the options of those `chosen`: some cost an import."""
    parser = argparse.ArgumentParser(
        prog="batch-run",
        description="Run any program over every file you have, here or on Azure Batch.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"batch-run {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            allow_abbrev=False,
        )
        if command.name in chosen:
            command.add_arguments(subparser)
        subparser.set_defaults(command=command)
    return parser


def _with_command(argv: Sequence[str]) -> Sequence[str]:
    """`batch-run SPEC` means `run`; a command's name wins over a file's."""
    names = {command.name for command in COMMANDS}
    if not argv or argv[0] in names or argv[0] in {"-h", "--help", "--version"}:
        return argv
    if argv[0] in RESERVED:
        raise UsageError(
            f"`{argv[0]}` is a command that this version does not have",
            hint=f"a spec of that name is `./{argv[0]}`",
        )
    return ["run", *argv]
