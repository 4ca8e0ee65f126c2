"""Several calls at once, which end together: the first error stops the rest.

It knows nothing of what is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed


def run_together(calls: Iterable[Callable[[], object]], *, threads: int) -> None:
    """Runs all calls; raises the first error, when the calls under way have returned."""
    pool = ThreadPoolExecutor(threads)
    try:
        for future in as_completed([pool.submit(call) for call in calls]):
            future.result()
    finally:
        pool.shutdown(cancel_futures=True)
