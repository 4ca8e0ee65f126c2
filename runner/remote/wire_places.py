"""Which part of a spec set a property of a body that the service has refused.

The service names a property by its last name alone, as recordings show (`subnetId`), so it is
looked for in what was sent. It must not know what the spec holds there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from runner.frozen import dataclass
from runner.run.services import AutoPool, JobRequest, PoolRequest, ScheduleRequest, TaskRequest
from runner.spec.document import Pointer
from runner.spec.model.pool import FixedNodes
from runner.spec.validation.rules.sent_properties import (
    JOB_PROPERTIES,
    POOL_PROPERTIES,
    TASK_PROPERTIES,
    Properties,
)

Path = tuple[str | int, ...]
"""The way to a value of a body."""

_POOL = ("poolInfo", "autoPoolSpecification", "pool")
_PARTS = frozenset({"pool", "job", "limits"})
"""What keys of the tables begin with, but those of a step."""
_SCHEDULE_PROPERTIES: Properties = {
    "recurrenceInterval": "job.schedule.every",
    "startWindow": "job.schedule.window",
    "doNotRunUntil": "job.schedule.start",
    "doNotRunAfter": "job.schedule.end",
}
# How a pool of fixed size gives its nodes back.
_OUR_FORMULA: Properties = {
    "enableAutoScale": "pool.nodes",
    "autoScaleFormula": "pool.nodes",
    "autoScaleEvaluationInterval": "pool.nodes",
}
# Below the properties of the tables, which name whole parts such as the start task.
_KEYS = {
    "accountKey": "key",
    "accountName": "account",
    "azureFileUrl": "url",
    "commandLine": "command",
    "commonResourceFiles": "resources",
    "containerName": "container",
    "coordinationCommandLine": "coordination",
    "elevationLevel": "elevation",
    "environmentSettings": "environment",
    "applicationId": "id",
    "maxTaskRetryCount": "retries",
    "maxWallClockTime": "timeout",
    "name": "name",
    "numberOfInstances": "count",
    "offer": "offer",
    "password": "password",
    "publisher": "publisher",
    "relativeMountPath": "path",
    "rerunOnNodeRebootAfterSuccess": "rerun_on_reboot",
    "resourceFiles": "resources",
    "sku": "sku",
    "source": "source",
    "userIdentity": "run_as",
    "version": "version",
    "virtualMachineImageId": "id",
    "waitForSuccess": "wait_for_success",
}
# Lists that a body has in the order of the spec, item by item.
_LISTS = frozenset({"mountConfiguration", "userAccounts", "applicationPackageReferences"})
# Lists of names and values that a spec has as a mapping.
_PAIRS = frozenset({"environmentSettings", "commonEnvironmentSettings", "metadata"})
_REGISTRIES = ("virtualMachineConfiguration", "containerConfiguration", "containerRegistries")
# What a code alone is about, in the words of a body.
_CODES: Mapping[str, tuple[str, ...]] = {
    "AccountCoreQuotaReached": ("vmSize",),
    "AutoScalingFormulaSyntaxError": ("autoScaleFormula",),
    "AutoScalingFormulaTooLong": ("autoScaleFormula",),
    "EmptyMetadataKey": ("metadata",),
    "InvalidApplicationPackageReferences": ("applicationPackageReferences",),
    "InvalidAutoScalingSettings": ("autoScaleFormula",),
    "InvalidMetadata": ("metadata",),
    "MetadataTooLarge": ("metadata",),
    "NodeAgentSKUNotFound": ("virtualMachineConfiguration", "nodeAgentSKUId"),
    "OutOfRangePriority": ("priority",),
    "PoolQuotaReached": _POOL,
    "TaskDependenciesNotSpecifiedOnJob": ("dependsOn",),
    "TaskDependencyListTooLong": ("dependsOn",),
    "TaskDependencyRangesTooLong": ("dependsOn",),
    "VMSizeNotSupported": ("vmSize",),
}


_NAMES = re.compile(r"[A-Za-z][A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a body that one part of the spec has set: what stands below `prefix`."""

    properties: Properties
    base: Pointer
    """Where the keys are that no part of the spec is named in: those of a step."""
    prefix: Path = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    extra_pointer: Pointer = ()


def pool_sections(request: PoolRequest, prefix: Path = ()) -> tuple[Section, ...]:
    """Those of a pool; one of fixed size may have a formula of ours."""
    pool = request.pool
    is_ours = request.created is not None and isinstance(pool.size, FixedNodes)
    return (
        Section(
            properties={**POOL_PROPERTIES, **_OUR_FORMULA} if is_ours else POOL_PROPERTIES,
            base=pool.pointer,
            prefix=prefix,
            extra=pool.extra,
            extra_pointer=(*pool.pointer, "extra"),
        ),
    )


def job_sections(request: JobRequest, prefix: Path = ()) -> tuple[Section, ...]:
    """Those of a job and of the pool that is made with it."""
    pool = request.pool
    settings = request.settings
    job = Section(
        properties=JOB_PROPERTIES,
        base=settings.pointer,
        prefix=prefix,
        extra=settings.extra,
        extra_pointer=(*settings.pointer, "extra"),
    )
    if not isinstance(pool, AutoPool):
        return (job,)
    return (*pool_sections(pool.request, (*prefix, *_POOL)), job)


def task_sections(request: TaskRequest, prefix: Path = ()) -> tuple[Section, ...]:
    """That of a task."""
    step = request.step
    return (
        Section(
            properties=TASK_PROPERTIES,
            base=step.pointer,
            prefix=prefix,
            extra=step.extra,
            extra_pointer=(*step.pointer, "extra"),
        ),
    )


