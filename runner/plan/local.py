"""What of a workload this machine cannot do, since it has Linux or macOS and no Azure behind it.

It knows what the emulator of the services does and what not; it opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner.spec.document import Document, Pointer
from runner.spec.model.pool import (
    CustomImage,
    ExistingPool,
    NewPool,
    OperatingSystem,
)
from runner.spec.model.step import Step
from runner.spec.model.workload import ExistingContainer, Workload
from runner.spec.problem import Problem, in_reading_order
from runner.spec.shells.script import CommandTemplate

_HINT = "`--target azure` runs it"


def asks_for_images(workload: Workload) -> bool:
    """Whether it makes a difference to `local_obstacles` that containers can be run here."""
    pool = workload.pool
    return any(step.container is not None for step in workload.steps) or (
        isinstance(pool, NewPool) and bool(pool.container_images or pool.registries)
    )


def local_obstacles(workload: Workload, *, has_engine: bool = False) -> tuple[Problem, ...]:
    """A problem for each part of the spec that needs Azure, in reading order.

    With an engine, this machine runs containers, and logs in to the registries of their images.
    """
    document = workload.document
    found = [*_of_containers(workload), *_of_pool(workload), *_of_job(workload)]
    for step in workload.steps:
        found.extend(_of_step(step))
    if not has_engine:
        found.extend(_of_images(workload))
    return in_reading_order(_problem(document, pointer, what) for pointer, what in found)


def without_packages(workload: Workload) -> Workload:
    """The workload for a machine that nobody may install anything on; the rest stays as it is."""
    pool = workload.pool
    if not isinstance(pool, NewPool) or not pool.packages:
        return workload
    return replace(workload, pool=replace(pool, packages=()))


def _problem(document: Document, pointer: Pointer, what: str) -> Problem:
    message = f"{what} needs Azure"
    if document.has(pointer):
        return document.key_problem(pointer, code="needs-azure", message=message, hint=_HINT)
    return document.problem(pointer, code="needs-azure", message=message, hint=_HINT)


_Obstacle = tuple[Pointer, str]


def _of_containers(workload: Workload) -> Iterator[_Obstacle]:
    for container in workload.containers:
        if isinstance(container, ExistingContainer):
            pointer = (*container.pointer, "existing")
            yield pointer, f"container `{container.name}`, which exists already,"


def _of_pool(workload: Workload) -> Iterator[_Obstacle]:
    pool = workload.pool
    if pool.os is OperatingSystem.WINDOWS:
        for key in ("os", "image"):
            if workload.document.has((*pool.pointer, key)):
                yield (*pool.pointer, key), "a pool of Windows nodes"
                break
        else:
            yield pool.pointer, "a pool of Windows nodes"
    if isinstance(pool, ExistingPool):
        yield (*pool.pointer, "existing"), f"pool `{pool.id}`, which exists already,"
    else:
        yield from _of_new_pool(pool)


def _of_new_pool(pool: NewPool) -> Iterator[_Obstacle]:
    if isinstance(pool.image, CustomImage):
        yield (*pool.pointer, "image"), "an image of one's own"
    if pool.mounts:
        yield (*pool.pointer, "mounts"), "a mounted file system"
    if pool.network is not None and pool.network.subnet is not None:
        yield (*pool.pointer, "network", "subnet"), "a subnet"
    if pool.applications:
        yield (*pool.pointer, "applications"), "an application package"
    if pool.start_task is not None:
        yield from _of_shell(pool.start_task.command, pool.start_task.pointer, "command")


def _of_job(workload: Workload) -> Iterator[_Obstacle]:
    job = workload.job
    if job.schedule is not None:
        yield job.schedule.pointer, "a schedule"
    for command in (job.preparation, job.release):
        if command is not None:
            yield from _of_shell(command.command, command.pointer, "command")


def _of_step(step: Step) -> Iterator[_Obstacle]:
    yield from _of_shell(step.command, step.pointer, "command")
    if step.instances is not None and step.instances.count > 1:
        yield step.instances.pointer, "a task on several nodes"
    if step.applications:
        yield (*step.pointer, "applications"), "an application package"


def _of_images(workload: Workload) -> Iterator[_Obstacle]:
    pool = workload.pool
    if isinstance(pool, NewPool) and pool.container_images:
        yield (*pool.pointer, "container_images"), "a container image"
    if isinstance(pool, NewPool) and pool.registries:
        yield (*pool.pointer, "registries"), "a registry of container images"
    for step in workload.steps:
        if step.container is not None:
            yield step.container.pointer, "a container image"


def _of_shell(command: CommandTemplate, owner: Pointer, key: str) -> Iterator[_Obstacle]:
    if command.shell.is_windows:
        yield (*owner, key), f"a command for `{command.shell.value}`"
