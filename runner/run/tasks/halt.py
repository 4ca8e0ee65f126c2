"""Whether a run should stop early, folded from its events: so a run that is resumed comes to the
same end as one that was not disturbed.

It must not know how a run is stopped.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from runner.plan.model import Plan
from runner.run.events import (
    DEPENDENCY_FAILED,
    HALTED,
    JOB_ENDED,
    TRANSFER_FAILED,
    Event,
    RunStarted,
    TaskAdded,
    TaskFinished,
)
from runner.run.tasks.signatures import Signature, signature_of, summary_of
from runner.run.tasks.verdicts import name_task
from runner.spec.model.halt import Share

MOST_ALIKE = 20
"""How many items of a step may fail alike before any has succeeded, where the spec is silent."""
NOT_OWN = frozenset({DEPENDENCY_FAILED, HALTED, JOB_ENDED, TRANSFER_FAILED})
"""Causes of tasks that have not failed themselves."""

# What is known of a task.
_UNKNOWN, _ADDED, _SUCCEEDED, _FAILED, _OTHER = range(5)


class Tally:
    """The ends of a run's tasks, counted; `add` may be called from any thread, in any run of it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._halt = plan.workload.halt
        self._total = len(plan.tasks)
        self._lasts = [each.last for each in plan.ranges]
        self._states = bytearray(self._total + 1)
        self._counts = [0] * (_OTHER + 1)
        self._skipped = self._left_out = 0
        self._good_steps: set[int] = set()
        self._alike: dict[tuple[int, Signature], set[str]] = {}
        self._lock = threading.Lock()
        self._decided = threading.Event()
        self._reason: str | None = None
        self.is_urgent = False
        """Whether the tasks that run end too, whatever the spec says of other reasons."""
        self.alike_is_default = False
        """Whether failures of one kind are the reason, by a number that the spec does not give."""
        self._decide_canary()

    @property
    def reason(self) -> str | None:
        """Why the run stops early, in words of one line; None as long as it goes on."""
        return self._reason

    @property
    def total(self) -> int:
        """How many tasks the run is for: not what earlier ones did, nor what nobody asked for."""
        return self._total - self._skipped - self._left_out

    @property
    def waiting(self) -> int:
        """How many tasks were added and have not ended."""
        return self._counts[_ADDED]

    @property
    def canary_left(self) -> int:
        """How many tasks have still to succeed before others may be fed."""
        return max(0, min(self._halt.canary, self._total) - self._done)

    def stop(self, reason: str) -> None:
        """Something else than tasks is a reason to stop, and at once, whatever was one before."""
        with self._lock:
            if not self.is_urgent:
                earlier = "" if self._reason is None else f"{self._reason}; "
                self._reason, self.is_urgent = f"{earlier}{reason}", True
            self._decide_canary()

    def may_be_fed(self, fed: Sequence[int]) -> bool:
        """Whether one more task may follow those that were `fed` while the canary was waited for.

        As many may as have still to succeed; any may once the canary has.
        """
        with self._lock:
            left = self.canary_left
            waiting = sum(self._states[number] != _SUCCEEDED for number in fed)
        return not left or waiting < left

    def wait_for_canary(self, seconds: float) -> bool:
        """Whether it is decided, within this time, what becomes of the canary."""
        return self._decided.wait(seconds)

    def never_ended(self) -> Iterator[int]:
        """Numbers of tasks that were added and have no end."""
        at = self._states.find(_ADDED)
        while at >= 0:
            yield at
            at = self._states.find(_ADDED, at + 1)

    def add(self, event: Event) -> None:
        """Takes one more event in, whichever it is."""
        match event:
            case TaskAdded():
                with self._lock:
                    # One that ended with a job may be added to another.
                    if self._states[int(event.task)] in {_UNKNOWN, _OTHER}:
                        self._move(int(event.task), _ADDED)
            case RunStarted() if not event.resumed:
                self._left_out = event.left_out
            case TaskFinished():
                with self._lock:
                    self._end(event)
                    self._decide_canary()
            case _:
                pass

    @property
    def _done(self) -> int:
        """Tasks that have succeeded in this run, and not in an earlier one."""
        return self._counts[_SUCCEEDED] - self._skipped

    def _end(self, task: TaskFinished) -> None:
        number = int(task.task)
        if task.succeeded:
            self._skipped += task.skipped and self._states[number] != _SUCCEEDED
            self._move(number, _SUCCEEDED)
            self._good_steps.add(self._step_of(number))
            return
        is_own = task.cause not in NOT_OWN
        self._move(number, _FAILED if is_own else _OTHER)
        if self._reason is None:
            self._reason = self._judge(task, number, is_own=is_own)

    def _move(self, number: int, state: int) -> None:
        """The last word counts, where a task is told finished twice."""
        self._counts[self._states[number]] -= 1
        self._states[number] = state
        self._counts[state] += 1

    def _judge(self, task: TaskFinished, number: int, *, is_own: bool) -> str | None:
        if not is_own:
            return None
        if self.canary_left:
            name = name_task(self._plan.tasks[number - 1])
            return f"the canary failed: {name}: {summary_of(task)}"
        failed = self._counts[_FAILED]
        most = self._halt.most_failures(self.total)
        if most is not None and failed >= most:
            after = self._halt.after
            written = after.text if isinstance(after, Share) else after
            return f"{failed} of {self.total} tasks failed (`halt.after: {written}`)"
        return self._judge_alike(task, number)

    def _judge_alike(self, task: TaskFinished, number: int) -> str | None:
        most, step = self._halt.same_failure, self._step_of(number)
        is_default = most is None
        if most is None:
            most = 0 if step in self._good_steps else MOST_ALIKE
        if not most:
            return None
        signature = signature_of(task, run=self._plan.run_id)
        items = self._alike.setdefault((step, signature), set())
        items.add(task.item or task.task)
        if len(items) < most:
            return None
        self.alike_is_default = is_default
        ended = self._done + self._counts[_FAILED]
        return f"the same failure on {len(items)} of {ended} tasks: {summary_of(task)}"

    def _step_of(self, number: int) -> int:
        """The place of a task's step in the workload."""
        return bisect_left(self._lasts, number)

    def _decide_canary(self) -> None:
        if self._reason is not None or not self.canary_left:
            self._decided.set()
