"""Accounts by their hosts: links lead back the way that a request came.

Names below `localhost` are not resolved everywhere, so the clients go to the address and name the
host in the header.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from azure.batch import BatchClient
from azure.batch.models import BatchJobCreateOptions, BatchPoolInfo
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from tests.conformance.endpoints import Emulator


def address(emulator: Emulator) -> tuple[str, str]:
    """The URL without any account, and its port."""
    url = urlsplit(emulator.batch_endpoint)
    return f"{url.scheme}://{url.netloc}", f"{url.port}"


def test_batch_is_found_by_the_host_and_links_there(emulator: Emulator) -> None:
    origin, port = address(emulator)
    host = f"LocalBatch.WestEurope.batch.localhost:{port}"
    own = f"http://{host}"
    credential = AzureNamedKeyCredential(emulator.batch_account, emulator.batch_key)
    names = [f"host-{uuid4().hex[:8]}-{number}" for number in range(2)]
    seen: list[Any] = []
    with BatchClient(
        origin,
        credential,
        base_headers={"Host": host},
        raw_response_hook=lambda response: seen.append(response.http_response),
    ) as client:
        for name in names:
            job = BatchJobCreateOptions(id=name, pool_info=BatchPoolInfo(pool_id="none"))
            client.create_job(job)
            created = seen[-1].headers
            assert created["Location"] == f"{own}/jobs/job-1"
            assert created["DataServiceId"] == f"{own}/jobs/job-1"
            assert client.get_job(name).url == f"{own}/jobs/{name}"
        next(client.list_jobs(max_results=1).by_page())
        page = seen[-1].json()
        assert page["odata.metadata"] == f"{own}/$metadata#jobs"
        assert page["odata.nextLink"].startswith(f"{own}/jobs?")
    with BatchClient(emulator.batch_endpoint, credential) as client:
        for name in names:
            # The same account by its path, and other links.
            assert client.get_job(name).url == f"{emulator.batch_endpoint}/jobs/{name}"
            client.begin_delete_job(name)


def test_storage_is_found_by_the_host_and_links_there(emulator: Emulator) -> None:
    origin, port = address(emulator)
    host = f"localstorage.blob.localhost:{port}"
    credential = {"account_name": emulator.storage_account, "account_key": emulator.storage_key}
    # A container that is called as the account: below a host, the path's first part is no account.
    name = emulator.storage_account
    with BlobServiceClient(origin, credential, base_headers={"Host": host}) as client:
        bodies: list[str] = []
        container = client.create_container(name)
        container.upload_blob("a b/c", b"content")
        assert container.download_blob("a b/c").readall() == b"content"
        found = container.list_blobs(
            raw_response_hook=lambda response: bodies.append(response.http_response.text())
        )
        assert [blob.name for blob in found] == ["a b/c"]
        assert f'ServiceEndpoint="http://{host}/"' in bodies[0]
        container.delete_container()
