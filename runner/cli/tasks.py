"""Which task of a run is meant on the command line, and whether it was seen to begin and to end.

It must not know what is done with it.
"""

from __future__ import annotations

from pathlib import Path

from runner.errors import UsageError
from runner.frozen import dataclass
from runner.plan.model import TaskId, task_id
from runner.run.events import RunStarted, TaskAdded, TaskFinished, TaskStarted
from runner.run.records.following import Following

_BEGUN = f'"type":"{RunStarted.type}"'.encode()
# No run has as many tasks as a number of so many digits.
_MOST_DIGITS = 18


def find_task(directory: Path, name: str, *, tasks: int) -> TaskId:
    """The id of a task of a run that has so many; zeros at its beginning may be left out.

    Raises `UsageError` where there is no such task.
    """
    number = _number(name)
    if 1 <= number <= tasks:
        return task_id(number, of=tasks)
    if not tasks:
        raise UsageError(
            f"run `{directory.name}` has no tasks so far",
            hint=f"`batch-run status {directory.name}` says how it stands",
        )
    first, last = (task_id(each, of=tasks) for each in (1, tasks))
    raise UsageError(
        f"there is no task `{name}` in run `{directory.name}`",
        hint=f"ids go from {first} to {last}",
    )


def find_added(directory: Path, name: str) -> TaskId:
    """The id of a task that the run has told of; `UsageError` where it has not."""
    number, tasks = _number(name), None
    # However many zeros its id begins with, that is how it ends.
    for _, event in Following(directory).events(f'{number}"'.encode(), _BEGUN):
        if isinstance(event, TaskAdded | TaskFinished) and int(event.task) == number:
            return TaskId(event.task)
        if isinstance(event, RunStarted):
            tasks = event.tasks
    if tasks is not None:
        find_task(directory, name, tasks=tasks)
    raise UsageError(
        f"run `{directory.name}` has added no task `{name}` so far",
        hint=f"`batch-run explain {name} {directory.name}` says what it waits for",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Whether a task was seen to begin since it was added last, and how it ended."""

    has_begun: bool = False
    end: TaskFinished | None = None


def find_seen(directory: Path, task: TaskId) -> Seen:
    """Of one task; only what is told of it is read."""
    seen = Seen()
    for _, event in Following(directory).events(f'"task":"{task}"'.encode()):
        match event:
            case TaskAdded() if event.task == task:
                seen = Seen()
            case TaskStarted() if event.task == task:
                seen = Seen(has_begun=True)
            case TaskFinished() if event.task == task:
                seen = Seen(has_begun=seen.has_begun, end=event)
            case _:
                pass
    return seen


def _number(name: str) -> int:
    return int(name.lstrip("0")[:_MOST_DIGITS] or 0)
