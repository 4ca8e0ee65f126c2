"""Rendering of tasks, one at a time and as often as asked: a million tasks take no memory.

It knows nothing of the disk; which items there are is given.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import overload

from runner.plan.command import bash_command
from runner.plan.faults import faults_at
from runner.plan.items import Item, Items
from runner.plan.model import (
    BlobResource,
    FolderResource,
    ResourcePlan,
    RunId,
    TaskId,
    TaskPlan,
    WebResource,
)
from runner.plan.outputs import plan_output
from runner.spec.document import Document, Pointer
from runner.spec.step import Step
from runner.spec.template import Template
from runner.spec.terms import ContainerResource, Resource
from runner.spec.workload import Workload

_LEAST_ID_WIDTH = 4
# REST: Task - Add, `displayName`.
_DISPLAY_NAME_LIMIT_CHARACTERS = 1024

Scope = Mapping[str, object]


class TaskSequence(Sequence[TaskPlan]):
    """All tasks of a plan, in the order of their ids, rendered when asked for.

    Ids are decimal numbers from 1, padded to one width, counted over all steps: they never
    collide, and dependencies can go by range.
    """

    def __init__(self, *, workload: Workload, run_id: RunId, items: Sequence[Items]) -> None:
        """`items` are those of each step, in their order."""
        self._workload = workload
        self._run_id = run_id
        self._items = items
        self._starts = tuple(accumulate(map(len, items), initial=0))
        self._length = self._starts[-1]
        self._width = max(_LEAST_ID_WIDTH, len(str(self._length)))

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> TaskPlan: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[TaskPlan, ...]: ...
    def __getitem__(self, index: int | slice) -> TaskPlan | tuple[TaskPlan, ...]:
        """Raises `SpecError` where a template cannot take this task's values."""
        if isinstance(index, slice):
            return tuple(self[each] for each in range(*index.indices(self._length)))
        number = index + self._length if index < 0 else index
        if not 0 <= number < self._length:
            raise IndexError(index)
        position = bisect_right(self._starts, number) - 1
        within = number - self._starts[position]
        return self._render(self._workload.steps[position], position, within)

    def __iter__(self) -> Iterator[TaskPlan]:
        for index in range(self._length):
            yield self[index]

    def _render(self, step: Step, position: int, within: int) -> TaskPlan:
        item = self._items[position][within]
        task_id = TaskId(str(self._starts[position] + within + 1).zfill(self._width))
        scope = {
            "parameters": self._workload.parameters,
            "run": {"id": self._run_id},
            "index": within,
            **item.scope,
        }
        document, label = self._workload.document, item.label
        with faults_at(document, (*step.pointer, "command"), item=label):
            script = step.command.render(scope)
        environment = render_environment(
            step.environment, scope, document, (*step.pointer, "environment"), item=label
        )
        outputs = []
        for output in step.outputs:
            with faults_at(document, (*output.pointer, "pattern"), item=label):
                outputs.append(plan_output(output, scope, task_id=task_id, folder=item.folder))
        own = tuple(
            BlobResource(role=role, blob=file.blob, path=file.path) for role, file in item.files
        )
        return TaskPlan(
            id=task_id,
            step=step,
            display_name=_display_name(step, item),
            item=label,
            command=bash_command(script, environment, task=task_id),
            coordination=None,
            resources=(*own, *resource_plans(step.resources, scope, document, item=label)),
            shared_resources=(),
            outputs=tuple(outputs),
            needs=(),
            container_image=None,
        )


def _display_name(step: Step, item: Item) -> str:
    name = f"{step.name}/{item.label}" if item.label else step.name
    return name[:_DISPLAY_NAME_LIMIT_CHARACTERS]


def resource_plans(
    resources: tuple[Resource, ...], scope: Scope, document: Document, *, item: str | None = None
) -> tuple[ResourcePlan, ...]:
    """The resources of a command, their templates filled in; `SpecError` at the one that fails."""
    return tuple(_resource_plan(each, scope, document, item) for each in resources)


def _resource_plan(
    resource: Resource, scope: Scope, document: Document, item: str | None
) -> ResourcePlan:
    def render(template: Template | None, key: str) -> str:
        if template is None:
            return ""
        with faults_at(document, (*resource.pointer, key), item=item):
            return template.render_text(scope)

    to = render(resource.to, "to")
    if not isinstance(resource, ContainerResource):
        return WebResource(url=render(resource.url, "url"), path=to, mode=resource.mode)
    if resource.file is None:
        prefix = render(resource.prefix, "prefix")
        return FolderResource(role=resource.role, prefix=prefix, path=to, mode=resource.mode)
    blob = render(resource.file, "file")
    return BlobResource(role=resource.role, blob=blob, path=to or blob, mode=resource.mode)


def render_environment(
    environment: Mapping[str, Template],
    scope: Mapping[str, object],
    document: Document,
    pointer: Pointer,
    *,
    item: str | None = None,
) -> dict[str, str]:
    """The settings of a task, verbatim; `SpecError` places a fault at its own setting."""
    settings = {}
    for name, template in environment.items():
        with faults_at(document, (*pointer, name), item=item):
            settings[name] = template.render_text(scope)
    return settings
