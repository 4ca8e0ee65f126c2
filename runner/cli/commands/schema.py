"""`batch-run schema`: prints the JSON Schema of specs."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode

EXAMPLES = """
batch-run schema > workload.schema.json             what editors complete and check by
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""
    del parser


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints the file as it is."""
    del arguments, interruptions
    from runner.spec.bundled import bundled

    world.write(bundled("schema", "workload.schema.json").read_bytes())
    return ExitCode.SUCCESS
