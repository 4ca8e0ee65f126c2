"""What the commands share that take a run: how it is named on the command line.

It must not know what they do with it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from runner.errors import UsageError


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """`[RUN]`."""
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="the run's id, or as much of it as no other begins with (default: the last run)",
    )


def tell_apart(words: Sequence[str]) -> tuple[str | None, str | None]:
    """The task and the run: ids of tasks are digits, and those of runs are never digits alone.

    Raises `UsageError` where there are several of either.
    """
    tasks = [word for word in words if word.isascii() and word.isdigit()]
    runs = [word for word in words if word not in tasks]
    if len(tasks) > 1 or len(runs) > 1:
        raise UsageError(
            f"one task and one run at most: {', '.join(f'`{word}`' for word in words)}",
            hint="the id of a task is a number",
        )
    return (tasks[0] if tasks else None), (runs[0] if runs else None)
