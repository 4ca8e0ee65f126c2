"""From a document that the schema has passed to a typed workload.

It fills in parameters and defaults; whether the parts fit each other is for `rules` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from runner.frozen import dataclass
from runner.spec.document import Document, Pointer
from runner.spec.duration import parse_duration
from runner.spec.model.terms import ParameterValue, Role, SecretParameter
from runner.spec.model.workload import (
    Container,
    CostLimit,
    Delete,
    ExistingContainer,
    IfNotEmpty,
    Job,
    Limits,
    OnFailure,
    OwnContainer,
    Schedule,
    Structure,
    Upload,
    Workload,
)
from runner.spec.parsing.image_aliases import is_windows
from runner.spec.parsing.leaves import Leaves, compile_leaves, fault_problem, find_cut_commands
from runner.spec.parsing.misspelling import read_as_meant
from runner.spec.parsing.names import parameter_names
from runner.spec.parsing.parameters import read_parameters, read_secret_parameters
from runner.spec.parsing.parse_halt import parse_halt
from runner.spec.parsing.parse_pool import parse_pool
from runner.spec.parsing.parse_sources import parse_patterns
from runner.spec.parsing.parse_step import (
    node_command,
    optional_duration,
    parse_environment,
    parse_step,
)
from runner.spec.parsing.stand_ins import fill_in
from runner.spec.parsing.step_order import order_steps
from runner.spec.problem import Problem
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import Template, TemplateError, compile_template
from runner.spec.validation.rules.data import check_data
from runner.spec.validation.schema import check_values

_Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A workload, or what is wrong with its parts.

    `stand_ins` are for the rules alone, where each part is well formed but for names and templates:
    what is wrong with all of them is wrong with the spec as well.
    """

    workload: Workload | None
    problems: tuple[Problem, ...]
    stand_ins: tuple[Workload, ...] = ()


def parse_workload(document: Document, given: Mapping[str, ParameterValue]) -> Parsed:
    """The workload with the parameters `given`, or all that schema, templates and values lack.

    `given` holds text as from a command line, which is converted by type, or typed values.
    """
    meant = read_as_meant(document)
    document = meant.document
    parameters, wrong = read_parameters(document, given)
    shell = _default_shell(document.data.get("pool"), parameters)
    leaves, faults = compile_leaves(document, shell=shell)
    data, more = _evaluate(document, leaves, parameters, is_sound=meant.is_sound)
    is_whole = meant.is_sound and leaves.is_whole and not more
    if is_whole:
        more = check_data(document, data)
    cut = tuple(find_cut_commands(document))
    problems = (*meant.problems, *wrong, *faults, *cut, *more)
    if not is_whole or more:
        return Parsed(workload=None, problems=problems)
    secrets = read_secret_parameters(document, given)
    workloads = tuple(_build(document, data, each, parameters, secrets) for each in fill_in(leaves))
    if problems:
        return Parsed(workload=None, problems=problems, stand_ins=workloads)
    return Parsed(workload=workloads[0], problems=())


def _default_shell(pool: object, parameters: Mapping[str, ParameterValue]) -> Shell | None:
    """What commands are written for that do not say so: what each of the pool's nodes has.

    The data need not have passed the schema. None where parameters decide that, and have no value.
    """
    match pool:
        case {"os": str(told)} | {"image": {"node_agent": str(told)} | str(told)}:
            pass
        case {"image": {"publisher": str(publisher), "offer": str(offer)}}:
            told = f"{publisher} {offer}"
        case _:
            told = "linux"
    name = _rendered(told, parameters)
    if name is None:
        return None
    return Shell.CMD if is_windows(name) else Shell.BASH


def _rendered(text: str, parameters: Mapping[str, ParameterValue]) -> str | None:
    try:
        return compile_template(text).render_text({"parameters": parameters})
    except TemplateError:
        return None


