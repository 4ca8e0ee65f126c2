"""Finds the facts that explain where a task is: in the run's directory, its plan and its service.

Nothing is started or changed. It must not know what follows from the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from runner.cli.following_up import is_last
from runner.cli.looking import NotThereError, open_to_look
from runner.cli.resuming import load_again, plan_again
from runner.cli.tasks import find_task
from runner.cli.world import World
from runner.connect import Services
from runner.errors import BatchRunError, ServiceError, UsageError
from runner.plan.model import BlobResource, FolderResource, Plan, TaskId, TaskPlan
from runner.report.explanation import Explanation, Facts, Inputs, Needed, Service
from runner.report.journal_fold import JournalFold, fold_journal
from runner.report.reasons import explain
from runner.run.events import (
    Event,
    JobCreated,
    NodeChanged,
    PoolChanged,
    RunStarted,
    TaskAdded,
    TaskFinished,
    TaskRetried,
    TaskStarted,
    UploadFinished,
)
from runner.run.records.driving import find_driver
from runner.run.records.following import Following
from runner.run.records.record import RunRecord, read_record
from runner.run.records.standing import Standing, find_standing
from runner.run.results.lock_file import LOCK_FILE, read_planned
from runner.run.services import NodeStatus
from runner.spec.model.pool import NewPool

Opening = Callable[[RunRecord, Path, World], Services]
_LOG_BYTES = 4_000
_LOG_LINES = 5
_NODES_READ = 3
_NAMES_KEPT = 3
_LONGEST_CHAIN = 1_000
_OF_NODES = (
    f'"type":"{PoolChanged.type}"'.encode(),
    f'"type":"{NodeChanged.type}"'.encode(),
    f'"type":"{RunStarted.type}"'.encode(),
    f'"type":"{JobCreated.type}"'.encode(),
)


@dataclass(slots=True, kw_only=True)
class _Told:
    """What the journal tells of one task, and since when pool and nodes are as they are."""

    added: TaskAdded | None = None
    started: TaskStarted | None = None
    attempts: list[TaskRetried] = field(default_factory=list)
    end: TaskFinished | None = None
    pool_since: datetime | None = None
    node_since: dict[str, datetime] = field(default_factory=dict)


def explain_task(
    directory: Path, name: str, world: World, *, open_services: Opening = open_to_look
) -> Explanation:
    """Why a task is where it is; `name` is its number, zeros at its beginning or not.

    Raises `UsageError` where there is no such run or task. A service that cannot be asked is part
    of the answer.
    """
    record = read_record(directory)
    folded = fold_journal(directory)
    task = find_task(directory, name, tasks=folded.report.tasks)
    told = _read(directory, task)
    driver = find_driver(directory)
    facts = Facts(
        run=record.run,
        task=task,
        step="",
        item=_item(told),
        standing=find_standing(directory, record, driver=driver),
        report=folded.report,
        now=world.clock.now(),
        named="" if is_last(record, world) else f" {record.run}",
        is_added=told.added is not None,
        is_running=task in folded.running,
        started=None if told.started is None else told.started.at,
        node=None if told.started is None else told.started.node,
        attempts=tuple(told.attempts),
        end=told.end,
        planned=read_planned(directory / LOCK_FILE, task),
        pool_since=told.pool_since,
        node_since=told.node_since,
        pace=folded.pace,
    )
    facts = _with_plan(facts, record, directory, folded)
    goes_on = facts.standing is Standing.DRIVEN or facts.standing.is_resumable
    if told.end is None and goes_on and folded.report.job is not None:
        facts = _with_service(facts, record, directory, world, open_services)
    return explain(facts)


def _item(told: _Told) -> str:
    if told.end is not None:
        return told.end.item
    return "" if told.added is None else told.added.item


def _read(directory: Path, task: TaskId) -> _Told:
    told = _Told()
    own = f'"task":"{task}"'.encode()
    for moment, event in Following(directory).events(own, *_OF_NODES):
        _take(told, moment, event, task)
    return told


def _take(told: _Told, moment: datetime, event: Event, task: TaskId) -> None:
    match event:
        case TaskAdded() if event.task == task:
            # One that ended with a job may be added to another.
            told.added, told.started, told.end = event, None, None
        case TaskStarted() if event.task == task:
            told.started = event
        case TaskRetried() if event.task == task:
            told.attempts.append(event)
            told.started = None
        case TaskFinished() if event.task == task:
            told.end = event
        case PoolChanged():
            told.pool_since = moment
        case NodeChanged():
            told.node_since[event.node] = moment
        case RunStarted():
            told.node_since.clear()
            told.pool_since = None
        case _:
            pass


def _with_plan(facts: Facts, record: RunRecord, directory: Path, folded: JournalFold) -> Facts:
    """With what the spec says of the task: its step, its inputs, what it needs."""
    try:
        plan = plan_again(record, directory, load_again(record, directory))
        task = plan.tasks[int(facts.task) - 1]
    except (BatchRunError, IndexError) as error:
        return replace(facts, unasked=f"the plan cannot be read again ({error})")
    pool = plan.workload.pool
    slots = pool.task_slots_per_node if isinstance(pool, NewPool) else None
    return replace(
        facts,
        step=task.step.name,
        item=task.item,
        needed=_needed(plan, task, folded),
        inputs=None if facts.is_added else _inputs(plan, task, directory),
        before=_before(task, folded),
        slots=None if slots is None else max(1, slots // task.step.slots),
        has_start_task=plan.start_task is not None,
    )


def _needed(plan: Plan, task: TaskPlan, folded: JournalFold) -> tuple[Needed, ...]:
    """The first task that it waits for, what that one waits for, and so on."""
    ends, chain = folded.report.ends, list[Needed]()
    while len(chain) < _LONGEST_CHAIN:
        first = next(_open(task, ends), None)
        if first is None:
            break
        task = plan.tasks[first - 1]
        chain.append(
            Needed(task=task.id, item=task.item, state=_state(task.id, first, ends, folded))
        )
        if first < len(ends) and ends[first]:
            break
    return tuple(chain)


def _open(task: TaskPlan, ends: bytearray) -> Iterator[int]:
    """Numbers of tasks that it needs and that have not succeeded."""
    for need in task.needs:
        for number in range(need.first, need.last + 1):
            if number >= len(ends) or ends[number] != 1:
                yield number


def _state(task: str, number: int, ends: bytearray, folded: JournalFold) -> str:
    if number < len(ends) and ends[number]:
        return "has failed"
    if task in folded.retried:
        return "is to be tried again"
    return "runs" if task in folded.running else "has not begun"


def _inputs(plan: Plan, task: TaskPlan, directory: Path) -> Inputs | None:
    """The files of its own that are not up."""
    wanted = {
        (resource.role, resource.blob)
        for resource in task.resources
        if isinstance(resource, BlobResource)
    } | set(_of_folders(plan, task))
    brought = {
        (container.role, file.blob)
        for container in plan.containers
        for file in container.files
        if file.source is not None and (container.role, file.blob) in wanted
    }
    marker = f'"type":"{UploadFinished.type}"'.encode()
    for _, event in Following(directory).events(marker) if brought else ():
        if isinstance(event, UploadFinished):
            brought.discard((event.role, event.blob))
    names = sorted(blob for _, blob in brought)
    return Inputs(count=len(names), first=tuple(names[:_NAMES_KEPT]))


def _of_folders(plan: Plan, task: TaskPlan) -> Iterator[tuple[str, str]]:
    for resource in task.resources:
        if isinstance(resource, FolderResource):
            for container in plan.containers:
                if container.role == resource.role:
                    for file in container.files:
                        if file.blob.startswith(resource.prefix):
                            yield container.role, file.blob


def _before(task: TaskPlan, folded: JournalFold) -> int:
    """Tasks of lower numbers that have not begun: the service takes tasks about in their order."""
    ends, number = folded.report.ends, int(task.id)
    ended = sum(map(bool, ends[1:number]))
    running = sum(int(each) < number for each in folded.running)
    return max(0, number - 1 - ended - running)


def _with_service(
    facts: Facts,
    record: RunRecord,
    directory: Path,
    world: World,
    open_services: Opening,
) -> Facts:
    """With what the service says, as far as it says anything within some seconds."""
    service = Service()
    try:
        with open_services(record, directory, world) as services:
            for ask in (_ask_job, _ask_task, _ask_pool, _ask_start_tasks):
                service = ask(service, services, facts)
    except NotThereError:
        return replace(facts, rests=True)
    except (ServiceError, UsageError) as error:
        return replace(facts, service=service, unasked=error.message)
    return replace(facts, service=service)


def _ask_job(service: Service, services: Services, facts: Facts) -> Service:
    return replace(service, job=services.batch.job_status(facts.run))


def _ask_task(service: Service, services: Services, facts: Facts) -> Service:
    return replace(
        service,
        task=services.batch.task_status(facts.run, TaskId(facts.task)),
        counts=services.batch.task_counts(facts.run),
    )


def _ask_pool(service: Service, services: Services, facts: Facts) -> Service:
    pool = facts.report.pool if service.job is None else service.job.pool_id or facts.report.pool
    if pool is None:
        return service
    return replace(
        service,
        pool=services.batch.pool_status(pool),
        nodes=services.batch.node_statuses(pool),
    )


def _ask_start_tasks(service: Service, services: Services, facts: Facts) -> Service:
    """What the first nodes print that wait for their start task."""
    pool = facts.report.pool if service.job is None else service.job.pool_id
    if pool is None or not facts.has_start_task:
        return service
    waiting = [node for node in service.nodes if node.state == "waitingforstarttask"]
    logs = {node.id: tuple(_last_lines(services, pool, node)) for node in waiting[:_NODES_READ]}
    return replace(service, start_logs=logs)


def _last_lines(services: Services, pool: str, node: NodeStatus) -> Sequence[str]:
    for stream in ("stderr", "stdout"):
        log = services.batch.read_node_log(pool, node.id, f"startup/{stream}.txt", _LOG_BYTES)
        lines = log.decode("utf-8", "replace").splitlines()
        if lines:
            return lines[-_LOG_LINES:]
    return ()
