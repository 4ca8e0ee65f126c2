"""What must hold between the parts of a workload, and the service's limits on them.

It knows nothing of YAML; each rule is one function and one entry of `_RULES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from runner.spec.document import Document, Pointer
from runner.spec.pool import FixedNodes, NewPool
from runner.spec.problem import Position, Problem, Span
from runner.spec.sources import FilesOf
from runner.spec.suggestion import suggest
from runner.spec.terms import ContainerResource, NodeCommand, Resource
from runner.spec.workload import OwnContainer, Workload

RESERVED_ROLE = "logs"
"""The container in which a run keeps its tasks' standard output and error."""

# Batch ends a task 180 days after it was added to its job, and nothing of ours outlives that
# (Microsoft Learn, "Batch service quotas and limits").
_LONGEST = timedelta(days=180)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def check_rules(workload: Workload) -> tuple[Problem, ...]:
    """All that is wrong with a workload whose parts are each well formed."""
    return tuple(problem for rule in _RULES for problem in rule(workload, workload.document))


def _role_is_free(workload: Workload, document: Document) -> Iterator[Problem]:
    for container in workload.containers:
        if container.role == RESERVED_ROLE:
            yield document.key_problem(
                container.pointer,
                code="reserved-role",
                message=f"the role `{RESERVED_ROLE}` is taken: a run keeps its tasks' output there",
                hint="give the container another role",
            )


def _roles_are_declared(workload: Workload, document: Document) -> Iterator[Problem]:
    declared = [container.role for container in workload.containers]
    for role, pointer in _roles_used(workload, document):
        if role not in declared:
            yield document.problem(
                pointer,
                code="unknown-container",
                message=f"there is no container `{role}`",
                hint=suggest(role, declared, label="containers"),
            )


def _roles_used(workload: Workload, document: Document) -> Iterator[tuple[str, Pointer]]:
    for step in workload.steps:
        if isinstance(step.for_each, FilesOf):
            yield step.for_each.role, _for_each_pointer(step.pointer, document)
        yield from _resource_roles(step.resources, step.pointer)
        for output in step.outputs:
            yield output.to, (*output.pointer, "to")
    start_task = _start_task(workload)
    if start_task is not None:
        yield from _resource_roles(start_task.resources, start_task.pointer)


def _resource_roles(
    resources: tuple[Resource, ...], owner: Pointer
) -> Iterator[tuple[str, Pointer]]:
    for index, resource in enumerate(resources):
        if isinstance(resource, ContainerResource):
            yield resource.role, (*owner, "resources", index, "from")


def _for_each_pointer(step: Pointer, document: Document) -> Pointer:
    pointer = (*step, "for_each")
    return (*pointer, "files") if document.has((*pointer, "files")) else pointer


def _inputs_are_uploaded(workload: Workload, document: Document) -> Iterator[Problem]:
    inputs = {step.for_each.role for step in workload.steps if isinstance(step.for_each, FilesOf)}
    for container in workload.containers:
        if not isinstance(container, OwnContainer):
            continue
        if container.role in inputs and not container.uploads:
            yield document.key_problem(
                container.pointer,
                code="no-input",
                message=f"`{container.role}` has no `upload`: there are no files to run tasks for",
                hint="for example `upload: [{from: data}]`",
            )


def _outputs_stay_apart(workload: Workload, document: Document) -> Iterator[Problem]:
    inputs = {step.for_each.role for step in workload.steps if isinstance(step.for_each, FilesOf)}
    for step in workload.steps:
        for output in step.outputs:
            if output.to in inputs:
                yield document.problem(
                    (*output.pointer, "to"),
                    code="output-into-input",
                    message=f"`{output.to}` holds the input files; outputs would mix with them",
                    hint="add a container for the outputs, such as `output: {download: true}`",
                )


def _outputs_stay_inside(workload: Workload, document: Document) -> Iterator[Problem]:
    for step in workload.steps:
        for output in step.outputs:
            yield from _stays_inside(document, (*output.pointer, "pattern"), output.pattern.text)
            if output.path is not None:
                yield from _stays_inside(document, (*output.pointer, "path"), output.path.text)


def _stays_inside(document: Document, pointer: Pointer, text: str) -> Iterator[Problem]:
    literal = _EXPRESSION.sub(lambda match: "x" * len(match.group()), text)
    found = re.search(r"\A/|(?:(?<=/)|\A)\.\.(?=/|\Z)", literal)
    if found is None:
        return
    start = document.position_in(pointer, found.start())
    end = Position(line=start.line, column=start.column + len(found.group()))
    what = "starts with `/`" if found.group() == "/" else "leads out of its folder by `..`"
    yield document.problem_at(
        Span(start=start, end=end),
        code="output-path",
        message=f"`{pointer[-1]}` {what}",
        hint="write it relative to the task's working directory"
        if pointer[-1] == "pattern"
        else "write it relative to the container",
    )


def _pool_has_nodes(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool) or not isinstance(pool.size, FixedNodes):
        return
    if pool.size.dedicated + pool.size.spot < 1:
        yield document.key_problem(
            (*pool.pointer, "nodes"),
            code="no-nodes",
            message="the pool has no nodes: `dedicated` and `spot` are both 0",
            hint="for example `nodes: {dedicated: 1}`",
        )


def _times_are_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    times: list[tuple[Pointer, timedelta | None]] = [
        (("limits", "duration"), workload.limits.duration),
        (("limits", "wait"), workload.limits.wait),
        *(((*step.pointer, "timeout"), step.timeout) for step in workload.steps),
    ]
    for pointer, time in times:
        if time is None or not document.has(pointer):
            continue
        name = ".".join(map(str, pointer))
        if time <= timedelta(0):
            message = f"`{name}` must be longer than nothing"
            yield document.problem(pointer, code="out-of-range", message=message)
        elif time > _LONGEST:
            message = f"`{name}` must be at most {_LONGEST.days}d"
            hint = "the service ends a task 180 days after it was added"
            yield document.problem(pointer, code="out-of-range", message=message, hint=hint)


def _environment_is_ours(workload: Workload, document: Document) -> Iterator[Problem]:
    owners = [(step.pointer, step.environment) for step in workload.steps]
    start_task = _start_task(workload)
    if start_task is not None:
        owners.append((start_task.pointer, start_task.environment))
    for owner, environment in owners:
        for name in environment:
            if name.upper().startswith("AZ_BATCH_"):
                yield document.key_problem(
                    (*owner, "environment", name),
                    code="reserved-variable",
                    message=f"`{name}` cannot be set: the service sets `AZ_BATCH_...` itself",
                    hint="give the variable another name",
                )


def _start_task(workload: Workload) -> NodeCommand | None:
    return workload.pool.start_task if isinstance(workload.pool, NewPool) else None


_RULES: tuple[Callable[[Workload, Document], Iterator[Problem]], ...] = (
    _role_is_free,
    _roles_are_declared,
    _inputs_are_uploaded,
    _outputs_stay_apart,
    _outputs_stay_inside,
    _pool_has_nodes,
    _times_are_possible,
    _environment_is_ours,
)
