"""`batch-run completion`: a script that has a shell complete command lines of batch-run."""

from __future__ import annotations

import argparse
from pathlib import Path

from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode

EXAMPLES = """
batch-run completion bash >> ~/.bashrc                               for every new bash
batch-run completion zsh >> ~/.zshrc                                 for zsh, behind `compinit`
batch-run completion fish > ~/.config/fish/completions/batch-run.fish   for fish
"""
SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that the script is for")


def execute(arguments: argparse.Namespace, world: World, interruptions: Interruptions) -> int:
    """Prints the script."""
    del interruptions
    scripts = Path(__file__).resolve().parent.parent / "completion" / "scripts"
    world.write((scripts / arguments.shell).read_bytes())
    return ExitCode.SUCCESS
