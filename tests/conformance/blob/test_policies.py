"""Access of containers through the SDK: public reading, and stored access policies."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.storage.blob import (
    AccessPolicy,
    BlobClient,
    ContainerClient,
    ContainerSasPermissions,
    PublicAccess,
    generate_container_sas,
)

from tests.conformance.endpoints import Emulator


def test_a_public_container_is_read_by_anybody(
    emulator: Emulator, container: ContainerClient
) -> None:
    container.upload_blob("b", b"content")
    anybody = ContainerClient(emulator.blob_endpoint, container.container_name)
    blob = anybody.get_blob_client("b")

    with pytest.raises(ClientAuthenticationError):
        blob.download_blob()
    container.set_container_access_policy({}, public_access=PublicAccess.BLOB)
    content = blob.download_blob().readall()
    with pytest.raises(ClientAuthenticationError):
        list(anybody.list_blobs())
    container.set_container_access_policy({}, public_access=PublicAccess.CONTAINER)
    names = [item.name for item in anybody.list_blobs()]
    with pytest.raises(ClientAuthenticationError):
        anybody.upload_blob("other", b"")
    access = container.get_container_properties().public_access
    container.set_container_access_policy({})

    assert (content, names, access) == (b"content", ["b"], "container")
    with pytest.raises(ClientAuthenticationError):
        blob.download_blob()
    for client in (blob, anybody):
        client.close()


def test_a_stored_policy_that_says_nothing(container: ContainerClient) -> None:
    container.set_container_access_policy({"empty": None})  # type: ignore[dict-item]

    (found,) = container.get_container_access_policy()["signed_identifiers"]

    assert (found.id, found.access_policy) == ("empty", None)


def test_a_stored_policy_gives_and_takes(emulator: Emulator, container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content")
    now = datetime.now(timezone.utc)
    policy = AccessPolicy(
        permission=ContainerSasPermissions(read=True),
        start=now - timedelta(minutes=5),
        expiry=now + timedelta(hours=1),
    )
    container.set_container_access_policy({"reader": policy})
    query = generate_container_sas(
        emulator.storage_account,
        container.container_name,
        account_key=emulator.storage_key,
        policy_id="reader",
    )

    with BlobClient.from_blob_url(f"{blob.url}?{query}") as client:
        assert client.download_blob().readall() == b"content"
        with pytest.raises(HttpResponseError):
            client.upload_blob(b"other", overwrite=True)
        kept = container.get_container_access_policy()
        container.set_container_access_policy({})
        with pytest.raises(ClientAuthenticationError):
            client.download_blob()

    (identifier,) = kept["signed_identifiers"]
    assert identifier.id == "reader"
    assert identifier.access_policy.permission == "r"
