"""The bodies of our requests to Azure Batch, as its REST reference (2025-06-01) names things.

Pure functions of the requests; it must not know the SDK, nor what the service answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from runner.plan.model import CommandLine
from runner.run.services import (
    JobRequest,
    OutputRequest,
    PoolRequest,
    ResourceRequest,
    StartTaskRequest,
    TaskRequest,
)
from runner.spec.workload import Elevation, UploadCondition

_ELEVATION = {Elevation.USER: "nonadmin", Elevation.ADMIN: "admin"}
_CONDITION = {
    UploadCondition.SUCCESS: "tasksuccess",
    UploadCondition.FAILURE: "taskfailure",
    UploadCondition.COMPLETION: "taskcompletion",
}


def job_body(request: JobRequest) -> dict[str, Any]:
    """The body of `POST /jobs`: a job with an auto-pool, which ends itself at its wall time.

    The job does not end with its last task yet: on an empty job that would end it at once.
    """
    pool = request.pool
    body: dict[str, Any] = {
        "id": request.id,
        "constraints": {"maxWallClockTime": duration(request.duration)},
        "poolInfo": {
            "autoPoolSpecification": {
                "autoPoolIdPrefix": pool.id_prefix,
                "poolLifetimeOption": "job",
                "keepAlive": pool.keep,
                "pool": _pool_body(pool),
            }
        },
        "onAllTasksComplete": "noaction",
        "metadata": _pairs(request.metadata),
    }
    return merged(body, request.extra)


def task_body(request: TaskRequest) -> dict[str, Any]:
    """The body of a task in `POST /jobs/{id}/addtaskcollection`."""
    constraints: dict[str, Any] = {"maxTaskRetryCount": request.retries}
    if request.timeout is not None:
        constraints["maxWallClockTime"] = duration(request.timeout)
    body: dict[str, Any] = {
        "id": request.id,
        "displayName": request.display_name,
        **_command(request.command),
        "constraints": constraints,
        "userIdentity": _identity(request.run_as),
    }
    if request.resources:
        body["resourceFiles"] = [_resource(resource) for resource in request.resources]
    if request.outputs:
        body["outputFiles"] = [_output(output) for output in request.outputs]
    return merged(body, request.extra)


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


def duration(value: timedelta) -> str:
    """An ISO 8601 duration in seconds, which .NET's `XmlConvert` and every parser of them reads."""
    seconds, rest = divmod(value, timedelta(seconds=1))
    if not rest:
        return f"PT{seconds}S"
    return f"PT{seconds}.{rest.microseconds:06d}".rstrip("0") + "S"


def _pool_body(pool: PoolRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "virtualMachineConfiguration": {
            "imageReference": {
                "publisher": pool.image.publisher,
                "offer": pool.image.offer,
                "sku": pool.image.sku,
                "version": pool.image.version,
            },
            "nodeAgentSKUId": pool.node_agent,
        },
        "vmSize": pool.vm_size,
        "targetDedicatedNodes": pool.dedicated_nodes,
        "targetLowPriorityNodes": pool.spot_nodes,
        "taskSlotsPerNode": pool.task_slots_per_node,
        "metadata": _pairs(pool.metadata),
    }
    if pool.start_task is not None:
        body["startTask"] = _start_task(pool.start_task)
    return merged(body, pool.extra)


def _start_task(request: StartTaskRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        **_command(request.command),
        "userIdentity": _identity(request.run_as),
        "maxTaskRetryCount": request.retries,
        "waitForSuccess": request.wait_for_success,
    }
    if request.resources:
        body["resourceFiles"] = [_resource(resource) for resource in request.resources]
    return body


def _command(command: CommandLine) -> dict[str, Any]:
    body: dict[str, Any] = {"commandLine": command.line}
    if command.environment:
        body["environmentSettings"] = _pairs(command.environment)
    return body


def _identity(elevation: Elevation) -> dict[str, Any]:
    return {"autoUser": {"scope": "pool", "elevationLevel": _ELEVATION[elevation]}}


def _resource(resource: ResourceRequest) -> dict[str, Any]:
    if resource.container_url is None:
        return {"httpUrl": resource.blob_url, "filePath": resource.path}
    body = {"storageContainerUrl": resource.container_url}
    if resource.path:
        body["filePath"] = resource.path
    return body


def _output(output: OutputRequest) -> dict[str, Any]:
    container = {"containerUrl": output.container_url}
    if output.path:
        container["path"] = output.path
    return {
        "filePattern": output.pattern,
        "destination": {"container": container},
        "uploadOptions": {"uploadCondition": _CONDITION[output.when]},
    }


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
