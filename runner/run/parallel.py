"""Several calls at once, which end together: the first error, or the wish to stop, ends the rest.

It knows nothing of what is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

# How soon a wish to stop is seen while all calls under way are slow.
_LOOK_SECONDS = 0.2
# So many calls for each thread are taken at a time: a million of them cost no memory.
_CALLS_PER_THREAD = 4


def run_together(
    calls: Iterable[Callable[[], object]],
    *,
    threads: int,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Runs all calls; raises the first error, when the calls under way have returned.

    `calls` are taken as they are begun, in the caller's thread. `check` is called now and then,
    and may raise to end them all.
    """
    pool = ThreadPoolExecutor(threads)
    following = iter(calls)
    waiting: set[Future[object]] = set()
    try:
        while True:
            room = threads * _CALLS_PER_THREAD - len(waiting)
            waiting.update(pool.submit(call) for call in islice(following, room))
            if not waiting:
                return
            done, waiting = wait(waiting, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            check()
    finally:
        pool.shutdown(cancel_futures=True)
