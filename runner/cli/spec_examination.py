"""One spec that `doctor` is given: what is wrong with it, what it asks the accounts, what comes.

It must not know which other specs there are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.cli.specs import find_spec, read_parameters_for
from runner.cli.world import World
from runner.errors import BatchRunError, ServiceUnreachableError, UsageError
from runner.plan.containers import containers_to_list
from runner.plan.expand import expand
from runner.plan.file_table import total_bytes
from runner.plan.run_id import UNKNOWN
from runner.report.as_text import format_bytes, plural
from runner.run.diagnosis.answers import Account, Answers, Question
from runner.run.diagnosis.finding import Area, Finding, Group, of_error, of_problem, ok, unknown
from runner.run.diagnosis.needs import judge_needs, questions_of
from runner.run.diagnosis.setting import Setting
from runner.spec.load import load_workload
from runner.spec.model.workload import ExistingContainer, Workload
from runner.spec.problem import SpecError

_COUNT = "count"
_COST = "cost"
Check = Callable[[Workload], None]
"""Raises `SpecError` for what cannot run on the target."""
JudgeCost = Callable[[Workload], tuple[Finding, ...]]
"""What is to be said of what a run costs."""


@dataclass(slots=True, kw_only=True)
class SpecExamination:
    """A spec by its name on the command line; `workload` is None where `error` says why."""

    name: str
    number: int
    folder: Path
    workload: Workload | None
    error: UsageError | None = None
    names: tuple[str, ...] = field(default=(), init=False)
    """Of its questions, once it has been asked for them."""

    def questions(
        self, account: Account, check: Check, judge_cost: JudgeCost | None
    ) -> dict[str, Question]:
        """What is asked for its sake; tasks are counted at the same time, and prices asked for.

        `judge_cost` is None where nobody wants to know.
        """
        workload = self.workload
        if workload is None:
            return {}
        asked = {
            self._own(name): question for name, question in questions_of(workload, account).items()
        }
        asked[self._own(_COUNT)] = lambda: _count(workload, self.folder, check)
        if judge_cost is not None:
            asked[self._own(_COST)] = lambda: judge_cost(workload)
        self.names = tuple(asked)
        return asked

    def judge(self, answers: Answers, setting: Setting) -> Iterator[Finding]:
        """What came of it."""
        if self.workload is None:
            yield from self.judge_alone()
            return
        own = {name.partition(" ")[2]: answers[name] for name in self.names}
        count = own.pop(_COUNT)
        if isinstance(count, Finding):
            yield count
        elif isinstance(count, ServiceUnreachableError):
            yield unknown("tasks", "to count them takes longer than the questions")
        elif isinstance(count, BatchRunError):
            yield from _of_error(count)
        cost = own.pop(_COST, ())
        yield from judge_needs(self.workload, own, answers, setting)
        if isinstance(cost, tuple):
            yield from cost
        elif isinstance(cost, BatchRunError):
            fix = "give a table of your own: `--prices FILE`"
            yield unknown("cost", f"price not known: {cost.message}", fix)

    def judge_alone(self) -> Iterator[Finding]:
        """What can be said of it where no account is known."""
        if self.error is not None:
            yield from _of_error(self.error)
        else:
            yield ok("spec", "valid; what it needs of an account was not checked")

    def group(self, findings: Iterator[Finding]) -> Group:
        """Its findings, under its name."""
        return Group(area=Area.SPEC, name=self.name, findings=tuple(findings))

    def _own(self, name: str) -> str:
        return f"spec-{self.number} {name}"


def read_specs(arguments: argparse.Namespace, world: World) -> tuple[SpecExamination, ...]:
    """All that were named; raises `UsageError` where it is the command line that is wrong."""
    paths = {name: find_spec(name, world) for name in arguments.specs}
    given = read_parameters_for(paths.values(), arguments, world)
    found = []
    for number, (name, path) in enumerate(paths.items(), 1):
        workload, error = None, None
        try:
            workload = load_workload(path, name=name, given=given)
        except UsageError as problem:
            error = problem
        found.append(
            SpecExamination(
                name=name,
                number=number,
                folder=path.resolve().parent,
                workload=workload,
                error=error,
            )
        )
    return tuple(found)


def _count(workload: Workload, folder: Path, check: Check) -> Finding:
    """How much there is to do, where the files are all here; raises `UsageError` for what is wrong.

    Here, beside the questions: of a million files it takes as long as they do.
    """
    check(workload)
    listed = (workload.container(role) for role, *_ in containers_to_list(workload))
    if any(isinstance(each, ExistingContainer) for each in listed):
        return unknown(
            "tasks",
            "how many there are follows from what containers hold, which was not listed",
            f"`batch-run plan {workload.document.name} --target azure` lists it",
        )
    plan = expand(workload, folder=folder, run_id=UNKNOWN)
    files = sum(len(each.files) for each in plan.containers)
    size = sum(total_bytes(each.files) for each in plan.containers)
    return ok(
        "tasks",
        f"{plural(len(plan.tasks), 'task')}; {plural(files, 'file')} to bring up"
        f" ({format_bytes(size)})",
    )


def _of_error(error: BatchRunError) -> Iterator[Finding]:
    if isinstance(error, SpecError):
        yield from map(of_problem, error.problems)
    else:
        yield of_error("spec", error)
