"""Jobs through azure-batch 15.1: their pools, their ends, their refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from azure.batch import BatchClient, models

from tests.conformance.batch.asking import POLL, auto_pool, completed, is_gone, refused, wait_until

END_WHEN_DONE = models.BatchAllTasksCompleteMode.TERMINATE_JOB


def job_in_state(client: BatchClient, job: str, state: models.BatchJobState) -> models.BatchJob:
    """The job, once it is in a state."""

    def look() -> models.BatchJob | None:
        found = client.get_job(job)
        return found if found.state == state else None

    return wait_until(look)


def test_an_auto_pool_comes_with_its_job_and_goes_with_it(client: BatchClient, name: str) -> None:
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=auto_pool(dedicated=2)))
    job = client.get_job(name)
    assert job.execution_info is not None
    pool = job.execution_info.pool_id
    assert pool is not None
    assert pool.startswith("auto-")
    assert pool[5:] == pool[5:].upper()
    assert client.get_pool(pool).target_dedicated_nodes == 2

    client.create_task(name, models.BatchTaskCreateOptions(id="only", command_line="/bin/true"))
    assert completed(client, name, "only").node_info is not None
    client.begin_delete_job(name, **POLL).wait()

    assert refused(lambda: client.get_job(name)) == (404, "JobNotFound")
    wait_until(lambda: is_gone(lambda: client.get_pool(pool)))


def test_a_job_ends_itself_when_its_tasks_have(client: BatchClient, name: str) -> None:
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=auto_pool()))
    client.create_task(name, models.BatchTaskCreateOptions(id="only", command_line="/bin/true"))
    completed(client, name, "only")
    assert client.get_job(name).state == models.BatchJobState.ACTIVE

    client.update_job(name, models.BatchJobUpdateOptions(all_tasks_complete_mode=END_WHEN_DONE))

    ended = job_in_state(client, name, models.BatchJobState.COMPLETED)
    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "AllTasksComplete"
    assert ended.execution_info.end_time is not None
    assert ended.all_tasks_complete_mode == END_WHEN_DONE
    client.begin_delete_job(name, **POLL).wait()


def test_an_empty_job_ends_at_once_when_it_is_to_end_itself(client: BatchClient, name: str) -> None:
    client.create_job(
        models.BatchJobCreateOptions(
            id=name, pool_info=auto_pool(dedicated=0), all_tasks_complete_mode=END_WHEN_DONE
        )
    )
    job_in_state(client, name, models.BatchJobState.COMPLETED)
    client.begin_delete_job(name, **POLL).wait()


def test_the_wall_time_of_a_job_ends_what_runs(client: BatchClient, name: str) -> None:
    client.create_job(
        models.BatchJobCreateOptions(
            id=name,
            pool_info=auto_pool(),
            constraints=models.BatchJobConstraints(max_wall_clock_time=timedelta(seconds=1)),
        )
    )
    client.create_task(name, models.BatchTaskCreateOptions(id="long", command_line="sleep 60"))

    ended = job_in_state(client, name, models.BatchJobState.COMPLETED)

    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "MaxWallClockTimeExpiry"
    task = client.get_task(name, "long")
    assert task.state == models.BatchTaskState.COMPLETED
    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "TaskEnded"
    client.begin_delete_job(name, **POLL).wait()


def test_a_terminated_job_leaves_waiting_tasks_as_they_are(client: BatchClient, name: str) -> None:
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=auto_pool(dedicated=0)))
    client.create_task(name, models.BatchTaskCreateOptions(id="waits", command_line="/bin/true"))

    # The options' class is private, and without options azure-batch 15.1 raises ValueError.
    options: Any = {"terminateReason": "enough"}
    client.begin_terminate_job(name, options, **POLL).wait()

    ended = job_in_state(client, name, models.BatchJobState.COMPLETED)
    assert ended.execution_info is not None
    assert ended.execution_info.termination_reason == "enough"
    assert client.get_task(name, "waits").state == models.BatchTaskState.ACTIVE
    late = models.BatchTaskCreateOptions(id="late", command_line="/bin/true")
    assert refused(lambda: client.create_task(name, late)) == (409, "JobCompleted")
    client.begin_delete_job(name, **POLL).wait()


def test_disabling_requeues_and_enabling_runs_again(client: BatchClient, name: str) -> None:
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=auto_pool()))
    client.create_task(
        name,
        models.BatchTaskCreateOptions(
            id="again",
            command_line='/bin/bash -c \'test -e "$AZ_BATCH_NODE_SHARED_DIR/seen" ||'
            ' { touch "$AZ_BATCH_NODE_SHARED_DIR/seen"; sleep 60; }\'',
        ),
    )
    wait_until(lambda: client.get_task(name, "again").state == models.BatchTaskState.RUNNING)
    node = client.get_task(name, "again").node_info
    assert node is not None
    pool_id, node_id = str(node.pool_id), str(node.node_id)
    wait_until(
        lambda: (
            "shared/seen"
            in {file.name for file in client.list_node_files(pool_id, node_id, recursive=True)}
        )
    )

    client.begin_disable_job(
        name, models.BatchJobDisableOptions(disable_tasks="requeue"), **POLL
    ).wait()
    job_in_state(client, name, models.BatchJobState.DISABLED)
    requeued = client.get_task(name, "again")
    assert requeued.state == models.BatchTaskState.ACTIVE
    assert requeued.execution_info is not None
    assert requeued.execution_info.requeue_count == 1

    client.begin_enable_job(name, **POLL).wait()
    assert completed(client, name, "again").execution_info is not None
    client.begin_delete_job(name, **POLL).wait()


def test_what_a_job_declares_comes_back(client: BatchClient, name: str) -> None:
    client.create_job(
        models.BatchJobCreateOptions(
            id=name,
            display_name="Ein schöner Name",
            priority=7,
            pool_info=models.BatchPoolInfo(pool_id="nowhere"),
            constraints=models.BatchJobConstraints(
                max_wall_clock_time=timedelta(hours=25), max_task_retry_count=2
            ),
            common_environment_settings=[models.EnvironmentSetting(name="A", value="b")],
            metadata=[models.BatchMetadataItem(name="run", value="1")],
        )
    )
    job = client.get_job(name.upper())
    assert job.id == name
    assert job.display_name == "Ein schöner Name"
    assert job.priority == 7
    assert job.constraints is not None
    assert job.constraints.max_wall_clock_time == timedelta(hours=25)
    assert job.constraints.max_task_retry_count == 2
    assert job.metadata is not None
    assert [(item.name, item.value) for item in job.metadata] == [("run", "1")]
    assert job.execution_info is not None
    assert job.execution_info.pool_id == "nowhere"
    same = models.BatchJobCreateOptions(
        id=name.upper(), pool_info=models.BatchPoolInfo(pool_id="nowhere")
    )
    assert refused(lambda: client.create_job(same)) == (409, "JobExists")
    client.begin_delete_job(name, **POLL).wait()


def test_a_job_can_be_sent_back_whole(client: BatchClient, name: str) -> None:
    client.create_job(
        models.BatchJobCreateOptions(id=name, pool_info=auto_pool(dedicated=0), priority=3)
    )
    job = client.get_job(name)
    job.priority = 11
    job.constraints = models.BatchJobConstraints(max_task_retry_count=1)

    client.replace_job(name, job)

    changed = client.get_job(name)
    assert changed.priority == 11
    assert changed.constraints is not None
    assert changed.constraints.max_task_retry_count == 1
    assert changed.pool_info.as_dict() == job.pool_info.as_dict()
    client.update_job(name, models.BatchJobUpdateOptions(priority=12))
    patched = client.get_job(name)
    assert patched.priority == 12
    assert patched.constraints is not None
    assert patched.constraints.max_task_retry_count == 1
    client.begin_delete_job(name, **POLL).wait()
