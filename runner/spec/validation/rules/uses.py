"""Where the parts of a workload speak of each other: roles, commands, users, environments.

It judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from runner.spec.document import Document, Pointer
from runner.spec.model.pool import NewPool
from runner.spec.model.sources import FilesOf, MatrixOf, OutputsOf, SimpleSource, Source, ZipOf
from runner.spec.model.step import Output, Step
from runner.spec.model.terms import ContainerResource, NamedUser, NodeCommand, Role, RunAs, StepName
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem

Rule = Callable[[Workload, Document], Iterator[Problem]]
"""One thing that must hold: a problem for each place where it does not."""


def node_commands(workload: Workload) -> Iterator[NodeCommand]:
    """Start task, job preparation and job release, those that there are."""
    if isinstance(workload.pool, NewPool) and workload.pool.start_task is not None:
        yield workload.pool.start_task
    for command in (workload.job.preparation, workload.job.release):
        if command is not None:
            yield command


def environments(workload: Workload) -> Iterator[tuple[Pointer, tuple[str, ...]]]:
    """The names of each `environment`, with the pointer of what it belongs to."""
    for command in node_commands(workload):
        yield command.pointer, (*command.environment, *command.secrets)
    yield workload.job.pointer, tuple(workload.job.environment)
    yield from ((step.pointer, (*step.environment, *step.secrets)) for step in workload.steps)


def named_users(workload: Workload) -> Iterator[NamedUser]:
    """Each user of the pool that a command runs as."""
    run_as: list[RunAs] = [command.run_as for command in node_commands(workload)]
    run_as += [step.run_as for step in workload.steps]
    yield from (each for each in run_as if isinstance(each, NamedUser))


def times(workload: Workload) -> Iterator[tuple[Pointer, timedelta]]:
    """Each bound on time that the spec may give, but those of pool and schedule."""
    yield ("limits", "duration"), workload.limits.duration
    yield ("limits", "wait"), workload.limits.wait
    yield ("limits", "patience"), workload.limits.patience
    for command in node_commands(workload):
        if command.timeout is not None:
            yield (*command.pointer, "timeout"), command.timeout
    for step in workload.steps:
        if step.timeout is not None:
            yield (*step.pointer, "timeout"), step.timeout
        if step.retention is not None:
            yield (*step.pointer, "retention"), step.retention


def axes(source: Source | None) -> Mapping[str, SimpleSource]:
    """The sources of a `matrix` or `zip` by name; of any other source there are none."""
    match source:
        case MatrixOf():
            return source.axes
        case ZipOf():
            return source.columns
        case _:
            return {}


def files_of(step: Step) -> Iterator[FilesOf]:
    """Each container whose files a step is run for."""
    if isinstance(step.for_each, FilesOf):
        yield step.for_each
    yield from (axis for axis in axes(step.for_each).values() if isinstance(axis, FilesOf))


def step_resources(step: Step) -> Iterator[ContainerResource]:
    """Each container that brings files to the tasks of a step besides their own."""
    resources = (*step.resources, *(step.instances.resources if step.instances else ()))
    yield from (each for each in resources if isinstance(each, ContainerResource))


def command_resources(command: NodeCommand) -> Iterator[ContainerResource]:
    """Each container that brings files to a command of the nodes."""
    yield from (each for each in command.resources if isinstance(each, ContainerResource))


def role_of_files(files: FilesOf, document: Document) -> Pointer:
    """Where the role stands: behind `files`, or `for_each: input` itself."""
    pointer = (*files.pointer, "files")
    return pointer if document.has(pointer) else files.pointer


def role_of_resource(resource: ContainerResource) -> Pointer:
    """Where a resource names its container."""
    return (*resource.pointer, "from")


def role_of_output(output: Output) -> Pointer:
    """Where an output names its container."""
    return (*output.pointer, "to")


def roles_used(workload: Workload, document: Document) -> Iterator[tuple[Role, Pointer]]:
    """Each role that is named anywhere, and where."""
    for command in node_commands(workload):
        for resource in command_resources(command):
            yield resource.role, role_of_resource(resource)
    for step in workload.steps:
        for files in files_of(step):
            yield files.role, role_of_files(files, document)
        for resource in step_resources(step):
            yield resource.role, role_of_resource(resource)
        for output in step.outputs:
            yield output.to, role_of_output(output)


def needs_used(step: Step, document: Document) -> Iterator[tuple[StepName, Pointer]]:
    """Each step that a step needs, and where it says so."""
    if isinstance(step.for_each, OutputsOf):
        yield step.for_each.step, (*step.for_each.pointer, "outputs_of")
    pointer: Pointer = (*step.pointer, "needs")
    if not document.has(pointer):
        return
    written = document.value(pointer)
    entries = written if isinstance(written, list) else []
    # A name is kept once however often it is given, so it is found by what stands there.
    places = {name: (*pointer, index) for index, name in enumerate(entries)}
    of_source = step.for_each.step if isinstance(step.for_each, OutputsOf) else None
    for name in step.needs:
        if name != of_source or name in places:
            yield name, places.get(name, pointer)
