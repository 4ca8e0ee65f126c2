"""What became of the tasks that did not succeed: how many failed, and how many did for others.

Whoever counts them for people takes the numbers and words from here. It must not know where they
are shown.
"""

from __future__ import annotations

from runner.frozen import dataclass
from runner.report.as_text import CONSEQUENCES
from runner.report.fold import Report
from runner.run.events import DEPENDENCY_FAILED, HALTED, JOB_ENDED, TRANSFER_FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """Numbers of tasks; each that was asked for and has not succeeded is in one of them."""

    failed: int
    """By themselves."""
    not_home: int
    """They ended, and what they left could not be fetched."""
    ended_with_job: int
    never_ran: int
    """One that they need failed, or the run stopped early, whether they had been added or not."""
    not_finished: int
    """Of a run that goes on: those that have not ended yet."""

    @property
    def consequences(self) -> tuple[tuple[int, str], ...]:
        """Those that have not failed by themselves, in words; without what there is none of."""
        counted = (
            (self.not_home, CONSEQUENCES[TRANSFER_FAILED]),
            (self.ended_with_job, CONSEQUENCES[JOB_ENDED]),
            (self.never_ran, CONSEQUENCES[HALTED]),
        )
        return tuple((count, words) for count, words in counted if count)

    @property
    def over(self) -> tuple[tuple[int, str], ...]:
        """All of which it is known what became of them, in words."""
        return (*([(self.failed, "failed")] if self.failed else []), *self.consequences)


def toll_of(report: Report) -> Toll:
    """Takes no look at the failures one by one: there may be a million."""
    by_cause = report.not_own
    failed = len(report.failures) - sum(by_cause.values())
    told = by_cause.get(DEPENDENCY_FAILED, 0) + by_cause.get(HALTED, 0)
    rest = report.tasks - report.left_out - report.succeeded - len(report.failures)
    return Toll(
        failed=failed,
        not_home=by_cause.get(TRANSFER_FAILED, 0),
        ended_with_job=by_cause.get(JOB_ENDED, 0),
        never_ran=told + (rest if report.halted else 0),
        not_finished=0 if report.halted else rest,
    )
