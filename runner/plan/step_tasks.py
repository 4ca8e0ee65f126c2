"""The tasks of one step, rendered one at a time and as often as asked.

What is the same for all of them is rendered once. It knows nothing of other steps but what its
items and its needs bring.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from runner.plan.command import SCRIPT_VARIABLE, command_line
from runner.plan.faults import faults_at, placed, whole_fault
from runner.plan.file_table import FileTable
from runner.plan.items import Item, Items
from runner.plan.model import (
    CommandLine,
    FolderResource,
    OutputPlan,
    ResourcePlan,
    TaskId,
    TaskPlan,
    TaskRange,
)
from runner.plan.outputs import plan_output
from runner.plan.resources import Scope, plan_resources, templates_of
from runner.plan.secret_files import step_secrets
from runner.spec.document import Document
from runner.spec.model.step import Step
from runner.spec.model.terms import Resource, Role
from runner.spec.problem import SpecError
from runner.spec.templates.template import HasReferences, Template, TemplateError

# REST: Task - Add, `displayName`.
_DISPLAY_NAME_LIMIT_CHARACTERS = 1024
COORDINATION_VARIABLE = "BATCH_RUN_COORDINATION"
"""Carries a coordination command, which has no environment but its task's."""

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:@-]*")
_FIXED = frozenset({"parameters", "run"})
"""What is the same for every task of a run."""


