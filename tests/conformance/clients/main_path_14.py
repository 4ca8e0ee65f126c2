"""The main path through azure-batch 14.2, as a program: its package has the name of 15.1's.

Run with the folder that 14.2 was installed to first on `PYTHONPATH`, the URL, name and key of an
account as arguments, and a file for the exchanges, one line of JSON each. It ends with 0 if all
went as it should. It must not know how the service is made.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

# Imported so that type checkers, which see 15.1, do not look into it.
batch: Any = import_module("azure.batch")
models: Any = import_module("azure.batch.models")
SharedKeyCredentials: Any = import_module("azure.batch.batch_auth").SharedKeyCredentials
CreateTasksError: Any = import_module("azure.batch.custom.custom_errors").CreateTasksErrorException

DEADLINE_SECONDS = 60.0
TASKS = 250


def wait_until(what: Callable[[], Any]) -> Any:
    """Asks until the answer is neither None nor false."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if answer := what():
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


@contextmanager
def refused(status: int, code: str | None) -> Iterator[None]:
    """The block has to be refused so; answers to HEAD and downloads carry no code."""
    try:
        yield
    except models.BatchErrorException as error:
        found = (error.response.status_code, error.error.code if error.error else None)
        assert found == (status, code), found
    else:
        raise AssertionError(f"it was not refused with {status} {code}")


def open_client(url: str, account: str, key: str, record: Path) -> Any:
    """A client that writes down every exchange."""
    client: Any = batch.BatchServiceClient(SharedKeyCredentials(account, key), url)

    def write(response: Any, *_: Any, **options: Any) -> None:
        asked = response.request
        content = None if options.get("stream") else response.content
        line = {
            "method": asked.method,
            "url": asked.url,
            "asked": dict(asked.headers),
            "status": response.status_code,
            "headers": dict(response.headers),
            "content": None if content is None else base64.b64encode(content).decode(),
        }
        with record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    client.config.hooks.append(write)
    return client


def machine() -> Any:
    """An image of the list, and the node agent that goes with it."""
    return models.VirtualMachineConfiguration(
        image_reference=models.ImageReference(
            publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest"
        ),
        node_agent_sku_id="batch.node.ubuntu 24.04",
    )


def pools_and_nodes(client: Any) -> None:
    """Creates the pool `p14`, resizes it, and looks at its nodes."""
    assert client.pool.exists("p14") is False
    client.pool.add(
        models.PoolAddParameter(
            id="p14",
            vm_size="standard_d2s_v5",
            virtual_machine_configuration=machine(),
            target_dedicated_nodes=1,
            task_slots_per_node=4,
            target_node_communication_mode="simplified",
            start_task=models.StartTask(command_line="/bin/true", wait_for_success=True),
        )
    )
    assert client.pool.exists("p14") is True
    wait_until(lambda: client.pool.get("p14").allocation_state == models.AllocationState.steady)
    client.pool.resize("p14", models.PoolResizeParameter(target_dedicated_nodes=2))
    found = wait_until(
        lambda: [
            node
            for nodes in [list(client.compute_node.list("p14"))]
            for node in nodes
            if len(nodes) == 2 and all(each.state == models.ComputeNodeState.idle for each in nodes)
        ]
    )
    one = client.compute_node.get("p14", found[0].id)
    assert one.is_dedicated is True
    assert one.start_task_info.result == models.TaskExecutionResult.success
    client.compute_node.disable_scheduling("p14", one.id, "taskcompletion")
    client.compute_node.enable_scheduling("p14", one.id)
    client.compute_node.reboot("p14", one.id)
    wait_until(lambda: client.compute_node.get("p14", one.id).state == "idle")
    user = models.ComputeNodeUser(name="ann", password="kt#_gahr!@aGERDXA")
    client.compute_node.add_user("p14", one.id, user)
    client.compute_node.delete_user("p14", one.id, "ann")
    assert client.compute_node.get_remote_login_settings("p14", one.id).remote_login_port > 0
    names = {file.name for file in client.file.list_from_compute_node("p14", one.id)}
    assert "shared" in names, names
    (counts,) = client.account.list_pool_node_counts(
        models.AccountListPoolNodeCountsOptions(filter="poolId eq 'p14'")
    )
    assert counts.dedicated.total == 2
    client.pool.patch(
        "p14", models.PoolPatchParameter(metadata=[models.MetadataItem(name="a", value="b")])
    )
    (pool,) = [pool for pool in client.pool.list() if pool.id == "p14"]
    assert pool.metadata[0].value == "b"
    with refused(404, "PoolNotFound"):
        client.pool.get("none")


