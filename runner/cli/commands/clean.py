"""`batch-run clean`: finds what runs have left, and takes it away."""

from __future__ import annotations

import argparse

from runner.cli.runs import add_run_argument
from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument
from runner.cli.world import World
from runner.errors import UsageError

EXAMPLES = """
batch-run clean                                     what the last run has left
batch-run clean --all --dry-run                     what any run has left; only show it
batch-run clean mine-2026 --kept                    also what was kept on purpose
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose things are meant, and how much of them."""
    add_run_argument(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="what all runs have left in the accounts, whoever began them, and in this folder",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only show it: what would go, and what stays"
    )
    parser.add_argument(
        "--kept",
        action="store_true",
        help="also what was kept on purpose, by `--keep` or `delete: never`",
    )
    parser.add_argument(
        "--yes", action="store_true", help="with `--all`: do not ask whether it is to go"
    )
    parser.add_argument(
        "--target",
        choices=("local", "azure"),
        help="where to look (default: where the run was; with `--all` as for `run`)",
    )
    add_json_argument(parser, "what became of each thing")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Exit code 0, or 5 where something that was to go is still there."""
    del interruptions
    if arguments.all and arguments.run is not None:
        raise UsageError(
            "`--all` is about all runs, and so takes no RUN", hint="give the one or the other"
        )
    if arguments.yes and not arguments.all:
        raise UsageError("`--yes` is for `--all`: of one run nobody is asked")
    from runner.cli.cleaning import clean

    return clean(arguments, world)
