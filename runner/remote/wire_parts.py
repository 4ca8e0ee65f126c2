"""Parts that the bodies of pools, jobs and tasks have in common.

Pure functions; it must not know the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from runner.plan.model import CommandLine
from runner.run.services import ResourceRequest
from runner.spec.model.terms import Application, Elevation, NamedUser, RunAs

_ELEVATION = {Elevation.USER: "nonadmin", Elevation.ADMIN: "admin"}


def merged(body: Mapping[str, Any], extra: Mapping[str, object]) -> dict[str, Any]:
    """`extra` laid over `body`: objects are merged, anything else of `extra` replaces."""
    result = dict(body)
    for name, value in extra.items():
        below = result.get(name)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[name] = merged(below, value)
        else:
            result[name] = value
    return result


def with_extra(
    body: Mapping[str, Any], extra: Mapping[str, object], metadata: Mapping[str, str]
) -> dict[str, Any]:
    """`body` of a pool or a job with its metadata and `extra`, whose metadata come on top.

    Ours are never lost: by them a run finds what it has made.
    """
    result = merged({**body, "metadata": pairs(metadata)}, extra)
    more = extra.get("metadata")
    if isinstance(more, list) and all(isinstance(pair, Mapping) for pair in more):
        others = [pair for pair in more if pair.get("name") not in metadata]
        result["metadata"] = [*pairs(metadata), *others]
    return result


def duration(value: timedelta) -> str:
    """An ISO 8601 duration in seconds, which .NET's `XmlConvert` and every parser of them reads."""
    seconds, rest = divmod(value, timedelta(seconds=1))
    if not rest:
        return f"PT{seconds}S"
    return f"PT{seconds}.{rest.microseconds:06d}".rstrip("0") + "S"


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """Settings and metadata as the service takes them."""
    return [{"name": name, "value": value} for name, value in values.items()]


def command_part(command: CommandLine, coordination: CommandLine | None = None) -> dict[str, Any]:
    """The command line of any task, and the settings it needs.

    The one that coordinates the nodes of a task has no settings of its own on the wire.
    """
    body: dict[str, Any] = {"commandLine": command.line}
    settings = {} if coordination is None else dict(coordination.environment)
    settings.update(command.environment)
    if settings:
        body["environmentSettings"] = pairs(settings)
    return body


def elevation(rights: Elevation) -> str:
    """The service's word for a user's rights."""
    return _ELEVATION[rights]


def identity(run_as: RunAs) -> dict[str, Any]:
    """Who a task runs as."""
    if isinstance(run_as, NamedUser):
        return {"username": run_as.name}
    return {"autoUser": {"scope": "pool", "elevationLevel": elevation(run_as)}}


def resource(request: ResourceRequest) -> dict[str, Any]:
    """A resource file."""
    body: dict[str, Any]
    if request.container_url is None:
        body = {"httpUrl": request.url}
    else:
        body = {"storageContainerUrl": request.container_url}
    if request.prefix:
        body["blobPrefix"] = request.prefix
    if request.path:
        body["filePath"] = request.path
    if request.mode is not None:
        body["fileMode"] = request.mode
    return body


def application(reference: Application) -> dict[str, Any]:
    """A reference to an application package."""
    body = {"applicationId": reference.id}
    if reference.version is not None:
        body["version"] = reference.version
    return body
