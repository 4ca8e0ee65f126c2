"""From a step's data to its typed model; the schema has passed it.

It knows nothing of the other parts of a workload.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from runner.spec.document import Pointer
from runner.spec.duration import parse_duration
from runner.spec.model.sources import OutputsOf
from runner.spec.model.step import (
    DependentsAction,
    ExitCause,
    ExitRule,
    Instances,
    JobAction,
    Output,
    Print,
    Step,
    TaskContainer,
    UploadCondition,
    WorkingDirectory,
)
from runner.spec.model.terms import (
    Application,
    ContainerResource,
    Elevation,
    NamedUser,
    NodeCommand,
    Resource,
    Role,
    RunAs,
    SecretName,
    StepName,
    UrlResource,
)
from runner.spec.parsing.leaves import Leaves
from runner.spec.parsing.parse_retries import parse_retries
from runner.spec.parsing.parse_sources import parse_source
from runner.spec.templates.template import Template

_Data = Mapping[str, Any]


def parse_step(name: str, data: _Data, leaves: Leaves, pointer: Pointer) -> Step:
    """One step. The defaults are those that the schema promises."""
    source = None
    if "for_each" in data:
        source = parse_source(data["for_each"], (*pointer, "for_each"))
    needs = data.get("needs", [])
    steps = [needs] if isinstance(needs, str) else list(needs)
    if isinstance(source, OutputsOf):
        steps.append(source.step)
    retries, retry_plan = parse_retries(data.get("retries", 0))
    return Step(
        name=StepName(name),
        for_each=source,
        needs=tuple(map(StepName, dict.fromkeys(steps))),
        command=leaves.command(pointer, "command"),
        environment=parse_environment(data, pointer, leaves),
        resources=parse_resources(data, leaves, pointer),
        outputs=tuple(
            _output(each, leaves, (*pointer, "outputs", index))
            for index, each in enumerate(data.get("outputs", []))
        ),
        print=Print(data.get("print", "none")),
        run_as=_run_as(data, pointer),
        retries=retries,
        retry_plan=retry_plan,
        timeout=optional_duration(data, "timeout"),
        retention=optional_duration(data, "retention"),
        slots=int(data.get("slots", 1)),
        exit_rules=tuple(
            _exit_rule(each, (*pointer, "exit_rules", index))
            for index, each in enumerate(data.get("exit_rules", []))
        ),
        container=_task_container(data.get("container"), leaves, (*pointer, "container")),
        instances=_instances(data.get("instances"), leaves, (*pointer, "instances")),
        applications=parse_applications(data),
        extra=data.get("extra", {}),
        pointer=pointer,
        secrets=parse_secrets(data, pointer, leaves),
    )


def node_command(data: _Data, leaves: Leaves, pointer: Pointer) -> NodeCommand:
    """A start task, a job preparation or a job release."""
    return NodeCommand(
        command=leaves.command(pointer, "command"),
        environment=parse_environment(data, pointer, leaves),
        resources=parse_resources(data, leaves, pointer),
        run_as=_run_as(data, pointer),
        retries=int(data.get("retries", 0)),
        timeout=optional_duration(data, "timeout"),
        wait_for_success=data.get("wait_for_success", True),
        pointer=pointer,
        secrets=parse_secrets(data, pointer, leaves),
    )


def optional_duration(data: _Data, key: str) -> timedelta | None:
    """The time under a key that may be missing."""
    return parse_duration(data[key]) if key in data else None


def parse_environment(data: _Data, pointer: Pointer, leaves: Leaves) -> Mapping[str, Template]:
    """The compiled settings of an `environment`, but for those that are secret."""
    places = {name: (*pointer, "environment", name) for name in data.get("environment", {})}
    return {name: leaves.texts[at] for name, at in places.items() if at not in leaves.secrets}


def parse_secrets(data: _Data, pointer: Pointer, leaves: Leaves) -> Mapping[str, SecretName]:
    """The settings of an `environment` that are secret, and the name of the secret of each."""
    places = {name: (*pointer, "environment", name) for name in data.get("environment", {})}
    return {name: leaves.secrets[at] for name, at in places.items() if at in leaves.secrets}


def parse_resources(data: _Data, leaves: Leaves, pointer: Pointer) -> tuple[Resource, ...]:
    """The `resources` of a command."""
    return tuple(
        _resource(each, leaves, (*pointer, "resources", index))
        for index, each in enumerate(data.get("resources", []))
    )


def parse_applications(data: _Data) -> tuple[Application, ...]:
    """The `applications` of a pool or a step."""
    return tuple(
        Application(id=each["id"], version=each.get("version"))
        for each in data.get("applications", [])
    )


def _resource(data: _Data, leaves: Leaves, pointer: Pointer) -> Resource:
    def template(key: str) -> Template | None:
        return leaves.texts.get((*pointer, key))

    if "url" in data:
        return UrlResource(
            url=leaves.text(pointer, "url"),
            to=leaves.text(pointer, "to"),
            mode=data.get("mode"),
            pointer=pointer,
        )
    return ContainerResource(
        role=Role(data["from"]),
        file=template("file"),
        prefix=template("prefix"),
        to=template("to"),
        mode=data.get("mode"),
        pointer=pointer,
    )


def _output(data: _Data, leaves: Leaves, pointer: Pointer) -> Output:
    return Output(
        pattern=leaves.pattern(pointer, "pattern"),
        to=Role(data["to"]),
        when=UploadCondition(data.get("when", "success")),
        path=leaves.texts.get((*pointer, "path")),
        pointer=pointer,
    )


def _run_as(data: _Data, pointer: Pointer) -> RunAs:
    value = data.get("run_as", "user")
    if isinstance(value, str):
        return Elevation(value)
    return NamedUser(name=value["name"], pointer=(*pointer, "run_as"))


def _exit_rule(data: _Data, pointer: Pointer) -> ExitRule:
    job, dependents = data.get("job"), data.get("dependents")
    return ExitRule(
        codes=tuple(map(_codes, data.get("codes", []))),
        causes=tuple(map(ExitCause, data.get("causes", []))),
        job=None if job is None else JobAction(job),
        dependents=None if dependents is None else DependentsAction(dependents),
        pointer=pointer,
    )


def _codes(written: float | str) -> tuple[int, int]:
    """One exit code, or a range of them: `10-20`."""
    if isinstance(written, str):
        first, _, last = written.partition("-")
        return int(first), int(last or first)
    return int(written), int(written)


def _task_container(data: _Data | None, leaves: Leaves, pointer: Pointer) -> TaskContainer | None:
    if data is None:
        return None
    return TaskContainer(
        image=leaves.text(pointer, "image"),
        options=data.get("options", ""),
        working_directory=WorkingDirectory(data.get("working_directory", "task")),
        pointer=pointer,
    )


def _instances(data: _Data | None, leaves: Leaves, pointer: Pointer) -> Instances | None:
    if data is None:
        return None
    return Instances(
        count=int(data["count"]),
        coordination=leaves.command(pointer, "coordination"),
        resources=parse_resources(data, leaves, pointer),
        pointer=pointer,
    )
