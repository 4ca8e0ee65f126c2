"""The right to drive a run whose services outlive its client, by its record in storage.

It must not know what driving is; `holding` keeps the blob.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from runner.errors import InterruptedRunError, ServiceError
from runner.plan.model import LOGS, Plan
from runner.run.holding import Hold, TakenOverError
from runner.run.records.journal import Journal
from runner.run.records.past import Past
from runner.run.records.record_blob import RECORD_BLOB, leave_record
from runner.run.services import Batch, Blobs, JobState


class Claim:
    """One client's claim to one run; without a `holder` nobody is kept away, and nothing asked."""

    def __init__(
        self,
        plan: Plan,
        *,
        holder: str | None,
        blobs: Blobs,
        journal: Journal,
        wait: Callable[[float], None],
        tell: Callable[[str], None],
    ) -> None:
        """`holder` is a GUID; `wait` may raise, and `tell` takes a line for people."""
        self._holder = holder
        self._blobs = blobs
        self._journal = journal
        self._container = plan.container_name(LOGS)
        self._wait = wait
        self._tell = tell
        self._hold: Hold | None = None

    def take(self) -> bool:
        """Claims a run whose record is there; false where it is not.

        Raises `TakenOverError` where another client drives the run, and `InterruptedRunError` where
        the wait for it was cut short.
        """
        try:
            return self._take()
        except InterruptedRunError as error:
            raise InterruptedRunError(
                "interrupted: another client drives the run still; it was not touched"
            ) from error

    def _take(self) -> bool:
        if self._holder is None:
            return False
        self._hold = Hold(self._blobs, self._container, RECORD_BLOB, holder=self._holder)
        return self._hold.claim(self._wait, self._tell)

    def make(self) -> None:
        """Leaves the record, and claims the run by it; nothing where it is claimed already."""
        if self._holder is None or (self._hold is not None and self._hold.is_held):
            return
        leave_record(self._journal, self._blobs, self._container)
        self._take()

    def check_presence(self, past: Past, job_id: str, batch: Batch) -> None:
        """Raises `TakenOverError` where all that was made is gone, and not by our doing.

        It is of a run that is taken up again and whose record is not there.
        """
        if self._holder is None or not past.has_job or past.was_cleaned:
            return
        # One that is being deleted is in the middle of that client's cleanup.
        if batch.job_status(job_id).state in {JobState.GONE, JobState.DELETING}:
            raise TakenOverError(
                f"job `{job_id}` and the run's record in storage are gone: another client has"
                " ended the run",
                hint="its outputs are where that one ran; `batch-run run` of the spec runs what is"
                " not here",
            )

    def check(self) -> None:
        """Raises `TakenOverError` once another client has taken the run over."""
        if self._hold is not None:
            self._hold.check()

    def is_ours(self) -> bool:
        """Asks anew, before something is done that another client would suffer from.

        Raises `ServiceError` where no answer comes.
        """
        return self._hold is None or self._hold.is_still_ours()

    def is_lost(self) -> bool:
        """Asks anew; what cannot be told now is asked again before anything is deleted."""
        try:
            return not self.is_ours()
        except ServiceError:
            return False

    def end(self, deleted: Collection[str]) -> None:
        """Lets others drive the run; without its record, which may be `deleted`, nobody can."""
        if self._hold is not None:
            self._hold.end(releases=f"container {self._container}" not in deleted)
