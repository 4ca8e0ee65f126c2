"""What a run asks of Azure Batch, asked of the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runner.connect import Services, open_azure, read_azure_settings
from runner.errors import ServiceRefusedError, UsageError
from runner.plan.model import TaskId
from runner.run.services import (
    JobState,
    OutputRequest,
    Permission,
    ResourceRequest,
    TaskState,
)
from runner.spec.model.step import UploadCondition
from runner.spec.model.workload import Job
from tests.conformance.endpoints import Emulator
from tests.conformance.remote.asking import (
    bash,
    ended,
    make_command,
    make_job,
    make_task,
    wait_for,
)
from tests.unit.remote.samples import IMAGE, STEP


@pytest.fixture
def job(services: Services, name: str) -> Iterator[str]:
    """A job with a pool of one node; both are gone afterwards."""
    pool = services.batch.create_job(make_job(name))
    yield name
    services.batch.delete_job(name)
    services.batch.delete_pool(pool)
    assert services.batch.pool_status(pool) is None


def test_the_node_agent_of_an_image(services: Services) -> None:
    assert services.batch.find_node_agent(IMAGE) == "batch.node.ubuntu 24.04"

    with pytest.raises(UsageError) as caught:
        services.batch.find_node_agent(replace(IMAGE, sku="sever"))

    assert caught.value.message == (
        "image `canonical/ubuntu-24_04-lts/sever` is not in the service's list of supported images"
    )
    assert caught.value.hint is not None
    assert "`canonical/ubuntu-24_04-lts/server`" in caught.value.hint


def test_an_image_that_runs_containers(services: Services) -> None:
    hpc = replace(IMAGE, publisher="microsoft-dsvm", offer="ubuntu-hpc", sku="2204")

    agent = services.batch.find_node_agent(hpc, containers=True)
    with pytest.raises(UsageError) as caught:
        services.batch.find_node_agent(IMAGE, containers=True)

    assert agent == "batch.node.ubuntu 22.04"
    assert caught.value.message == (
        "image `canonical/ubuntu-24_04-lts/server` cannot run containers"
    )


def test_tasks_run_with_their_files_and_leave_their_outputs(
    services: Services, job: str, container: str, expires: datetime, tmp_path: Path
) -> None:
    blobs = services.blobs
    blobs.upload_text(container, "in/a b.txt", "hello")
    output = blobs.container_url(container, Permission.WRITE, expires)
    task = replace(
        make_task(1, bash('cat "in dir/a.txt" - <<< "$WORD" > out.txt; echo seen >&2', WORD="ü")),
        resources=(
            ResourceRequest(
                url=blobs.blob_url(container, "in/a b.txt", Permission.READ, expires),
                path="in dir/a.txt",
            ),
            ResourceRequest(
                container_url=blobs.container_url(container, Permission.READ, expires),
                path="all",
            ),
        ),
        outputs=(
            OutputRequest(
                pattern="out.txt",
                container_url=output,
                path="results/out.txt",
                when=UploadCondition.SUCCESS,
            ),
            OutputRequest(
                pattern="../stderr.txt",
                container_url=output,
                path="logs/stderr.txt",
                when=UploadCondition.COMPLETION,
            ),
        ),
    )

    services.batch.add_tasks(job, [task])
    wait_for(lambda: "0001" in ended(services, job))

    status = ended(services, job)["0001"]
    assert status.failure is None
    assert (status.exit_code, status.succeeded, status.retry_count) == (0, True, 0)
    assert status.node_id is not None
    assert status.started is not None
    assert status.ended is not None
    assert status.started <= status.ended
    for blob, content in (("results/out.txt", "helloü\n"), ("logs/stderr.txt", "seen\n")):
        blobs.download_file(container, blob, tmp_path / "came")
        assert (tmp_path / "came").read_text() == content


def test_a_failed_task_says_how(services: Services, job: str) -> None:
    services.batch.add_tasks(
        job, [replace(make_task(1, bash("exit 7")), step=replace(STEP, retries=1))]
    )
    wait_for(lambda: "0001" in ended(services, job))

    status = ended(services, job)["0001"]
    assert (status.exit_code, status.succeeded, status.retry_count) == (7, False, 1)
    assert status.failure is not None
    assert status.failure.code == "FailureExitCode"


def test_a_task_that_takes_too_long_is_ended(services: Services, job: str) -> None:
    step = replace(STEP, timeout=timedelta(seconds=1))
    task = replace(make_task(1, bash("sleep 600")), step=step)
    services.batch.add_tasks(job, [task])
    wait_for(lambda: "0001" in ended(services, job))

    assert ended(services, job)["0001"].succeeded is False


def test_a_task_that_failed_is_run_again(services: Services, job: str) -> None:
    batch = services.batch
    step = replace(STEP, retries=2)
    batch.add_tasks(job, [replace(make_task(1, bash("sleep 0.2; exit 3")), step=step)])
    batch.add_tasks(job, [make_task(2, bash("true"))])
    wait_for(lambda: len(ended(services, job)) == 2)
    first = ended(services, job)["0001"]
    assert (first.retry_count, first.requeue_count, first.succeeded) == (2, 0, False)
    assert first.retried is not None
    assert batch.reactivate_task(job, TaskId("0001"))
    # It runs, or waits to: the answer to the first request may have been lost.
    assert batch.reactivate_task(job, TaskId("0001"))
    assert batch.reactivate_task(job, TaskId("0002"))

    wait_for(lambda: ended(services, job).get("0001", first) != first)
    again = ended(services, job)["0001"]
    assert (again.retry_count, again.exit_code) == (2, 3)
    assert again.changed > first.changed
    batch.terminate_job(job)
    assert not batch.reactivate_task(job, TaskId("0001"))


def test_a_task_is_ended(services: Services, job: str) -> None:
    batch = services.batch
    batch.add_tasks(job, [make_task(1, bash("sleep 60"))])
    assert batch.terminate_task(job, TaskId("0001"))
    assert not batch.terminate_task(job, TaskId("0001"))
    assert not batch.terminate_task(job, TaskId("0002"))
    status = ended(services, job)["0001"]
    assert status.failure is not None
    assert status.failure.code == "TaskEnded"


def test_changes_since_a_time_leave_out_what_was_before(services: Services, job: str) -> None:
    services.batch.add_tasks(job, [make_task(1, bash("true"))])
    wait_for(lambda: "0001" in ended(services, job))
    changed = ended(services, job)["0001"].changed
    services.batch.add_tasks(job, [make_task(2, bash("true"))])
    wait_for(lambda: "0002" in ended(services, job))

    later = {
        task.id for task in services.batch.task_changes(job, changed + timedelta(seconds=1e-3))
    }
    at = {task.id for task in services.batch.task_changes(job, changed)}

    assert (later, at) == ({"0002"}, {"0001", "0002"})


def test_tasks_for_a_job_that_is_over_are_refused(services: Services, job: str) -> None:
    tasks = [make_task(number, bash("true")) for number in range(2)]
    services.batch.terminate_job(job)
    wait_for(lambda: services.batch.job_status(job).state is JobState.COMPLETED)

    with pytest.raises(ServiceRefusedError) as caught:
        services.batch.add_tasks(job, tasks)

    assert caught.value.code == "JobCompleted"


def test_tasks_may_be_added_twice(services: Services, job: str) -> None:
    tasks = [make_task(number, bash("true")) for number in range(120)]

    services.batch.add_tasks(job, tasks[:110])
    services.batch.add_tasks(job, tasks)
    services.batch.finish_adding(job)
    wait_for(lambda: services.batch.job_status(job).state is JobState.COMPLETED)

    assert len(ended(services, job)) == 120


def test_a_task_that_the_service_refuses_is_named(services: Services, job: str) -> None:
    tasks = [make_task(1, bash("true")), replace(make_task(2, bash("true")), id=TaskId("a b"))]

    with pytest.raises(ServiceRefusedError) as caught:
        services.batch.add_tasks(job, tasks)

    assert "`a b`" in caught.value.message


def test_a_job_ends_with_its_tasks_and_takes_its_pool(services: Services, name: str) -> None:
    pool = services.batch.create_job(make_job(name))
    assert pool.startswith("test-")
    assert services.batch.find_pools("test-", name) == (pool,)
    assert services.batch.find_pools("test-", "another run") == ()

    services.batch.add_tasks(name, [make_task(1, bash("true"))])
    services.batch.finish_adding(name)
    wait_for(lambda: services.batch.job_status(name).state is JobState.COMPLETED)

    status = services.batch.job_status(name)
    assert (status.pool_id, status.terminate_reason) == (pool, "AllTasksComplete")
    wait_for(lambda: services.batch.pool_status(pool) is None)
    assert services.batch.node_statuses(pool) == ()
    services.batch.delete_job(name)
    assert services.batch.job_status(name).state is JobState.GONE
    services.batch.delete_job(name)
    services.batch.delete_pool(pool)
    services.batch.terminate_job(name)


def test_a_pool_and_its_nodes_are_shown(services: Services, job: str) -> None:
    pool_id = services.batch.job_status(job).pool_id
    assert pool_id is not None
    wait_for(lambda: [node.state for node in services.batch.node_statuses(pool_id)] == ["idle"])

    pool = services.batch.pool_status(pool_id)

    assert pool is not None
    assert (pool.state, pool.allocation_state) == ("active", "steady")
    assert (pool.dedicated_nodes, pool.target_dedicated_nodes) == (1, 1)
    assert (pool.spot_nodes, pool.target_spot_nodes, pool.resize_errors) == (0, 0, ())


def test_a_start_task_that_fails_is_shown_with_its_log(services: Services, name: str) -> None:
    start_task = make_command("echo first; echo no such package >&2; exit 100")
    pool = services.batch.create_job(make_job(name, start_task))
    wait_for(
        lambda: [node.state for node in services.batch.node_statuses(pool)] == ["starttaskfailed"]
    )

    (node,) = services.batch.node_statuses(pool)

    assert node.start_task_exit_code == 100
    assert node.start_task_failure is not None
    assert node.start_task_failure.startswith("FailureExitCode: ")
    log = "startup/stderr.txt"
    assert services.batch.read_node_log(pool, node.id, log, 1000) == b"no such package\n"
    assert services.batch.read_node_log(pool, node.id, log, 8) == b"package\n"
    assert services.batch.read_node_log(pool, "tvm-gone", log, 8) == b""
    services.batch.delete_job(name)
    services.batch.delete_pool(pool)


def test_a_running_job_is_terminated(services: Services, job: str) -> None:
    services.batch.add_tasks(job, [make_task(1, bash("sleep 600"))])
    wait_for(
        lambda: (
            [task.state for task in services.batch.task_changes(job, None)] == [TaskState.RUNNING]
        )
    )

    services.batch.terminate_job(job)
    wait_for(lambda: services.batch.job_status(job).state is JobState.COMPLETED)
    services.batch.terminate_job(job)

    assert ended(services, job)["0001"].succeeded is False


def test_a_disabled_job_lets_running_tasks_end_and_starts_no_other(
    services: Services, job: str
) -> None:
    services.batch.add_tasks(job, [make_task(1, bash("sleep 2"))])
    wait_for(
        lambda: (
            [task.state for task in services.batch.task_changes(job, None)] == [TaskState.RUNNING]
        )
    )

    services.batch.disable_job(job)
    services.batch.disable_job(job)
    services.batch.add_tasks(job, [make_task(2, bash("true"))])
    wait_for(lambda: services.batch.job_status(job).state is JobState.DISABLED)

    assert ended(services, job)["0001"].succeeded is True
    assert [task.id for task in services.batch.task_changes(job, None)] == ["0001"]


def test_a_job_may_be_created_twice_but_not_by_another_run(services: Services, job: str) -> None:
    request = make_job(job)

    assert services.batch.create_job(request) == services.batch.job_status(job).pool_id
    with pytest.raises(ServiceRefusedError) as caught:
        services.batch.create_job(replace(request, metadata={"run": "another"}))

    assert caught.value.code == "JobExists"


def test_a_wrong_property_of_the_user_is_refused_by_name(services: Services, name: str) -> None:
    request = make_job(name)
    request = replace(request, settings=Job(extra={"priority": 5000}))

    with pytest.raises(ServiceRefusedError) as caught:
        services.batch.create_job(request)

    assert caught.value.message.startswith(f"Azure Batch refused to create job `{name}`: ")
    assert "priority" in caught.value.message.lower()


def test_a_wrong_batch_key_is_refused_with_the_variable(emulator: Emulator) -> None:
    settings = read_azure_settings(
        {
            "AZURE_BATCH_ENDPOINT": emulator.batch_endpoint,
            "AZURE_BATCH_ACCESS_KEY": "d3Jvbmc=",
            "AZURE_STORAGE_CONNECTION_STRING": emulator.connection_string,
        }
    )

    with pytest.raises(ServiceRefusedError) as caught:
        open_azure(settings)

    assert caught.value.code == "AuthenticationFailed"
    assert caught.value.message.startswith(
        "Azure Batch refused to list pools: AuthenticationFailed: "
    )
    assert caught.value.hint == (
        "check AZURE_BATCH_ACCESS_KEY and AZURE_BATCH_ACCOUNT, and the clock of this machine"
    )
