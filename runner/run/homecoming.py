"""What is on its way home of tasks that have ended, and what came of it so far.

It must not know how a task is collected, nor when the waiting for it ends.
"""

from __future__ import annotations

from concurrent.futures import Future

from runner.errors import BatchRunError, InterruptedRunError

Count = tuple[int, int]
"""Of tasks: how many succeeded and how many failed."""


class Homecoming:
    """The tasks of one run; used by one thread."""

    def __init__(self, *, succeeded: int, failed: int) -> None:
        """So many have come home already."""
        self.succeeded = succeeded
        self.failed = failed
        self.errors: list[BatchRunError] = []
        """Why something could not be brought home, or the job not be ended."""
        self._under_way: list[Future[Count]] = []

    @property
    def under_way(self) -> set[Future[Count]]:
        """All that was not counted yet."""
        return set(self._under_way)

    def expect(self, future: Future[Count]) -> None:
        """One more is on its way."""
        self._under_way.append(future)

    def count(self) -> None:
        """Counts what has come; what could not is remembered, and the rest goes on.

        Raises a bug of the collecting, once all is counted.
        """
        under_way: list[Future[Count]] = []
        bugs: list[BaseException] = []
        for future in self._under_way:
            if not future.done():
                under_way.append(future)
            elif not future.cancelled():
                bugs.extend(self._count(future))
        self._under_way = under_way
        if bugs:
            raise bugs[0]

    def _count(self, future: Future[Count]) -> tuple[BaseException, ...]:
        """Counts one; gives the bug that it has met."""
        error = future.exception()
        match error:
            case None:
                succeeded, failed = future.result()
                self.succeeded += succeeded
                self.failed += failed
            case InterruptedRunError():
                return ()  # a task that nobody was told of
            case BatchRunError():
                self.failed += 1
                self.errors.append(error)
            case _:
                return (error,)
        return ()
