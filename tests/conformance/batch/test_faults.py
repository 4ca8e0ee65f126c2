"""Faults on demand, as clients meet them: which they ride over, and which they have to look for."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.storage.blob import BlobServiceClient, ExponentialRetry

from runner.connect import Services, open_azure, read_azure_settings
from runner.errors import ServiceRefusedError
from tests.conformance.batch.asking import POLL, completed, machine, wait_until
from tests.conformance.endpoints import Emulator, start_emulator
from tests.conformance.remote import asking

NO_FAULTS: list[dict[str, Any]] = []


@dataclass(frozen=True)
class Control:
    """`/.emulator/…` of a running emulator."""

    authority: str

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The JSON of an answer that must be a success."""
        connection = http.client.HTTPConnection(self.authority, timeout=60)
        try:
            content = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"}
            connection.request(method, f"/.emulator/{path}", body=content, headers=headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        assert response.status == 200, answer
        return answer

    def strikes(self) -> list[int]:
        """How often each rule struck."""
        return [rule["strikes"] for rule in self.ask("GET", "faults")["rules"]]


@contextmanager
def told(emulator: Emulator, *rules: dict[str, Any]) -> Iterator[Control]:
    """An emulator that has only these faults for a while."""
    control = Control(urlsplit(emulator.batch_endpoint).netloc)
    control.ask("PUT", "faults", rules)
    try:
        yield control
    finally:
        control.ask("PUT", "faults", NO_FAULTS)


@pytest.fixture(scope="module")
def own() -> Iterator[Emulator]:
    """An emulator that only the tests of this module make trouble for."""
    with start_emulator("--isolation", "none", "--seed", "1") as running:
        yield running


@pytest.fixture
def batch(own: Emulator) -> Iterator[BatchClient]:
    """The real SDK with its own retries, which wait less."""
    credential = AzureNamedKeyCredential(own.batch_account, own.batch_key)
    with BatchClient(own.batch_endpoint, credential, retry_backoff_factor=0.01) as client:
        yield client


@pytest.fixture
def blobs(own: Emulator) -> Iterator[BlobServiceClient]:
    """The same for blobs."""
    retry = ExponentialRetry(initial_backoff=0, increment_base=0, random_jitter_range=0)
    with BlobServiceClient.from_connection_string(
        own.connection_string, retry_policy=retry
    ) as client:
        yield client


def make_job(client: BatchClient, name: str, *, dedicated: int = 0, spot: int = 0) -> None:
    """A pool and a job of the same name."""
    client.create_pool(
        models.BatchPoolCreateOptions(
            id=name,
            vm_size="Standard_D2s_v5",
            target_dedicated_nodes=dedicated,
            target_low_priority_nodes=spot,
            virtual_machine_configuration=machine(),
        )
    )
    pool = models.BatchPoolInfo(pool_id=name)
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=pool))


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "429", "retry-after": "0s"},
        {"fault": "500"},
        {"fault": "503", "retry-after": "0s"},
        {"fault": "reset"},
        {"fault": "reset=after"},
        {"fault": "timeout", "for": "20ms"},
    ],
    ids=lambda fault: fault["fault"],
)
def test_the_client_rides_over_it(own: Emulator, batch: BatchClient, fault: dict[str, Any]) -> None:
    with told(own, {**fault, "operation": "list_jobs", "first": 2}) as control:
        assert isinstance(list(batch.list_jobs()), list)
        assert control.strikes() == [2]


def test_a_broken_off_body_is_no_answer(own: Emulator, batch: BatchClient) -> None:
    with told(own, {"fault": "reset=body", "operation": "list_supported_images"}) as control:
        with pytest.raises((ServiceResponseError, HttpResponseError)):
            list(batch.list_supported_images(retry_total=0))
        assert control.strikes()[0] >= 1
    assert list(batch.list_supported_images())


def test_what_was_done_without_an_answer_is_done(
    own: Emulator, batch: BatchClient, name: str
) -> None:
    make_job(batch, name)
    task = models.BatchTaskCreateOptions(id="a", command_line="true")
    lost = {"fault": "503=after", "operation": "create_task", "first": 1}
    with told(own, lost), pytest.raises(HttpResponseError) as caught:
        batch.create_task(name, task, retry_total=0)
    assert caught.value.status_code == 503
    assert batch.get_task(name, "a").id == "a"


