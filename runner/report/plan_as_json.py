"""A plan as data: what `plan --json` prints and the run's directory keeps.

It renders a plan and nothing else; a million tasks are written one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runner.plan.model import CommandLine, ContainerPlan, Plan, ResourcePlan, TaskPlan

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
        "run_as": task.run_as.value,
        "retries": task.retries,
        "timeout_seconds": None if task.timeout is None else task.timeout.total_seconds(),
    }


def _head(plan: Plan) -> dict[str, Any]:
    workload = plan.workload
    pool = workload.pool
    start_task = plan.start_task
    return {
        "v": VERSION,
        "run": plan.run_id,
        "workload": workload.name,
        "parameters": dict(workload.parameters),
        "containers": [_container(plan, container) for container in plan.containers],
        "pool": {
            "image": {
                "publisher": pool.image.publisher,
                "offer": pool.image.offer,
                "sku": pool.image.sku,
                "version": pool.image.version,
            },
            "vm_size": pool.vm_size,
            "dedicated_nodes": pool.dedicated_nodes,
            "spot_nodes": pool.spot_nodes,
            "task_slots_per_node": pool.task_slots_per_node,
            "start_task": None
            if start_task is None
            else {
                **_command(start_task.command),
                "resources": [_resource(resource) for resource in start_task.resources],
                "run_as": start_task.run_as.value,
                "wait_for_success": start_task.wait_for_success,
                "retries": start_task.retries,
            },
            "extra": dict(pool.extra),
        },
        "job": {
            "duration_seconds": workload.limits.duration.total_seconds(),
            "extra": dict(workload.job.extra),
        },
    }


def _container(plan: Plan, container: ContainerPlan) -> dict[str, Any]:
    workload = plan.workload.container(container.role)
    return {
        "role": container.role,
        "name": container.name,
        "download": workload.download,
        "delete": workload.delete.value,
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
    return {"role": resource.role, "blob": resource.blob, "path": resource.path}
