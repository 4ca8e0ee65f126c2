"""What can be seen of a job and its tasks from outside, while they run and afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.connect import Services, open_azure, read_azure_settings
from runner.plan.model import TaskId
from runner.run.services import TaskCounts, TaskState
from tests.conformance.endpoints import start_emulator
from tests.conformance.remote.asking import bash, ended, make_job, make_task, wait_for

FIRST = TaskId("0001")
SECOND = TaskId("0002")


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """An emulator whose tasks see the files of tests."""
    with start_emulator("--isolation", "none") as emulator:
        settings = read_azure_settings(
            {
                "AZURE_BATCH_ENDPOINT": emulator.batch_endpoint,
                "AZURE_BATCH_ACCOUNT": emulator.batch_account,
                "AZURE_BATCH_ACCESS_KEY": emulator.batch_key,
                "AZURE_STORAGE_CONNECTION_STRING": emulator.connection_string,
            }
        )
        with open_azure(settings) as opened:
            yield opened


@pytest.fixture
def job(services: Services, name: str) -> Iterator[str]:
    """A job with a pool of one node; gone afterwards."""
    services.batch.create_job(make_job(name))
    yield name
    services.batch.delete_job(name)


def test_a_task_is_followed_from_outside(services: Services, job: str, tmp_path: Path) -> None:
    batch = services.batch
    wait = f"echo first; while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; echo second; exit 3"
    batch.add_tasks(job, [make_task(1, bash(wait)), make_task(2, bash("true"))])
    wait_for(lambda: batch.task_file_size(job, FIRST, "stdout.txt") == 6)

    assert batch.task_counts(job) == TaskCounts(active=1, running=1, succeeded=0, failed=0)
    running = batch.task_status(job, FIRST)
    assert running is not None
    assert running.state is TaskState.RUNNING
    assert batch.read_task_file(job, FIRST, "stdout.txt", start=0, length=6) == b"first\n"
    assert batch.task_file_size(job, SECOND, "stdout.txt") is None
    assert batch.read_task_file(job, SECOND, "stdout.txt", start=0, length=6) is None

    (tmp_path / "go").touch()
    wait_for(lambda: len(ended(services, job)) == 2)

    assert batch.task_file_size(job, FIRST, "stdout.txt") == 13
    assert batch.read_task_file(job, FIRST, "stdout.txt", start=6, length=7) == b"second\n"
    assert batch.task_file_size(job, FIRST, "stderr.txt") == 0
    assert batch.task_counts(job) == TaskCounts(active=0, running=0, succeeded=1, failed=1)
    failed = batch.task_status(job, FIRST)
    assert failed is not None
    assert (failed.state, failed.exit_code) == (TaskState.COMPLETED, 3)


def test_what_is_not_there_is_said_so(services: Services, job: str, name: str) -> None:
    batch = services.batch
    assert batch.task_counts(f"{name}-none") is None
    assert batch.task_status(job, FIRST) is None
    assert batch.task_status(f"{name}-none", FIRST) is None
    assert batch.task_file_size(job, FIRST, "stdout.txt") is None
    assert batch.read_task_file(f"{name}-none", FIRST, "stdout.txt", start=0, length=1) is None
