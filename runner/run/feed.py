"""Brings inputs up and adds every task as soon as its own inputs are there.

It runs on a thread of its own beside the watch, and knows nothing of what becomes of a task.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

from runner.plan.model import LOGS, ContainerPlan, InputFile, Plan, TaskPlan, WebResource
from runner.run.events import TaskAdded, UploadFinished
from runner.run.journal import Journal
from runner.run.parallel import run_together
from runner.run.services import Batch, Blobs
from runner.run.submit import Requests, Submission
from runner.spec.sources import FilesOf
from runner.spec.terms import ContainerResource, Role

# REST: Task - Add Task Collection takes at most 100 tasks.
_COLLECTION_TASKS = 100
_TRANSFERS = 16
_ADDS = 4


class Feeder:
    """Uploads and submission of one run."""

    def __init__(
        self,
        plan: Plan,
        submission: Submission,
        requests: Requests,
        *,
        batch: Batch,
        blobs: Blobs,
        journal: Journal,
    ) -> None:
        self._plan = plan
        self._submission = submission
        self._requests = requests
        self._batch = batch
        self._blobs = blobs
        self._journal = journal
        self._stopped = threading.Event()
        self._containers = {container.role: container for container in plan.containers}
        self._brought: set[Role] = set()

    def upload_for_nodes(self, check: Callable[[], None]) -> None:
        """What the start task needs; the pool must not be made before it is there.

        `check` may raise to end it.
        """
        start_task = self._plan.start_task
        if start_task is None:
            return
        if start_task.command.script_file is not None:
            self._upload_script(start_task.command.script_file, start_task.command.script)
        for resource in start_task.resources:
            if not isinstance(resource, WebResource):
                self._bring_whole(resource.role, check)

    def feed(self) -> None:
        """Everything else, to the last task; then the job is told that no more will come.

        Returns early, with nothing under way, once `stop` was called.
        """
        for role in self._shared_roles():
            self._bring_whole(role)
        pool = ThreadPoolExecutor(_TRANSFERS, thread_name_prefix="upload")
        adder = ThreadPoolExecutor(_ADDS, thread_name_prefix="add")
        try:
            self._feed_tasks(pool, adder)
            if not self._stopped.is_set():
                self._batch.finish_adding(self._submission.job_id)
        finally:
            self._stopped.set()
            pool.shutdown(cancel_futures=True)
            adder.shutdown(cancel_futures=True)

    def stop(self) -> None:
        """No new upload or collection is begun from here on."""
        self._stopped.set()

    def _shared_roles(self) -> Iterator[Role]:
        """Containers that must be there whole before the first task: all but those of one step."""
        steps = self._plan.workload.steps
        resources = {
            resource.role
            for step in steps
            for resource in step.resources
            if isinstance(resource, ContainerResource)
        }
        sources = [step.for_each.role for step in steps if isinstance(step.for_each, FilesOf)]
        for role in self._containers:
            if role in resources or sources.count(role) != 1:
                yield role

    def _bring_whole(self, role: Role, check: Callable[[], None] = lambda: None) -> None:
        if role in self._brought:
            return
        container = self._containers[role]
        uploads = (partial(self._upload, container, file) for file in container.files)
        run_together(uploads, threads=_TRANSFERS, check=check)
        self._brought.add(role)

    def _feed_tasks(self, pool: ThreadPoolExecutor, adder: ThreadPoolExecutor) -> None:
        """A window of uploads is under way at any time; their tasks are added in collections."""
        waiting = iter(self._files_of_tasks())
        uploads: dict[Future[None], int] = {}
        adds: set[Future[None]] = set()
        ready: deque[int] = deque()
        more = True
        while (more or uploads or adds or ready) and not self._stopped.is_set():
            while more and len(uploads) < 2 * _TRANSFERS:
                following = next(waiting, None)
                if following is None:
                    more = False
                    continue
                index, container, file = following
                if container.role in self._brought:
                    ready.append(index)
                else:
                    uploads[pool.submit(self._upload, container, file)] = index
            while ready and len(adds) < _ADDS and (len(ready) >= _COLLECTION_TASKS or not adds):
                count = min(len(ready), _COLLECTION_TASKS)
                chunk = [ready.popleft() for _ in range(count)]
                adds.add(adder.submit(self._add, chunk))
            if not uploads and not adds:
                continue
            done, _ = wait((*uploads, *adds), return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                if future in adds:
                    adds.remove(future)
                else:
                    ready.append(uploads.pop(future))

    def _files_of_tasks(self) -> Iterator[tuple[int, ContainerPlan, InputFile]]:
        index = 0
        for step in self._plan.workload.steps:
            if not isinstance(step.for_each, FilesOf):
                raise NotImplementedError
            container = self._containers[step.for_each.role]
            for file in container.files:
                yield index, container, file
                index += 1

    def _upload(self, container: ContainerPlan, file: InputFile) -> None:
        if self._stopped.is_set():
            return
        assert file.source is not None
        self._blobs.upload_file(container.name, file.blob, file.source)
        self._journal.record(
            UploadFinished(role=container.role, blob=file.blob, bytes=file.size_bytes)
        )

    def _upload_script(self, blob: str, script: str) -> None:
        self._blobs.upload_text(self._plan.container_name(LOGS), blob, script)

    def _add(self, indexes: list[int]) -> None:
        if self._stopped.is_set():
            return
        tasks: list[TaskPlan] = [self._plan.tasks[index] for index in sorted(indexes)]
        for task in tasks:
            if task.command.script_file is not None:
                self._upload_script(task.command.script_file, task.command.script)
        self._batch.add_tasks(
            self._submission.job_id, [self._requests.task(task) for task in tasks]
        )
        for task in tasks:
            self._journal.record(TaskAdded(task=task.id, item=task.item))
