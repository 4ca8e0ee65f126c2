"""Files of tasks in the emulator's own storage: the same as by HTTP, whatever becomes of them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from azure.batch import BatchClient, models
from azure.storage.blob import (
    BlobServiceClient,
    ContainerSasPermissions,
    generate_container_sas,
)

from tests.conformance.batch.asking import auto_pool, wait_until
from tests.conformance.batch.variants import MAIN, open_client
from tests.conformance.endpoints import Emulator, start_emulator

Description = dict[str, Any]
CONTENT = bytes(range(256)) * 40


class Files:
    """The storage of an emulator, as tasks are told of it."""

    def __init__(self, emulator: Emulator, service: BlobServiceClient) -> None:
        self._emulator = emulator
        self.service = service

    def url(
        self, container: str, permissions: str = "rwl", *, blob: str = "", days: int = 1
    ) -> str:
        """With a signature of the container that ends in so many days."""
        signature = generate_container_sas(
            self._emulator.storage_account,
            container,
            account_key=self._emulator.storage_key,
            permission=ContainerSasPermissions.from_string(permissions),
            expiry=datetime.now(timezone.utc) + timedelta(days=days),
        )
        return f"{self._emulator.blob_endpoint}/{container}{blob and '/'}{blob}?{signature}"

    def output(self, pattern: str, url: str, path: str | None = None) -> models.OutputFile:
        return models.OutputFile(
            file_pattern=pattern,
            destination=models.OutputFileDestination(
                container=models.OutputFileBlobContainerDestination(
                    container_url=url,
                    path=path,
                    upload_headers=[
                        models.OutputFileUploadHeader(name="Content-Type", value="text/x-made")
                    ],
                )
            ),
            upload_options=models.OutputFileUploadConfiguration(upload_condition="taskcompletion"),
        )


def run_tasks(batch: BatchClient, files: Files) -> dict[str, Description]:
    """What became of tasks with files of all kinds."""
    for name in ("in", "out", "shut"):
        files.service.create_container(f"box-{name}")
    box = files.service.get_container_client("box-in")
    for name in ("a", "folder/b", "folder/ü c'd"):
        box.upload_blob(name, CONTENT)
    large = CONTENT * 60
    box.upload_blob("large", large, max_concurrency=1)
    files.service.get_blob_client("box-shut", "there").upload_blob(b"before")
    entered = models.ResourceFile(http_url=files.url("box-in", blob="a"), file_path="x/a")
    out = files.url("box-out")
    tasks = {
        "moved": (
            "/bin/sh -c 'cat x/a large; find . -type f | sort >&2; cp large out.large; : > empty'",
            [
                entered,
                models.ResourceFile(http_url=files.url("box-in", blob="large"), file_path="large"),
                models.ResourceFile(
                    storage_container_url=files.url("box-in"),
                    blob_prefix="folder/",
                    file_mode="600",
                ),
            ],
            [
                files.output("../std*.txt", out, "moved"),
                files.output("out.large", out, "moved/large"),
                files.output("empty", out, "moved/empty"),
            ],
        ),
        "told": (
            "true",
            [],
            [
                files.output("../stdout.txt", out, "told/out"),
                files.output("../fileuploadout.txt", out, "told/log"),
            ],
        ),
        "failed": ("/bin/sh -c 'exit 3'", [entered], [files.output("x/*", out, "failed")]),
        "missing": ("true", [_resource(files.url("box-in", blob="none"))], []),
        "gone": ("true", [_resource(files.url("box-none", blob="a"))], []),
        "gone-folder": (
            "true",
            [models.ResourceFile(storage_container_url=files.url("box-none"))],
            [],
        ),
        "denied": ("true", [_resource(files.url("box-in", "wl", blob="a"))], []),
        "expired": ("true", [_resource(files.url("box-in", blob="a", days=-1))], []),
        "unlisted": (
            "true",
            [models.ResourceFile(storage_container_url=files.url("box-in", "rw"))],
            [],
        ),
        "no-container": (
            "echo 1",
            [],
            [
                files.output("../stdout.txt", files.url("box-none")),
                files.output("../s*", out, "part"),
            ],
        ),
        "no-right": (
            "echo 2",
            [],
            [files.output("../stdout.txt", files.url("box-out", "rl"), "x")],
        ),
        "only-new": (
            "/bin/sh -c 'echo 3; mkdir d; echo 4 > d/new; echo 5 > d/there'",
            [],
            [
                files.output("d/*", files.url("box-shut", "cl")),
                files.output("../stdout.txt", out, "s"),
            ],
        ),
    }
    batch.create_job(models.BatchJobCreateOptions(id="job", pool_info=auto_pool(slots=4)))
    for name, (command, resources, outputs) in tasks.items():
        batch.create_task(
            "job",
            models.BatchTaskCreateOptions(
                id=name, command_line=command, resource_files=resources, output_files=outputs
            ),
        )

    def ended() -> list[models.BatchTask]:
        found = list(batch.list_tasks("job"))
        return found if all(task.state == "completed" for task in found) else []

    found = {task.id: _describe(task) for task in wait_until(ended)}
    for container in ("box-out", "box-shut"):
        client = files.service.get_container_client(container)
        for blob in client.list_blobs():
            content = client.download_blob(blob.name).readall()
            if "log" in blob.name:
                content = b"".join(line.split(b" ", 1)[1] for line in content.splitlines())
            settings = blob.content_settings
            found[f"{container}/{blob.name}"] = {
                "content": content.replace(str(files.service.url).encode(), b"SERVICE/"),
                "type": settings.content_type,
                "whole": "log" in blob.name or settings.content_md5,
            }
    assert found["box-out/moved/stdout.txt"]["content"] == CONTENT + large
    return found


def _resource(url: str) -> models.ResourceFile:
    return models.ResourceFile(http_url=url, file_path="file")


def _describe(task: models.BatchTask) -> Description:
    info = task.execution_info
    assert info is not None
    failure = info.failure_info
    if failure is None:
        return {"exit": info.exit_code}
    details = {each.name: each.value for each in failure.details or ()}
    where = details.get("BlobSource") or details.get("Destination") or ""
    return {
        "exit": info.exit_code,
        "code": failure.code,
        "category": failure.category,
        "message": failure.message,
        "details": {**details, "BlobSource": "", "Destination": where.rpartition("/")[2]},
    }


def test_files_of_tasks_are_the_same_with_and_without_http(tmp_path: Path) -> None:
    record = tmp_path / "record"
    found = []
    for arguments in ([], ["--record", str(record)]):
        with (
            start_emulator(*arguments) as emulator,
            open_client(MAIN, emulator, None) as batch,
            BlobServiceClient.from_connection_string(emulator.connection_string) as service,
        ):
            found.append(run_tasks(batch, Files(emulator, service)))
    near, by_http = found
    assert near == by_http
    assert {name: each.get("code") for name, each in near.items() if "exit" in each} == {
        "moved": None,
        "told": None,
        "failed": "FailureExitCode",
        "missing": "BlobNotFound",
        "gone": "BlobNotFound",
        "gone-folder": "BlobNotFound",
        "denied": "BlobAccessDenied",
        "expired": "BlobAccessDenied",
        "unlisted": "BlobAccessDenied",
        "no-container": "FileUploadContainerNotFound",
        "no-right": "FileUploadAccessDenied",
        "only-new": "FileUploadAccessDenied",
    }
    # With a record, what nodes do is in it too.
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    asked = {(line["method"], line["path"].split("/", 2)[2]) for line in lines}
    assert {("GET", "box-in/a"), ("GET", "box-in/none"), ("PUT", "box-out/moved/large")} <= asked
