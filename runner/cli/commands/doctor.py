"""`batch-run doctor`: what would keep a run from going well, before it costs anything."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.specs import (
    add_json_argument,
    add_parameter_arguments,
    add_prices_argument,
)
from runner.cli.world import World
from runner.errors import UsageError

EXAMPLES = """
batch-run doctor                                    check what the environment names
batch-run doctor mine.yaml --target azure           and what a spec needs against it
batch-run doctor mine.yaml --json                   the same as data
batch-run doctor --run mine.yaml --within 30m       try one task on one node; nothing stays
"""
_DEFAULT_WITHIN = "30m"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The specs, where they are to run, and whether one is tried."""
    parser.add_argument("specs", metavar="SPEC", nargs="*", help="check what these need, too")
    add_parameter_arguments(parser)
    parser.add_argument(
        "--target",
        choices=("local", "azure"),
        help="what to check (default: where `run` would run)",
    )
    parser.add_argument(
        "--run",
        action="store_true",
        help="where nothing is wrong, run the spec's first task on one node, take all of it away,"
        " and prove that; ends as that run does, or with 5 where anything is left",
    )
    parser.add_argument(
        "--within",
        metavar="TIME",
        help=f"with `--run`: how long the job may last (default: {_DEFAULT_WITHIN})",
    )
    parser.add_argument(
        "--yes", action="store_true", help="with `--run`: do not ask whether it may cost money"
    )
    add_prices_argument(parser)
    add_json_argument(parser, "the findings")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Exit code 0, 2 where something here or in a spec is wrong, or 3 where a service says no."""
    if not arguments.run:
        if arguments.yes or arguments.within is not None:
            option = "--yes" if arguments.yes else "--within"
            raise UsageError(f"`{option}` is for `--run`: without it nothing is made")
        from runner.cli.examining import examine

        return examine(arguments, world)
    if len(arguments.specs) != 1:
        raise UsageError("`--run` tries one SPEC", hint="batch-run doctor --run mine.yaml")
    from runner.cli.trying import try_spec

    return try_spec(arguments, world, interruptions, within=arguments.within or _DEFAULT_WITHIN)
