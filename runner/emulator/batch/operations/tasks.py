"""The operations on tasks: decode, ask the core, encode.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runner.emulator.batch.core import tasks as core
from runner.emulator.batch.core.ids import JobId, Key, key_of
from runner.emulator.batch.core.refusal import RefusedError
from runner.emulator.batch.core.task import Task
from runner.emulator.batch.core.tasktable import TaskTable
from runner.emulator.batch.operations.bodies.filling import is_windows
from runner.emulator.batch.operations.bodies.task import (
    decode_collection,
    decode_constraints,
    decode_task,
)
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.conditions import check_read, check_write
from runner.emulator.batch.operations.filters.bounds import find_bounds
from runner.emulator.batch.operations.filters.parse import Expression
from runner.emulator.batch.operations.filters.properties import TASKS
from runner.emulator.batch.operations.mishaps import refuse_task
from runner.emulator.batch.operations.paging import Listing, list_page, select
from runner.emulator.batch.operations.refusals import ANSWERS, error_detail
from runner.emulator.batch.operations.replies import Reply, changed, element, metadata
from runner.emulator.batch.operations.selections import selected
from runner.emulator.batch.operations.views.entities import task_url
from runner.emulator.batch.operations.views.statistics import is_asked_for, show_task_statistics
from runner.emulator.batch.operations.views.subtasks import show_subtask
from runner.emulator.batch.operations.views.tasks import TaskView
from runner.emulator.batch.operations.wire import etag_of, format_moment


def create_task(call: Call) -> Reply:
    """`POST /jobs/{jobId}/tasks`."""
    job = call.state.store.job(call.job)
    task = _add(call, job.id, call.body)
    url = task_url(call.endpoint, job.id, task.id)
    return Reply(status=201, modified=task.modified, service_id=url, location=url)


def create_task_collection(call: Call) -> Reply:
    """`POST /jobs/{jobId}/addtaskcollection`: each task is added or refused by itself."""
    job = call.state.store.job(call.job)
    core.refuse_ended_job(job)
    bodies = decode_collection(call.body, call.state.limits)
    results = [_add_one(call, job.id, body) for body in bodies]
    head = metadata(call.endpoint, "taskaddresult")
    return Reply(status=200, json={**head, "value": results})


def _add_one(call: Call, job: JobId, body: object) -> dict[str, Any]:
    identifier = body.get("id") if isinstance(body, dict) else None
    struck = call.account.disturbance.task_error(job, str(identifier or ""))
    if struck is not None:
        return refuse_task(struck, str(identifier or ""), call.request_id, call.now)
    try:
        task = _add(call, job, body)
    except RefusedError as refused:
        blame = "ClientError" if ANSWERS[refused.reason].status < 500 else "ServerError"
        error = error_detail(refused, request_id=call.request_id, now=call.now)
        return {"status": blame, "taskId": str(identifier or ""), "error": error}
    return {
        "status": "Success",
        "taskId": task.id,
        "eTag": etag_of(task.modified),
        "lastModified": format_moment(task.modified),
        "location": task_url(call.endpoint, job, task.id),
    }


def _add(call: Call, job: JobId, body: object) -> Task:
    draft = decode_task(body, call.account.task_shape, call.state.limits)
    return core.add_task(call.state, call.now, job, draft)


def list_tasks(call: Call) -> Reply:
    """`GET /jobs/{jobId}/tasks`."""
    job = call.state.store.job(call.job)
    tasks = call.state.store.tasks(job.id)
    listing = Listing(
        name="tasks",
        after=tasks.after,
        show=_view(call),
        properties=TASKS,
        selectable=False,
        narrowed=lambda expression, start: _changed(tasks, expression, start),
    )
    return list_page(call, listing)


def _changed(
    tasks: TaskTable, expression: Expression, start: Key | None
) -> list[tuple[Key, Task]] | None:
    bounds = find_bounds(expression)
    if bounds is None:
        return None
    return tasks.changed_since(bounds.since, start, moved=bounds.moved)


def get_task(call: Call) -> Reply:
    """`GET /jobs/{jobId}/tasks/{taskId}`."""
    task = call.state.store.task(call.job, call.task)
    check_read(call.headers, task.modified)
    return element(call.endpoint, "tasks", _view(call)(task), task.modified)


def replace_task(call: Call) -> Reply:
    """`PUT /jobs/{jobId}/tasks/{taskId}`: its constraints."""
    task = _written(call)
    document, retries, retention = decode_constraints(call.body, task.document)
    task = core.update_task(call.state, call.now, task.job, task.id, document, retries, retention)
    return changed(call.url, 200, task.modified)


def delete_task(call: Call) -> Reply:
    """`DELETE /jobs/{jobId}/tasks/{taskId}`."""
    task = _written(call)
    core.delete_task(call.state, call.now, task.job, task.id)
    return Reply(status=200)


def terminate_task(call: Call) -> Reply:
    """`POST /jobs/{jobId}/tasks/{taskId}/terminate`."""
    task = _written(call)
    task = core.terminate_task(call.state, call.now, task.job, task.id)
    return changed(call.url, 204, task.modified)


def reactivate_task(call: Call) -> Reply:
    """`POST /jobs/{jobId}/tasks/{taskId}/reactivate`."""
    task = _written(call)
    task = core.reactivate_task(call.state, call.now, task.job, task.id)
    # On record: the one change of a task that does not name it.
    return Reply(status=204, modified=task.modified)


def list_subtasks(call: Call) -> Reply:
    """`GET /jobs/{jobId}/tasks/{taskId}/subtasksinfo`: only multi-instance tasks have any."""
    task = call.state.store.task(call.job, call.task)
    shown = [select(call, show_subtask(call.endpoint, task, each)) for each in task.subtasks]
    return Reply(status=200, json={**metadata(call.endpoint, "subtaskinfo"), "value": shown})


def _view(call: Call) -> Callable[[Task], dict[str, Any]]:
    """What shows tasks to who asks, with the properties that are wanted."""
    wanted = selected(call.query)
    view = TaskView(call.endpoint, wanted)
    with_statistics = is_asked_for(call) and (wanted is None or "stats" in wanted)

    def show(task: Task) -> dict[str, Any]:
        where = task.placement
        pool = None if where is None else call.state.store.pools.get(key_of(where.pool))
        shown = view.show(task, on_windows=pool is not None and is_windows(pool.document))
        if with_statistics:
            url = task_url(call.endpoint, task.job, task.id)
            shown["stats"] = show_task_statistics(url, task, call.now)
        return shown

    return show


def _written(call: Call) -> Task:
    task = call.state.store.task(call.job, call.task)
    check_write(call.headers, task.modified)
    return task
