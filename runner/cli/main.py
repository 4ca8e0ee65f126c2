"""The entry point of `batch-run`: signals and streams first, then the command.

It imports little before the signal handlers stand, and knows nothing of the commands.
"""

from __future__ import annotations

import gc
import os
import sys

from runner.cli.signals import disregard_signals, heed_signals
from runner.errors import ExitCode, InterruptedRunError

_NEW_OBJECTS = 200_000
"""So many come between two looks for garbage. Nearly all that a command makes at first stays, and
to look through it every 700, as Python does by default, takes a tenth of its start."""


def main() -> int:
    """Runs the command line of this process; returns its exit code."""
    gc.set_threshold(_NEW_OBJECTS)
    interruptions = heed_signals()
    try:
        _open_closed_streams()

        from runner.cli.dispatch import run_process

        return run_process(sys.argv[1:], interruptions)
    except InterruptedRunError:
        return ExitCode.INTERRUPTED
    finally:
        disregard_signals()
        # All that is to be closed is closed: what is left goes with the process. The interpreter
        # would look through it for garbage several times, which takes as long as half of a start.
        gc.freeze()


def _open_closed_streams() -> None:
    """`>&-` leaves a descriptor that the next file opened would get, and be written into."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