def test_an_answer_is_late(own: Emulator, batch: BatchClient) -> None:
    with told(own, {"fault": "latency=300ms", "service": "batch"}):
        begun = time.monotonic()
        list(batch.list_jobs())
        assert time.monotonic() - begun >= 0.3


def test_the_blob_client_rides_over_it(own: Emulator, blobs: BlobServiceClient, name: str) -> None:
    rules = (
        {"fault": "503", "operation": "put_blob", "first": 1, "retry-after": "0s"},
        {"fault": "reset", "operation": "get_blob", "first": 1},
        {"fault": "500", "service": "blob", "operation": "create_container", "first": 1},
    )
    with told(own, *rules) as control:
        container = blobs.create_container(name)
        blob = container.upload_blob("a", b"content")
        assert blob.download_blob().readall() == b"content"
        assert control.strikes() == [1, 1, 1]


def test_a_wrong_clock_refuses_requests_and_says_what_time_it_is(
    own: Emulator, batch: BatchClient
) -> None:
    with told(own, {"fault": "clock=+20m"}), pytest.raises(HttpResponseError) as caught:
        list(batch.list_jobs())
    assert caught.value.status_code == 403
    assert list(batch.list_jobs()) is not None


def test_some_tasks_of_a_collection_are_not_added(
    own: Emulator, batch: BatchClient, name: str
) -> None:
    make_job(batch, name)
    tasks = [models.BatchTaskCreateOptions(id=f"t{n}", command_line="true") for n in range(100)]
    with told(
        own,
        {"fault": "task-error", "rate": 0.2},
        {"fault": "task-error=ClientError", "task": "t7*", "first": 1, "code": "Odd"},
    ):
        results = batch.create_task_collection(
            name, models.BatchTaskGroup(task_values=tasks)
        ).result_values
    assert results is not None
    failed = {result.task_id: result for result in results if result.error is not None}
    statuses = {str(result.status) for result in failed.values()}
    codes = {result.error.code for result in failed.values() if result.error is not None}
    assert 5 < len(failed) < 45
    assert statuses == {"ServerError", "ClientError"}
    assert codes == {"ServerBusy", "Odd"}
    added = {task.id for task in batch.list_tasks(name)}
    assert added == {f"t{n}" for n in range(100)} - set(failed)


@pytest.fixture
def services(own: Emulator) -> Iterator[Services]:
    """Both services, as `--target azure` opens them."""
    settings = read_azure_settings(
        {
            "AZURE_BATCH_ENDPOINT": own.batch_endpoint,
            "AZURE_BATCH_ACCOUNT": own.batch_account,
            "AZURE_BATCH_ACCESS_KEY": own.batch_key,
            "AZURE_STORAGE_CONNECTION_STRING": own.connection_string,
        }
    )
    with open_azure(settings) as opened:
        yield opened


def test_the_runner_sees_tasks_that_were_not_added(
    own: Emulator, batch: BatchClient, services: Services, name: str
) -> None:
    services.batch.create_job(asking.make_job(name))
    tasks = [asking.make_task(number, asking.bash("true")) for number in range(150)]
    with told(own, {"fault": "task-error", "every": 5, "first": 15}) as control:
        services.batch.add_tasks(name, tasks)
        assert control.strikes() == [15]
    assert len(list(batch.list_tasks(name))) == 150
    refused = {"fault": "task-error=ClientError", "task": "0160"}
    with told(own, refused), pytest.raises(ServiceRefusedError) as caught:
        services.batch.add_tasks(name, [asking.make_task(160, asking.bash("true"))])
    assert "0160" in str(caught.value)
    services.batch.delete_job(name)


