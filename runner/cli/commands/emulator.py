"""`batch-run emulator`: the emulator alone, until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.world import World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The emulator's own options."""
    from runner.emulator.program import add_arguments as add_emulator_arguments

    add_emulator_arguments(parser)


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Runs it in this process; it has handlers of its own for the signals."""
    del world, interruptions
    from runner.emulator.program import run

    return run(arguments)
