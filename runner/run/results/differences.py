"""What two runs were made of, compared task by task: why the second ran what it ran.

It reads the lock files of both, and knows tasks by step and item, since ids move when files come
and go. It must not know how the differences are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from runner.frozen import dataclass
from runner.plan.identity import PARTS
from runner.run.results.decisions import Action
from runner.run.results.entries import Result
from runner.run.results.lock_file import Lock, PlannedTask

_Name = tuple[str, str]


class Kind(Enum):
    """How a task of the second run relates to the first."""

    ONLY_FIRST = "only in the first"
    ONLY_SECOND = "only in the second"
    RAN = "ran"
    SKIPPED = "skipped"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file of a task: its digests in the two runs, None where one of them had no such file."""

    path: str
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDifference:
    """One task of the two runs; `ids` are its own in each, None where a run had none.

    `why` is what the second run said when it began. `changed` are the parts of it that are not the
    same, as far as both runs knew them.
    """

    step: str
    item: str
    kind: Kind
    ids: tuple[str | None, str | None]
    why: str
    changed: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    succeeded: bool | None = None
    """Whether it succeeded in the second run; None where it did not come to an end."""


def compare_locks(first: Lock, second: Lock) -> Iterator[TaskDifference]:
    """Each task of the second run in its order, then those that the first had alone."""
    before = {(each.step, each.item): each for each in first.planned.values()}
    named = set[_Name]()
    for planned in second.planned.values():
        name = (planned.step, planned.item)
        named.add(name)
        end = second.ended.get(planned.task)
        other = before.get(name)
        if other is None:
            yield _difference(Kind.ONLY_SECOND, planned, (None, planned.task), end)
        else:
            yield _compare(planned, end, other, first.ended.get(other.task))
    for name, other in before.items():
        if name not in named:
            yield _difference(Kind.ONLY_FIRST, other, (other.task, None), None, why="")


def _compare(
    planned: PlannedTask, end: Result | None, other: PlannedTask, before: Result | None
) -> TaskDifference:
    ids = (other.task, planned.task)
    if planned.action == Action.SKIP.value:
        return _difference(Kind.SKIPPED, planned, ids, end)
    if planned.action == Action.LEAVE.value:
        return _difference(Kind.LEFT_OUT, planned, ids, end)
    changed, files = tuple[str, ...](), tuple[FileChange, ...]()
    if end is not None and before is not None and end.parts and before.parts:
        changed = tuple(part for part in PARTS if end.parts.get(part) != before.parts.get(part))
        files = tuple(_changed_files(before, end))
    return TaskDifference(
        step=planned.step,
        item=planned.item,
        kind=Kind.RAN,
        ids=ids,
        why=planned.why,
        changed=changed,
        files=files,
        succeeded=None if end is None else end.succeeded,
    )


def _difference(
    kind: Kind,
    planned: PlannedTask,
    ids: tuple[str | None, str | None],
    end: Result | None,
    *,
    why: str | None = None,
) -> TaskDifference:
    return TaskDifference(
        step=planned.step,
        item=planned.item,
        kind=kind,
        ids=ids,
        why=planned.why if why is None else why,
        succeeded=None if end is None else end.succeeded,
    )


def _changed_files(before: Result, now: Result) -> Iterator[FileChange]:
    for kind in ("inputs", "resources"):
        first: Mapping[str, str] = dict(before.files.get(kind, ()))
        second: Mapping[str, str] = dict(now.files.get(kind, ()))
        for path in sorted({*first, *second}):
            if first.get(path) != second.get(path):
                yield FileChange(path=path, first=first.get(path), second=second.get(path))
