"""What the commands share that take a run: how it is named on the command line.

It must not know what they do with it.
"""

from __future__ import annotations

import argparse


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """`[RUN]`."""
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="the run's id, or as much of it as no other begins with (default: the last run)",
    )
