"""`batch-run help`: the help of a command, or what commands there are."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode, UsageError

EXAMPLES = """
batch-run help           what commands there are
batch-run help run       the same as `batch-run run --help`
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command."""
    parser.add_argument(
        "about", metavar="COMMAND", nargs="?", help="whose help to show (default: all commands)"
    )


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints it on stdout; exit code 2 where there is no such command."""
    del interruptions
    from runner.cli.parser import build_parser, build_subparser
    from runner.cli.table import COMMANDS
    from runner.spec.suggestion import suggest

    names = [command.name for command in COMMANDS]
    if arguments.about is None:
        parser = build_parser(())
    elif arguments.about in names:
        parser = build_subparser(arguments.about)
    else:
        raise UsageError(
            f"there is no command `{arguments.about}`",
            hint=suggest(arguments.about, names, label="commands"),
        )
    world.print(parser.format_help().rstrip())
    return ExitCode.SUCCESS
