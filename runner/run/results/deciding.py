"""Decides for each task of a plan whether it has to run, by what earlier runs have left.

A task is skipped whose command, files, image and outputs are those of a task that succeeded before,
and whose outputs are there and whole. It must not know how a run goes on from there.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from runner.frozen import dataclass
from runner.plan.identity import PARTS, Identity, Unidentified
from runner.plan.model import TaskPlan, TaskRange
from runner.run.results.decisions import NEVER_RAN, Action, Decisions
from runner.run.results.entries import KeptOutput, Result
from runner.run.results.evidence import Evidence
from runner.run.results.products import Products
from runner.run.results.selection import Selection
from runner.spec.model.terms import StepName

FORCED = "`--force` asks for it"
CHOSEN = "`--only` asks for it"
LEFT_OUT = "`--only` leaves it out"
SCHEDULED = "a job schedule runs it"
NOTHING_KEPT = "it leaves nothing that could be kept"
NOT_ASKED_FOR = "unchanged, and nothing that needs it runs"
_BATCH_OUTPUTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decisions, and for each task that is skipped where its result stands in the index."""

    decisions: Decisions
    places: array[int]
    """By the numbers of the tasks; one more than the place, 0 where there is none."""
    is_needed: bytearray
    """1 for each task that is skipped and that one needs which runs."""

    @classmethod
    def of_all(cls, decisions: Decisions) -> Verdict:
        """One by which no task is skipped."""
        return cls(decisions=decisions, places=array("Q"), is_needed=bytearray())

    def place(self, number: int) -> int | None:
        """Where the result of a task stands that was done before."""
        place = self.places[number] if self.places else 0
        return place - 1 if place else None


def decide(
    evidence: Evidence, *, force: bool = False, selection: Selection | None = None
) -> Verdict:
    """What to do with each task; `selection` is of those that alone were asked for."""
    plan, total = evidence.plan, len(evidence.plan.tasks)
    everything = None
    if plan.workload.job.schedule is not None:
        everything = SCHEDULED
    elif force and selection is None:
        everything = FORCED
    elif selection is None and not len(evidence.index):
        everything = NEVER_RAN
    if everything is not None:
        decisions = Decisions(total)
        if everything != NEVER_RAN:
            for number in range(1, total + 1):
                decisions.decide(number, Action.RUN, everything)
        return Verdict.of_all(decisions)
    return _Deciding(evidence).decide(selection)


