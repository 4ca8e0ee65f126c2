"""When the emulator ends: by a signal, or with the program that holds its standard input.

It must not know what ends then.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import suppress


def stop_event(*, until_stdin_closes: bool) -> asyncio.Event:
    """Set by SIGINT, SIGTERM, SIGHUP or, where asked for, by the end of standard input."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)

    def watch_stdin() -> None:
        # Standard input that was closed from the start is at its end too.
        with suppress(OSError):
            while os.read(0, 65536):
                pass
        # The loop may have ended meanwhile; then there is nothing left to stop.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)

    if until_stdin_closes:
        threading.Thread(target=watch_stdin, daemon=True).start()
    return stop
