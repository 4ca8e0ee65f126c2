"""A window over files and tasks: some uploads are under way, some tasks wait for them.

It runs on the feeder's thread, and must not know which tasks there are, nor how one is added.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty
from typing import Protocol

from runner.plan.model import TaskPlan
from runner.run.crew import Crew, Done
from runner.run.events import UploadFinished
from runner.run.taking import Inbox
from runner.run.transfers.uploads import TRANSFERS, File

# REST: Task - Add Task Collection takes at most 100 tasks.
_COLLECTION_TASKS = 100
_ADDS = 4
# Collections grow from the first one, which is a single task, to full ones.
_FIRST_TASKS, _GROWTH = 10, 4
# What is ready waits for others for at most a tenth of the time that has passed, and for longer
# where the job has as many tasks left as are in a collection.
_ADDS_PER_RUN, _SPARE_ADDS = 10, 2
_LEAST_SECONDS, _MOST_SECONDS = 0.2, 5.0
# How many rendered tasks are held, whatever they wait for.
_MOST_READY = _ADDS * _COLLECTION_TASKS
_MOST_WAITING = 2 * _COLLECTION_TASKS


@dataclass(slots=True)
class Waiting:
    """A task whose files are not all there; None stands for files that no task brings."""

    task: TaskPlan | None
    missing: int = 1
    """Uploads that it waits for, and one more until all of them have begun."""


Need = tuple[Waiting, File | None]
"""A task and a file that it waits for; None behind the last one."""


Brought = tuple[File, UploadFinished | None]
"""A file that is up; without an event where the feeding was stopped before its turn came."""


class Feeding(Protocol):
    """Who knows the files and the tasks."""

    @property
    def monotonic(self) -> Callable[[], float]:
        """A clock in seconds."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether the feeding ends early, or has ended."""
        ...

    @property
    def waiting(self) -> int:
        """How many tasks the job has that have not ended."""
        ...

    def is_under_way(self, file: File) -> bool:
        """Whether a file is being brought up."""
        ...

    def begin(self, file: File) -> Callable[[], UploadFinished | None]:
        """What brings a file up."""
        ...

    def end(self, files: Sequence[Brought]) -> None:
        """Takes note that files are up."""
        ...

    def add(self, tasks: list[TaskPlan]) -> None:
        """Adds a collection of tasks whose files are there."""
        ...


_Key = File | int
"""A file that is brought up, or a collection that is added."""


class Team:
    """Those who bring files up and those who add tasks; what came of either is in one queue."""

    def __init__(self) -> None:
        self._done: Inbox[Done[_Key, UploadFinished | None]] = Inbox()
        self.transfers = Crew(TRANSFERS, name="upload", done=self._done)
        self.adders = Crew(_ADDS, name="add", done=self._done)

    def wait(self, seconds: float | None) -> list[Done[_Key, UploadFinished | None]]:
        """All that has ended by now, once something has; nothing where that takes longer."""
        try:
            first = self._done.take(seconds)
        except Empty:
            return []
        return [first, *self._ended()]

    def close(self) -> None:
        """Returns when nothing is under way any more."""
        self.transfers.close()
        self.adders.close()

    def ended_uploads(self) -> list[Brought]:
        """Files that have come up and that nobody has heard of."""
        return _files(self._ended())

    def _ended(self) -> list[Done[_Key, UploadFinished | None]]:
        found = []
        with contextlib.suppress(Empty):
            while True:
                found.append(self._done.take_now())
        return found


class Stream:
    """A window over files and tasks: some uploads are under way, some tasks wait for them.

    Whatever the number of tasks, only those in the window are held.
    """

    def __init__(self, feeder: Feeding, team: Team, needs: Iterator[Need]) -> None:
        self._feeder = feeder
        self._team = team
        self._needs = needs
        self._more = True
        self._uploads = 0
        self._adds = 0
        self._waiters: dict[File, list[Waiting]] = {}
        self._waiting = 0
        self._ready: deque[TaskPlan] = deque()
        self._monotonic = feeder.monotonic
        self._began = feeder.monotonic()
        self._wanted = 1
        """As many tasks make a collection now."""
        self._due_at: float | None = None
        """When what is ready goes, however little it is."""
        self._is_late = False

    def run(self) -> None:
        """To the last task, or until the feeder is stopped; raises the first error."""
        while not self._feeder.stopped:
            self._take()
            self._add()
            if not self._uploads and not self._adds:
                return
            ended = self._wait()
            files = _files(ended)
            self._feeder.end(files)
            for each in ended:
                if each.error is not None:
                    raise each.error
            self._uploads -= len(files)
            self._adds -= len(ended) - len(files)
            for file, _ in files:
                self._end(file)

    def _take(self) -> None:
        while self._more and self._has_room():
            following = next(self._needs, None)
            if following is None:
                self._more = False
                return
            waiting, file = following
            if file is not None:
                waiting.missing += 1
                self._wait_for(waiting, file)
            elif not self._settle(waiting):
                self._waiting += 1

    def _has_room(self) -> bool:
        return (
            self._uploads < 2 * TRANSFERS
            and len(self._ready) < _MOST_READY
            and self._waiting < _MOST_WAITING
        )

    def _wait_for(self, waiting: Waiting, file: File) -> None:
        if self._feeder.is_under_way(file):
            self._waiters[file].append(waiting)
            return
        self._waiters[file] = [waiting]
        self._uploads += 1
        self._team.transfers.do(file, self._feeder.begin(file))

    def _end(self, file: File) -> None:
        for waiting in self._waiters.pop(file):
            if self._settle(waiting):
                self._waiting -= 1

    def _settle(self, waiting: Waiting) -> bool:
        """Whether nothing is missing any more, now that one thing less is."""
        waiting.missing -= 1
        if waiting.missing:
            return False
        if waiting.task is not None:
            self._ready.append(waiting.task)
        return True

    def _add(self) -> None:
        ready = self._ready
        while ready and self._adds < _ADDS and self._is_due():
            count = min(len(ready), _COLLECTION_TASKS)
            chunk = [ready.popleft() for _ in range(count)]
            self._adds += 1
            self._wanted = min(max(_GROWTH * count, _FIRST_TASKS), _COLLECTION_TASKS)
            self._due_at = None
            self._team.adders.do(count, partial(self._feeder.add, chunk))

    def _is_due(self) -> bool:
        """Whether the tasks that are ready go at once: each collection is a request of its own.

        The first ones are small, so that nodes begin, and none waits for long to be full.
        """
        if len(self._ready) >= self._wanted or not (self._uploads or self._adds):
            return True
        if self._due_at is None:
            now = self._monotonic()
            is_urgent = self._feeder.waiting < _COLLECTION_TASKS
            patience = (now - self._began) / (_ADDS_PER_RUN if is_urgent else _SPARE_ADDS)
            self._due_at = now + min(max(patience, _LEAST_SECONDS), _MOST_SECONDS)
        return self._is_late or self._monotonic() >= self._due_at

    def _wait(self) -> list[Done[_Key, UploadFinished | None]]:
        """What has ended; nothing where tasks that are ready have waited for long enough."""
        seconds = None
        if self._due_at is not None and self._adds < _ADDS:
            seconds = self._due_at - self._monotonic()
        ended = self._team.wait(seconds)
        self._is_late = not ended
        return ended


def _files(
    ended: Iterable[Done[_Key, UploadFinished | None]],
) -> list[Brought]:
    """The files among what has ended well; without an event where nothing was brought up."""
    return [
        (each.key, each.value)
        for each in ended
        if isinstance(each.key, File) and each.error is None
    ]
