"""From a document that the schema has passed to a typed workload.

It fills in parameters and defaults; whether the parts fit each other is for `rules` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from runner.spec.document import Document, Pointer
from runner.spec.duration import parse_duration
from runner.spec.leaves import Leaves, compile_leaves, fault_problem, find_cut_commands
from runner.spec.parameters import read_parameters
from runner.spec.problem import Position, Problem
from runner.spec.schema import check_schema, check_values
from runner.spec.template import TemplateError
from runner.spec.workload import (
    Container,
    Delete,
    Elevation,
    FilesOf,
    Image,
    Job,
    Limits,
    Output,
    ParameterValue,
    Pool,
    Print,
    Resource,
    Role,
    StartTask,
    Step,
    Upload,
    UploadCondition,
    Workload,
)

_Data = Mapping[str, Any]


def parse_workload(
    document: Document, given: Mapping[str, ParameterValue]
) -> tuple[Workload | None, tuple[Problem, ...]]:
    """The workload with the parameters `given`, or what the schema, templates and values lack.

    `given` holds text as from a command line, which is converted by type, or typed values.
    """
    found = check_schema(document)
    leaves, problems = compile_leaves(document, skip=_unknown_keys(found))
    problems = (*found, *problems, *find_cut_commands(document))
    if problems:
        return None, problems
    parameters, problems = read_parameters(document, given)
    if problems:
        return None, problems
    data, problems = _evaluate(document, leaves, parameters)
    if problems:
        return None, problems
    return _build(document, data, leaves, parameters), ()


def _unknown_keys(problems: tuple[Problem, ...]) -> frozenset[Position]:
    """Where keys stand that the schema does not know: what they hold is not judged as well."""
    return frozenset(each.span.start for each in problems if each.code == "unknown-key")


def _evaluate(
    document: Document, leaves: Leaves, parameters: Mapping[str, ParameterValue]
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The data with its early templates replaced by values, checked once more."""
    if not leaves.early:
        return document.data, ()
    values: dict[Pointer, ParameterValue] = {}
    problems: list[Problem] = []
    for pointer, template in leaves.early.items():
        try:
            value = template.render({"parameters": parameters})
        except TemplateError as error:
            problems.extend(fault_problem(document, pointer, fault) for fault in error.faults)
            continue
        if isinstance(value, (str, int, float, bool)):
            values[pointer] = value
        else:
            problems.append(
                document.problem(
                    pointer,
                    code="bad-value",
                    message="the expression gives neither text nor a number nor a boolean",
                )
            )
    if problems:
        return document.data, tuple(problems)
    data = _replace(document.data, (), values)
    return data, check_values(document, data)


def _replace(value: Any, pointer: Pointer, values: Mapping[Pointer, ParameterValue]) -> Any:
    if pointer in values:
        return values[pointer]
    if isinstance(value, dict):
        return {key: _replace(child, (*pointer, key), values) for key, child in value.items()}
    if isinstance(value, list):
        return [_replace(child, (*pointer, index), values) for index, child in enumerate(value)]
    return value


def _build(
    document: Document, data: _Data, leaves: Leaves, parameters: Mapping[str, ParameterValue]
) -> Workload:
    """The typed workload. The defaults are those that the schema promises."""
    return Workload(
        document=document,
        name=data["name"],
        description=data.get("description", ""),
        parameters=parameters,
        limits=_limits(data.get("limits", {})),
        containers=tuple(_container(role, each) for role, each in data["containers"].items()),
        pool=_pool(data["pool"], leaves),
        job=Job(extra=data.get("job", {}).get("extra", {})),
        steps=(_step(data["task"], leaves),),
    )


def _below(pointer: Pointer, *parts: str | int) -> Pointer:
    return (*pointer, *parts)


def _limits(data: _Data) -> Limits:
    duration = parse_duration(data.get("duration", "24h"))
    wait = _duration(data.get("wait"))
    return Limits(duration=duration, wait=duration if wait is None else wait)


def _duration(text: str | None) -> timedelta | None:
    return None if text is None else parse_duration(text)


def _container(role: str, data: _Data) -> Container:
    pointer: Pointer = ("containers", role)
    return Container(
        role=Role(role),
        uploads=tuple(
            _upload(each, (*pointer, "upload", index))
            for index, each in enumerate(data.get("upload", []))
        ),
        download=data.get("download", False),
        delete=Delete(data.get("delete", "after-success")),
        pointer=pointer,
    )


def _upload(data: _Data, pointer: Pointer) -> Upload:
    return Upload(
        source=data["from"],
        include=tuple(data.get("include", ["**/*"])),
        exclude=tuple(data.get("exclude", [])),
        pointer=pointer,
    )


def _pool(data: _Data, leaves: Leaves) -> Pool:
    image = data["image"]
    start_task = data.get("start_task")
    return Pool(
        image=Image(
            publisher=image["publisher"],
            offer=image["offer"],
            sku=image["sku"],
            version=image.get("version", "latest"),
        ),
        vm_size=data["vm_size"],
        # JSON Schema takes 2.0 for an integer; the service does not.
        dedicated_nodes=int(data["nodes"].get("dedicated", 0)),
        spot_nodes=int(data["nodes"].get("spot", 0)),
        task_slots_per_node=int(data.get("task_slots_per_node", 1)),
        start_task=None if start_task is None else _start_task(start_task, leaves),
        extra=data.get("extra", {}),
        pointer=("pool",),
    )


def _start_task(data: _Data, leaves: Leaves) -> StartTask:
    pointer: Pointer = ("pool", "start_task")
    return StartTask(
        command=leaves.commands[_below(pointer, "command")],
        environment=_environment(data, pointer, leaves),
        resources=_resources(data),
        run_as=Elevation(data.get("run_as", "user")),
        wait_for_success=data.get("wait_for_success", True),
        retries=int(data.get("retries", 0)),
        pointer=pointer,
    )


def _environment(data: _Data, pointer: Pointer, leaves: Leaves) -> dict[str, Any]:
    names = data.get("environment", {})
    return {name: leaves.texts[_below(pointer, "environment", name)] for name in names}


def _resources(data: _Data) -> tuple[Resource, ...]:
    return tuple(Resource(role=Role(each["from"])) for each in data.get("resources", []))


def _step(data: _Data, leaves: Leaves) -> Step:
    pointer: Pointer = ("task",)
    for_each = data["for_each"]
    return Step(
        name="task",
        for_each=FilesOf(role=Role(for_each if isinstance(for_each, str) else for_each["files"])),
        command=leaves.commands[_below(pointer, "command")],
        environment=_environment(data, pointer, leaves),
        resources=_resources(data),
        outputs=tuple(
            _output(each, (*pointer, "outputs", index), leaves)
            for index, each in enumerate(data.get("outputs", []))
        ),
        print=Print(data.get("print", "none")),
        run_as=Elevation(data.get("run_as", "user")),
        retries=int(data.get("retries", 0)),
        timeout=_duration(data.get("timeout")),
        extra=data.get("extra", {}),
        pointer=pointer,
    )


def _output(data: _Data, pointer: Pointer, leaves: Leaves) -> Output:
    return Output(
        pattern=leaves.patterns[_below(pointer, "pattern")],
        to=Role(data["to"]),
        when=UploadCondition(data.get("when", "success")),
        path=leaves.texts.get(_below(pointer, "path")),
        pointer=pointer,
    )
