"""From a checked workload and the files on this machine to a plan, or to every problem with it.

Same workload, same files, same run id: equal plan. It creates nothing and asks no service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from runner.errors import UsageError
from runner.plan.command import bash_command
from runner.plan.faults import faults_at
from runner.plan.inputs import find_files
from runner.plan.items import FileItems, Items, SingleItem, describe_file
from runner.plan.model import (
    ContainerPlan,
    InputFile,
    NodeCommandPlan,
    Plan,
    RunId,
    TaskPlan,
    container_name,
)
from runner.plan.outputs import find_collisions
from runner.plan.tasks import TaskSequence, render_environment, resource_plans
from runner.spec.pool import ExistingPool
from runner.spec.problem import Problem, SpecError
from runner.spec.sources import FilesOf, Source
from runner.spec.terms import Role
from runner.spec.workload import OwnContainer, Workload

# A template that fails for one file mostly fails for all; nobody reads ten thousand of them.
_PROBLEMS_SHOWN = 20
# Stands in `file.url` until a target is chosen; as long as a real one may be.
_UNKNOWN_STORAGE = "https://<storage-account>.blob.core.windows.net"


def expand(workload: Workload, *, folder: Path, run_id: RunId) -> Plan:
    """The plan of a run, for a storage account that is not known yet; `folder` is the spec's.

    Raises `SpecError` with all problems: files that are not there or cannot become blobs, values
    that a template cannot take, outputs of two tasks that are one blob.
    """
    problems: list[Problem] = []
    containers = tuple(
        _plan_container(container, workload, folder, run_id, problems)
        for container in workload.containers
        if isinstance(container, OwnContainer)
    )
    if problems:
        raise SpecError(problems)
    start_task = _plan_start_task(workload, run_id, problems)
    tasks = _render_for(workload, run_id, containers, _UNKNOWN_STORAGE)
    problems.extend(find_collisions(workload, _render_all(tasks, problems)))
    if problems:
        raise SpecError(problems)
    return Plan(
        workload=workload,
        run_id=run_id,
        containers=containers,
        start_task=start_task,
        tasks=tasks,
    )


def place(plan: Plan, *, storage_endpoint: str) -> Plan:
    """The same plan for a storage account: its URL goes into `file.url`."""
    tasks = _render_for(plan.workload, plan.run_id, plan.containers, storage_endpoint)
    return replace(plan, tasks=tasks)


def _render_for(
    workload: Workload,
    run_id: RunId,
    containers: tuple[ContainerPlan, ...],
    storage_endpoint: str,
) -> TaskSequence:
    by_role = {container.role: container for container in containers}
    account = storage_endpoint.rstrip("/")

    def describe(role: Role, file: InputFile) -> Mapping[str, object]:
        url = f"{account}/{by_role[role].name}/{quote(file.blob)}"
        return describe_file(file, url=url)

    def items(source: Source | None) -> Items:
        match source:
            case None:
                return SingleItem()
            case FilesOf():
                files = by_role[source.role].files
                return FileItems(role=source.role, files=files, describe=describe)
            case _:
                raise NotImplementedError(source)

    return TaskSequence(
        workload=workload, run_id=run_id, items=[items(step.for_each) for step in workload.steps]
    )


def _plan_container(
    container: OwnContainer,
    workload: Workload,
    folder: Path,
    run_id: RunId,
    problems: list[Problem],
) -> ContainerPlan:
    files: dict[str, InputFile] = {}
    document = workload.document
    for upload in container.uploads:
        found, refused = find_files(upload, folder, document)
        problems.extend(refused)
        for file in found:
            other = files.setdefault(file.blob, file)
            if other.source != file.source:
                message = f"`{other.source}` and `{file.source}` would both be blob `{file.blob}`"
                problems.append(
                    document.problem(
                        upload.pointer,
                        code="input-collision",
                        message=message,
                        hint="bring them up into containers of their own, or from a folder above",
                    )
                )
    ordered = tuple(files[name] for name in sorted(files))
    return ContainerPlan(
        role=container.role, name=container_name(run_id, container.role), files=ordered
    )


def _plan_start_task(
    workload: Workload, run_id: RunId, problems: list[Problem]
) -> NodeCommandPlan | None:
    pool = workload.pool
    if isinstance(pool, ExistingPool) or pool.start_task is None:
        return None
    start_task = pool.start_task
    document, pointer = workload.document, start_task.pointer
    scope = {"parameters": workload.parameters, "run": {"id": run_id}}
    try:
        with faults_at(document, (*pointer, "command")):
            script = start_task.command.render(scope)
        environment = render_environment(
            start_task.environment, scope, document, (*pointer, "environment")
        )
        resources = resource_plans(start_task.resources, scope, document)
    except SpecError as error:
        problems.extend(error.problems)
        return None
    return NodeCommandPlan(
        command=bash_command(script, environment, task="starttask"),
        resources=resources,
        run_as=start_task.run_as,
        retries=start_task.retries,
        timeout=start_task.timeout,
        wait_for_success=start_task.wait_for_success,
    )


def _render_all(tasks: TaskSequence, problems: list[Problem]) -> Iterator[TaskPlan]:
    """Every task that can be rendered; what is wrong with the others goes into `problems`."""
    for index in range(len(tasks)):
        try:
            yield tasks[index]
        except SpecError as error:
            problems.extend(error.problems)
            if len(problems) >= _PROBLEMS_SHOWN:
                return


def find_task(plan: Plan, name: str) -> TaskPlan:
    """The task of an id, with or without its leading zeros; `UsageError` where there is none."""
    number = int(name) if name.isascii() and name.isdigit() else 0
    if not 1 <= number <= len(plan.tasks):
        first, last = plan.tasks[0].id, plan.tasks[-1].id
        raise UsageError(f"there is no task `{name}`", hint=f"ids go from {first} to {last}")
    return plan.tasks[number - 1]