def _evaluate(
    document: Document,
    leaves: Leaves,
    parameters: Mapping[str, ParameterValue],
    *,
    is_sound: bool,
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The data with its early templates replaced by values, checked once more.

    Where one has no value, for want of a parameter's, `leaves` are not whole any more.
    """
    if not leaves.early:
        return document.data, ()
    missing = parameter_names(document.data)["parameters"] or frozenset()
    missing -= parameters.keys()
    values: dict[Pointer, ParameterValue] = {}
    problems: list[Problem] = []
    for pointer, template in leaves.early.items():
        if _speaks_of(template, missing):
            leaves.is_whole = False
            continue
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
    data = _replace(document.data, (), values)
    found = check_values(document, data)
    if problems or not is_sound or not leaves.is_whole:
        # Expressions are left, which are no values; what else is wrong has been said.
        places = {document.span(pointer).start for pointer in values}
        found = tuple(each for each in found if each.span.start in places)
    return data, (*problems, *found)


def _speaks_of(template: Template, missing: frozenset[str]) -> bool:
    """Whether it needs a parameter that is declared but has no value: that is said elsewhere."""
    paths = (each.path for each in template.references if each.path[0] == "parameters")
    return any(missing and (len(path) == 1 or path[1] in missing) for path in paths)


def _replace(value: Any, pointer: Pointer, values: Mapping[Pointer, ParameterValue]) -> Any:
    if pointer in values:
        return values[pointer]
    if isinstance(value, dict):
        return {key: _replace(child, (*pointer, key), values) for key, child in value.items()}
    if isinstance(value, list):
        return [_replace(child, (*pointer, index), values) for index, child in enumerate(value)]
    return value


def _build(
    document: Document,
    data: _Data,
    leaves: Leaves,
    parameters: Mapping[str, ParameterValue],
    secrets: tuple[SecretParameter, ...],
) -> Workload:
    """The typed workload. The defaults are those that the schema promises."""
    written: list[tuple[str, _Data, Pointer]] = [
        (name, each, ("tasks", name)) for name, each in data.get("tasks", {}).items()
    ]
    if "task" in data:
        written = [("task", data["task"], ("task",))]
    steps = order_steps([parse_step(name, each, leaves, at) for name, each, at in written])
    return Workload(
        document=document,
        name=data["name"],
        description=data.get("description", ""),
        parameters=parameters,
        limits=_limits(data.get("limits", {})),
        halt=parse_halt(data.get("halt", {})),
        containers=tuple(
            _container(role, each) for role, each in data.get("containers", {}).items()
        ),
        pool=parse_pool(data["pool"], leaves, steps),
        job=_job(data.get("job", {}), leaves),
        steps=steps,
        secret_parameters=secrets,
    )


def _limits(data: _Data) -> Limits:
    duration = parse_duration(data.get("duration", "24h"))
    wait = optional_duration(data, "wait")
    patience = parse_duration(data.get("patience", "15m"))
    return Limits(
        duration=duration,
        wait=duration if wait is None else wait,
        patience=patience,
        cost=_cost(data["cost"]) if "cost" in data else None,
    )


def _cost(value: float | str) -> CostLimit:
    """`5`, or as text with or without a currency."""
    amount, _, currency = str(value).partition(" ")
    return CostLimit(amount=float(amount), currency=currency or None)


def _container(role: str, data: _Data) -> Container:
    pointer: Pointer = ("containers", role)
    if "existing" in data:
        return ExistingContainer(
            role=Role(role),
            name=data["existing"],
            prefix=data.get("prefix", ""),
            patterns=parse_patterns(data),
            pointer=pointer,
        )
    name = data.get("name")
    return OwnContainer(
        role=Role(role),
        name=name,
        if_not_empty=IfNotEmpty(data.get("if_not_empty", "keep")),
        uploads=tuple(
            _upload(each, (*pointer, "upload", index))
            for index, each in enumerate(data.get("upload", []))
        ),
        download=data.get("download", False),
        delete=Delete(data.get("delete", "after-success" if name is None else "never")),
        pointer=pointer,
    )


def _upload(data: _Data, pointer: Pointer) -> Upload:
    return Upload(
        source=data["from"],
        patterns=parse_patterns(data),
        structure=Structure(data.get("structure", "keep")),
        to=data.get("to", "").strip("/"),
        pointer=pointer,
    )


def _job(data: _Data, leaves: Leaves) -> Job:
    pointer: Pointer = ("job",)
    preparation = data.get("preparation")
    release = data.get("release")
    most = data.get("max_parallel_tasks")
    return Job(
        priority=int(data.get("priority", 0)),
        max_parallel_tasks=None if most is None else int(most),
        on_failure=OnFailure(data.get("on_failure", "continue")),
        environment=parse_environment(data, pointer, leaves),
        metadata=data.get("metadata", {}),
        preparation=preparation and node_command(preparation, leaves, (*pointer, "preparation")),
        rerun_preparation_on_reboot=(preparation or {}).get("rerun_on_reboot", True),
        release=release and node_command(release, leaves, (*pointer, "release")),
        schedule=_schedule(data["schedule"]) if "schedule" in data else None,
        extra=data.get("extra", {}),
        pointer=pointer,
    )


def _schedule(data: _Data) -> Schedule:
    return Schedule(
        every=parse_duration(data["every"]),
        window=optional_duration(data, "window"),
        start=_moment(data["start"]) if "start" in data else None,
        end=_moment(data["end"]),
        pointer=("job", "schedule"),
    )


def _moment(text: str) -> datetime:
    """The schema's pattern takes RFC 3339 in UTC alone, and `rules` refuses what is no date."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
