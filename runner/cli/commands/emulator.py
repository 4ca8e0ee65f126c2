"""`batch-run emulator`: the emulator alone, until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The emulator's own options."""
    from runner.emulator.program import add_arguments as add_emulator_arguments

    add_emulator_arguments(parser)


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Runs it in this process; it has handlers of its own for the signals."""
    del interruptions
    from runner.emulator.program import run

    def tell_refusal(words: str) -> None:
        if arguments.json:
            from runner.report.error_as_json import error_as_json

            world.print_json(error_as_json(UsageError(words)))

    return run(arguments, tell_refusal)
