"""Rendering of tasks, one at a time and as often as asked: a million tasks take no memory.

It knows nothing of the disk; which files there are is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload
from urllib.parse import quote

from runner.plan.command import bash_command
from runner.plan.faults import faults_at
from runner.plan.model import InputFile, ResourcePlan, RunId, TaskId, TaskPlan, container_name
from runner.plan.outputs import plan_output
from runner.spec.document import Document, Pointer
from runner.spec.filters import split_name
from runner.spec.template import Template
from runner.spec.workload import Resource, Role, Step, Workload

_LEAST_ID_WIDTH = 4
# REST: Task - Add, `displayName`.
_DISPLAY_NAME_LIMIT_CHARACTERS = 1024


class TaskSequence(Sequence[TaskPlan]):
    """All tasks of a plan, in the order of their ids, rendered when asked for.

    Ids are decimal numbers from 1, padded to one width, counted over all steps: they never
    collide, and dependencies can go by range.
    """

    def __init__(
        self,
        *,
        workload: Workload,
        run_id: RunId,
        files: Mapping[Role, tuple[InputFile, ...]],
        storage_endpoint: str,
    ) -> None:
        self._workload = workload
        self._run_id = run_id
        self._files = files
        self._storage_endpoint = storage_endpoint.rstrip("/")
        self._length = sum(len(files[step.for_each.role]) for step in workload.steps)
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
        within = number
        for step in self._workload.steps:
            files = self._files[step.for_each.role]
            if 0 <= within < len(files):
                return self._render(step, files[within], number, within)
            within -= len(files)
        raise IndexError(index)

    def __iter__(self) -> Iterator[TaskPlan]:
        for index in range(self._length):
            yield self[index]

    def _render(self, step: Step, file: InputFile, number: int, within: int) -> TaskPlan:
        task_id = TaskId(str(number + 1).zfill(self._width))
        role = step.for_each.role
        folder = file.blob.rpartition("/")[0]
        scope = {
            "parameters": self._workload.parameters,
            "run": {"id": self._run_id},
            "index": within,
            "file": self._describe(file, role),
        }
        document, item = self._workload.document, file.blob
        with faults_at(document, (*step.pointer, "command"), item=item):
            script = step.command.render(scope)
        environment = render_environment(
            step.environment, scope, document, (*step.pointer, "environment"), item=item
        )
        outputs = []
        for output in step.outputs:
            with faults_at(document, (*output.pointer, "pattern"), item=item):
                outputs.append(plan_output(output, scope, task_id=task_id, folder=folder))
        own = ResourcePlan(role=role, blob=file.blob, path=file.blob)
        return TaskPlan(
            id=task_id,
            step=step.name,
            display_name=f"{step.name}/{item}"[:_DISPLAY_NAME_LIMIT_CHARACTERS],
            item=item,
            command=bash_command(script, environment, task=task_id),
            resources=(own, *resource_plans(step.resources)),
            outputs=tuple(outputs),
            run_as=step.run_as,
            print=step.print,
            retries=step.retries,
            timeout=step.timeout,
        )

    def _describe(self, file: InputFile, role: Role) -> Mapping[str, object]:
        folder, stem, extension = split_name(file.blob)
        folder = folder.removesuffix("/")
        container = container_name(self._run_id, role)
        return {
            "path": file.blob,
            "name": stem + extension,
            "dir": folder,
            "stem": stem,
            "ext": extension,
            "size": file.size_bytes,
            "url": f"{self._storage_endpoint}/{container}/{quote(file.blob)}",
        }


def resource_plans(resources: tuple[Resource, ...]) -> tuple[ResourcePlan, ...]:
    """Whole containers, brought in with their structure."""
    return tuple(ResourcePlan(role=resource.role, blob=None, path="") for resource in resources)


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
