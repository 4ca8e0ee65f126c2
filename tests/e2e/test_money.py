"""A client that dies costs nothing: what it made goes by itself, in time that we let pass."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.batch import models

from tests.e2e.accounts import Accounts, open_accounts
from tests.e2e.conftest import Emulator, User, start_emulator, wait_until

NODES = 4
TASKS = 300
SPEC = f"""\
version: 1
name: money
limits: {{duration: 24h, wait: 12h}}
containers:
  output: {{}}
pool:
  image: {{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
  vm_size: Standard_D2s_v5
  nodes: {{dedicated: 1, spot: {NODES - 1}}}
task:
  for_each: {{range: {{from: 1, to: {TASKS}}}}}
  command: "true"
"""
GRACE_MINUTES = 30
IDLE_MINUTES = 10
INTERVAL_MINUTES = 5
START_MINUTES = 3
"""What a modelled pool takes to get its nodes or give them back, at most."""


@dataclass(frozen=True)
class Stage:
    """A user and an emulator whose time passes only when told; each task takes two minutes."""

    user: User
    emulator: Emulator
    accounts: Accounts

    def tell(self, what: str, body: object = None) -> Any:
        """Asks one of the emulator's controls."""
        origin = self.emulator.batch["endpoint"].rpartition("/")[0]
        request = urllib.request.Request(
            f"{origin}/.emulator/{what}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def now(self) -> datetime:
        """The time of the service."""
        return datetime.fromisoformat(self.tell("time")["now"].replace("Z", "+00:00"))

    def pass_minutes(self, count: int) -> None:
        """Has time pass."""
        self.tell("time", {"advance": f"{count}m"})

    def nodes(self) -> int:
        """How many nodes there are, of which each costs money."""
        return sum(len(self.accounts.nodes(pool)) for pool in self.accounts.pools())

    def run_until(self, reached: Callable[[], bool], what: str) -> None:
        """A run that is killed when something is so, without a chance to clean up."""
        process = self.user.start("run", "spec.yaml", "--target", "azure")
        try:
            wait_until(lambda: process.poll() is not None or reached(), what=what)
            assert process.poll() is None, process.communicate()
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()

    def job(self) -> models.BatchJob:
        """The one job that there is."""
        (job,) = self.accounts.batch.list_jobs()
        return job

    def counts(self) -> models.BatchTaskCounts:
        """Its tasks."""
        return self.accounts.batch.get_job_task_counts(self.job().id).task_counts

    def pay(self, minutes: int) -> list[int]:
        """The nodes at the end of each minute."""
        paid = []
        for _ in range(minutes):
            self.pass_minutes(1)
            paid.append(self.nodes())
        return paid


@pytest.fixture
def stage(user: User, tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Stage]:
    options = ("--model", "2m", "--time", "manual")
    with (
        start_emulator(user.environ, tmp_path, "", pytestconfig, *options) as emulator,
        open_accounts(emulator) as accounts,
    ):
        user.write("spec.yaml", SPEC)
        yield Stage(user.with_environ(**emulator.environ), emulator, accounts)


def test_a_client_killed_while_it_adds_tasks(stage: Stage) -> None:
    """The job waits for more tasks until its wall time, but not its nodes."""
    rule = {"fault": "timeout", "operation": "create_task_collection", "after": 2}
    stage.tell("faults", rule)

    def half_added() -> bool:
        return bool(stage.accounts.jobs()) and stage.counts().active == 200

    stage.run_until(half_added, "two collections are added")
    assert stage.job().all_tasks_complete_mode == "noaction"
    began = stage.now()

    paid = stage.pay(200)

    # Four nodes take 50 rounds of two minutes for 200 tasks.
    work = 200 // NODES * 2
    assert stage.counts().succeeded == 200
    assert max(paid) == NODES
    last = work + START_MINUTES + IDLE_MINUTES + INTERVAL_MINUTES + START_MINUTES
    assert paid[last:] == [0] * (200 - last)
    assert sum(paid) <= NODES * last
    # The job goes at its wall time, and its pool with it.
    assert stage.job().state == "active"
    stage.pass_minutes(24 * 60 - 200 + 1)
    assert stage.now() - began >= timedelta(hours=24)
    ended = stage.job()
    assert ended.state == "completed"
    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "MaxWallClockTimeExpiry"
    assert stage.accounts.pools() == []


def test_a_client_killed_before_its_first_task(stage: Stage) -> None:
    stage.tell("faults", {"fault": "timeout", "operation": "create_task_collection"})
    stage.run_until(lambda: bool(stage.accounts.jobs()), "there is a job")

    paid = stage.pay(60)

    assert paid[: GRACE_MINUTES - 1][START_MINUTES:] == [NODES] * (GRACE_MINUTES - 4)
    last = GRACE_MINUTES + INTERVAL_MINUTES + START_MINUTES
    assert paid[last:] == [0] * (60 - last)
    assert stage.accounts.pools() != []
    # Whoever goes on with it gets the nodes back.
    task = models.BatchTaskCreateOptions(id="0001", command_line="true")
    stage.accounts.batch.create_task(stage.job().id, task)
    paid = stage.pay(30)
    assert max(paid[: INTERVAL_MINUTES + START_MINUTES]) == NODES
    assert paid[-1] == 0
    assert stage.counts().succeeded == 1


def test_a_client_killed_after_its_last_task(stage: Stage) -> None:
    """The job knows that no more will come: it ends with its tasks, and the pool with it."""

    def all_added() -> bool:
        jobs = list(stage.accounts.batch.list_jobs())
        return bool(jobs) and jobs[0].all_tasks_complete_mode == "terminatejob"

    stage.run_until(all_added, "all tasks are added")
    work = TASKS // NODES * 2

    paid = stage.pay(work + 10)

    ended = stage.job()
    assert ended.state == "completed"
    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "AllTasksComplete"
    assert stage.counts().succeeded == TASKS
    assert stage.accounts.pools() == []
    assert sum(paid) <= NODES * (work + START_MINUTES)
