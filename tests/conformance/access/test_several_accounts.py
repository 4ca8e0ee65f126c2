"""Several accounts in one emulator: each has its own pools, jobs, containers and key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from azure.batch import BatchClient
from azure.batch.models import (
    BatchJobCreateOptions,
    BatchPoolInfo,
    BatchTaskCreateOptions,
    ResourceFile,
)
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

from tests.conformance.batch.asking import auto_pool, completed
from tests.conformance.endpoints import Emulator

# What a task's own program sees of the emulator: TLS that it trusts, and no authorization.
LOOK = """
import os, urllib.error, urllib.request
print(open("data/in.txt").read())
url = os.environ["AZ_BATCH_ACCOUNT_URL"]
try:
    urllib.request.urlopen(url + "/jobs?api-version=2025-06-01")
except urllib.error.HTTPError as error:
    print(url.partition(":")[0], error.code)
print(os.environ["NODE_EXTRA_CA_CERTS"].startswith(os.environ["AZ_BATCH_NODE_ROOT_DIR"]))
"""


@contextmanager
def batch_of(emulator: Emulator, account: str, key: str | None = None) -> Iterator[BatchClient]:
    found = emulator.batch_accounts[account]
    credential = AzureNamedKeyCredential(account, key or found["key"])
    with BatchClient(found["endpoint"], credential, connection_verify=emulator.ca_file) as client:
        yield client


def test_accounts_do_not_see_each_other(secure: Emulator) -> None:
    name = f"job-{uuid4().hex[:8]}"
    job = BatchJobCreateOptions(id=name, pool_info=BatchPoolInfo(pool_id="none"))
    with batch_of(secure, "localbatch") as first, batch_of(secure, "second") as second:
        first.create_job(job)
        with pytest.raises(ResourceNotFoundError):
            second.get_job(name)
        second.create_job(job)
        first.begin_delete_job(name)
        assert (
            second.get_job(name).url == f"{secure.batch_accounts['second']['endpoint']}/jobs/{name}"
        )


def test_the_key_of_one_account_does_not_open_another(secure: Emulator) -> None:
    with (
        batch_of(secure, "second", secure.batch_accounts["localbatch"]["key"]) as client,
        pytest.raises(HttpResponseError) as refused,
    ):
        next(iter(client.list_jobs()), None)

    assert refused.value.status_code == 403


def test_nodes_fetch_from_the_storage_of_their_account_over_tls(secure: Emulator) -> None:
    name = f"files-{uuid4().hex[:8]}"
    connection = secure.storage_accounts["files"]["connection_string"]
    with BlobServiceClient.from_connection_string(
        connection, connection_verify=secure.ca_file
    ) as storage:
        container = storage.create_container(name)
        container.upload_blob("data/in.txt", b"from files")
        container.upload_blob("look.py", LOOK)
    task = BatchTaskCreateOptions(
        id="t",
        command_line="python3 look.py",
        resource_files=[ResourceFile(auto_storage_container_name=name)],
    )
    with batch_of(secure, "second") as client:
        client.create_job(BatchJobCreateOptions(id=name, pool_info=auto_pool()))
        client.create_task(name, task)
        completed(client, name, "t")
        output = b"".join(client.download_task_file(name, "t", "stdout.txt")).decode()
        errors = b"".join(client.download_task_file(name, "t", "stderr.txt")).decode()
        client.begin_delete_job(name)

    assert (output.split("\n"), errors) == (["from files", "https 401", "True", ""], "")


def test_a_blob_is_copied_from_another_account(secure: Emulator) -> None:
    name = f"copy-{uuid4().hex[:8]}"
    source, target = (
        BlobServiceClient.from_connection_string(
            secure.storage_accounts[account]["connection_string"], connection_verify=secure.ca_file
        )
        for account in ("localstorage", "files")
    )
    with source, target:
        source.create_container(name).upload_blob("a b", b"content")
        target.create_container(name)
        sas = generate_blob_sas(
            "localstorage",
            name,
            "a b",
            account_key=secure.storage_key,
            permission=BlobSasPermissions(read=True),
            expiry=datetime.now(timezone.utc) + timedelta(minutes=5),
        )
        copy = target.get_blob_client(name, "copy")
        copy.start_copy_from_url(f"{source.get_blob_client(name, 'a b').url}?{sas}")
        assert copy.download_blob().readall() == b"content"
        for service in (source, target):
            service.delete_container(name)
