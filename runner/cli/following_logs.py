"""What all tasks of a run print that run now or begin later, as it comes, until the run has ended.

It must not know how a run is driven, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from runner.cli.looking import NotThereError, open_to_look
from runner.cli.task_logs import PAUSES_SECONDS, Asked, Opening, StreamReader, home_log
from runner.cli.world import World
from runner.connect import Services
from runner.errors import ServiceError, UsageError
from runner.plan.model import TaskId
from runner.report.as_text import plural
from runner.run.events import CleanupFinished, RunFinished, TaskFinished, TaskStarted
from runner.run.records.driving import find_driver
from runner.run.records.following import Following
from runner.run.records.record import RunRecord, read_record
from runner.run.records.standing import last_event
from runner.run.services import JobState, TaskState
from runner.run.stop import Stop

MOST_AT_ONCE = 20
"""So many tasks are followed at a time: each look at one costs some requests."""
_KINDS = tuple(f'"type":"{kind.type}"'.encode() for kind in (TaskStarted, TaskFinished))
_OVER = frozenset({JobState.COMPLETED, JobState.DELETING, JobState.GONE})


@dataclass(slots=True)
class _Scene:
    """What is followed: tasks that print, those that will be, and those that have been."""

    directory: Path
    record: RunRecord
    asked: Asked
    world: World
    readers: dict[str, list[StreamReader]] = field(default_factory=dict)
    waiting: dict[str, None] = field(default_factory=dict)
    ended: dict[str, TaskFinished | None] = field(default_factory=dict)
    """With its end, where an event has told it."""
    done: set[str] = field(default_factory=set)
    since: datetime | None = None
    """Up to when the service has told of changes, where nobody drives the run."""
    missed: int = 0
    """Tasks whose log was not there any more when they had ended."""


def follow_run(
    directory: Path,
    asked: Asked,
    world: World,
    stop: Stop,
    *,
    open_services: Opening = open_to_look,
) -> None:
    """Shows them; what ended before is not shown.

    Raises `UsageError` where the local services have ended, `ServiceError` where those of the run
    are out of reach, and `InterruptedRunError` once the following is to stop.
    """
    record = read_record(directory)
    if find_driver(directory) is None and isinstance(last_event(directory), RunFinished):
        world.say(
            f"run {record.run} has ended, and nothing more is printed; `batch-run logs"
            f" {record.run}` shows the logs that are here"
        )
        return
    try:
        services = open_services(record, directory, world)
    except NotThereError as error:
        raise UsageError(
            f"nothing of run `{record.run}` can be followed: {error.message}",
            hint=f"`batch-run logs {record.run}` shows the logs that are here",
        ) from error
    scene = _Scene(directory, record, asked, world)
    with services:
        services.heed(stop, world.say)
        _follow(scene, services, stop)


def _follow(scene: _Scene, services: Services, stop: Stop) -> None:
    following = Following(scene.directory)
    _take(scene, following)
    if find_driver(scene.directory) is None:
        _ask(scene, services)
    # What ended before is not shown.
    scene.done.update(scene.ended)
    for task in scene.ended:
        scene.waiting.pop(task, None)
    while True:
        # Asked first: what was printed before the end is then read below.
        over = find_driver(scene.directory) is None and _is_over(scene, services)
        try:
            _take(scene, following)
            _read(scene, services)
        except ServiceError:
            # Whoever drives the run may have ended it and its services.
            if find_driver(scene.directory) is not None and not _has_end(scene.directory):
                raise
            _take(scene, following)
            _read_home(scene, services)
            over = True
        if (over and not scene.readers and not scene.waiting) or not scene.world.has_reader:
            break
        if not scene.waiting:
            scene.world.clock.wait(stop, PAUSES_SECONDS[services.target])
        stop.check()
    if scene.missed:
        scene.world.say(
            f"the end of what {plural(scene.missed, 'task')} printed is not there any more:"
            " `run --logs all` brings home what all tasks print"
        )


def _has_end(directory: Path) -> bool:
    return isinstance(last_event(directory), RunFinished | CleanupFinished)


def _take(scene: _Scene, following: Following) -> None:
    """Which tasks run, and which have ended, as the events tell."""
    for _, told in following.events(*_KINDS):
        match told:
            case TaskStarted() as event:
                _begin(scene, event.task)
            case TaskFinished(skipped=False, node=str()) as event:
                _begin(scene, event.task)
                scene.ended[event.task] = event
            case _:
                pass


def _begin(scene: _Scene, task: str) -> None:
    if task not in scene.readers and task not in scene.done:
        scene.waiting[task] = None


def _is_over(scene: _Scene, services: Services) -> bool:
    """Whether a run that nobody drives prints nothing more."""
    try:
        return _ask(scene, services)
    except ServiceError:
        if services.target == "azure":
            raise
        return True  # the local services end with their job


def _ask(scene: _Scene, services: Services) -> bool:
    """Which tasks run, and have ended, as the service tells; whether its job is over."""
    for status in services.batch.task_changes(scene.record.run, scene.since):
        if scene.since is None or status.changed > scene.since:
            scene.since = status.changed
        _begin(scene, status.id)
        if status.state is TaskState.COMPLETED:
            scene.ended.setdefault(status.id, None)
    return services.batch.job_status(scene.record.run).state in _OVER


def _open(scene: _Scene, services: Services, most: int) -> None:
    """Has so many more be read that wait for it."""
    for task in list(scene.waiting)[:most]:
        del scene.waiting[task]
        scene.readers[task] = [
            StreamReader(services, scene.record, TaskId(task), stream, scene.asked.output)
            for stream in scene.asked.streams
        ]


def _read(scene: _Scene, services: Services) -> None:
    _open(scene, services, MOST_AT_ONCE - len(scene.readers))
    for task, readers in list(scene.readers.items()):
        over = task in scene.ended
        if over and _show_home(scene, task):
            continue
        found = [reader.read(over=over) for reader in readers]
        if over:
            scene.missed += not any(found)
            _close(scene, task)


def _read_home(scene: _Scene, services: Services) -> None:
    """What is left to show of logs that were brought home; the services have ended."""
    _open(scene, services, len(scene.waiting))
    for task in list(scene.readers):
        if not _show_home(scene, task):
            scene.missed += 1
            _close(scene, task)


def _show_home(scene: _Scene, task: str) -> bool:
    end, readers = scene.ended.get(task), scene.readers[task]
    if end is None:
        return False
    paths = [home_log(scene.directory, end, reader.stream) for reader in readers]
    if None in paths:
        return False
    for reader, path in zip(readers, paths, strict=True):
        assert path is not None
        reader.read_file(path)
    _close(scene, task)
    return True


def _close(scene: _Scene, task: str) -> None:
    del scene.readers[task]
    scene.done.add(task)
    scene.asked.output.finish(task)
