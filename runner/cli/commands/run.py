"""`batch-run run`: one workload, from its spec to nothing left."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.specs import (
    add_json_argument,
    add_parameter_arguments,
    add_prices_argument,
    add_rerun_arguments,
)
from runner.cli.world import World

_KEEP = ("pool", "job", "storage")
ISOLATIONS = ("auto", "copy-on-write", "container", "none")
LIMITS = ("auto", "memory", "vm-size", "none")

EXAMPLES = """
batch-run run mine.yaml                             all of it, on this machine
batch-run mine.yaml -p bitrate=96k                  the same command, with a parameter
batch-run run mine.yaml --target azure --detach     leave once every task is added
batch-run run mine.yaml --only failed               again what has not succeeded
batch-run run mine.yaml --only 3,17 --logs all      two tasks, and all that they print
batch-run run mine.yaml --json > events.jsonl       every event as a line of JSON
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything that a run can be told."""
    parser.add_argument("spec", metavar="SPEC", help="the workload's YAML file")
    add_parameter_arguments(parser)
    parser.add_argument(
        "--target",
        choices=("local", "azure"),
        help="where to run (default: $BATCH_RUN_TARGET, else azure if $AZURE_BATCH_ENDPOINT is"
        " set, else local)",
    )
    parser.add_argument(
        "--output", metavar="DIR", help="where outputs go (default: results/<workload name>)"
    )
    parser.add_argument(
        "--keep",
        choices=_KEEP,
        action="append",
        default=[],
        help="leave something in the service after the run; may be repeated (default: nothing)",
    )
    parser.add_argument(
        "--detach",
        action="store_true",
        help="leave once every task is added; the work goes on, and `attach` brings it home",
    )
    parser.add_argument(
        "--allow-admin",
        action="store_true",
        help="local target, where nodes are plain processes: run a start task that asks for admin"
        " on this machine; and take options that let containers leave their node",
    )
    parser.add_argument(
        "--isolation",
        choices=ISOLATIONS,
        default="auto",
        help="local target: what a node is (default: a copy-on-write view of this machine on Linux"
        " as root, else a folder, and tasks plain processes)",
    )
    parser.add_argument(
        "--limits",
        choices=LIMITS,
        default="auto",
        help="local target: what of its VM size a copy-on-write node is held to: the memory, memory"
        " and cores, or nothing (default: the memory, where that can be done)",
    )
    parser.add_argument(
        "--logs",
        choices=("failed", "all"),
        default="failed",
        help="whose stdout and stderr to bring home (default: %(default)s)",
    )
    add_prices_argument(parser)
    add_rerun_arguments(parser)
    add_json_argument(parser, "one event a line")
    parser.add_argument("-q", "--quiet", action="store_true", help="show only how it ended")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Runs the workload; returns the exit code of the contract."""
    from runner.connect import choose_target, preparing_local

    choice = choose_target(arguments.target, world.environ)
    world.say(f"target: {choice.target}, {choice.why}")
    with preparing_local(world.environ, wanted=choice.target == "local") as prepared:
        from runner.cli.running import run_workload  # while the local services do the same

        return run_workload(arguments, world, interruptions, choice.target, prepared)