def jobs_and_tasks(client: Any) -> None:
    """Runs 250 tasks in the job `j14`."""
    job = models.JobAddParameter(
        id="j14", pool_info=models.PoolInformation(pool_id="p14"), uses_task_dependencies=True
    )
    client.job.add(job)
    with refused(409, "JobExists"):
        client.job.add(job)
    tasks = [
        models.TaskAddParameter(
            id=f"{number:03}", command_line=f"/bin/bash -c 'echo {number}; exit $(({number} % 2))'"
        )
        for number in range(TASKS)
    ]
    result = client.task.add_collection("j14", tasks, threads=3)
    assert {entry.status for entry in result.value} == {models.TaskAddStatus.success}
    assert len(result.value) == TASKS
    with refused(409, "TaskExists"):
        client.task.add("j14", tasks[0])

    counts = wait_until(
        lambda: next(
            (
                found
                for found in [client.job.get_task_counts("j14").task_counts]
                if found.completed == TASKS
            ),
            None,
        )
    )
    assert (counts.succeeded, counts.failed) == (TASKS // 2, TASKS // 2)
    listed = list(
        client.task.list("j14", models.TaskListOptions(max_results=100, select="id,executionInfo"))
    )
    assert [task.id for task in listed] == [f"{number:03}" for number in range(TASKS)]
    assert [task.execution_info.exit_code for task in listed[:4]] == [0, 1, 0, 1]
    failed = client.task.get("j14", "001").execution_info.failure_info
    assert (failed.category, failed.code) == (models.ErrorCategory.user_error, "FailureExitCode")
    client.task.reactivate("j14", "001")
    wait_until(lambda: client.task.get("j14", "001").state == models.TaskState.completed)
    constraints = models.TaskConstraints(max_task_retry_count=3)
    with refused(409, "TaskCompleted"):
        client.task.update("j14", "001", constraints)
    waits = models.TaskDependencies(task_ids=["never"])
    client.task.add(
        "j14", models.TaskAddParameter(id="waits", command_line="/bin/true", depends_on=waits)
    )
    client.task.update("j14", "waits", constraints)
    assert client.task.get("j14", "waits").constraints.max_task_retry_count == 3
    client.task.terminate("j14", "waits")
    client.task.delete("j14", "001")
    with refused(404, "TaskNotFound"):
        client.task.get("j14", "001")
    try:
        client.task.add_collection("none", tasks[:1])
    except CreateTasksError as error:
        assert [each.error.code for each in error.errors] == ["JobNotFound"]
    else:
        raise AssertionError("tasks were added to a job that there is not")


def files(client: Any) -> None:
    """Reads what a task wrote."""
    stream = client.file.get_from_task("j14", "002", "stdout.txt")
    assert b"".join(stream) == b"2\n"
    names = {file.name for file in client.file.list_from_task("j14", "002", recursive=True)}
    assert names == {"stdout.txt", "stderr.txt", "wd"}, names
    raw = client.file.get_properties_from_task("j14", "002", "stdout.txt", raw=True)
    assert raw.headers["ocp-batch-file-isdirectory"] is False
    part = client.file.get_from_task(
        "j14", "002", "stdout.txt", models.FileGetFromTaskOptions(ocp_range="bytes=0-0")
    )
    assert b"".join(part) == b"2"
    with refused(404, None):
        client.file.get_properties_from_task("j14", "002", "none")
    client.file.delete_from_task("j14", "002", "stdout.txt")
    with refused(404, "FileNotFound"):
        client.file.delete_from_task("j14", "002", "stdout.txt")


def schedules(client: Any) -> None:
    """A job schedule, from its beginning to its end."""
    client.job_schedule.add(
        models.JobScheduleAddParameter(
            id="s14",
            schedule=models.Schedule(recurrence_interval=timedelta(days=1)),
            job_specification=models.JobSpecification(
                pool_info=models.PoolInformation(pool_id="p14"),
                job_manager_task=models.JobManagerTask(id="m", command_line="/bin/true"),
            ),
        )
    )
    (job,) = wait_until(lambda: list(client.job.list_from_job_schedule("s14")))
    assert job.id == "s14:job-1"
    ended = wait_until(
        lambda: next(
            (
                found
                for found in [client.job.get("s14:job-1")]
                if found.state == models.JobState.completed
            ),
            None,
        )
    )
    assert ended.execution_info.terminate_reason == "JMComplete"
    client.job_schedule.disable("s14")
    client.job_schedule.enable("s14")
    (found,) = client.job_schedule.list(models.JobScheduleListOptions(filter="id eq 's14'"))
    assert found.state == models.JobScheduleState.active
    assert client.job_schedule.exists("s14") is True
    client.job_schedule.delete("s14")
    wait_until(lambda: not client.job_schedule.exists("s14"))


def ends(client: Any) -> None:
    """Ends and deletes what is left."""
    client.job.disable("j14", "requeue")
    wait_until(lambda: client.job.get("j14").state == models.JobState.disabled)
    client.job.enable("j14")
    client.job.terminate("j14", terminate_reason="enough")
    job = wait_until(
        lambda: next(
            (
                found
                for found in [client.job.get("j14")]
                if found.state == models.JobState.completed
            ),
            None,
        )
    )
    assert job.execution_info.terminate_reason == "enough"
    client.job.delete("j14")
    client.pool.delete("p14")
    wait_until(lambda: not client.pool.exists("p14"))
    wait_until(lambda: "j14" not in {job.id for job in client.job.list()})


def main(url: str, account: str, key: str, record: str) -> None:
    """The whole path."""
    assert batch.__version__ == "14.2.0", batch.__version__
    client = open_client(url, account, key, Path(record))
    assert any(
        image.os_type == models.OSType.linux for image in client.account.list_supported_images()
    )
    assert [found.id for found in client.application.list()] == ["tool"]
    for step in (pools_and_nodes, jobs_and_tasks, files, schedules, ends):
        step(client)


if __name__ == "__main__":
    main(*sys.argv[1:])
