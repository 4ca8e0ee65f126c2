"""Everything that is shown of a run at one moment, as values: found here, laid out elsewhere.

It must not know of terminals; what an event costs is a few counters, all else is done when somebody
looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from runner.cli.live.display import Gauges
from runner.frozen import dataclass
from runner.report.activity import Activity, Phase, Stand, Work, find_phases, has_inputs
from runner.report.cost import Cost
from runner.report.fold import Report
from runner.report.pace import Pace
from runner.report.toll import toll_of
from runner.run.events import GONE, Event, RunStarted

_RATE_SECONDS = 60.0
_BYTES_SECONDS = 10.0
_LEAST_SECONDS = 2.0
# From fewer ends nobody can tell when the last one comes.
_LEAST_WAVE = 3
_RUNNING_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Files that go one way. `files` and `bytes` are there; None where the number is not known.

    `rate` is in bytes a second, `left` in seconds; `is_guess` where the numbers of all are one.
    """

    files: int
    all_files: int | None
    bytes: int
    all_bytes: int | None
    rate: float | None
    left: float | None
    is_guess: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """The tasks by how they stand. `rate` is in tasks a second, `left` in seconds."""

    total: int
    succeeded: int
    failed: int
    """By themselves; `consequences` are the others that did not succeed, and in words why."""
    consequences: tuple[tuple[int, str], ...]
    running: int
    coming_home: int
    retried: int
    rate: float | None
    left: float | None

    @property
    def waiting(self) -> int:
        """Those that have not begun, or wait to begin again."""
        known = self.succeeded + self.unsuccessful + self.running + self.coming_home
        return max(0, self.total - known)

    @property
    def unsuccessful(self) -> int:
        """Those that have ended otherwise than they should."""
        return self.failed + sum(count for count, _ in self.consequences)


class Node(NamedTuple):
    """A node, its state in the service's word, and how many tasks it runs."""

    id: str
    state: str
    busy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The nodes; `slots` are those of a node, `target` how many nodes are wanted, if known."""

    nodes: tuple[Node, ...]
    slots: int | None
    target: int | None
    is_resizing: bool
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTask:
    """A task that runs, since so many seconds."""

    task: str
    item: str
    node: str
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A run as it is seen at one moment; `seconds` since it began."""

    run: str
    target: str
    seconds: float
    cost: Cost | None
    """So far, where a price is known."""
    phases: Mapping[Phase, Stand]
    step: str
    troubles: tuple[str, ...]
    up: Flow | None
    down: Flow | None
    tasks: Tasks
    pool: Pool
    running: tuple[RunningTask, ...]


