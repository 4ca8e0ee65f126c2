"""Plans of shapes that a test thinks up: steps, needs and containers of small values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from runner.plan.model import (
    BlobResource,
    ContainerPlan,
    InputFile,
    Plan,
    ResourcePlan,
    TaskId,
    TaskPlan,
    TaskRange,
)
from runner.spec.model.sources import FilePatterns
from runner.spec.model.step import ExitRule, JobAction, Step
from runner.spec.model.terms import Role, StepName
from runner.spec.model.workload import (
    Container,
    Delete,
    ExistingContainer,
    IfNotEmpty,
    OwnContainer,
    Workload,
)
from tests.fakes.plans import SPEC, make_plan


def shaped_plan(
    folder: Path,
    tasks: Iterable[Any],
    *,
    steps: dict[str, dict[str, Any]] | None = None,
    job: dict[str, Any] | None = None,
    spec: str = SPEC,
    files: tuple[str, ...] = ("a.txt",),
) -> Plan:
    """A plan of these tasks, as mappings that may name a `step` and whatever `TaskPlan` has.

    Steps and the job are those of the spec with other values.
    """
    plan = make_plan(folder, spec, files)
    workload = plan.workload
    model = workload.steps[0]
    named: dict[str, Step] = {
        name: replace(model, name=StepName(name), **values)
        for name, values in (steps or {"task": {}}).items()
    }
    template = plan.tasks[0]
    first = next(iter(named))
    rendered = []
    for number, given in enumerate(tasks, start=1):
        values = dict(given)
        step = named[values.pop("step", first)]
        rendered.append(
            replace(
                template,
                **{
                    "id": TaskId(f"{number:04}"),
                    "step": step,
                    "display_name": f"{step.name}/{number}",
                    "item": f"item {number}",
                    "resources": (),
                    "outputs": (),
                    **values,
                },
            )
        )
    order = [each.step.name for each in rendered]
    assert order == sorted(order, key=list(named).index), "tasks come in the order of their steps"
    ends = tuple(accumulate((order.count(StepName(name)) for name in named), initial=0))
    return replace(
        plan,
        ranges=tuple(TaskRange(first=first + 1, last=last) for first, last in pairwise(ends)),
        workload=replace(
            workload, steps=tuple(named.values()), job=replace(workload.job, **(job or {}))
        ),
        tasks=tuple(rendered),
    )


def needs(*ranges: tuple[int, int]) -> tuple[TaskRange, ...]:
    """What a task waits for."""
    return tuple(TaskRange(first=first, last=last) for first, last in ranges)


def brings(*blobs: str, role: str = "input") -> tuple[ResourcePlan, ...]:
    """Blobs of a container, to paths of their own names."""
    return tuple(BlobResource(role=Role(role), blob=blob, path=blob) for blob in blobs)


def exit_rule(
    *codes: int, job: JobAction | None = None, dependents: Any = None, causes: Any = ()
) -> ExitRule:
    """A rule for exit codes."""
    return ExitRule(
        codes=tuple((code, code) for code in codes),
        causes=tuple(causes),
        job=job,
        dependents=dependents,
        pointer=("task", "exit_rules", 0),
    )


def with_container(plan: Plan, container: Container, planned: ContainerPlan) -> Plan:
    """The plan with one container put in the place of that of the same role, or added."""
    workload: Workload = replace(
        plan.workload,
        containers=(
            *(each for each in plan.workload.containers if each.role != container.role),
            container,
        ),
    )
    containers = (
        *(each for each in plan.containers if each.role != container.role),
        planned,
    )
    return replace(plan, workload=workload, containers=containers)


def name_container(
    plan: Plan,
    role: str,
    name: str,
    *,
    if_not_empty: IfNotEmpty = IfNotEmpty.KEEP,
    delete: Delete = Delete.NEVER,
    unchanged: frozenset[str] = frozenset(),
) -> Plan:
    """The plan with a name of the user's for one of its containers."""
    own = plan.workload.container(Role(role))
    assert isinstance(own, OwnContainer)
    return with_container(
        plan,
        replace(own, name=name, if_not_empty=if_not_empty, delete=delete),
        replace(plan.container(Role(role)), name=name, is_made=False, unchanged=unchanged),
    )


def add_existing(plan: Plan, role: str, name: str, blobs: tuple[str, ...] = ()) -> Plan:
    """The plan with a container of the user's."""
    files = tuple(InputFile(source=None, blob=blob, path=blob, size_bytes=1) for blob in blobs)
    return with_container(
        plan,
        ExistingContainer(
            role=Role(role),
            name=name,
            prefix="",
            patterns=FilePatterns(),
            pointer=("containers", role),
        ),
        ContainerPlan(role=Role(role), name=name, files=files, is_made=False),
    )


def count_renders(plan: Plan) -> tuple[Plan, list[int]]:
    """The plan, and the indexes of its tasks as they are asked for."""
    asked: list[int] = []

    class Counting(Sequence[TaskPlan]):
        def __len__(self) -> int:
            return len(plan.tasks)

        def __getitem__(self, index: Any) -> Any:
            asked.append(index)
            return plan.tasks[index]

    return replace(plan, tasks=Counting()), asked
