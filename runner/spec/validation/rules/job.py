"""Rules on the job: its times, its schedule, what describes it, and the environments of commands.

It knows nothing of pools.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runner.spec.document import Document
from runner.spec.model.pool import OperatingSystem
from runner.spec.model.step import Print, Step
from runner.spec.model.workload import Delete, OwnContainer, Workload
from runner.spec.problem import Problem
from runner.spec.suggestion import shorten
from runner.spec.validation.rules.limits import LONGEST_RELEASE, LONGEST_TASK, SHORTEST_RECURRENCE
from runner.spec.validation.rules.sent_properties import RUN_METADATA
from runner.spec.validation.rules.uses import Rule, environments, times
from runner.spec.validation.wording import dotted

SCRIPT_VARIABLES = frozenset({"BATCH_RUN_SCRIPT", "BATCH_RUN_COORDINATION"})
"""The environment variables in which a run hands scripts to the nodes."""


def _times_are_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    for pointer, time in times(workload):
        if not document.has(pointer):
            continue
        name = dotted(pointer)
        if time <= timedelta(0):
            message = f"`{name}` must be longer than nothing"
            yield document.problem(pointer, code="out-of-range", message=message)
        elif time > LONGEST_TASK:
            message = f"`{name}` must be at most {LONGEST_TASK.days}d"
            hint = "the service ends a task 180 days after it was added"
            yield document.problem(pointer, code="out-of-range", message=message, hint=hint)
        elif (
            pointer[-1] == "timeout"
            and pointer[:2] != ("job", "release")
            and time > workload.limits.duration > timedelta(0)
        ):
            yield document.problem(
                pointer,
                code="out-of-range",
                message=f"`{name}` is longer than the whole job may take",
                hint="lower it, or raise `limits: {duration: ...}`, which is 24h if not given",
            )


def _release_is_short(workload: Workload, document: Document) -> Iterator[Problem]:
    release = workload.job.release
    if release is None:
        return
    if release.timeout is not None and LONGEST_RELEASE < release.timeout <= LONGEST_TASK:
        yield document.problem(
            (*release.pointer, "timeout"),
            code="out-of-range",
            message="`job.release.timeout` must be at most 15m",
            hint="the service gives a release no longer",
        )


def _schedule_is_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    schedule = workload.job.schedule
    if schedule is None:
        return
    for key, time in (("every", schedule.every), ("window", schedule.window)):
        if time is not None and time < SHORTEST_RECURRENCE:
            yield document.problem(
                (*schedule.pointer, key),
                code="out-of-range",
                message=f"`job.schedule.{key}` must be at least 1m",
                hint="the service takes nothing shorter",
            )
    if schedule.start is not None and schedule.end <= schedule.start:
        yield document.problem(
            (*schedule.pointer, "end"),
            code="out-of-range",
            message="the schedule ends before it starts",
            hint="`end` is a moment behind `start`",
        )


def _schedule_has_no_cost(workload: Workload, document: Document) -> Iterator[Problem]:
    """The service makes its jobs: nobody adds up what they cost."""
    if workload.job.schedule is not None and workload.limits.cost is not None:
        yield document.key_problem(
            ("limits", "cost"),
            code="schedule",
            message="`limits.cost` does not hold for the jobs of a schedule",
            hint="bound each of them with `limits: {duration: ...}`, and their number with `end`",
        )


def _schedule_repeats_one_task(workload: Workload, document: Document) -> Iterator[Problem]:
    """The service makes each job by itself: no one is there to list files and to add tasks."""
    if workload.job.schedule is None:
        return
    pointer = workload.job.schedule.pointer
    if len(workload.steps) > 1:
        yield document.key_problem(
            pointer,
            code="schedule",
            message="a schedule repeats one task, and this workload has"
            f" {len(workload.steps)} steps",
            hint="do it all in one step, or start the workload yourself each time",
        )
        return
    step = workload.steps[0]
    if step.for_each is not None:
        yield document.key_problem(
            (*step.pointer, "for_each"),
            code="schedule",
            message="a schedule repeats one task: no one is there to make one for each item",
            hint="take `for_each` away, and let the command find its work itself",
        )
    for key, reason in _not_scheduled(step):
        yield document.key_problem(
            (*step.pointer, key),
            code="schedule",
            message=f"`{key}` has no use with `job.schedule`: {reason}",
            hint="take one of the two away",
        )
    for container in workload.containers:
        if isinstance(container, OwnContainer) and container.delete is not Delete.NEVER:
            yield document.key_problem(
                container.pointer,
                code="schedule",
                message=f"`{container.role}` would be deleted while the schedule still needs it",
                hint="add `delete: never`",
            )


def _schedule_is_not_halted(workload: Workload, document: Document) -> Iterator[Problem]:
    if workload.job.schedule is not None and document.has(("halt",)):
        yield document.key_problem(
            ("halt",),
            code="schedule",
            message="`halt` has no use with `job.schedule`: no one is there to watch its jobs",
            hint="take one of the two away",
        )


def _not_scheduled(step: Step) -> Iterator[tuple[str, str]]:
    """The keys of a step that the one task of a scheduled job cannot have, and why.

    It is the job manager task (REST: Job Schedule - Add, `jobManagerTask`).
    """
    if step.exit_rules:
        yield "exit_rules", "the job ends with its one task, however that ends"
    if step.instances is not None:
        yield "instances", "a scheduled task runs on one node"
    if step.print is not Print.NONE:
        yield "print", "no one is there to be shown anything"


def _metadata_is_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    pointer = (*workload.job.pointer, "metadata")
    for name, value in workload.job.metadata.items():
        if name in RUN_METADATA:
            message = f"the metadata `{name}` is set by the run itself"
            hint = "give it another name"
        elif not name.strip() or not name.isprintable():
            message = "the name of metadata must be printable and not empty"
            hint = "for example `metadata: {project: films}`"
        elif not value.isprintable():
            message = f"the metadata `{shorten(name)}` has a character that cannot be printed"
            hint = "write it in one line"
        else:
            continue
        yield document.key_problem((*pointer, name), code="metadata", message=message, hint=hint)


def _environment_is_ours(workload: Workload, document: Document) -> Iterator[Problem]:
    is_windows = workload.pool.os is OperatingSystem.WINDOWS
    for owner, environment in environments(workload):
        seen: set[str] = set()
        for name in environment:
            upper = name.upper()
            if upper.startswith("AZ_BATCH_"):
                message = f"`{name}` cannot be set: the service sets `AZ_BATCH_...` itself"
            elif upper in SCRIPT_VARIABLES:
                message = f"`{name}` cannot be set: a run hands scripts to the nodes in it"
            elif is_windows and upper in seen:
                message = f"`{name}` is there twice: Windows knows no case of letters in names"
            else:
                seen.add(upper)
                continue
            yield document.key_problem(
                (*owner, "environment", name),
                code="reserved-variable",
                message=message,
                hint="give the variable another name",
            )


JOB: tuple[Rule, ...] = (
    _times_are_possible,
    _release_is_short,
    _schedule_is_possible,
    _schedule_has_no_cost,
    _schedule_repeats_one_task,
    _schedule_is_not_halted,
    _metadata_is_possible,
    _environment_is_ours,
)