class _Deciding:
    """One pass over the tasks after the other; needs only point to lower numbers."""

    def __init__(self, evidence: Evidence) -> None:
        total = len(evidence.plan.tasks)
        self._evidence = evidence
        self._decisions = Decisions(total)
        self._places = array("Q", bytes((total + 1) * array("Q").itemsize))
        self._products = Products(total)
        self._unseen: list[tuple[int, KeptOutput]] = []
        # Three columns of one table, in the order of the tasks: whose need, its first and last.
        self._owners, self._firsts, self._lasts = array("L"), array("L"), array("L")
        steps = evidence.plan.workload.steps
        self._kept = {step.name: evidence.keeping.of_step(step) for step in steps}
        self._is_home = {step.name: evidence.keeping.is_home(step) for step in steps}
        needed = {name for step in steps for name in step.needs}
        self._is_needed = {step.name: step.name in needed for step in steps}

    def decide(self, selection: Selection | None) -> Verdict:
        if len(self._evidence.index):
            self._evidence.inputs.read_all()
        for number in range(1, len(self._decisions) + 1):
            self._compare(number, self._evidence.plan.tasks[number - 1])
        self._look_at_outputs()
        self._pass_on()
        if selection is None:
            self._bring_back()
        else:
            self._choose(selection)
        return Verdict(
            decisions=self._decisions, places=self._places, is_needed=self._find_needed()
        )

    def _compare(self, number: int, task: TaskPlan) -> None:
        """A task that is as one that succeeded before is skipped, as far as it is alone."""
        for need in task.needs:
            self._owners.append(number)
            self._firsts.append(need.first)
            self._lasts.append(need.last)
        kept = self._kept[task.step.name]
        if not kept.some and not self._is_needed[task.step.name]:
            self._decisions.decide(number, Action.RUN, NOTHING_KEPT)
            return
        running = self._first_running(task.needs)
        if running is not None:
            self._decisions.decide(number, Action.RUN, self._runs(running))
            return
        found = self._evidence.identities.identify(task, self._products.of)
        if isinstance(found, Unidentified):
            self._decisions.decide(number, Action.RUN, found.why)
            return
        place = self._evidence.index.find(found.digest)
        result = None if place is None else self._evidence.index.result(place)
        if place is None or result is None:
            self._decisions.decide(number, Action.RUN, self._what_changed(task, found))
            return
        fault = self._evidence.keeping.service_fault(task, result)
        product = result.product if self._is_home[task.step.name] else found.digest
        self._products.put(number, product)
        self._places[number] = place + 1
        if fault is not None:
            self._decisions.decide(number, Action.RUN, fault)
        else:
            self._decisions.decide(number, Action.SKIP, f"unchanged since run {result.run}")
            self._unseen += ((number, output) for output in result.outputs)
            if len(self._unseen) >= _BATCH_OUTPUTS:
                self._look_at_outputs()

    def _what_changed(self, task: TaskPlan, found: Identity) -> str:
        """Why no result is of this task."""
        before = self._evidence.index.find_name(task.step.name, task.item)
        return NEVER_RAN if before is None else describe_change(before, found)

    def _look_at_outputs(self) -> None:
        """Files at home that are gone, or have been changed, are made again."""
        keeping = self._evidence.keeping
        unseen, self._unseen = self._unseen, []
        md5s = self._evidence.files.md5s([keeping.path(output) for _, output in unseen])
        for (number, output), md5 in zip(unseen, md5s, strict=True):
            fault = keeping.fault(output, md5)
            if fault is not None:
                self._decisions.decide(number, Action.RUN, fault)

    def _pass_on(self) -> None:
        """Who needs a task that runs runs too: what it is given may be another thing."""
        for number, need in self._needs():
            if self._decisions.action(number) is Action.SKIP:
                running = self._first_running((need,))
                if running is not None:
                    self._decisions.decide(number, Action.RUN, self._runs(running))

    def _bring_back(self) -> None:
        """What a task needs that runs, and what was not kept, is made again."""
        done: set[tuple[int, int]] = set()
        for index in range(len(self._owners) - 1, -1, -1):
            number = self._owners[index]
            if self._decisions.action(number) is not Action.RUN:
                continue
            span = (self._firsts[index], self._lasts[index])
            if span not in done:
                done.add(span)
                self._bring_back_range(number, *span)
        for number in self._decisions.with_action(Action.SKIP):
            if not self._kept[self._step_of(number)].some:
                self._decisions.decide(number, Action.SKIP, NOT_ASKED_FOR)

    def _bring_back_range(self, number: int, first: int, last: int) -> None:
        for needed in self._decisions.skipped(first, last):
            if not self._kept[self._step_of(needed)].all:
                name = self._evidence.plan.tasks[number - 1].id
                reason = f"task {name} needs what it leaves, which was not kept"
                self._decisions.decide(needed, Action.RUN, reason)

    def _choose(self, selection: Selection) -> None:
        """Runs what was asked for, and of what that needs all that is not there."""
        decisions = self._decisions
        chosen = bytearray(len(decisions) + 1)
        done: set[tuple[int, int]] = set()
        for number in selection.numbers:
            chosen[number] = 1
            if selection.are_named:
                decisions.decide(number, Action.RUN, CHOSEN)
        for index in range(len(self._owners) - 1, -1, -1):
            number = self._owners[index]
            if chosen[number] and decisions.action(number) is Action.RUN:
                span = first, last = self._firsts[index], self._lasts[index]
                if span not in done:
                    done.add(span)
                    self._bring_back_range(number, first, last)
                    chosen[first : last + 1] = b"\1" * (last + 1 - first)
        for number in range(1, len(decisions) + 1):
            if not chosen[number] and decisions.action(number) is Action.RUN:
                decisions.decide(number, Action.LEAVE, LEFT_OUT)

    def _find_needed(self) -> bytearray:
        decisions = self._decisions
        found = bytearray(len(decisions) + 1)
        done: set[TaskRange] = set()
        for number, need in self._needs():
            if need not in done and decisions.action(number) is Action.RUN:
                done.add(need)
                for needed in decisions.skipped(need.first, need.last):
                    found[needed] = 1
        return found

    def _needs(self) -> Iterator[tuple[int, TaskRange]]:
        for number, first, last in zip(self._owners, self._firsts, self._lasts, strict=True):
            yield number, TaskRange(first=first, last=last)

    def _first_running(self, needs: tuple[TaskRange, ...]) -> int | None:
        for need in needs:
            running = self._decisions.first_to_run(need.first, need.last)
            if running is not None:
                return running
        return None

    def _runs(self, number: int) -> str:
        return f"task {self._evidence.plan.tasks[number - 1].id}, which it needs, runs"

    def _step_of(self, number: int) -> StepName:
        steps = zip(self._evidence.plan.workload.steps, self._evidence.plan.ranges, strict=True)
        return next(step.name for step, tasks in steps if tasks.first <= number <= tasks.last)


def describe_change(before: Result, found: Identity) -> str:
    """What is not as it was when a task of the same name ran before."""
    changed = [name for name in PARTS if before.parts.get(name) != found.parts[name]]
    if not before.succeeded:
        return f"it failed in run {before.run}"
    for kind, noun in (("inputs", "input"), ("resources", "resource")):
        if changed == [kind]:
            names = changed_files(dict(before.files.get(kind, ())), dict(found.files[kind]))
            if len(names) == 1:
                return f"its {noun} `{names[0]}` changed"
    if not changed:
        return f"what is known of it from run {before.run} is damaged"
    them = {"inputs": "inputs", "image": "image or start task", "needs": "what it needs"}
    words = [them.get(name, name) for name in changed]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"its {listed} changed".replace("its what", "what")


def changed_files(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The paths that are in one of the two alone, or have another digest, in order."""
    return sorted(path for path in {**before, **now} if before.get(path) != now.get(path))