def test_files_of_a_task_cannot_be_moved(own: Emulator, batch: BatchClient, name: str) -> None:
    make_job(batch, name, dedicated=1)
    upload = models.OutputFile(
        file_pattern="../stdout.txt",
        destination=models.OutputFileDestination(
            container=models.OutputFileBlobContainerDestination(container_url="http://127.0.0.1:9/")
        ),
        upload_options=models.OutputFileUploadConfiguration(upload_condition="taskcompletion"),
    )
    rules = [
        {"fault": "download-error=BlobDownloadTimedOut", "job": name, "task": "in"},
        {"fault": "upload-error", "job": name, "task": "out*"},
    ]
    with told(own, *rules) as control:
        for task in ("in", "out", "other", "out-of-nothing"):
            outputs = [upload] if task == "out" else None
            batch.create_task(
                name,
                models.BatchTaskCreateOptions(id=task, command_line="true", output_files=outputs),
            )

        def ends() -> list[models.BatchTask]:
            tasks = list(batch.list_tasks(name))
            return tasks if all(task.state == "completed" for task in tasks) else []

        found = {task.id: task.execution_info for task in wait_until(ends)}
        assert control.strikes() == [1, 2]
    codes = {
        task: (info.exit_code, info.failure_info and info.failure_info.code)
        for task, info in found.items()
        if info is not None
    }
    assert codes == {
        "in": (None, "BlobDownloadTimedOut"),
        "out": (0, "FileUploadMiscError"),
        "other": (0, None),
        "out-of-nothing": (0, None),
    }


def test_a_start_task_fails(own: Emulator, batch: BatchClient, name: str) -> None:
    with told(own, {"fault": "start-task-failure", "exit": 9, "pool": name}):
        batch.create_pool(
            models.BatchPoolCreateOptions(
                id=name,
                vm_size="Standard_D2s_v5",
                target_dedicated_nodes=1,
                virtual_machine_configuration=machine(),
                start_task=models.BatchStartTask(command_line="true", wait_for_success=True),
            )
        )

        def failed() -> list[models.BatchNode]:
            return [node for node in batch.list_nodes(name) if node.state == "starttaskfailed"]

        (node,) = wait_until(failed)
    assert node.start_task_info is not None
    assert node.start_task_info.exit_code == 9


def test_a_resize_fails(own: Emulator, batch: BatchClient, name: str) -> None:
    with told(own, {"fault": "resize-error=AccountCoreQuotaReached", "pool": name, "first": 1}):
        make_job(batch, name, dedicated=2)

        def errors() -> Any:
            return batch.get_pool(name).resize_errors

        (error,) = wait_until(errors)
        assert (error.code, batch.get_pool(name).current_dedicated_nodes) == (
            "AccountCoreQuotaReached",
            0,
        )
        resize = models.BatchPoolResizeOptions(target_dedicated_nodes=1)
        batch.begin_resize_pool(name, resize, **POLL).result()
        assert wait_until(lambda: batch.get_pool(name).current_dedicated_nodes) == 1


def test_the_tasks_of_lost_nodes_run_again(own: Emulator, batch: BatchClient, name: str) -> None:
    rules = (
        {"fault": "preempt", "pool": name, "tasks": 2, "share": 0.5},
        {"fault": "unusable", "pool": name, "tasks": 4},
    )
    with told(own, *rules) as control:
        make_job(batch, name, dedicated=1, spot=2)
        tasks = [
            models.BatchTaskCreateOptions(id=f"t{n}", command_line="sleep 0.2") for n in range(12)
        ]
        batch.create_task_collection(name, models.BatchTaskGroup(task_values=tasks))
        ended = [completed(batch, name, f"t{n}") for n in range(12)]
        assert control.strikes() == [1, 1]
    results = {task.execution_info.result for task in ended if task.execution_info is not None}
    assert results == {"success"}
    requeued = sum(task.execution_info.requeue_count for task in ended if task.execution_info)
    assert requeued >= 1
    assert models.BatchNodeState.UNUSABLE in {node.state for node in batch.list_nodes(name)}


def test_the_record_says_what_was_done_on_purpose(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    faults = tmp_path / "faults.json"
    faults.write_text('[{"fault": "reset", "operation": "list_jobs", "first": 1}]')
    arguments = ("--record", str(record), "--faults", str(faults), "--fault", "latency=1ms")
    with start_emulator(*arguments, "--isolation", "none") as emulator:
        credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
        with BatchClient(emulator.batch_endpoint, credential, retry_backoff_factor=0.01) as client:
            list(client.list_jobs())
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [(line["status"], line["faults"]) for line in lines] == [
        (None, ["1:latency", "2:reset=before"]),
        (200, ["1:latency"]),
    ]