def schedule_sections(request: ScheduleRequest) -> tuple[Section, ...]:
    """Those of a job schedule, its job and the job's one task."""
    return (
        *task_sections(request.manager, ("jobSpecification", "jobManagerTask")),
        *job_sections(request.job, ("jobSpecification",)),
        Section(properties=_SCHEDULE_PROPERTIES, base=("job", "schedule"), prefix=("schedule",)),
    )


def find_place(
    body: Mapping[str, Any],
    sections: Sequence[Section],
    *,
    code: str,
    name: str | None,
    value: str | None,
    reason: str | None = None,
) -> Pointer | None:
    """The part of the spec that a refusal is about; None where no part of it set that.

    The file may hold nothing just there: then a default, or batch-run itself, has set it.
    """
    path = None if name is None else _find_property(body, name, value)
    if path is None:
        path = _find_by_code(body, sections, code, name)
    if path is None:
        return _find_in_extra(sections, name, reason)
    for section in sorted(sections, key=lambda each: -len(each.prefix)):
        if path[: len(section.prefix)] == section.prefix:
            return _place_in(section, body, path)
    return None


def _find_property(body: Mapping[str, Any], name: str, value: str | None) -> Path | None:
    """The property of that name, the one of that value first, then the one nearest the root."""
    wanted = [part.lower() for part in name.replace("/", ".").split(".") if part]
    found = [
        (path, each)
        for path, each in _walk(body, ())
        if wanted
        and [str(part).lower() for part in path if isinstance(part, str)][-len(wanted) :] == wanted
    ]
    if not found:
        return None
    same = [path for path, each in found if value is not None and _is_same(each, value)]
    return min(same or [path for path, _ in found], key=len)


def _find_by_code(
    body: Mapping[str, Any], sections: Sequence[Section], code: str, name: str | None
) -> Path | None:
    """What the code is about; and a property that was not sent, by its name alone."""
    wanted = _CODES.get(code)
    if wanted is not None:
        for section in sections:
            path = (*section.prefix, *wanted)
            if _holds(body, path):
                return path
        return wanted if _holds(body, wanted) else None
    if name is None:
        return None
    leaf = name.rpartition(".")[2].lower()
    for section in sections:
        for known in section.properties:
            if known.rpartition(".")[2].lower() == leaf:
                return (*section.prefix, *known.split("."))
    return None


def _find_in_extra(
    sections: Sequence[Section], name: str | None, reason: str | None
) -> Pointer | None:
    """What only a property of the user's own can be about: one that is named, or that lacks."""
    for section in sections:
        for path, _ in _walk(section.extra, ()):
            if name is None and reason and str(path[-1]) in _NAMES.findall(reason):
                return (*section.extra_pointer, *path)
    if name is None:
        return None
    return next((each.extra_pointer for each in sections if each.extra), None)


def _place_in(section: Section, body: Mapping[str, Any], path: Path) -> Pointer | None:
    below = path[len(section.prefix) :]
    if _holds(section.extra, below):
        return (*section.extra_pointer, *below)
    if below[: len(_REGISTRIES)] == _REGISTRIES:
        return _refined(("pool", "registries"), section.prefix + _REGISTRIES, body, path)
    if not below:
        return section.base
    if below[0] == "metadata" and section.properties is POOL_PROPERTIES:
        return (*section.extra_pointer, *below)
    names = [part for part in below if isinstance(part, str)]
    for count in range(len(names), 0, -1):
        known = ".".join(names[:count])
        if known not in section.properties:
            continue
        key = section.properties[known]
        if key is None:
            return None
        pointer: Pointer = tuple(key.split("."))
        if pointer[0] not in _PARTS:
            pointer = (*section.base, *pointer)
        return _refined(pointer, section.prefix + tuple(known.split(".")), body, path)
    return section.base


def _refined(pointer: Pointer, prefix: Path, body: Mapping[str, Any], path: Path) -> Pointer:
    """The pointer of a whole part, led on to what is named within it."""
    last = str(prefix[-1])
    at: Path = prefix
    if len(path) > len(prefix) and path[: len(prefix)] != prefix:
        return pointer
    for part in path[len(prefix) :]:
        at = (*at, part)
        if isinstance(part, int):
            if last in _PAIRS:
                return (*pointer, str(_value(body, (*at, "name"))))
            if last not in _LISTS and last != _REGISTRIES[-1]:
                return pointer
            pointer = (*pointer, part)
            continue
        last = part
        if part in _KEYS:
            pointer = (*pointer, _KEYS[part])
    return pointer


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    items: Iterator[tuple[str | int, Any]]
    if isinstance(value, Mapping):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    else:
        return
    for key, each in items:
        if isinstance(key, str):
            yield (*path, key), each
        yield from _walk(each, (*path, key))


def _is_same(sent: Any, said: str) -> bool:
    return str(sent).lower() == said.strip().lower()


def _holds(body: object, path: Path) -> bool:
    """Whether a body has something there."""
    for part in path:
        has_item = isinstance(body, list) and isinstance(part, int) and part < len(body)
        if not has_item and not (isinstance(body, Mapping) and part in body):
            return False
        body = _value(body, (part,))
    return bool(path)


def _value(body: Any, path: Path) -> Any:
    for part in path:
        body = body[part]
    return body


def finder(
    body: Mapping[str, Any], sections: Sequence[Section]
) -> Callable[[str, str | None, str | None, str | None], Pointer | None]:
    """What finds the place of a refusal by its code, and by the property and value it names."""

    def find(code: str, name: str | None, value: str | None, reason: str | None) -> Pointer | None:
        return find_place(body, sections, code=code, name=name, value=value, reason=reason)

    return find
