"""The operations on tasks and their files, each once granted and once refused."""

from __future__ import annotations

from azure.batch import BatchClient, models

from tests.conformance.batch.asking import completed, refused

NONE = "there-is-none"
NOT_FOUND = (404, "TaskNotFound")


def test_create_task(client: BatchClient, job: str, task: str) -> None:
    same = models.BatchTaskCreateOptions(id="T", command_line="/bin/true")
    assert refused(lambda: client.create_task(job, same)) == (409, "TaskExists")


def test_create_task_collection(client: BatchClient, job: str, task: str) -> None:
    group = models.BatchTaskGroup(
        task_values=[
            models.BatchTaskCreateOptions(id=name, command_line="/bin/true") for name in ("s", "t")
        ]
    )
    result = client.create_task_collection(job, group)
    assert result.result_values is not None
    errors = {entry.task_id: entry.error for entry in result.result_values}
    assert errors["s"] is None
    assert errors["t"] is not None
    assert errors["t"].code == "TaskExists"
    missing = refused(lambda: client.create_task_collection(NONE, group))
    assert missing == (404, "JobNotFound")


def test_list_tasks(client: BatchClient, job: str, task: str) -> None:
    assert [found.id for found in client.list_tasks(job)] == [task]
    assert refused(lambda: list(client.list_tasks(NONE))) == (404, "JobNotFound")


def test_get_task(client: BatchClient, job: str, task: str) -> None:
    assert client.get_task(job, task).state == models.BatchTaskState.ACTIVE
    assert refused(lambda: client.get_task(job, NONE)) == NOT_FOUND


def test_replace_task(client: BatchClient, job: str, task: str) -> None:
    whole = client.get_task(job, task)
    whole.constraints = models.BatchTaskConstraints(max_task_retry_count=2)
    client.replace_task(job, task, whole)
    constraints = client.get_task(job, task).constraints
    assert constraints is not None
    assert constraints.max_task_retry_count == 2
    assert refused(lambda: client.replace_task(job, NONE, whole)) == NOT_FOUND


def test_delete_task(client: BatchClient, job: str, task: str) -> None:
    client.delete_task(job, task)
    assert refused(lambda: client.delete_task(job, task)) == NOT_FOUND


def test_terminate_task(client: BatchClient, job: str, task: str) -> None:
    client.terminate_task(job, task)
    assert client.get_task(job, task).state == models.BatchTaskState.COMPLETED
    assert refused(lambda: client.terminate_task(job, task)) == (409, "TaskCompleted")


def test_reactivate_task(client: BatchClient, job: str, task: str) -> None:
    assert refused(lambda: client.reactivate_task(job, task)) == (409, "TaskNotCompleted")
    client.terminate_task(job, task)
    client.reactivate_task(job, task)
    assert client.get_task(job, task).state == models.BatchTaskState.ACTIVE


def test_list_subtasks(client: BatchClient, job: str, task: str) -> None:
    assert list(client.list_subtasks(job, task)) == []
    assert refused(lambda: list(client.list_subtasks(job, NONE))) == NOT_FOUND


def test_list_task_files(client: BatchClient, done: str) -> None:
    names = {file.name for file in client.list_task_files(done, "t", recursive=True)}
    assert names == {"stderr.txt", "stdout.txt", "wd", "wd/made"}
    assert refused(lambda: list(client.list_task_files(done, NONE))) == NOT_FOUND


def test_get_task_file_properties(client: BatchClient, done: str) -> None:
    assert client.get_task_file_properties(done, "t", "wd/made").content_length == 5
    assert refused(lambda: client.get_task_file_properties(done, "t", NONE))[0] == 404


def test_download_task_file(client: BatchClient, done: str) -> None:
    assert b"".join(client.download_task_file(done, "t", "stdout.txt")) == b"said\n"
    assert refused(lambda: client.download_task_file(done, "t", NONE))[0] == 404
    assert completed(client, done, "t").execution_info is not None


def test_delete_task_file(client: BatchClient, done: str) -> None:
    client.delete_task_file(done, "t", "wd/made")
    gone = refused(lambda: client.delete_task_file(done, "t", "wd/made"))
    assert gone == (404, "FileNotFound")
