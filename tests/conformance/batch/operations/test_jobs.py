"""The operations on jobs, each once granted and once refused."""

from __future__ import annotations

from typing import Any

from azure.batch import BatchClient, models

from tests.conformance.batch.asking import POLL, is_gone, refused, wait_until
from tests.conformance.batch.operations.conftest import NOWHERE, Node

NONE = "there-is-none"
NOT_FOUND = (404, "JobNotFound")

# The class of these options is private, and without options azure-batch 15.1 raises ValueError.
ENOUGH: Any = {"terminateReason": "enough"}


def test_create_job(client: BatchClient, job: str) -> None:
    same = models.BatchJobCreateOptions(id=job, pool_info=NOWHERE)
    assert refused(lambda: client.create_job(same)) == (409, "JobExists")


def test_list_jobs(client: BatchClient, job: str) -> None:
    (found,) = client.list_jobs(filter=f"id eq '{job}'")
    assert found.state == models.BatchJobState.ACTIVE
    assert refused(lambda: list(client.list_jobs(filter="id eq"))) == (
        400,
        "InvalidQueryParameterValue",
    )


def test_get_job(client: BatchClient, job: str) -> None:
    assert client.get_job(job).pool_info.pool_id == "nowhere"
    assert refused(lambda: client.get_job(NONE)) == NOT_FOUND


def test_update_job(client: BatchClient, job: str) -> None:
    client.update_job(job, models.BatchJobUpdateOptions(priority=5))
    assert client.get_job(job).priority == 5
    outside = models.BatchJobUpdateOptions(priority=1001)
    assert refused(lambda: client.update_job(job, outside)) == (400, "InvalidPropertyValue")


def test_replace_job(client: BatchClient, job: str) -> None:
    whole = client.get_job(job)
    whole.priority = 6
    client.replace_job(job, whole)
    assert client.get_job(job).priority == 6
    assert refused(lambda: client.replace_job(NONE, whole)) == NOT_FOUND


def test_disable_job(client: BatchClient, job: str) -> None:
    options = models.BatchJobDisableOptions(disable_tasks="requeue")

    client.begin_disable_job(job, options, **POLL).wait()

    assert client.get_job(job).state == models.BatchJobState.DISABLED
    again = refused(lambda: client.begin_disable_job(job, options, **POLL))
    assert again == (409, "JobNotActive")


def test_enable_job(client: BatchClient, job: str) -> None:
    options = models.BatchJobDisableOptions(disable_tasks="requeue")
    client.begin_disable_job(job, options, **POLL).wait()

    client.begin_enable_job(job, **POLL).wait()

    wait_until(lambda: client.get_job(job).state == models.BatchJobState.ACTIVE)
    assert refused(lambda: client.begin_enable_job(NONE, **POLL)) == NOT_FOUND


def test_terminate_job(client: BatchClient, job: str) -> None:
    client.begin_terminate_job(job, ENOUGH, **POLL).wait()

    info = client.get_job(job).execution_info
    assert info is not None
    assert info.termination_reason == "enough"
    again = refused(lambda: client.begin_terminate_job(job, ENOUGH, **POLL))
    assert again == (409, "JobCompleted")


def test_delete_job(client: BatchClient, job: str) -> None:
    client.begin_delete_job(job, **POLL).wait()
    wait_until(lambda: is_gone(lambda: client.get_job(job)))
    assert refused(lambda: client.begin_delete_job(job, **POLL)) == NOT_FOUND


def test_get_job_task_counts(client: BatchClient, job: str, task: str) -> None:
    counts = client.get_job_task_counts(job)
    assert (counts.task_counts.active, counts.task_slot_counts.active) == (1, 1)
    assert refused(lambda: client.get_job_task_counts(NONE)) == NOT_FOUND


def test_list_job_preparation_and_release_task_status(client: BatchClient, node: Node) -> None:
    client.create_job(
        models.BatchJobCreateOptions(
            id=node.pool,
            pool_info=models.BatchPoolInfo(pool_id=node.pool),
            job_preparation_task=models.BatchJobPreparationTask(command_line="/bin/true"),
        )
    )
    task = models.BatchTaskCreateOptions(id="t", command_line="/bin/true")
    client.create_task(node.pool, task)

    def look() -> models.BatchJobPreparationAndReleaseTaskStatus | None:
        return next(iter(client.list_job_preparation_and_release_task_status(node.pool)), None)

    assert wait_until(look).node_id == node.id
    missing = refused(lambda: list(client.list_job_preparation_and_release_task_status(NONE)))
    assert missing == NOT_FOUND
    client.begin_delete_job(node.pool, **POLL).wait()
