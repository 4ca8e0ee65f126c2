"""One spec that `doctor` is given: what is wrong with it, what it asks the accounts, what comes.

It must not know which other specs there are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runner.cli.listing import needs_listing
from runner.cli.specs import find_spec, read_parameters_for
from runner.cli.world import World
from runner.errors import BatchRunError, UsageError
from runner.plan.expand import expand
from runner.plan.model import Plan
from runner.plan.run_id import UNKNOWN
from runner.report.as_text import plural
from runner.run.diagnosis.answers import Account, Answers, Question, failed
from runner.run.diagnosis.finding import Area, Finding, Group, of_error, of_problem, ok, unknown
from runner.run.diagnosis.needs import Setting, judge_needs, questions_of
from runner.spec.load import load_workload
from runner.spec.model.workload import Workload
from runner.spec.problem import SpecError

_PLAN = "plan"
Check = Callable[[Workload], None]
"""Raises `SpecError` for what cannot run on the target."""


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

    def questions(self, account: Account, check: Check) -> dict[str, Question]:
        """What is asked for its sake; the plan is made at the same time, as it may take long."""
        workload = self.workload
        if workload is None:
            return {}
        asked = {
            self._own(name): question for name, question in questions_of(workload, account).items()
        }
        asked[self._own(_PLAN)] = lambda: _plan(workload, self.folder, check)
        self.names = tuple(asked)
        return asked

    def judge(self, answers: Answers, setting: Setting) -> Iterator[Finding]:
        """What came of it."""
        if self.workload is None:
            yield from self.judge_alone()
            return
        own = {name.partition(" ")[2]: answers[name] for name in self.names}
        plan = own.pop(_PLAN)
        error = failed(plan)
        if error is not None:
            yield from _of_error(error)
        else:
            yield _describe(plan)
        yield from judge_needs(self.workload, own, answers, setting)

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


def _plan(workload: Workload, folder: Path, check: Check) -> Plan | None:
    """None where what containers hold would have to be listed first, which may take long."""
    check(workload)
    if needs_listing(workload):
        return None
    return expand(workload, folder=folder, run_id=UNKNOWN)


def _describe(plan: object) -> Finding:
    if not isinstance(plan, Plan):
        return unknown(
            "tasks",
            "how many there are follows from what containers hold, which was not listed",
            "`batch-run plan SPEC --target azure` lists it",
        )
    files = sum(1 for each in plan.containers for file in each.files if file.source is not None)
    size = sum(
        file.size_bytes
        for each in plan.containers
        for file in each.files
        if file.source is not None
    )
    count = len(plan.tasks)
    return ok(
        "tasks", f"{plural(count, 'task')}; {plural(files, 'file')} to bring up, {size:,} bytes"
    )


def _of_error(error: BatchRunError) -> Iterator[Finding]:
    if isinstance(error, SpecError):
        yield from map(of_problem, error.problems)
    else:
        yield of_error("spec", error)
