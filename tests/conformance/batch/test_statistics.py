"""Statistics through azure-batch 15.1."""

from __future__ import annotations

from datetime import timedelta

from azure.batch import BatchClient, models

from tests.conformance.batch.asking import POLL, auto_pool, completed


def test_tasks_and_jobs_tell_what_they_took(client: BatchClient, name: str) -> None:
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=auto_pool()))
    constraints = models.BatchTaskConstraints(max_task_retry_count=1)
    for task, command in (("good", "sleep 0.2"), ("bad", "exit 1")):
        client.create_task(
            name,
            models.BatchTaskCreateOptions(
                id=task, command_line=f"/bin/sh -c '{command}'", constraints=constraints
            ),
        )
    for task in ("good", "bad"):
        completed(client, name, task)

    assert client.get_task(name, "good").task_statistics is None
    task_took = client.get_task(name, "good", expand=["stats"]).task_statistics
    job_took = client.get_job(name, expand=["stats"]).job_statistics
    (listed,) = client.list_jobs(filter=f"id eq '{name}'", expand=["stats"])

    assert task_took is not None
    assert task_took.wall_clock_time >= timedelta(seconds=0.2)
    assert task_took.wait_time > timedelta()
    assert job_took is not None
    assert (job_took.succeeded_tasks_count, job_took.failed_tasks_count) == (1, 1)
    assert job_took.task_retries_count == 1
    assert job_took.wall_clock_time > task_took.wall_clock_time
    assert listed.job_statistics is not None
    assert listed.job_statistics.url.endswith(f"/jobs/{name}/stats")
    client.begin_delete_job(name, **POLL).wait()
