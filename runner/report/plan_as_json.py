"""A plan as data: what `plan --json` prints and the run's directory keeps.

It renders a plan and nothing else; files and tasks are written one by one, a line each, so that a
million take no memory. The same plan is the same text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from runner.plan.file_table import each_file
from runner.plan.model import ContainerPlan, Plan, TaskPlan, TaskRange
from runner.report.extra import shown_extra
from runner.report.halting import halt_as_json
from runner.report.plan_cost import PlanCost, plan_cost_as_json
from runner.report.pool_as_json import pool_as_json
from runner.report.secret_uses import parameter_uses, secret_uses
from runner.report.step_as_json import (
    command_as_json,
    node_command_as_json,
    resource_as_json,
    seconds,
    step_as_json,
)
from runner.run.results.decisions import Decisions
from runner.spec.model.terms import SecretName
from runner.spec.model.workload import ExistingContainer, OwnContainer, Schedule, Workload

VERSION = 1
_PIECE_CHARACTERS = 64 * 1024
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def write_plan(path: Path, plan: Plan) -> None:
    """Writes the whole plan to a file."""
    with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.writelines(plan_as_json(plan))


def plan_as_json(
    plan: Plan, decisions: Decisions | None = None, cost: PlanCost | None = None
) -> Iterator[str]:
    """The text of one JSON object, in pieces that are worth a write each.

    With `decisions` each task has what a run would do with it, and why; with `cost` there is what
    the nodes cost.
    """
    waiting: list[str] = []
    length = 0
    for piece in _pieces(plan, decisions, cost):
        waiting.append(piece)
        length += len(piece)
        if length >= _PIECE_CHARACTERS:
            yield "".join(waiting)
            waiting, length = [], 0
    yield "".join(waiting)


def _pieces(plan: Plan, decisions: Decisions | None, cost: PlanCost | None) -> Iterator[str]:
    more = {} if cost is None else {"cost": plan_cost_as_json(cost)}
    head = json.dumps({**_head(plan), **more}, indent=1, ensure_ascii=False)
    yield head[: head.rindex("\n")]
    yield ',\n "containers": ['
    yield from _lines((_container(plan, each) for each in plan.containers), end="\n ]")
    yield ',\n "tasks": ['
    yield from _lines(([each] for each in _tasks(plan, decisions)), end="\n]}\n")


def _tasks(plan: Plan, decisions: Decisions | None) -> Iterator[str]:
    """Each task as `task_as_json` has it; what all of a step share is made into text once."""
    shared = {step.name: _dump(step_as_json(step))[1:-1] for step in plan.workload.steps}
    for task in plan.tasks:
        own, decision = _dump(_task(task))[:-1], ""
        if decisions is not None:
            number = int(task.id)
            decision = _decision_text(decisions.action(number).value, decisions.reason(number))
        yield f"{own}, {shared[task.step.name]}{decision}}}"


@lru_cache(64)
def _decision_text(action: str, reason: str) -> str:
    """Of many tasks, most have the same."""
    return f", {_dump({'action': action, 'reason': reason})[1:-1]}"


def task_as_json(task: TaskPlan, decisions: Decisions | None = None) -> dict[str, Any]:
    """One task; containers by role, no SAS."""
    return {**_task(task), **step_as_json(task.step), **_decision(task, decisions)}


def _decision(task: TaskPlan, decisions: Decisions | None) -> dict[str, str]:
    if decisions is None:
        return {}
    number = int(task.id)
    return {"action": decisions.action(number).value, "reason": decisions.reason(number)}


def _task(task: TaskPlan) -> dict[str, Any]:
    """What differs from task to task."""
    coordination = task.coordination
    return {
        "id": task.id,
        "name": task.display_name,
        "item": task.item,
        **command_as_json(task.command),
        "coordination": None if coordination is None else coordination.line,
        "resources": [resource_as_json(resource) for resource in task.resources],
        "shared_resources": [resource_as_json(resource) for resource in task.shared_resources],
        "outputs": [
            {
                "pattern": output.pattern,
                "role": output.role,
                "path": output.path,
                "blob": output.blob,
                "when": output.when.value,
            }
            for output in task.outputs
        ],
        "needs": [{"first": each.first, "last": each.last} for each in task.needs],
        "container_image": task.container_image,
    }


def _lines(items: Iterable[Iterable[str]], *, end: str) -> Iterator[str]:
    """The items of a list, each on a line of its own, and its end."""
    separator = "\n"
    for pieces in items:
        yield separator
        yield from pieces
        separator = ",\n"
    yield end


def _dump(value: Any) -> str:
    return _ENCODER.encode(value)


def _secret_uses(workload: Workload) -> Iterator[tuple[SecretName, str]]:
    yield from secret_uses(workload.pool)
    yield from parameter_uses(workload)


def _head(plan: Plan) -> dict[str, Any]:
    workload = plan.workload
    return {
        "v": VERSION,
        "run": plan.run_id,
        "workload": workload.name,
        "parameters": dict(workload.parameters),
        "pool": pool_as_json(workload.pool, plan.start_task),
        "secrets": [{"name": name, "goes_to": use} for name, use in _secret_uses(workload)],
        "job": _job(plan),
        "halt": halt_as_json(workload.halt),
        "steps": list(_steps(plan)),
    }


def _job(plan: Plan) -> dict[str, Any]:
    job = plan.workload.job
    return {
        "duration_seconds": plan.workload.limits.duration.total_seconds(),
        "wait_seconds": plan.workload.limits.wait.total_seconds(),
        "priority": job.priority,
        "max_parallel_tasks": job.max_parallel_tasks,
        "on_failure": job.on_failure.value,
        "environment": dict(plan.job_environment),
        "metadata": dict(job.metadata),
        "preparation": None
        if plan.preparation is None
        else {
            **node_command_as_json(plan.preparation),
            "rerun_on_reboot": job.rerun_preparation_on_reboot,
        },
        "release": None if plan.release is None else node_command_as_json(plan.release),
        "schedule": None if job.schedule is None else _schedule(job.schedule),
        "extra": shown_extra(job.extra),
    }


def _schedule(schedule: Schedule) -> dict[str, Any]:
    return {
        "every_seconds": schedule.every.total_seconds(),
        "window_seconds": seconds(schedule.window),
        "start": None if schedule.start is None else schedule.start.isoformat(),
        "end": schedule.end.isoformat(),
    }


def _steps(plan: Plan) -> Iterator[dict[str, Any]]:
    for step, tasks in zip(plan.workload.steps, plan.ranges, strict=True):
        yield {"name": step.name, "needs": list(step.needs), **_range(tasks)}


def _range(tasks: TaskRange) -> dict[str, int]:
    return {"first": tasks.first, "last": tasks.last}


def _container(plan: Plan, container: ContainerPlan) -> Iterator[str]:
    policy = plan.workload.container(container.role)
    is_own = isinstance(policy, OwnContainer)
    head: dict[str, Any] = {
        "role": container.role,
        "name": container.name,
        "prefix": policy.prefix if isinstance(policy, ExistingContainer) else None,
        "made": container.is_made,
        "existing": not is_own,
        "if_not_empty": policy.if_not_empty.value if isinstance(policy, OwnContainer) else None,
        "download": isinstance(policy, OwnContainer) and policy.download,
        "delete": policy.delete.value if isinstance(policy, OwnContainer) else "never",
    }
    if container.outside_links.count:
        head["outside_links"] = {
            "count": container.outside_links.count,
            "first": [
                {"path": path, "target": target} for path, target in container.outside_links.first
            ],
        }
    if container.passed_over.count:
        head["passed_over"] = {
            "count": container.passed_over.count,
            "first": [{"path": path, "what": what} for path, what in container.passed_over.first],
        }
    yield f'{_dump(head)[:-1]}, "files": ['
    files = ([_dump(each)] for each in _files(container))
    yield from _lines(files, end="\n]}" if container.files else "]}")


def _files(container: ContainerPlan) -> Iterator[dict[str, Any]]:
    """`skipped` says why a file is not brought up."""
    for source, blob, size_bytes in each_file(container.files):
        skipped = "unchanged" if blob in container.unchanged else None
        yield {
            "source": source,
            "blob": blob,
            "bytes": size_bytes,
            "skipped": "stored" if source is None else skipped,
        }
