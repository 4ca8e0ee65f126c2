"""Several calls at once, which end together: the first error, or the wish to stop, ends the rest.

It knows nothing of what is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

# How soon a wish to stop is seen while all calls under way are slow.
_LOOK_SECONDS = 0.2


def run_together(
    calls: Iterable[Callable[[], object]],
    *,
    threads: int,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Runs all calls; raises the first error, when the calls under way have returned.

    `check` is called now and then, and may raise to end them all.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        waiting: set[Future[object]] = {pool.submit(call) for call in calls}
        while waiting:
            done, waiting = wait(waiting, timeout=_LOOK_SECONDS, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            check()
    finally:
        pool.shutdown(cancel_futures=True)
