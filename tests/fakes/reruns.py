"""Runs without services: tasks end as told, and what is remembered of them is the real thing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from runner.plan.input_digests import ListBlobs
from runner.plan.model import Plan, RunId, StoredBlob, TaskPlan
from runner.run.events import OutputDownloaded, RunFinished, TaskFinished, UploadFinished
from runner.run.records.places import RUNS
from runner.run.results.decisions import Action, Decisions
from runner.run.results.evidence import Place, gather_evidence
from runner.run.results.locking import LockWriter, open_lock
from runner.run.results.rerun import judge
from runner.run.results.results_store import (
    open_results,
    read_last_run,
    read_results,
    results_folder,
)
from runner.spec.model.terms import Role
from runner.spec.model.workload import OwnContainer
from tests.fakes.ends import end_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@dataclass(kw_only=True)
class Reruns:
    """A folder in which one run follows another; `target` is that of all."""

    folder: Path
    target: str = "local"
    stored: dict[Role, tuple[StoredBlob, ...]] = field(default_factory=dict)
    """What containers of the service hold, by role, for what is not of this machine."""
    count: int = 0
    last: RunId | None = None

    @property
    def home(self) -> Path:
        """The output directory."""
        return self.folder / "results"

    def place(self) -> Place:
        return Place(
            working_directory=self.folder,
            output_directory=self.home,
            target=self.target,
            began=datetime.now(timezone.utc) + timedelta(seconds=10),
        )

    def decide(self, plan: Plan, *, force: bool = False, only: str | None = None) -> Decisions:
        """What a run of the plan would do."""
        place = self.place()
        folder = results_folder(self.folder, self.home, plan.workload.name)
        index = read_results(folder)
        try:
            return judge(
                gather_evidence(
                    plan, index, place, stored=self.stored, list_blobs=self.lister(plan)
                ),
                force=force,
                only=only,
                last_run=read_last_run(folder),
                working_directory=self.folder,
            ).decisions
        finally:
            index.close()

    def run(
        self,
        plan: Plan,
        *,
        fails: Iterable[str] = (),
        stops_at: str | None = None,
        content: Callable[[TaskPlan], str] = lambda task: task.command.script,
        force: bool = False,
        only: str | None = None,
        reverses_ends: bool = False,
    ) -> list[str]:
        """Runs what has to be run, and gives its names; those of `fails` fail.

        `stops_at` is the first task that does not come to its end, nor any behind it.
        """
        self.count += 1
        self.last = run_id = RunId(f"demo-{self.count}")
        place = self.place()
        folder = results_folder(self.folder, self.home, plan.workload.name)
        ran: list[str] = []
        with open_results(folder, self.home) as store:
            evidence = gather_evidence(
                plan, store.index, place, stored=self.stored, list_blobs=self.lister(plan)
            )
            verdict = judge(
                evidence,
                force=force,
                only=only,
                last_run=store.last_run,
                working_directory=self.folder,
            )
            store.begin(run_id, self.home)
            directory = self.folder / RUNS / run_id
            directory.mkdir(parents=True)
            evidence = replace(evidence, plan=replace(plan, run_id=run_id))
            with open_lock(directory, evidence, verdict, store, place=place) as lock:
                _send_inputs(plan, lock)
                tasks = [plan.tasks[each - 1] for each in verdict.decisions.with_action(Action.RUN)]
                for task in reversed(tasks) if reverses_ends else tasks:
                    if task.display_name == stops_at:
                        break
                    ran.append(task.display_name)
                    self._end(plan, task, lock, task.display_name not in fails, content(task))
                if stops_at is None:
                    lock.hear(run_end(len(ran)))
        return ran

    def _end(
        self, plan: Plan, task: TaskPlan, lock: LockWriter, succeeds: bool, content: str
    ) -> None:
        for output in task.outputs if succeeds else ():
            container = plan.workload.container(output.role)
            if not isinstance(container, OwnContainer) or not container.download:
                continue
            blob = output.blob or f"{output.path}/found.txt"
            path = self.home / output.role / blob
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            lock.hear(
                OutputDownloaded(
                    task=task.id,
                    role=output.role,
                    blob=blob,
                    path=str(path),
                    bytes=len(content),
                    md5=hashlib.md5(content.encode()).hexdigest(),
                )
            )
        lock.hear(task_end(task, succeeds=succeeds))

    def lister(self, plan: Plan) -> ListBlobs | None:
        """What lists the containers of the service; None where it is this machine."""
        if self.target == "local":
            return None
        names = {plan.container_name(role): blobs for role, blobs in self.stored.items()}
        return lambda container, prefix: (
            blob for blob in names.get(container, ()) if blob.name.startswith(prefix)
        )


def task_end(task: TaskPlan, *, succeeds: bool = True) -> TaskFinished:
    """The end of a task."""
    return end_of(
        task.id,
        item=task.item,
        node="node",
        succeeded=succeeds,
        exit_code=0 if succeeds else 1,
        started=NOW,
        ended=NOW + timedelta(seconds=1),
        cause=None if succeeds else "FailureExitCode",
    )


def run_end(succeeded: int) -> RunFinished:
    """The end of a run all of whose tasks have gone well."""
    return RunFinished(exit_code=0, succeeded=succeeded, failed=0, unfinished=0, error=None)


def reasons(plan: Plan, decisions: Decisions) -> dict[str, str]:
    """Action and reason of each task, by its name."""
    return {
        task.display_name: f"{decisions.action(number).value}: {decisions.reason(number)}"
        for number, task in enumerate(plan.tasks, start=1)
    }


def _send_inputs(plan: Plan, lock: LockWriter) -> None:
    for container in plan.containers:
        for file in container.files:
            if file.source is not None:
                md5 = hashlib.md5(file.source.read_bytes()).hexdigest()
                lock.hear(
                    UploadFinished(
                        role=container.role, blob=file.blob, bytes=file.size_bytes, md5=md5
                    )
                )
