"""A plan for a person: what would be brought up, the pool, and the tasks.

It renders a plan and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import assert_never

from runner.plan.command import SCRIPT_VARIABLE
from runner.plan.model import (
    BlobResource,
    CommandLine,
    FolderResource,
    Plan,
    ResourcePlan,
    TaskPlan,
    WebResource,
)
from runner.report.as_text import format_bytes, plural, printable
from runner.spec.pool import ExistingPool, FixedNodes, Image, Pool
from runner.spec.terms import NamedUser
from runner.spec.workload import OwnContainer

_FILES_SHOWN = 5
_TASKS_SHOWN = 3


def plan_summary(plan: Plan) -> Iterator[str]:
    """Lines: containers, pool, start task, job and the first tasks."""
    workload = plan.workload
    yield f"workload {workload.name}: {plural(len(plan.tasks), 'task')}"
    for container in plan.containers:
        policy = workload.container(container.role)
        size = format_bytes(sum(file.size_bytes for file in container.files))
        if isinstance(policy, OwnContainer):
            download = ", downloaded" if policy.download else ""
            fate = f" up{download}, delete: {policy.delete.value}"
        else:
            fate = " there, read and never deleted"
        yield f"container {container.name}: {plural(len(container.files), 'file')} ({size}){fate}"
        for file in container.files[:_FILES_SHOWN]:
            yield printable(f"  {file.blob} ({format_bytes(file.size_bytes)})")
        if len(container.files) > _FILES_SHOWN:
            yield f"  ... and {len(container.files) - _FILES_SHOWN:,} more"
    yield _pool_line(workload.pool)
    if plan.start_task is not None:
        run_as = plan.start_task.run_as
        yield f"start task, as {run_as.name if isinstance(run_as, NamedUser) else run_as.value}:"
        yield from _command(plan.start_task.command)
        yield from _resources(plan.start_task.resources)
    hours = workload.limits.duration.total_seconds() / 3600
    yield f"job: ends itself after {hours:g} h"
    for task in plan.tasks[:_TASKS_SHOWN]:
        yield from task_lines(task)
    if len(plan.tasks) > _TASKS_SHOWN:
        yield f"... and {len(plan.tasks) - _TASKS_SHOWN:,} more (--task ID shows one)"


def _pool_line(pool: Pool) -> str:
    if isinstance(pool, ExistingPool):
        return f"pool: {pool.id}, which exists and stays"
    image = (
        f"{pool.image.publisher} {pool.image.offer} {pool.image.sku} {pool.image.version}"
        if isinstance(pool.image, Image)
        else pool.image.id
    )
    nodes = (
        f"{pool.size.dedicated} dedicated and {pool.size.spot} spot nodes"
        if isinstance(pool.size, FixedNodes)
        else "autoscaled nodes"
    )
    slots = plural(pool.task_slots_per_node, "task slot")
    return f"pool: {nodes} of {pool.vm_size}, {slots} each; image {image}"


def task_lines(task: TaskPlan) -> Iterator[str]:
    """Everything about one task."""
    yield printable(f"task {task.id} {task.display_name}")
    yield from _command(task.command)
    yield from _resources(task.resources)
    for output in task.outputs:
        shown = output.blob if output.blob is not None else f"{output.path}/"
        yield printable(
            f"  output {output.pattern} to {output.role}/{shown} on {output.when.value}"
        )


def _command(command: CommandLine) -> Iterator[str]:
    for line in command.script.splitlines():
        yield f"  $ {printable(line)}"
    for name, value in command.environment.items():
        if name == SCRIPT_VARIABLE:  # shown above
            continue
        yield printable(f"  environment {name}={value}")


def _resources(resources: tuple[ResourcePlan, ...]) -> Iterator[str]:
    for resource in resources:
        match resource:
            case BlobResource():
                what = f"{resource.role}/{resource.blob}"
            case FolderResource():
                what = f"{resource.role}/{resource.prefix or 'all files'}"
            case WebResource():
                what = resource.url
            case _:
                assert_never(resource)
        yield printable(f"  resource {what}")
