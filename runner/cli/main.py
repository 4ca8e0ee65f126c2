"""The entry point of `batch-run`: signals and streams first, then the command.

It imports next to nothing before the signal handlers stand, and knows nothing of the commands.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType

_NEW_OBJECTS = 200_000
"""So many come between two looks for garbage. Nearly all that a command makes at first stays, and
to look through it every 700, as Python does by default, takes a tenth of its start."""

_INTERRUPTED = 130
"""`ExitCode.INTERRUPTED`, before there is anything of ours."""


def main() -> int:
    """Runs the command line of this process; returns its exit code."""
    _leave_on_signals()
    gc.set_threshold(_NEW_OBJECTS)

    from runner.cli.dispatch import run_process
    from runner.cli.signals import disregard_signals, heed_signals
    from runner.errors import InterruptedRunError

    try:
        try:
            interruptions = heed_signals()
            _open_closed_streams()
            return run_process(sys.argv[1:], interruptions)
        finally:
            disregard_signals()
            # All that is to be closed is closed: what is left goes with the process. The
            # interpreter would look through it for garbage several times, which takes as long as
            # half of a start.
            gc.freeze()
    except InterruptedRunError:  # raised once, wherever that is
        return _INTERRUPTED


def _leave_on_signals() -> None:
    """Until the program is loaded there is nothing to save: and an exception that is raised while
    modules are imported could end up anywhere."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    os._exit(_INTERRUPTED)


def _open_closed_streams() -> None:
    """`>&-` leaves a descriptor that the next file opened would get, and be written into.

    What nobody has asked to hear may be lost; not so data: standard output refuses to be written.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
