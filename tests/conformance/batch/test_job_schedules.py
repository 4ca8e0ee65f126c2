"""Job schedules and job manager tasks through azure-batch 15.1."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from azure.batch import BatchClient, models

from tests.conformance.batch.asking import (
    POLL,
    auto_pool,
    completed,
    is_gone,
    refused,
    wait_until,
)

NOWHERE = models.BatchPoolInfo(pool_id="nowhere")


@pytest.fixture
def schedule(client: BatchClient, name: str) -> Iterator[str]:
    """A schedule of a job a day, on a pool that there is not."""
    client.create_job_schedule(
        models.BatchJobScheduleCreateOptions(
            id=name,
            schedule=models.BatchJobScheduleConfiguration(
                start_window=timedelta(hours=1), recurrence_interval=timedelta(days=1)
            ),
            job_specification=models.BatchJobSpecification(
                pool_info=NOWHERE,
                constraints=models.BatchJobConstraints(max_task_retry_count=2),
            ),
            metadata=[models.BatchMetadataItem(name="colour", value="red")],
        )
    )
    yield name
    client.begin_delete_job_schedule(name, **POLL).wait()
    assert is_gone(lambda: client.get_job_schedule(name))


def first_job(client: BatchClient, schedule: str) -> models.BatchJob:
    """The job that the schedule makes at once."""

    def look() -> models.BatchJob | None:
        return next(iter(client.list_jobs_from_schedule(schedule)), None)

    return wait_until(look)


def test_a_schedule_makes_its_first_job_at_once(client: BatchClient, schedule: str) -> None:
    job = first_job(client, schedule)
    assert job.id == f"{schedule}:job-1"
    assert job.constraints is not None
    assert job.constraints.max_task_retry_count == 2
    assert client.get_job(f"{schedule}:job-1").id == job.id

    found = client.get_job_schedule(schedule)
    assert found.state == models.BatchJobScheduleState.ACTIVE
    assert found.metadata == [models.BatchMetadataItem(name="colour", value="red")]
    info = found.execution_info
    assert info is not None
    assert info.recent_job is not None
    assert info.recent_job.id == job.id
    assert found.creation_time is not None
    assert info.next_run_time == found.creation_time + timedelta(days=1)
    assert found.as_dict()["jobSpecification"] == {
        "usesTaskDependencies": False,
        "priority": 0,
        "allowTaskPreemption": False,
        "maxParallelTasks": -1,
        "constraints": {
            "maxWallClockTime": "P10675199DT2H48M5.4775807S",
            "maxTaskRetryCount": 2,
        },
        "poolInfo": {"poolId": "nowhere"},
        "onAllTasksComplete": "noaction",
        "onTaskFailure": "noaction",
    }


def test_a_schedule_is_listed(client: BatchClient, schedule: str) -> None:
    text = f"startswith(id, '{schedule}') and state eq 'active'"
    (found,) = client.list_job_schedules(filter=text)
    assert found.id == schedule
    assert client.job_schedule_exists(schedule)


def test_a_schedule_is_disabled_changed_and_enabled(client: BatchClient, schedule: str) -> None:
    first_job(client, schedule)
    client.disable_job_schedule(schedule)
    found = client.get_job_schedule(schedule)
    assert found.state == models.BatchJobScheduleState.DISABLED
    assert found.previous_state == models.BatchJobScheduleState.ACTIVE
    assert found.execution_info is not None
    assert found.execution_info.next_run_time is None
    assert refused(lambda: client.disable_job_schedule(schedule)) == (409, "JobScheduleDisabled")
    client.update_job_schedule(
        schedule,
        models.BatchJobScheduleUpdateOptions(
            schedule=models.BatchJobScheduleConfiguration(recurrence_interval=timedelta(hours=5))
        ),
    )
    client.enable_job_schedule(schedule)
    found = client.get_job_schedule(schedule)
    assert found.schedule is not None
    assert found.schedule.recurrence_interval == timedelta(hours=5)
    assert found.schedule.start_window is None
    found.job_specification.priority = 7
    client.replace_job_schedule(schedule, found)
    replaced = client.get_job_schedule(schedule)
    assert replaced.job_specification.priority == 7
    job = client.get_job(f"{schedule}:job-1")
    assert job.priority == 0


def test_a_schedule_is_terminated_with_its_job(client: BatchClient, schedule: str) -> None:
    first_job(client, schedule)
    client.begin_terminate_job_schedule(schedule, **POLL).wait()
    wait_until(
        lambda: client.get_job_schedule(schedule).state == models.BatchJobScheduleState.COMPLETED
    )
    job = client.get_job(f"{schedule}:job-1")
    assert job.state == models.BatchJobState.COMPLETED
    assert job.execution_info is not None
    assert job.execution_info.termination_reason == "TerminateJobSchedule"
    assert refused(lambda: client.enable_job_schedule(schedule)) == (409, "JobScheduleCompleted")


def test_a_schedule_that_begins_later(client: BatchClient, name: str) -> None:
    until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
    client.create_job_schedule(
        models.BatchJobScheduleCreateOptions(
            id=name,
            schedule=models.BatchJobScheduleConfiguration(do_not_run_until=until),
            job_specification=models.BatchJobSpecification(pool_info=NOWHERE),
        )
    )
    found = client.get_job_schedule(name)
    assert found.execution_info is not None
    assert found.execution_info.next_run_time == until
    assert list(client.list_jobs_from_schedule(name)) == []
    client.begin_delete_job_schedule(name, **POLL).wait()


def test_a_job_of_a_schedule_runs_its_manager(client: BatchClient, name: str) -> None:
    shared = auto_pool()
    assert shared.auto_pool_specification is not None
    shared.auto_pool_specification.pool_lifetime_option = (
        models.BatchPoolLifetimeOption.JOB_SCHEDULE
    )
    client.create_job_schedule(
        models.BatchJobScheduleCreateOptions(
            id=name,
            schedule=models.BatchJobScheduleConfiguration(recurrence_interval=timedelta(days=1)),
            job_specification=models.BatchJobSpecification(
                pool_info=shared,
                job_manager_task=models.BatchJobManagerTask(
                    id="manager",
                    command_line="/bin/bash -c 'echo $AZ_BATCH_JOB_ID; pwd > made'",
                ),
            ),
        )
    )
    job = f"{name}:job-1"
    first_job(client, name)
    completed(client, job, "manager")
    text = b"".join(client.download_task_file(job, "manager", "stdout.txt"))
    assert text.decode() == f"{job}\n"
    made = b"".join(client.download_task_file(job, "manager", "wd/made")).decode()
    assert made.endswith(f"/workitems/{name}/job-1/manager/wd\n")
    wait_until(lambda: client.get_job(job).state == models.BatchJobState.COMPLETED)
    info = client.get_job(job).execution_info
    assert info is not None
    assert info.termination_reason == "JMComplete"
    assert info.pool_id is not None
    assert client.get_pool(info.pool_id).state == models.BatchPoolState.ACTIVE
    client.begin_delete_job_schedule(name, **POLL).wait()
    wait_until(lambda: is_gone(lambda: client.get_pool(info.pool_id or "")))


@pytest.mark.parametrize(
    "configuration",
    [
        models.BatchJobScheduleConfiguration(recurrence_interval=timedelta(seconds=59)),
        models.BatchJobScheduleConfiguration(start_window=timedelta(seconds=59)),
        models.BatchJobScheduleConfiguration(
            do_not_run_until=datetime(2030, 1, 2, tzinfo=timezone.utc),
            do_not_run_after=datetime(2030, 1, 1, tzinfo=timezone.utc),
        ),
    ],
)
def test_times_that_make_no_sense(
    client: BatchClient, name: str, configuration: models.BatchJobScheduleConfiguration
) -> None:
    wanted = models.BatchJobScheduleCreateOptions(
        id=name,
        schedule=configuration,
        job_specification=models.BatchJobSpecification(pool_info=NOWHERE),
    )
    assert refused(lambda: client.create_job_schedule(wanted)) == (400, "InvalidPropertyValue")
    assert refused(lambda: client.get_job_schedule(name)) == (404, "JobScheduleNotFound")


def test_the_manager_of_a_job_is_one_of_its_tasks(client: BatchClient, name: str) -> None:
    client.create_job(
        models.BatchJobCreateOptions(
            id=name,
            pool_info=NOWHERE,
            job_manager_task=models.BatchJobManagerTask(id="manager", command_line="/bin/true"),
        )
    )
    assert [task.id for task in client.list_tasks(name)] == ["manager"]
    manager = client.get_job(name).job_manager_task
    assert manager is not None
    assert (manager.kill_job_on_completion, manager.run_exclusive) == (True, True)
    client.begin_delete_job(name, **POLL).wait()
