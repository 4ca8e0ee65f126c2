"""Failures that are alike, as groups: what a person reads once instead of ten thousand times.

It must not know how a group is shown; what makes two failures the same is `signatures`' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from runner.frozen import dataclass
from runner.run.events import TaskFinished
from runner.run.tasks.halt import NOT_OWN
from runner.run.tasks.signatures import Signature, signature_of

_LATEST = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Tasks that failed alike, the one that failed first before the others."""

    signature: Signature
    tasks: tuple[TaskFinished, ...]

    @property
    def first(self) -> TaskFinished:
        """The one that failed first."""
        return self.tasks[0]


def group_failures(failures: Iterable[TaskFinished], *, run: str) -> tuple[FailureGroup, ...]:
    """The failures that are their tasks' own, grouped; what failed first comes first.

    `run` is the run's id, which makes no difference in what a task wrote. Tasks that ended since
    others did, or that are not home, have not failed themselves. The time is linear in the number
    of failures, but for sorting them.
    """
    groups: dict[Signature, list[TaskFinished]] = {}
    # Whose fault it is comes first, in whatever order results came home.
    for task in sorted(_own(failures), key=_moment):
        groups.setdefault(signature_of(task, run=run), []).append(task)
    return tuple(
        FailureGroup(signature=signature, tasks=tuple(tasks)) for signature, tasks in groups.items()
    )


def first_failure(failures: Iterable[TaskFinished]) -> TaskFinished | None:
    """The task that failed first by itself; None where none has."""
    return min(_own(failures), key=_moment, default=None)


def _own(failures: Iterable[TaskFinished]) -> Iterator[TaskFinished]:
    return (task for task in failures if task.cause not in NOT_OWN)


def _moment(task: TaskFinished) -> datetime:
    return task.ended or _LATEST