class StepTasks:
    """The tasks of a step, by their numbers within it."""

    def __init__(
        self,
        step: Step,
        items: Items,
        *,
        document: Document,
        fixed: Scope,
        name_task: Callable[[int], TaskId],
        needs_of: Callable[[int], tuple[TaskRange, ...]],
        gathered: tuple[FolderResource, ...],
        prefixes: Mapping[Role, str],
        known: Mapping[Role, FileTable],
    ) -> None:
        """`fixed` is what all templates can speak of, `gathered` are containers that the step gets
        whole, `prefixes` those of existing ones, `known` the files of those whose files are known.

        `name_task` and `needs_of` take the number of a task within the step.
        """
        self.step = step
        self.items = items
        self._document = document
        self._fixed = fixed
        self._name_task = name_task
        self._needs_of = needs_of
        self._gathered = gathered
        self._prefixes = prefixes
        self._known = known
        self._varying = {
            name: each for name, each in step.environment.items() if not is_fixed((each,))
        }
        self._environment: Mapping[str, str] | None = None
        self._resources_are_fixed = is_fixed(templates_of(step.resources))
        self._resources: tuple[ResourcePlan, ...] | None = None
        self._image: str | None = None
        self._secrets = step_secrets(step)

    def __len__(self) -> int:
        return len(self.items)

    def render(self, within: int) -> TaskPlan:
        """Raises `SpecError` where a template cannot take this task's values."""
        step, item, task_id = self.step, self.items[within], self._name_task(within)
        scope = {**self._fixed, "index": within, **item.scope}
        environment = self._render_environment(scope, item.label)
        coordination, shared, settings = None, tuple[ResourcePlan, ...](), environment
        if step.instances is not None:
            coordination, settings = self._coordination(scope, environment, task_id, item.label)
            shared = self._plan_resources(step.instances.resources, scope, item.label)
        try:
            script = step.command.render(scope)
        except TemplateError as error:
            pointer = (*step.pointer, "command")
            raise placed(error, self._document, pointer, item=item.label) from error
        return TaskPlan(
            id=task_id,
            step=step,
            display_name=_display_name(step, item),
            item=item.label,
            command=command_line(
                script, step.command.shell, settings, task=task_id, secrets=self._secrets
            ),
            coordination=coordination,
            resources=self._all_resources(item, scope),
            shared_resources=shared,
            outputs=tuple(
                self._output(position, item, scope, task_id)
                for position in range(len(step.outputs))
            ),
            needs=self._needs_of(within) if step.needs else (),
            container_image=self._container_image(scope, item.label),
        )

    def output(self, within: int, position: int) -> OutputPlan:
        """One output of a task, without the cost of the others."""
        item = self.items[within]
        scope = {**self._fixed, "index": within, **item.scope}
        return self._output(position, item, scope, self._name_task(within))

    def _output(self, position: int, item: Item, scope: Scope, task_id: TaskId) -> OutputPlan:
        return plan_output(
            self.step.outputs[position],
            scope,
            self._document,
            task_id=task_id,
            folder=item.folder,
            item=item.label,
        )

    def _render_environment(self, scope: Scope, label: str) -> Mapping[str, str]:
        step, pointer = self.step, (*self.step.pointer, "environment")
        if self._environment is None:
            fixed = {
                name: each for name, each in step.environment.items() if name not in self._varying
            }
            self._environment = render_environment(fixed, scope, self._document, pointer)
        if not self._varying:
            return self._environment
        varying = render_environment(self._varying, scope, self._document, pointer, item=label)
        settings = {**self._environment, **varying}
        return {name: settings[name] for name in step.environment}

    def _all_resources(self, item: Item, scope: Scope) -> tuple[ResourcePlan, ...]:
        step = self.step
        if not step.resources and not self._gathered:
            if len(item.resources) > 1:
                self._check_paths(item.resources, item)
            return item.resources
        if not self._resources_are_fixed:
            written = self._plan_resources(step.resources, scope, item.label)
        else:
            if self._resources is None:
                self._resources = self._plan_resources(step.resources, scope, None)
            written = self._resources
        resources = (*item.resources, *written, *self._gathered)
        self._check_paths(resources, item)
        return resources

    def _plan_resources(
        self, resources: tuple[Resource, ...], scope: Scope, label: str | None
    ) -> tuple[ResourcePlan, ...]:
        return plan_resources(
            resources,
            scope,
            self._document,
            prefixes=self._prefixes,
            known=self._known,
            item=label,
        )

    def _check_paths(self, resources: Iterable[ResourcePlan], item: Item) -> None:
        """No two files may land in one place of the task's directory."""
        seen: dict[str, ResourcePlan] = {}
        for each in resources:
            if isinstance(each, FolderResource):
                continue
            other = seen.setdefault(each.path, each)
            if other != each:
                place = "for_each" if other in item.resources and each in item.resources else None
                problem = self._document.problem(
                    (*self.step.pointer, place or "resources"),
                    code="resource-collision",
                    message=f"two files would both be `{each.path}` in the task's directory"
                    f" (for `{item.label}`)",
                    hint="`to` brings a resource to another path",
                )
                raise SpecError((problem,))

    def _coordination(
        self, scope: Scope, environment: Mapping[str, str], task_id: TaskId, label: str
    ) -> tuple[CommandLine, Mapping[str, str]]:
        """The coordination command, and the environment with what it needs."""
        instances = self.step.instances
        assert instances is not None
        with faults_at(self._document, (*instances.pointer, "coordination"), item=label):
            script = instances.coordination.render(scope)
            line = command_line(script, instances.coordination.shell, {}, task=task_id)
            if line.script_file is not None:
                raise whole_fault(
                    code="too-large",
                    message="the coordination command is too long for an environment variable",
                    hint="bring it as a file, by `resources`",
                )
        if SCRIPT_VARIABLE not in line.environment:
            return line, {**environment, **line.environment}
        own = dict(line.environment)
        own[COORDINATION_VARIABLE] = own.pop(SCRIPT_VARIABLE)
        moved = line.line.replace(SCRIPT_VARIABLE, COORDINATION_VARIABLE)
        return replace(line, line=moved, environment=own), {**environment, **own}

    def _container_image(self, scope: Scope, label: str) -> str | None:
        container = self.step.container
        if container is None or self._image is not None:
            return self._image
        with faults_at(self._document, (*container.pointer, "image"), item=label):
            image = container.image.render_text(scope)
            if _IMAGE.fullmatch(image) is None:
                raise whole_fault(
                    code="bad-value",
                    message=f"`{image}` is no name of a container image",
                    hint="for example `docker.io/library/python:3.12`",
                )
        if is_fixed((container.image,)):
            self._image = image
        return image


def is_fixed(templates: Iterable[HasReferences]) -> bool:
    """Whether they give the same for every task of a run."""
    return all(
        reference.path[0] in _FIXED for template in templates for reference in template.references
    )


def _display_name(step: Step, item: Item) -> str:
    name = f"{step.name}/{item.label}" if item.label else step.name
    return name[:_DISPLAY_NAME_LIMIT_CHARACTERS]


def render_environment(
    environment: Mapping[str, Template],
    scope: Scope,
    document: Document,
    pointer: tuple[str | int, ...],
    *,
    item: str | None = None,
) -> dict[str, str]:
    """The settings of a command, verbatim; `SpecError` places a fault at its own setting."""
    settings = {}
    for name, template in environment.items():
        try:
            settings[name] = template.render_text(scope)
        except TemplateError as error:
            raise placed(error, document, (*pointer, name), item=item) from error
    return settings
