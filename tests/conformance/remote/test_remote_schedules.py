"""What a run asks of job schedules, asked of the emulator and looked at through the SDK."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from runner.connect import Services
from runner.errors import ServiceRefusedError
from runner.run.services import ScheduleRequest
from tests.conformance.endpoints import Emulator
from tests.conformance.remote.asking import bash, make_job, make_task, wait_for
from tests.unit.remote.samples import SCHEDULE


@pytest.fixture
def client(emulator: Emulator) -> Iterator[BatchClient]:
    credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
    with BatchClient(emulator.batch_endpoint, credential) as opened:
        yield opened


def make_schedule(name: str) -> ScheduleRequest:
    """A job now, and another one every hour."""
    end = datetime.now(timezone.utc) + timedelta(days=1)
    return replace(
        SCHEDULE,
        id=name,
        schedule=replace(SCHEDULE.schedule, every=timedelta(hours=1), start=None, end=end),
        job=make_job(name),
        manager=make_task(1, bash("echo done")),
    )


def test_a_schedule_makes_a_job_that_ends_with_its_task(
    services: Services, client: BatchClient, name: str
) -> None:
    request = make_schedule(name)

    services.batch.create_schedule(request)
    # An answer may be lost, and the same asked again.
    services.batch.create_schedule(request)
    wait_for(lambda: [job.state for job in client.list_jobs_from_schedule(name)] == ["completed"])

    (job,) = client.list_jobs_from_schedule(name)
    (task,) = client.list_tasks(job.id)
    assert task.execution_info is not None
    assert (task.id, task.execution_info.exit_code) == ("0001", 0)
    wait_for(lambda: services.batch.find_pools("test-", name) == ())
    with pytest.raises(ServiceRefusedError) as caught:
        services.batch.create_schedule(
            replace(request, job=replace(request.job, metadata={"run": "another"}))
        )
    assert caught.value.code == "JobScheduleExists"
    client.begin_delete_job_schedule(name)
