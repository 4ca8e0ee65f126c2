"""A plan for a person: what would be brought up, the pool, the job, and the tasks of each step.

It renders a plan and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from typing_extensions import assert_never

from runner.plan.command import SCRIPT_VARIABLE
from runner.plan.file_table import total_bytes
from runner.plan.model import (
    BlobResource,
    CommandLine,
    ContainerPlan,
    FolderResource,
    NodeCommandPlan,
    OutsideLinks,
    PassedOver,
    Plan,
    ResourcePlan,
    TaskPlan,
    TaskRange,
    WebResource,
)
from runner.plan.step_tasks import COORDINATION_VARIABLE
from runner.report.as_text import format_bytes, plural, printable
from runner.report.extra import extra_as_text
from runner.report.halting import halt_as_text
from runner.report.plan_cost import PlanCost, plan_cost_lines
from runner.report.pool_as_text import pool_lines
from runner.run.results.decisions import Action, Decisions
from runner.spec.model.sources import (
    FilesOf,
    ListOf,
    MatrixOf,
    OutputsOf,
    RangeOf,
    RowsOf,
    Source,
    ZipOf,
)
from runner.spec.model.step import ExitRule, Step
from runner.spec.model.terms import Elevation, NamedUser, RunAs
from runner.spec.model.workload import IfNotEmpty, OnFailure, OwnContainer

_FILES_SHOWN = 5
_TASKS_SHOWN = 3
_REASONS_SHOWN = 5
_ACTIONS = {
    Action.RUN: "would run",
    Action.SKIP: "would skip",
    Action.LEAVE: "would leave out",
}
_SHOWN_ABOVE = frozenset({SCRIPT_VARIABLE, COORDINATION_VARIABLE})


def plan_summary(
    plan: Plan, decisions: Decisions | None = None, cost: PlanCost | None = None
) -> Iterator[str]:
    """Lines: containers, pool, start task, job, and each step with its first tasks.

    With `decisions` also what a run would do with them; None where no run was there before. With
    `cost` what the nodes cost, where somebody wants to know.
    """
    workload = plan.workload
    steps = len(workload.steps)
    in_steps = f" in {plural(steps, 'step')}" if steps > 1 else ""
    yield f"workload {workload.name}: {plural(len(plan.tasks), 'task')}{in_steps}"
    if decisions is not None:
        yield from _decisions(decisions)
    for container in plan.containers:
        yield from _container(plan, container)
    yield from pool_lines(workload.pool)
    if cost is not None:
        yield from plan_cost_lines(cost)
    yield from _node_command("start task", plan.start_task)
    yield from _job(plan)
    for step, tasks in zip(workload.steps, plan.ranges, strict=True):
        if steps > 1:
            yield _step(step, tasks)
        count = tasks.last - tasks.first + 1
        for task in plan.tasks[tasks.first - 1 : tasks.first - 1 + min(count, _TASKS_SHOWN)]:
            yield from task_lines(task, decisions)
        if count > _TASKS_SHOWN:
            yield f"... and {count - _TASKS_SHOWN:,} more (--task ID shows one)"


def _container(plan: Plan, container: ContainerPlan) -> Iterator[str]:
    policy = plan.workload.container(container.role)
    files = container.files
    what = f"{plural(len(files), 'file')} ({format_bytes(total_bytes(files))})"
    if isinstance(policy, OwnContainer):
        parts = []
        if policy.if_not_empty is IfNotEmpty.CLEAR:
            but = ", but for files that are unchanged" if container.unchanged else ""
            parts.append(f"cleared first (all that is in it is deleted{but})")
        if policy.uploads:
            parts.append(f"{what} up")
        if container.unchanged:
            parts.append(f"{len(container.unchanged):,} of them unchanged and not sent again")
        if policy.download:
            parts.append("downloaded")
        parts.append(f"delete: {policy.delete.value}")
        if policy.if_not_empty is IfNotEmpty.REFUSE:
            parts.append("if not empty: refuse")
        yield f"container {container.name}: {', '.join(parts)}"
    elif files:
        yield f"container {container.name}: {what} there, read and never deleted"
    else:
        yield f"container {container.name}: exists, read and never deleted"
    yield from _outside_links(container.outside_links)
    yield from _passed_over(container.passed_over)
    for file in files[:_FILES_SHOWN]:
        note = ", unchanged" if file.blob in container.unchanged else ""
        yield printable(f"  {file.blob} ({format_bytes(file.size_bytes)}{note})")
    if len(files) > _FILES_SHOWN:
        yield f"  ... and {len(files) - _FILES_SHOWN:,} more"


def _outside_links(links: OutsideLinks) -> Iterator[str]:
    """Links that bring up what is not in the folder of the spec."""
    if not links.count:
        return
    yield f"  leading out of the folder of the spec: {plural(links.count, 'link')}"
    for path, target in links.first:
        yield printable(f"    {path} → {target}")
    if links.count > len(links.first):
        yield f"    ... and {links.count - len(links.first):,} more"


def _passed_over(passed: PassedOver) -> Iterator[str]:
    """What lies among the files and is not brought up, though patterns would take it."""
    if not passed.count:
        return
    yield f"  passed over, as no files: {passed.count:,}"
    for path, what in passed.first:
        yield printable(f"    {path} ({what})")
    if passed.count > len(passed.first):
        yield f"    ... and {passed.count - len(passed.first):,} more"


def _node_command(what: str, command: NodeCommandPlan | None) -> Iterator[str]:
    if command is None:
        return
    yield f"{what}, as {_run_as(command.run_as)}:"
    yield from _command(command.command)
    yield from _resources(command.resources)


def _job(plan: Plan) -> Iterator[str]:
    job = plan.workload.job
    parts = [f"ends itself after {_time(plan.workload.limits.duration)}"]
    if job.priority:
        parts.append(f"priority {job.priority}")
    if job.max_parallel_tasks is not None:
        parts.append(f"at most {plural(job.max_parallel_tasks, 'task')} at once")
    if job.on_failure is OnFailure.STOP:
        parts.append("stops when a task has failed")
    if job.schedule is not None:
        start = "now" if job.schedule.start is None else job.schedule.start.isoformat()
        end = job.schedule.end.isoformat()
        parts.append(f"again every {_time(job.schedule.every)} from {start} to {end}")
    yield f"job: {', '.join(parts)}"
    halt = halt_as_text(plan.workload.halt)
    if halt is not None:
        yield f"  {halt}"
    for name, value in plan.job_environment.items():
        yield printable(f"  environment {name}={value}")
    for name, value in job.metadata.items():
        yield printable(f"  metadata {name}={value}")
    if job.extra:
        yield printable(f"  extra {extra_as_text(job.extra)}")
    yield from _node_command("job preparation", plan.preparation)
    yield from _node_command("job release", plan.release)


def _step(step: Step, tasks: TaskRange) -> str:
    parts = [f"{plural(tasks.last - tasks.first + 1, 'task')} {_what_for(step.for_each)}".rstrip()]
    if step.needs:
        parts.append(f"after {' and '.join(step.needs)}")
    return f"step {step.name}: {', '.join(parts)}"


def _what_for(source: Source | None) -> str:
    match source:
        case None:
            return ""
        case FilesOf():
            each = "each file" if source.chunk is None else f"every {source.chunk:,} files"
            return f"for {each} of {source.role}"
        case OutputsOf():
            return f"for each output of {source.step}"
        case ListOf():
            return "for each value of a list"
        case RowsOf():
            return f"for each row of {printable(source.path)}"
        case RangeOf():
            return f"for each number from {source.first} to {source.last}"
        case MatrixOf():
            return f"for each combination of {', '.join(source.axes)}"
        case ZipOf():
            return f"for each entry of {', '.join(source.columns)}"
        case _:
            assert_never(source)


def _decisions(decisions: Decisions) -> Iterator[str]:
    """How many tasks would be run, skipped or left out, and why."""
    for action, words in _ACTIONS.items():
        count = decisions.count(action)
        if not count:
            continue
        yield f"{words} {plural(count, 'task')}:"
        reasons = decisions.by_reason(action)
        for reason, tasks in reasons[:_REASONS_SHOWN]:
            yield printable(f"  {tasks:,}: {reason}")
        if len(reasons) > _REASONS_SHOWN:
            rest = sum(tasks for _, tasks in reasons[_REASONS_SHOWN:])
            yield f"  {rest:,}: for other reasons (--json tells all)"


def task_lines(task: TaskPlan, decisions: Decisions | None = None) -> Iterator[str]:
    """Everything about one task."""
    yield printable(f"task {task.id} {task.display_name}")
    if decisions is not None:
        number = int(task.id)
        action = decisions.action(number).value
        yield printable(f"  {action}: {decisions.reason(number)}")
    yield from _command(task.command)
    if task.coordination is not None:
        assert task.step.instances is not None
        yield f"  on {plural(task.step.instances.count, 'node')} at once, each after"
        yield from (f"  $ {printable(line)}" for line in task.coordination.script.splitlines())
        yield from _resources(task.shared_resources, "resource of every node")
    yield from _resources(task.resources)
    for output in task.outputs:
        shown = output.blob if output.blob is not None else f"{output.path}/"
        yield printable(
            f"  output {output.pattern} to {output.role}/{shown} on {output.when.value}"
        )
    for each in task.needs:
        width = len(task.id)
        first, last = (str(number).zfill(width) for number in (each.first, each.last))
        yield f"  needs task {first}" if first == last else f"  needs tasks {first} to {last}"
    if task.container_image is not None:
        yield printable(f"  container {task.container_image}")
    yield from _settings(task.step)


def _settings(step: Step) -> Iterator[str]:
    """What a step says of all its tasks, where it is not the default."""
    container = step.container
    if container is not None and container.options:
        yield printable(f"  container options {container.options}")
    if step.run_as is not Elevation.USER:
        yield f"  run as {_run_as(step.run_as)}"
    if step.retries:
        yield f"  retries {'without end' if step.retries < 0 else step.retries}"
    for cause, budget in step.retry_plan.budgets.items():
        wait = f"the first {_time(budget.backoff)} later" if budget.backoff else "at once"
        yield f"  retries after {cause.value} {budget.times}, {wait}"
    if step.retry_plan.preemption is not None:
        yield f"  preemptions at most {step.retry_plan.preemption}"
    if step.timeout is not None:
        yield f"  timeout {_time(step.timeout)}"
    if step.retention is not None:
        yield f"  retention {_time(step.retention)}"
    if step.slots != 1:
        yield f"  slots {step.slots}"
    for rule in step.exit_rules:
        yield f"  {_exit_rule(rule)}"
    for application in step.applications:
        yield f"  application {application.id} {application.version or '(default version)'}"
    if step.extra:
        yield printable(f"  extra {extra_as_text(step.extra)}")


def _exit_rule(rule: ExitRule) -> str:
    codes = [f"{first}" if first == last else f"{first}-{last}" for first, last in rule.codes]
    ends = ", ".join([*codes, *(cause.value for cause in rule.causes)])
    what = [] if rule.job is None else [f"job: {rule.job.value}"]
    if rule.dependents is not None:
        what.append(f"dependents: {rule.dependents.value}")
    return f"exit {ends}: {', '.join(what)}"


def _command(command: CommandLine) -> Iterator[str]:
    for line in command.script.splitlines():
        yield f"  $ {printable(line)}"
    for name, value in command.environment.items():
        if name not in _SHOWN_ABOVE:
            yield printable(f"  environment {name}={value}")
    if command.secrets is not None:
        for name, secret in command.secrets.variables.items():
            yield f"  environment {name} = the secret {secret}"


def _resources(resources: tuple[ResourcePlan, ...], what: str = "resource") -> Iterator[str]:
    for resource in resources:
        match resource:
            case BlobResource():
                place, usual = f"{resource.role}/{resource.blob}", resource.blob
            case FolderResource():
                place, usual = f"{resource.role}/{resource.prefix or 'all files'}", ""
            case WebResource():
                place, usual = resource.url, ""
            case _:
                assert_never(resource)
        to = "" if resource.path == usual else f" to {resource.path}"
        mode = "" if resource.mode is None else f", mode {resource.mode}"
        yield printable(f"  {what} {place}{to}{mode}")


def _run_as(run_as: RunAs) -> str:
    return run_as.name if isinstance(run_as, NamedUser) else run_as.value


def _time(duration: timedelta) -> str:
    """`90 s`, `30 min`, `1.5 h`, `7 d`: in the largest unit that leaves a short number."""
    total = duration.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if total >= size * (2 if unit == "d" else 1) and total * 4 % size == 0:
            return f"{total / size:g} {unit}"
    return f"{total:g} s"