class Viewer:
    """What is known of one run so far, and the view of it now. `look` is for one thread alone."""

    def __init__(
        self, run: str, *, slots: int | None, item: Callable[[str], str] = lambda _: ""
    ) -> None:
        """`slots` are those of a node, None where nobody knows; `item` is what a task is of."""
        self._run = run
        self._slots = slots
        self._item = item
        self._items: dict[str, str] = {}
        self._report = Report()
        self._activity = Activity()
        self._gauges = Gauges()
        self._began: datetime | None = None
        self._last: datetime | None = None
        """When the last event was written down."""
        self._noted: datetime | None = None
        self._events = 0
        self._ends = Pace(window=_RATE_SECONDS, least_seconds=_LEAST_SECONDS)
        self._up = Pace(window=_BYTES_SECONDS, least_seconds=_LEAST_SECONDS)
        self._down = Pace(window=_BYTES_SECONDS, least_seconds=_LEAST_SECONDS)
        self._most_up = self._most_down = 0
        self._is_priced = False

    @property
    def state(self) -> object:
        """Something that is another where there is more to be seen; cheap to ask for."""
        under_way, doing = self._gauges.under_way, self._gauges.doing
        moving = under_way.sum(is_up=True).done + under_way.sum(is_up=False).done
        return self._events, moving, doing.step

    def add(self, event: Event, at: datetime, report: Report) -> None:
        """One more event, when it was written down, and the report that has it."""
        self._report = report
        self._last = at
        self._events += 1
        self._activity.add(event)
        if isinstance(event, RunStarted):
            self._began = at
            self._is_priced = self._is_priced or event.price is not None

    def watch(self, gauges: Gauges) -> None:
        """From here on these are asked as well."""
        self._gauges = gauges

    def look(self, now: datetime, *, running: int = _RUNNING_SHOWN) -> View:
        """The view at this moment, with so many of the tasks that run, the longest first."""
        report, gauges, last = self._report, self._gauges, self._last
        moment = now
        if last is not None and last is not self._noted:
            # What happened before anybody looked did not happen all at once.
            self._noted = last
            moment = min(now, last)
        time = moment.timestamp()
        work = self._activity.work(slots=self._slots, coming_home=gauges.doing.coming_home())
        tasks = self._look_at_tasks(time, report, work)
        doing = gauges.doing
        return View(
            run=self._run,
            target=report.target,
            seconds=max(0.0, (now - (self._began or now)).total_seconds()),
            cost=report.spending.cost(now) if self._is_priced else None,
            phases=find_phases(
                report,
                self._activity,
                work,
                is_fetching=gauges.under_way.sum(is_up=False).size > 0,
                is_ending=doing.is_ending,
            ),
            step=doing.step,
            troubles=tuple(gauges.troubles().values()),
            up=self._look_up(time, report),
            down=self._look_down(time, report, is_all=not tasks.running and not tasks.waiting),
            tasks=tasks,
            pool=self._look_at_pool(report, work),
            running=self._look_at_running(work, now, running),
        )

    def _look_up(self, time: float, report: Report) -> Flow | None:
        if not report.files:
            return None
        under_way = self._gauges.under_way.sum(is_up=True)
        # Between a file's last byte and its event it is in neither number.
        self._most_up = max(self._most_up, report.uploaded_bytes + under_way.done)
        done = has_inputs(report)
        # Of files that were there already the size is not told.
        everything = None if report.unchanged_files else report.input_bytes
        if done:
            everything = self._most_up
        self._up.note(time, self._most_up)
        rate = None if done else self._up.rate()
        left = None
        if everything is not None and not done:
            left = self._up.seconds_left(everything - self._most_up)
        return Flow(
            files=report.files_there,
            all_files=report.files_there if done else report.files,
            bytes=self._most_up,
            all_bytes=everything,
            rate=rate or None,
            left=left,
        )

    def _look_down(self, time: float, report: Report, *, is_all: bool) -> Flow | None:
        """`is_all` where every task has ended: then it is known how long the rest takes."""
        under_way = self._gauges.under_way.sum(is_up=False)
        if not report.downloaded_files and not under_way.size:
            return None
        self._most_down = max(self._most_down, report.downloaded_bytes + under_way.done)
        self._down.note(time, self._most_down)
        ended = report.succeeded - report.skipped
        total = report.tasks - report.left_out - report.skipped - len(report.failures)
        is_over = ended >= total
        all_files = all_bytes = None
        if is_over:
            all_files, all_bytes = report.downloaded_files, report.downloaded_bytes
        elif ended >= _LEAST_WAVE:
            all_files = round(report.downloaded_files * total / ended)
            all_bytes = round(report.downloaded_bytes * total / ended)
            all_bytes = max(all_bytes, report.downloaded_bytes + under_way.size)
        left = None
        if is_all and not is_over:
            all_bytes = all_bytes or report.downloaded_bytes + under_way.size
            left = self._down.seconds_left(all_bytes - self._most_down)
        return Flow(
            files=report.downloaded_files,
            all_files=all_files,
            bytes=self._most_down,
            all_bytes=all_bytes,
            rate=None if is_over else self._down.rate() or None,
            left=left,
            is_guess=not is_over,
        )

    def _look_at_tasks(self, time: float, report: Report, work: Work) -> Tasks:
        done = report.succeeded + len(report.failures)
        total = report.tasks - report.left_out
        if self._activity.started:
            # How long the first nodes took to come says nothing of the tasks.
            self._ends.note(time, done)
        wave = max(_LEAST_WAVE, len(work.running))
        toll = toll_of(report)
        return Tasks(
            total=total,
            succeeded=report.succeeded,
            failed=toll.failed,
            consequences=toll.consequences,
            running=len(work.running),
            coming_home=work.coming_home,
            retried=report.retries,
            rate=self._ends.rate() or None,
            left=self._ends.seconds_left(total - done, wave=wave),
        )

    def _look_at_pool(self, report: Report, work: Work) -> Pool:
        change = report.pool_change
        nodes = tuple(
            Node(id=node, state=state, busy=work.busy.get(node, 0))
            for node, state in sorted(report.nodes.items())
            if state != GONE
        )
        return Pool(
            nodes=nodes,
            slots=self._slots,
            target=None if change is None else change.target_dedicated + change.target_spot,
            is_resizing=change is not None and change.allocation == "resizing",
            errors=report.pool_errors,
        )

    def _look_at_running(self, work: Work, now: datetime, most: int) -> tuple[RunningTask, ...]:
        shown: dict[str, str] = {}
        found = []
        for task, running in islice(reversed(tuple(work.running.items())), most):
            # To find out costs as much as to plan the task.
            item = self._items[task] if task in self._items else self._item(task)
            shown[task] = item
            since = None if running.since is None else (now - running.since).total_seconds()
            seconds = None if since is None else max(0.0, since)
            found.append(
                RunningTask(task=task, item=item, node=running.node or "", seconds=seconds)
            )
        self._items = shown
        return tuple(found)
