"""From a checked workload and the files on this machine to a plan, or to every problem with it.

Same workload, same files, same run id: equal plan. It creates nothing and asks no service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from runner.errors import UsageError
from runner.plan.collisions import OutputNames
from runner.plan.containers import Stored, plan_containers
from runner.plan.model import ContainerPlan, Plan, RunId, TaskPlan
from runner.plan.node_commands import plan_node_commands
from runner.plan.overwrites import Overwrites
from runner.plan.references import check_references
from runner.plan.snapshot import Snapshot
from runner.plan.sources import Materials, gather, source_problems
from runner.plan.tasks import TaskSequence
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem, SpecError
from runner.spec.validation.rules.limits import MOST_TASKS

# A template that fails for one file mostly fails for all; nobody reads ten thousand of them.
_PROBLEMS_SHOWN = 20
# Stands in `file.url` until a target is chosen; as long as a real one may be.
_UNKNOWN_STORAGE = "https://<storage-account>.blob.core.windows.net"


def expand(
    workload: Workload,
    *,
    folder: Path,
    run_id: RunId,
    stored: Stored | None = None,
    keeps_tasks: bool = False,
) -> Plan:
    """The plan of a run, for a storage account that is not known yet; `folder` is the spec's.

    `stored` is what containers hold already, by role (`containers_to_list`). A small plan that
    `keeps_tasks` renders each but once, however often it is gone through. Raises `UsageError`
    where the plan needs such a listing and has none. Raises `SpecError` with all problems: files
    that are not there or cannot become blobs, values that a template cannot take, outputs of two
    tasks that are one blob.
    """
    containers, found = plan_containers(workload, folder=folder, run_id=run_id, stored=stored)
    if found:
        raise SpecError(found)
    materials, found = gather(workload, containers, folder)
    if found:
        raise SpecError(found)
    return _make_plan(workload, run_id, containers, materials, kept={} if keeps_tasks else None)


def expand_again(workload: Workload, *, folder: Path, run_id: RunId, snapshot: Snapshot) -> Plan:
    """The plan that was made before of the same workload, whatever became of its files since."""
    materials, found = gather(workload, snapshot.containers, folder, known_rows=snapshot.rows)
    if found:
        raise SpecError(found)
    return _make_plan(workload, run_id, snapshot.containers, materials)


def _make_plan(
    workload: Workload,
    run_id: RunId,
    containers: tuple[ContainerPlan, ...],
    materials: Materials,
    kept: dict[int, TaskPlan] | None = None,
) -> Plan:
    tasks = TaskSequence(
        workload=workload,
        run_id=run_id,
        materials=materials,
        containers={container.role: container.name for container in containers},
        account=_UNKNOWN_STORAGE,
        kept=kept,
    )
    commands, found = plan_node_commands(workload, run_id, materials.known)
    problems = list(found)
    broken = tuple(_source_problems(workload, tasks))
    problems.extend(broken or _task_problems(workload, tasks, containers))
    if problems:
        raise SpecError(problems)
    return Plan(
        workload=workload,
        run_id=run_id,
        containers=containers,
        start_task=commands.start_task,
        tasks=tasks,
        preparation=commands.preparation,
        release=commands.release,
        job_environment=commands.environment,
        ranges=tasks.ranges,
    )


def place(plan: Plan, *, storage_endpoint: str) -> Plan:
    """The same plan for a storage account: its URL goes into `file.url`."""
    tasks = plan.tasks
    assert isinstance(tasks, TaskSequence)  # `expand` has made it
    return replace(plan, tasks=tasks.placed(storage_endpoint))


def _source_problems(workload: Workload, tasks: TaskSequence) -> Iterator[Problem]:
    """What is wrong with the steps' items as a whole; then no task can be rendered."""
    document = workload.document
    for step, made in zip(workload.steps, tasks.steps, strict=True):
        yield from source_problems(step.for_each, made.items, document)
        yield from check_references(step, made.items.names, document)
    if len(tasks) > MOST_TASKS:
        largest = max(tasks.steps, key=len).step
        yield document.problem(
            (*largest.pointer, "for_each"),
            code="too-many-tasks",
            message=f"the plan has {len(tasks):,} tasks, and may have {MOST_TASKS:,}",
            hint="`chunk` gives several files to one task",
        )


def _task_problems(
    workload: Workload, tasks: TaskSequence, containers: tuple[ContainerPlan, ...]
) -> Iterator[Problem]:
    """What is wrong with single tasks: each is rendered, none is kept."""
    names = OutputNames(workload, tasks, [len(each) for each in tasks.steps])
    overwrites = Overwrites(workload, containers)
    overwritten: list[Problem] = []
    failed = 0
    for index in range(len(tasks)):
        try:
            task = tasks.render(index)
            names.add(task)
            overwritten.extend(overwrites.problems(task))
        except SpecError as error:
            yield from error.problems
            failed += len(error.problems)
            if failed >= _PROBLEMS_SHOWN:
                return
    if not failed:
        yield from names.problems()
        yield from overwritten


def find_task(plan: Plan, name: str) -> TaskPlan:
    """The task of an id, with or without its leading zeros; `UsageError` where there is none."""
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 20 else 0
    if not 1 <= number <= len(plan.tasks):
        first, last = plan.tasks[0].id, plan.tasks[-1].id
        raise UsageError(f"there is no task `{name}`", hint=f"ids go from {first} to {last}")
    return plan.tasks[number - 1]
