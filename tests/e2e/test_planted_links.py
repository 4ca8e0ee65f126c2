"""Tasks of copy-on-write nodes plant links for the emulator, which is root of the machine."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient, generate_container_sas

from runner.emulator.batch.isolation.choice import Kind, find_kind
from tests.e2e.conftest import User, wait_until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or find_kind("auto", os.environ).kind is not Kind.COPY_ON_WRITE,
    reason="copy-on-write nodes need Linux and root",
)
IMAGE = models.BatchVmImageReference(
    publisher="canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts"
)
ADMIN = models.UserIdentity(auto_user=models.AutoUserSpecification(elevation_level="admin"))


@dataclass(frozen=True)
class Account:
    """An emulator with one node and one job."""

    client: BatchClient
    blobs: BlobServiceClient
    key: str
    data: Path

    def run(self, task: str, script: str, **more: Any) -> tuple[int | None, str | None]:
        """Runs it as admin, to its end; the exit code, and the code of the failure."""
        line = f"/bin/sh -ec {shlex.quote(script)}"
        options = models.BatchTaskCreateOptions(id=task, command_line=line, user_identity=ADMIN)
        for name, value in more.items():
            setattr(options, name, value)
        self.client.create_task("job", options)
        wait_until(
            lambda: self.client.get_task("job", task).state == models.BatchTaskState.COMPLETED,
            what=f"{task} ends",
        )
        info = self.client.get_task("job", task).execution_info
        assert info is not None
        return info.exit_code, None if info.failure_info is None else info.failure_info.code

    def read(self, task: str, name: str) -> bytes | None:
        """A file of a task; None where there is none."""
        try:
            return b"".join(self.client.download_task_file("job", task, name))
        except HttpResponseError as error:
            assert error.status_code == 404
            return None

    def container_url(self, name: str) -> str:
        account = self.blobs.account_name
        assert account is not None
        signature = generate_container_sas(
            account,
            name,
            account_key=self.key,
            permission="racwl",
            expiry=datetime.now(timezone.utc) + timedelta(hours=1),
        )
        return f"{self.blobs.url.rstrip('/')}/{name}?{signature}"


@pytest.fixture
def account(user: User, tmp_path: Path) -> Iterator[Account]:
    data = tmp_path / "data"
    words = ("emulator", "--json", "--isolation", "copy-on-write", "--data", str(data))
    with user.start(*words) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            batch, storage = said["batch"], said["storage"]
            credential = AzureNamedKeyCredential(batch["account"], batch["key"])
            client = BatchClient(batch["endpoint"], credential)
            machine = models.VirtualMachineConfiguration(
                image_reference=IMAGE, node_agent_sku_id="batch.node.ubuntu 22.04"
            )
            client.create_pool(
                models.BatchPoolCreateOptions(
                    id="pool",
                    vm_size="standard_d2s_v3",
                    virtual_machine_configuration=machine,
                    target_dedicated_nodes=1,
                )
            )
            pool = models.BatchPoolInfo(pool_id="pool")
            client.create_job(models.BatchJobCreateOptions(id="job", pool_info=pool))
            blobs = BlobServiceClient.from_connection_string(storage["connection_string"])
            with client, blobs:
                yield Account(client, blobs, storage["key"], data)
        finally:
            process.terminate()
            process.communicate(timeout=60)


def test_no_link_of_a_task_leads_the_emulator_out_of_its_node(
    account: Account, tmp_path: Path
) -> None:
    machine = tmp_path / "machine"
    (machine / "gone").mkdir(parents=True)
    (machine / "gone" / "kept").write_text("kept")
    machine.chmod(0o700)
    box = account.blobs.create_container("box")
    box.upload_blob("file", b"from the blob")
    url = account.container_url("box").replace("/box?", "/box/file?")
    resource = models.ResourceFile(http_url=url, file_path="file", file_mode="4755")
    output = models.OutputFile(
        file_pattern="../*.json",
        destination=models.OutputFileDestination(
            container=models.OutputFileBlobContainerDestination(
                container_url=account.container_url("box"), path="out"
            )
        ),
        upload_options=models.OutputFileUploadConfiguration(upload_condition="taskcompletion"),
    )

    account.run(
        "plant", f"mkdir ../../one; ln -s {machine} ../../one/wd; ln -s {machine} ../../two"
    )
    one = account.run("one", "cat file", resource_files=[resource])
    two = account.run("two", "cat file", resource_files=[resource])
    keys = f"mv $AZ_BATCH_TASK_DIR ../../moved; ln -s {account.data} $AZ_BATCH_TASK_DIR"
    sent = account.run("keys", keys, output_files=[output])
    account.run("gone", f"cd ../../..; mv job-1 old; ln -s {machine} job-1")
    account.client.delete_task("job", "gone")
    last = account.run("last", "echo last")

    assert [one, two] == [(0, None), (0, None)]
    assert sent == (0, "FileUploadMiscError")
    assert account.read("keys", "accounts.json") is None
    assert [blob.name for blob in box.list_blobs()] == ["file"]
    assert (last, account.read("last", "stdout.txt")) == ((0, None), b"last\n")
    assert sorted(path.name for path in machine.rglob("*")) == ["gone", "kept"]
    assert machine.stat().st_mode & 0o777 == 0o700
