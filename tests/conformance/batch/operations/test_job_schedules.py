"""The operations on job schedules, each once granted and once refused."""

from __future__ import annotations

from datetime import timedelta

from azure.batch import BatchClient, models

from tests.conformance.batch.asking import POLL, is_gone, refused, wait_until
from tests.conformance.batch.operations.conftest import schedule_options

NONE = "there-is-none"
NOT_FOUND = (404, "JobScheduleNotFound")
STATES = models.BatchJobScheduleState


def test_create_job_schedule(client: BatchClient, schedule: str) -> None:
    again = refused(lambda: client.create_job_schedule(schedule_options(schedule)))
    assert again == (409, "JobScheduleExists")


def test_list_job_schedules(client: BatchClient, schedule: str) -> None:
    (found,) = client.list_job_schedules(filter=f"id eq '{schedule}'")
    assert found.state == STATES.ACTIVE
    assert refused(lambda: list(client.list_job_schedules(max_results=1001))) == (
        400,
        "InvalidQueryParameterValue",
    )


def test_get_job_schedule(client: BatchClient, schedule: str) -> None:
    found = client.get_job_schedule(schedule).schedule
    assert found is not None
    assert found.recurrence_interval == timedelta(days=1)
    assert refused(lambda: client.get_job_schedule(NONE)) == NOT_FOUND


def test_job_schedule_exists(client: BatchClient, schedule: str) -> None:
    assert client.job_schedule_exists(schedule) is True
    assert refused(lambda: client.job_schedule_exists(NONE))[0] == 404


def test_update_job_schedule(client: BatchClient, schedule: str) -> None:
    changes = models.BatchJobScheduleUpdateOptions(metadata=[])
    client.update_job_schedule(schedule, changes)
    assert client.get_job_schedule(schedule).metadata == []
    assert refused(lambda: client.update_job_schedule(NONE, changes)) == NOT_FOUND


def test_replace_job_schedule(client: BatchClient, schedule: str) -> None:
    whole = client.get_job_schedule(schedule)
    whole.job_specification.priority = 7
    client.replace_job_schedule(schedule, whole)
    assert client.get_job_schedule(schedule).job_specification.priority == 7
    assert refused(lambda: client.replace_job_schedule(NONE, whole)) == NOT_FOUND


def test_disable_job_schedule(client: BatchClient, schedule: str) -> None:
    client.disable_job_schedule(schedule)
    assert client.get_job_schedule(schedule).state == STATES.DISABLED
    again = refused(lambda: client.disable_job_schedule(schedule))
    assert again == (409, "JobScheduleDisabled")


def test_enable_job_schedule(client: BatchClient, schedule: str) -> None:
    client.disable_job_schedule(schedule)
    client.enable_job_schedule(schedule)
    assert client.get_job_schedule(schedule).state == STATES.ACTIVE
    assert refused(lambda: client.enable_job_schedule(NONE)) == NOT_FOUND


def test_terminate_job_schedule(client: BatchClient, schedule: str) -> None:
    client.begin_terminate_job_schedule(schedule, **POLL).wait()
    wait_until(lambda: client.get_job_schedule(schedule).state == STATES.COMPLETED)
    again = refused(lambda: client.begin_terminate_job_schedule(schedule, **POLL))
    assert again == (409, "JobScheduleCompleted")


def test_delete_job_schedule(client: BatchClient, schedule: str) -> None:
    client.begin_delete_job_schedule(schedule, **POLL).wait()
    wait_until(lambda: is_gone(lambda: client.get_job_schedule(schedule)))
    gone = refused(lambda: client.begin_delete_job_schedule(schedule, **POLL))
    assert gone == NOT_FOUND


def test_list_jobs_from_schedule(client: BatchClient, schedule: str) -> None:
    jobs = wait_until(lambda: list(client.list_jobs_from_schedule(schedule)))
    assert [job.id for job in jobs] == [f"{schedule}:job-1"]
    assert refused(lambda: list(client.list_jobs_from_schedule(NONE))) == NOT_FOUND
