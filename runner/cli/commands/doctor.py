"""`batch-run doctor`: what would keep a run from going well, before it costs anything."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.specs import add_json_argument, add_parameter_arguments
from runner.cli.world import World

EXAMPLES = """
batch-run doctor                                    check what the environment names
batch-run doctor mine.yaml --target azure           and what a spec needs against it
batch-run doctor mine.yaml --json                   the same as data
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The specs, and where they are to run."""
    parser.add_argument("specs", metavar="SPEC", nargs="*", help="check what these need, too")
    add_parameter_arguments(parser)
    parser.add_argument(
        "--target",
        choices=("local", "azure"),
        help="what to check (default: where `run` would run)",
    )
    add_json_argument(parser, "the findings")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Exit code 0, 2 where something here or in a spec is wrong, or 3 where a service says no."""
    del interruptions
    from runner.cli.examining import examine

    return examine(arguments, world)
