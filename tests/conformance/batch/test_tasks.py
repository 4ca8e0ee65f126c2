"""Tasks through azure-batch 15.1: how they run, end, fail and are listed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from azure.batch import BatchClient, models

from tests.conformance.batch.asking import POLL, auto_pool, completed, is_gone, refused, wait_until


@pytest.fixture
def job(client: BatchClient, name: str) -> Iterator[str]:
    """A job with a node of two slots."""
    client.create_job(
        models.BatchJobCreateOptions(
            id=name,
            pool_info=auto_pool(slots=2),
            common_environment_settings=[
                models.EnvironmentSetting(name="COLOUR", value="red"),
                models.EnvironmentSetting(name="SIZE", value="small"),
            ],
        )
    )
    yield name
    client.begin_delete_job(name, **POLL).wait()


@pytest.fixture
def idle_job(client: BatchClient, name: str) -> Iterator[str]:
    """A job whose tasks wait for ever."""
    info = models.BatchPoolInfo(pool_id="nowhere")
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=info))
    yield name
    client.begin_delete_job(name, **POLL).wait()


def run(
    client: BatchClient, job: str, command_line: str, *, retries: int | None = None
) -> models.BatchTask:
    """A task that has run to its end."""
    constraints = (
        None if retries is None else models.BatchTaskConstraints(max_task_retry_count=retries)
    )
    client.create_task(
        job,
        models.BatchTaskCreateOptions(
            id="t",
            command_line=command_line,
            constraints=constraints,
            environment_settings=[models.EnvironmentSetting(name="SIZE", value="large")],
        ),
    )
    return completed(client, job, "t")


def test_a_task_runs_and_its_output_can_be_read(client: BatchClient, job: str) -> None:
    task = run(client, job, "/bin/bash -c 'echo $COLOUR $SIZE; echo oops >&2; echo f > a.txt'")

    assert task.execution_info is not None
    assert task.execution_info.exit_code == 0
    assert task.execution_info.result == models.BatchTaskExecutionResult.SUCCESS
    assert task.execution_info.failure_info is None
    assert task.previous_state == models.BatchTaskState.RUNNING
    assert b"".join(client.download_task_file(job, "t", "stdout.txt")) == b"red large\n"
    assert b"".join(client.download_task_file(job, "t", "stderr.txt")) == b"oops\n"
    part = client.download_task_file(job, "t", "stdout.txt", ocp_range="bytes=4-6")
    assert b"".join(part) == b"lar"
    files = {file.name: file for file in client.list_task_files(job, "t", recursive=True)}
    assert set(files) == {"stdout.txt", "stderr.txt", "wd", "wd/a.txt"}
    assert files["wd"].is_directory
    found = files["wd/a.txt"].properties
    assert found is not None
    assert found.content_length == 2
    properties = client.get_task_file_properties(job, "t", "wd/a.txt")
    assert properties.content_length == 2
    assert properties.file_mode == "0o100644"


def test_the_environment_is_the_documented_one(client: BatchClient, job: str) -> None:
    task = run(client, job, "/usr/bin/env")

    assert task.node_info is not None
    text = b"".join(client.download_task_file(job, "t", "stdout.txt")).decode()
    variables = dict(line.split("=", 1) for line in text.splitlines())
    names = {name for name in variables if name.startswith("AZ_BATCH_")}
    # Nodes with users of their own name the task's, as Linux nodes of the service do, undocumented.
    assert names - {"AZ_BATCH_TASK_USER", "AZ_BATCH_TASK_USER_IDENTITY"} == {
        "AZ_BATCH_ACCOUNT_NAME",
        "AZ_BATCH_ACCOUNT_URL",
        "AZ_BATCH_JOB_ID",
        "AZ_BATCH_NODE_ID",
        "AZ_BATCH_NODE_IS_DEDICATED",
        "AZ_BATCH_NODE_MOUNTS_DIR",
        "AZ_BATCH_NODE_ROOT_DIR",
        "AZ_BATCH_NODE_SHARED_DIR",
        "AZ_BATCH_NODE_STARTUP_DIR",
        "AZ_BATCH_POOL_ID",
        "AZ_BATCH_TASK_DIR",
        "AZ_BATCH_TASK_ID",
        "AZ_BATCH_TASK_RESERVED_EPHEMERAL_DISK_SPACE_BYTES",
        "AZ_BATCH_TASK_WORKING_DIR",
    }
    assert variables["AZ_BATCH_JOB_ID"] == job
    assert variables["AZ_BATCH_TASK_ID"] == "t"
    assert variables["AZ_BATCH_NODE_ID"] == task.node_info.node_id
    assert variables["AZ_BATCH_POOL_ID"] == task.node_info.pool_id
    assert variables["AZ_BATCH_NODE_IS_DEDICATED"] == "true"
    root, folder = variables["AZ_BATCH_NODE_ROOT_DIR"], variables["AZ_BATCH_TASK_DIR"]
    assert folder == f"{root}/{task.node_info.task_root_directory}"
    assert variables["AZ_BATCH_TASK_WORKING_DIR"] == f"{folder}/wd"


def test_a_nonzero_exit_code_is_a_failure(client: BatchClient, job: str) -> None:
    execution = run(client, job, "/bin/bash -c 'exit 7'").execution_info

    assert execution is not None
    assert execution.exit_code == 7
    assert execution.result == models.BatchTaskExecutionResult.FAILURE
    failure = execution.failure_info
    assert failure is not None
    assert str(failure.category) == "UserError"
    assert failure.code == "FailureExitCode"
    assert failure.message == "The task exited with an exit code representing a failure"
    assert failure.details is not None
    assert [(item.name, item.value) for item in failure.details] == [
        ("Message", "The task process exited with an unexpected exit code"),
        ("AdditionalErrorCode", "FailureExitCode"),
    ]


def test_a_missing_program_is_a_failure_without_exit_code(client: BatchClient, job: str) -> None:
    execution = run(client, job, "/no/such/program x", retries=3).execution_info

    assert execution is not None
    assert execution.exit_code is None
    assert execution.retry_count == 0
    assert execution.failure_info is not None
    assert execution.failure_info.code == "CommandProgramNotFound"
    assert execution.failure_info.message == "The specified command program is not found"


def test_only_so_many_retries_are_made(client: BatchClient, job: str) -> None:
    count = 'echo x >> "$AZ_BATCH_NODE_SHARED_DIR/runs"; exit 3'
    execution = run(client, job, f"/bin/bash -c '{count}'", retries=2).execution_info

    assert execution is not None
    assert execution.exit_code == 3
    assert execution.retry_count == 2
    assert execution.last_retry_time is not None
    node = client.get_task(job, "t").node_info
    assert node is not None
    content = client.download_node_file(str(node.pool_id), str(node.node_id), "shared/runs")
    assert b"".join(content) == b"x\nx\nx\n"


def test_a_task_that_takes_too_long_is_ended_and_not_retried(client: BatchClient, job: str) -> None:
    client.create_task(
        job,
        models.BatchTaskCreateOptions(
            id="slow",
            command_line="sleep 60",
            constraints=models.BatchTaskConstraints(
                max_wall_clock_time=timedelta(milliseconds=300), max_task_retry_count=5
            ),
        ),
    )
    execution = completed(client, job, "slow").execution_info

    assert execution is not None
    assert execution.result == models.BatchTaskExecutionResult.FAILURE
    assert execution.failure_info is not None
    assert execution.retry_count == 0


def test_a_running_task_can_be_ended(client: BatchClient, job: str) -> None:
    client.create_task(job, models.BatchTaskCreateOptions(id="t", command_line="sleep 60"))
    wait_until(lambda: client.get_task(job, "t").state == models.BatchTaskState.RUNNING)

    client.terminate_task(job, "t")

    task = client.get_task(job, "t")
    assert task.state == models.BatchTaskState.COMPLETED
    assert task.execution_info is not None
    assert task.execution_info.failure_info is not None
    assert task.execution_info.failure_info.code == "TaskEnded"
    assert refused(lambda: client.terminate_task(job, "t")) == (409, "TaskCompleted")


def test_a_failed_task_can_be_reactivated(client: BatchClient, job: str) -> None:
    once = (
        'test -e "$AZ_BATCH_NODE_SHARED_DIR/o" || { touch "$AZ_BATCH_NODE_SHARED_DIR/o"; exit 1; }'
    )
    run(client, job, f"/bin/bash -c '{once}'")

    client.reactivate_task(job, "t")

    execution = completed(client, job, "t").execution_info
    assert execution is not None
    assert execution.exit_code == 0
    assert refused(lambda: client.reactivate_task(job, "t")) == (409, "TaskSucceeded")


def test_a_deleted_task_is_gone_with_its_files(client: BatchClient, job: str) -> None:
    task = run(client, job, "/bin/true")
    assert task.node_info is not None
    where = str(task.node_info.pool_id), str(task.node_info.node_id)
    folder = str(task.node_info.task_root_directory)

    client.delete_task(job, "t")

    assert refused(lambda: client.get_task(job, "t")) == (404, "TaskNotFound")
    assert refused(lambda: client.delete_task(job, "t")) == (404, "TaskNotFound")
    wait_until(lambda: is_gone(lambda: client.get_node_file_properties(*where, folder)))


def test_a_collection_reports_each_task(client: BatchClient, idle_job: str) -> None:
    client.create_task(idle_job, models.BatchTaskCreateOptions(id="007", command_line="x"))
    tasks = [
        models.BatchTaskCreateOptions(id=f"{number:03}", command_line="x") for number in range(100)
    ]

    result = client.create_task_collection(idle_job, models.BatchTaskGroup(task_values=tasks))

    assert result.result_values is not None
    failed = [entry for entry in result.result_values if entry.error is not None]
    assert len(result.result_values) == 100
    assert [entry.task_id for entry in failed] == ["007"]
    assert failed[0].status == "ClientError"
    assert failed[0].error is not None
    assert failed[0].error.code == "TaskExists"
    counts = client.get_job_task_counts(idle_job)
    assert (counts.task_counts.active, counts.task_slot_counts.active) == (100, 100)
    assert counts.task_counts.completed == 0


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning:aiohttp")
def test_too_many_or_too_large_collections_are_refused(client: BatchClient, idle_job: str) -> None:
    many = [models.BatchTaskCreateOptions(id=f"{n}", command_line="x") for n in range(101)]
    large = [models.BatchTaskCreateOptions(id=f"{n}", command_line="x" * 20_000) for n in range(60)]

    def add(tasks: list[models.BatchTaskCreateOptions]) -> object:
        return client.create_task_collection(idle_job, models.BatchTaskGroup(task_values=tasks))

    assert refused(lambda: add(many)) == (400, "InvalidPropertyValue")
    assert refused(lambda: add(large)) == (413, "RequestBodyTooLarge")
    assert list(client.list_tasks(idle_job)) == []


def test_lists_are_filtered_selected_and_paged(client: BatchClient, idle_job: str) -> None:
    before = datetime.now(timezone.utc) - timedelta(minutes=1)
    client.create_tasks(
        idle_job,
        [models.BatchTaskCreateOptions(id=f"{n:03}", command_line="x") for n in range(250)],
    )

    pages = [list(page) for page in client.list_tasks(idle_job, max_results=100).by_page()]
    assert [len(page) for page in pages] == [100, 100, 50]
    assert [task.id for page in pages for task in page] == [f"{n:03}" for n in range(250)]

    some = list(client.list_tasks(idle_job, filter="startswith(id,'01')", select=["id", "state"]))
    assert [task.id for task in some] == [f"01{n}" for n in range(10)]
    assert some[0].as_dict() == {"id": "010", "state": "active"}

    moment = before.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"(state eq 'completed' or id ge '248') and creationTime gt DateTime'{moment}'"
    assert [task.id for task in client.list_tasks(idle_job, filter=text)] == ["248", "249"]
    assert list(client.list_tasks(idle_job, filter="state eq 'running'")) == []


@pytest.mark.parametrize(
    "text", ["size eq 3", "state startswith 'a'", "state eq", "id gt 'a' and", "state gt 'a'", "("]
)
def test_a_filter_that_makes_no_sense_is_refused(
    client: BatchClient, idle_job: str, text: str
) -> None:
    expected = (400, "InvalidQueryParameterValue")
    assert refused(lambda: list(client.list_tasks(idle_job, filter=text))) == expected


def test_files_of_a_task_that_never_ran_are_unavailable(client: BatchClient, idle_job: str) -> None:
    client.create_task(idle_job, models.BatchTaskCreateOptions(id="t", command_line="x"))

    assert refused(lambda: list(client.list_task_files(idle_job, "t"))) == (
        409,
        "TaskFilesUnavailable",
    )


def test_missing_files_and_ranges_are_refused(client: BatchClient, job: str) -> None:
    run(client, job, "/bin/true")

    def read(file: str, ocp_range: str | None = None) -> bytes:
        return b"".join(client.download_task_file(job, "t", file, ocp_range=ocp_range))

    # azure-batch 15.1 does not read the content of an error that answers a download.
    assert refused(lambda: read("wd/none.txt")) == (404, "")
    assert refused(lambda: read("../../../../shared")) == (404, "")
    assert refused(lambda: read("stdout.txt", ocp_range="bytes=5-9")) == (416, "")
    assert refused(lambda: read("stdout.txt", ocp_range="lines=1-2")) == (400, "")


def test_tasks_wait_for_those_that_they_depend_on(client: BatchClient, name: str) -> None:
    client.create_job(
        models.BatchJobCreateOptions(
            id=name, pool_info=auto_pool(slots=4), uses_task_dependencies=True
        )
    )
    log = 'echo "$AZ_BATCH_TASK_ID" >> "$AZ_BATCH_NODE_SHARED_DIR/order"'

    def add(identifier: str, depends_on: models.BatchTaskDependencies | None) -> None:
        options = models.BatchTaskCreateOptions(
            id=identifier, command_line=f"/bin/bash -c '{log}'", depends_on=depends_on
        )
        client.create_task(name, options)

    add("last", models.BatchTaskDependencies(task_ids=["middle"]))
    between = models.BatchTaskIdRange(start=1, end=3)
    add("middle", models.BatchTaskDependencies(task_id_ranges=[between]))
    for identifier in ("001", "2", "03"):
        add(identifier, None)

    node = completed(client, name, "last").node_info
    assert node is not None
    content = client.download_node_file(str(node.pool_id), str(node.node_id), "shared/order")
    order = b"".join(content).decode().split()
    assert set(order[:3]) == {"001", "2", "03"}
    assert order[3:] == ["middle", "last"]
    client.begin_delete_job(name, **POLL).wait()


def test_dependencies_need_a_job_that_uses_them(client: BatchClient, idle_job: str) -> None:
    task = models.BatchTaskCreateOptions(
        id="t", command_line="x", depends_on=models.BatchTaskDependencies(task_ids=["a"])
    )
    assert refused(lambda: client.create_task(idle_job, task)) == (400, "UnsupportedProperty")


def test_constraints_can_be_replaced(client: BatchClient, idle_job: str) -> None:
    client.create_task(idle_job, models.BatchTaskCreateOptions(id="t", command_line="x"))
    before = client.get_task(idle_job, "t")
    assert before.constraints is not None
    assert before.constraints.max_task_retry_count == 0

    before.constraints = models.BatchTaskConstraints(max_task_retry_count=4)
    client.replace_task(idle_job, "t", before)

    after = client.get_task(idle_job, "t")
    assert after.constraints is not None
    assert after.constraints.max_task_retry_count == 4
    assert after.constraints.retention_time == timedelta(days=7)
    assert after.etag != before.etag


def test_files_are_deleted(client: BatchClient, job: str) -> None:
    task = run(client, job, "/bin/bash -c 'mkdir -p deep/er; touch a deep/er/b; ln -s / root'")
    client.delete_task_file(job, "t", "wd/a")
    assert refused(lambda: client.delete_task_file(job, "t", "wd/a")) == (404, "FileNotFound")
    assert refused(lambda: client.delete_task_file(job, "t", "wd/deep")) == (403, "IOError")
    assert refused(lambda: client.delete_task_file(job, "t", "../t/wd")) == (404, "FileNotFound")
    assert refused(lambda: client.delete_task_file(job, "t", "wd/root/tmp")) == (
        404,
        "FileNotFound",
    )
    client.delete_task_file(job, "t", "wd/deep", recursive=True)
    client.delete_task_file(job, "t", "wd/root")
    assert [file.name for file in client.list_task_files(job, "t", recursive=True)] == [
        "stderr.txt",
        "stdout.txt",
        "wd",
    ]
    assert task.node_info is not None
    pool, node = task.node_info.pool_id or "", task.node_info.node_id or ""
    path = f"{task.node_info.task_root_directory}/stdout.txt"
    client.delete_node_file(pool, node, path)
    assert refused(lambda: client.delete_node_file(pool, node, path)) == (404, "FileNotFound")
