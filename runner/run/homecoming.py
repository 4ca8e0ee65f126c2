"""What is on its way home of tasks that have ended, and what came of it so far.

It must not know how a task is collected, nor when the waiting for it ends.
"""

from __future__ import annotations

import threading

from runner.errors import BatchRunError, InterruptedRunError


class Homecoming:
    """The tasks of one run; may be used by several threads."""

    def __init__(self, *, succeeded: int, failed: int) -> None:
        """So many have come home already."""
        self.succeeded = succeeded
        self.failed = failed
        self.errors: list[BatchRunError] = []
        """Why something could not be brought home, or the job not be ended."""
        self._under_way = 0
        self._change = threading.Condition()
        self._bug: BaseException | None = None

    def expect(self) -> None:
        """One more is on its way."""
        with self._change:
            self._under_way += 1

    def arrive(self, *, succeeded: int = 0, failed: int = 0) -> None:
        """One that was expected has come, of so many tasks."""
        with self._change:
            self.succeeded += succeeded
            self.failed += failed
            self._less()

    def miss(self, error: BaseException | None) -> None:
        """One that was expected does not come; what could not is remembered, and the rest goes on.

        None stands for one that nobody was told of, and is expected no more.
        """
        with self._change:
            match error:
                case None | InterruptedRunError():
                    pass
                case BatchRunError():
                    self.failed += 1
                    self.errors.append(error)
                case _:
                    self._bug = self._bug or error
            self._less()

    def wait(self, seconds: float) -> bool:
        """Whether nothing is on its way any more, within this time."""
        with self._change:
            return self._change.wait_for(lambda: not self._under_way, seconds)

    def check(self) -> None:
        """Raises a bug of the collecting, where there was one."""
        if self._bug is not None:
            raise self._bug

    def _less(self) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._change.notify_all()
