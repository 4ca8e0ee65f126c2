"""A plan as data: what `plan --json` prints and the run's directory keeps.

It renders a plan and nothing else; a million tasks are written one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typing_extensions import assert_never

from runner.plan.model import (
    BlobResource,
    CommandLine,
    ContainerPlan,
    FolderResource,
    NodeCommandPlan,
    Plan,
    ResourcePlan,
    TaskPlan,
    WebResource,
)
from runner.spec.pool import Autoscale, CustomImage, ExistingPool, FixedNodes, Image
from runner.spec.terms import NamedUser, RunAs
from runner.spec.workload import OwnContainer

VERSION = 1


def write_plan(path: Path, plan: Plan) -> None:
    """Writes the whole plan to a file."""
    with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.writelines(plan_as_json(plan))


def plan_as_json(plan: Plan) -> Iterator[str]:
    """The text of one JSON object, in pieces; a task a line."""
    head = json.dumps(_head(plan), indent=1, ensure_ascii=False)
    yield head[: head.rindex("\n")]
    yield ',\n "tasks": ['
    separator = "\n"
    for task in plan.tasks:
        yield separator + json.dumps(task_as_json(task), ensure_ascii=False)
        separator = ",\n"
    yield "\n]}\n"


def task_as_json(task: TaskPlan) -> dict[str, Any]:
    """One task; containers by role, no SAS."""
    return {
        "id": task.id,
        "name": task.display_name,
        **_command(task.command),
        "resources": [_resource(resource) for resource in task.resources],
        "outputs": [
            {
                "pattern": output.pattern,
                "role": output.role,
                "path": output.path,
                "when": output.when.value,
            }
            for output in task.outputs
        ],
        "run_as": _run_as(task.step.run_as),
        "retries": task.step.retries,
        "timeout_seconds": None if task.step.timeout is None else task.step.timeout.total_seconds(),
    }


def _head(plan: Plan) -> dict[str, Any]:
    workload = plan.workload
    return {
        "v": VERSION,
        "run": plan.run_id,
        "workload": workload.name,
        "parameters": dict(workload.parameters),
        "containers": [_container(plan, container) for container in plan.containers],
        "pool": _pool(plan),
        "job": {
            "duration_seconds": workload.limits.duration.total_seconds(),
            "extra": dict(workload.job.extra),
        },
    }


def _pool(plan: Plan) -> dict[str, Any]:
    pool = plan.workload.pool
    if isinstance(pool, ExistingPool):
        return {"existing": pool.id}
    start_task = plan.start_task
    return {
        "image": _image(pool.image),
        "vm_size": pool.vm_size,
        **_size(pool.size),
        "task_slots_per_node": pool.task_slots_per_node,
        "start_task": None if start_task is None else _node_command(start_task),
        "extra": dict(pool.extra),
    }


def _image(image: Image | CustomImage) -> dict[str, Any]:
    if isinstance(image, CustomImage):
        return {"id": image.id, "node_agent": image.node_agent}
    return {
        "publisher": image.publisher,
        "offer": image.offer,
        "sku": image.sku,
        "version": image.version,
    }


def _size(size: FixedNodes | Autoscale) -> dict[str, Any]:
    if isinstance(size, Autoscale):
        return {"autoscale": size.formula, "interval_seconds": size.interval.total_seconds()}
    return {"dedicated_nodes": size.dedicated, "spot_nodes": size.spot}


def _node_command(command: NodeCommandPlan) -> dict[str, Any]:
    return {
        **_command(command.command),
        "resources": [_resource(resource) for resource in command.resources],
        "run_as": _run_as(command.run_as),
        "wait_for_success": command.wait_for_success,
        "retries": command.retries,
    }


def _run_as(run_as: RunAs) -> str:
    return run_as.name if isinstance(run_as, NamedUser) else run_as.value


def _container(plan: Plan, container: ContainerPlan) -> dict[str, Any]:
    workload = plan.workload.container(container.role)
    return {
        "role": container.role,
        "name": container.name,
        "download": isinstance(workload, OwnContainer) and workload.download,
        "delete": workload.delete.value if isinstance(workload, OwnContainer) else "never",
        "files": [
            {"source": str(file.source), "blob": file.blob, "bytes": file.size_bytes}
            for file in container.files
        ],
    }


def _command(command: CommandLine) -> dict[str, Any]:
    return {
        "command": command.script,
        "command_line": command.line,
        "environment": dict(command.environment),
        "script_file": command.script_file,
    }


def _resource(resource: ResourcePlan) -> dict[str, Any]:
    match resource:
        case BlobResource():
            return {"role": resource.role, "blob": resource.blob, "path": resource.path}
        case FolderResource():
            return {"role": resource.role, "prefix": resource.prefix, "path": resource.path}
        case WebResource():
            return {"url": resource.url, "path": resource.path}
        case _:
            assert_never(resource)
