"""Job preparation and release through azure-batch 15.1."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.batch import BatchClient, models

from tests.conformance.batch.asking import POLL, completed, machine, refused, wait_until


@pytest.fixture
def pool(client: BatchClient, name: str) -> Iterator[str]:
    """A pool of one node that outlives the job."""
    client.create_pool(
        models.BatchPoolCreateOptions(
            id=name,
            vm_size="standard_d2s_v5",
            virtual_machine_configuration=machine(),
            target_dedicated_nodes=1,
            task_slots_per_node=2,
        )
    )
    yield name
    client.begin_delete_pool(name, **POLL).wait()


def create_job(client: BatchClient, pool: str, command_line: str, **options: Any) -> str:
    client.create_job(
        models.BatchJobCreateOptions(
            id=pool,
            pool_info=models.BatchPoolInfo(pool_id=pool),
            job_preparation_task=models.BatchJobPreparationTask(command_line=command_line),
            job_release_task=models.BatchJobReleaseTask(
                command_line="/bin/bash -c 'cp $AZ_BATCH_JOB_PREP_WORKING_DIR/made"
                " $AZ_BATCH_NODE_SHARED_DIR/released'"
            ),
            **options,
        )
    )
    return pool


def add(client: BatchClient, job: str, task: str, command_line: str) -> None:
    client.create_task(job, models.BatchTaskCreateOptions(id=task, command_line=command_line))


def test_a_job_prepares_and_releases_its_node(client: BatchClient, pool: str) -> None:
    variable = models.EnvironmentSetting(name="COLOUR", value="red")
    job = create_job(
        client,
        pool,
        "/bin/bash -c 'echo $COLOUR $AZ_BATCH_TASK_ID >> made'",
        common_environment_settings=[variable],
    )
    for task in ("a", "b", "c"):
        add(client, job, task, "/bin/bash -c 'cat $AZ_BATCH_JOB_PREP_DIR/wd/made'")
    for task in ("a", "b", "c"):
        completed(client, job, task)
        text = b"".join(client.download_task_file(job, task, "stdout.txt"))
        assert text == b"red jobpreparation\n"

    (status,) = client.list_job_preparation_and_release_task_status(job)
    (node,) = client.list_nodes(pool)
    assert (status.pool_id, status.node_id, status.node_url) == (pool, node.id, node.url)
    prepared = status.job_preparation_task_execution_info
    assert prepared is not None
    assert prepared.state == models.BatchJobPreparationTaskState.COMPLETED
    assert (prepared.exit_code, prepared.retry_count) == (0, 0)
    assert prepared.result == models.BatchTaskExecutionResult.SUCCESS
    assert prepared.task_root_directory == f"workitems/{job}/job-1/jobpreparation"
    assert status.job_release_task_execution_info is None

    reason: Any = {"terminateReason": "enough"}
    client.begin_terminate_job(job, reason, **POLL).wait()
    wait_until(lambda: client.get_job(job).state == models.BatchJobState.COMPLETED)
    (status,) = client.list_job_preparation_and_release_task_status(
        job, filter="jobReleaseTaskExecutionInfo/exitCode eq 0"
    )
    released = status.job_release_task_execution_info
    assert released is not None
    assert released.result == models.BatchTaskExecutionResult.SUCCESS
    text = b"".join(client.download_node_file(pool, status.node_id or "", "shared/released"))
    assert text == b"red jobpreparation\n"
    client.begin_delete_job(job, **POLL).wait()


def test_a_preparation_that_fails_holds_the_tasks_back(client: BatchClient, pool: str) -> None:
    job = create_job(client, pool, "/bin/bash -c 'exit 3'")
    add(client, job, "t", "/bin/true")

    def failed() -> models.BatchJobPreparationAndReleaseTaskStatus | None:
        for status in client.list_job_preparation_and_release_task_status(job):
            info = status.job_preparation_task_execution_info
            if info is not None and info.state == models.BatchJobPreparationTaskState.COMPLETED:
                return status
        return None

    info = wait_until(failed).job_preparation_task_execution_info
    assert info is not None
    assert (info.exit_code, info.result) == (3, models.BatchTaskExecutionResult.FAILURE)
    assert info.failure_info is not None
    assert info.failure_info.code == "FailureExitCode"
    task = client.get_task(job, "t")
    assert task.state == models.BatchTaskState.ACTIVE
    assert task.previous_state == models.BatchTaskState.PREPARING
    client.begin_delete_job(job, **POLL).wait()


def test_the_declaration_is_given_back_with_defaults(client: BatchClient, pool: str) -> None:
    job = create_job(client, pool, "/bin/true")
    shown = client.get_job(job).as_dict()
    user = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}
    assert shown["jobPreparationTask"] == {
        "id": "jobpreparation",
        "commandLine": "/bin/true",
        "constraints": {
            "maxWallClockTime": "P10675199DT2H48M5.4775807S",
            "retentionTime": "P7D",
            "maxTaskRetryCount": 0,
        },
        "userIdentity": user,
        "waitForSuccess": True,
        "rerunOnNodeRebootAfterSuccess": True,
    }
    assert shown["jobReleaseTask"]["maxWallClockTime"] == "PT15M"
    assert shown["jobReleaseTask"]["id"] == "jobrelease"
    assert refused(lambda: add(client, job, "jobpreparation", "/bin/true")) == (
        409,
        "TaskIdSameAsJobPreparationTask",
    )
    client.begin_delete_job(job, **POLL).wait()


@pytest.mark.parametrize(
    "options",
    [
        {"job_release_task": models.BatchJobReleaseTask(command_line="/bin/true")},
        {
            "job_preparation_task": models.BatchJobPreparationTask(command_line="/bin/true"),
            "job_release_task": models.BatchJobReleaseTask(
                command_line="/bin/true", max_wall_clock_time=timedelta(minutes=16)
            ),
        },
        {
            "job_preparation_task": models.BatchJobPreparationTask(id="x", command_line="x"),
            "job_release_task": models.BatchJobReleaseTask(id="X", command_line="x"),
        },
    ],
)
def test_what_no_job_may_have(client: BatchClient, name: str, options: Any) -> None:
    info = models.BatchPoolInfo(pool_id="nowhere")
    job = models.BatchJobCreateOptions(id=name, pool_info=info, **options)
    assert refused(lambda: client.create_job(job)) == (400, "InvalidPropertyValue")


def test_a_job_with_neither_has_no_status(client: BatchClient, name: str) -> None:
    info = models.BatchPoolInfo(pool_id="nowhere")
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=info))
    assert refused(lambda: list(client.list_job_preparation_and_release_task_status(name))) == (
        409,
        "JobPreparationTaskOrReleaseTaskNotSpecified",
    )
    client.begin_delete_job(name, **POLL).wait()
