"""Running the transfers of one task side by side, within a bound.

It must not know what is transferred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import chain, islice

IN_FLIGHT_PER_TASK = 8


def run_side_by_side(pool: Executor, jobs: Iterable[Callable[[], None]]) -> None:
    """Runs all jobs, at most `IN_FLIGHT_PER_TASK` at once; a lone one in the calling thread.

    After the first error no further job starts; it is raised when those under way have ended.
    """
    remaining = iter(jobs)
    first = list(islice(remaining, 2))
    if len(first) < 2:
        for job in first:
            job()
        return
    waiting = chain(first, remaining)
    running: set[Future[None]] = set()
    try:
        while True:
            free = IN_FLIGHT_PER_TASK - len(running)
            for job in islice(waiting, free):
                running.add(pool.submit(job))
            # Not before jobs were added: all under way may have ended at once.
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
    finally:
        wait(running)
