"""Keys and shared access signatures, made by azure-storage-blob."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
)
from azure.storage.blob import (
    AccountSasPermissions,
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)

from tests.conformance.endpoints import Emulator

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(timezone.utc)


def container_with(emulator: Emulator, container: ContainerClient, sas: str) -> ContainerClient:
    return ContainerClient(emulator.blob_endpoint, container.container_name, credential=sas)


def container_sas(emulator: Emulator, container: ContainerClient, permission: str) -> str:
    return generate_container_sas(
        emulator.storage_account,
        container.container_name,
        account_key=emulator.storage_key,
        permission=ContainerSasPermissions.from_string(permission),
        expiry=now() + HOUR,
    )


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    key = base64.b64encode(bytes(64)).decode()
    credential = AzureNamedKeyCredential(emulator.storage_account, key)

    with (
        BlobServiceClient(emulator.blob_endpoint, credential=credential) as client,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        client.create_container("never")

    assert refused.value.status_code == 403
    assert refused.value.error_code == "AuthenticationFailed"  # type: ignore[attr-defined]
    assert "Server used following string to sign: 'PUT" in str(refused.value)


def test_no_credential_is_refused(emulator: Emulator, container: ContainerClient) -> None:
    with (
        ContainerClient(emulator.blob_endpoint, container.container_name) as client,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        client.get_container_properties()

    assert refused.value.status_code == 401


def test_a_container_sas_permits_what_it_says(
    emulator: Emulator, container: ContainerClient
) -> None:
    name = "with space/ü?#%"
    with container_with(emulator, container, container_sas(emulator, container, "rwdl")) as full:
        full.upload_blob(name, b"content")
        assert full.download_blob(name).readall() == b"content"
        assert [blob.name for blob in full.list_blobs()] == [name]
        with pytest.raises(HttpResponseError) as refused:
            full.get_container_properties()
        assert refused.value.error_code == "AuthorizationFailure"  # type: ignore[attr-defined]
        full.delete_blob(name)


@pytest.mark.parametrize("permission", ["w", "l", "d", "c"])
def test_a_container_sas_without_read_does_not_read(
    emulator: Emulator, container: ContainerClient, permission: str
) -> None:
    container.upload_blob("b", b"content")
    sas = container_sas(emulator, container, permission)

    with (
        container_with(emulator, container, sas) as client,
        pytest.raises(HttpResponseError) as refused,
    ):
        client.download_blob("b")

    assert refused.value.status_code == 403
    code = refused.value.error_code  # type: ignore[attr-defined]
    assert code == "AuthorizationPermissionMismatch"


def test_a_create_only_sas_does_not_overwrite(
    emulator: Emulator, container: ContainerClient
) -> None:
    sas = container_sas(emulator, container, "c")

    with container_with(emulator, container, sas) as client:
        client.upload_blob("b", b"first")
        with pytest.raises(ResourceExistsError):
            client.upload_blob("b", b"second")
        with pytest.raises(HttpResponseError) as refused:
            client.upload_blob("b", b"third", overwrite=True)

    code = refused.value.error_code  # type: ignore[attr-defined]
    assert (refused.value.status_code, code) == (403, "UnauthorizedBlobOverwrite")
    assert container.download_blob("b").readall() == b"first"


def test_a_blob_sas_covers_that_blob_alone(emulator: Emulator, container: ContainerClient) -> None:
    for name in ("a b", "other"):
        container.upload_blob(name, b"content")
    sas = generate_blob_sas(
        emulator.storage_account,
        container.container_name,
        "a b",
        account_key=emulator.storage_key,
        permission=BlobSasPermissions(read=True),
        expiry=now() + HOUR,
        content_disposition="attachment",
    )

    with container_with(emulator, container, sas) as client:
        download = client.download_blob("a b")
        assert download.readall() == b"content"
        assert download.properties.content_settings.content_disposition == "attachment"
        with pytest.raises(ClientAuthenticationError):
            client.download_blob("other")
    with BlobClient.from_blob_url(f"{container.url}/a%20b?{sas}") as blob:
        assert blob.download_blob().readall() == b"content"


@pytest.mark.parametrize(("start", "expiry"), [(-2 * HOUR, -HOUR), (None, -HOUR), (HOUR, 2 * HOUR)])
def test_a_sas_out_of_its_time_is_refused(
    emulator: Emulator,
    container: ContainerClient,
    start: timedelta | None,
    expiry: timedelta,
) -> None:
    container.upload_blob("b", b"content")
    sas = generate_container_sas(
        emulator.storage_account,
        container.container_name,
        account_key=emulator.storage_key,
        permission=ContainerSasPermissions(read=True),
        start=now() + start if start else None,
        expiry=now() + expiry,
    )

    with (
        container_with(emulator, container, sas) as client,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        client.download_blob("b")

    assert refused.value.error_code == "AuthenticationFailed"  # type: ignore[attr-defined]


def test_a_sas_of_another_key_is_refused(emulator: Emulator, container: ContainerClient) -> None:
    sas = generate_container_sas(
        emulator.storage_account,
        container.container_name,
        account_key=base64.b64encode(b"another key").decode(),
        permission=ContainerSasPermissions(read=True, list=True),
        expiry=now() + HOUR,
    )

    with (
        container_with(emulator, container, sas) as client,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        list(client.list_blobs())

    assert "Signature did not match" in str(refused.value)


def test_an_account_sas(emulator: Emulator) -> None:
    sas = generate_account_sas(
        emulator.storage_account,
        emulator.storage_key,
        resource_types=ResourceTypes(service=True, container=True),
        permission=AccountSasPermissions(list=True, create=True, delete=True, write=True),
        expiry=now() + HOUR,
    )

    with BlobServiceClient(emulator.blob_endpoint, credential=sas) as client:
        container = client.create_container("by-account-sas")
        assert "by-account-sas" in [found.name for found in client.list_containers()]
        with pytest.raises(HttpResponseError) as refused:
            container.upload_blob("b", b"content")
        container.delete_container()

    code = refused.value.error_code  # type: ignore[attr-defined]
    assert (refused.value.status_code, code) == (403, "AuthorizationResourceTypeMismatch")


def test_a_large_refused_upload_is_answered(
    emulator: Emulator, container: ContainerClient, tmp_path: Path
) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(30_000_000)
    sas = container_sas(emulator, container, "r")

    with (
        container_with(emulator, container, sas) as client,
        path.open("rb") as file,
        pytest.raises(HttpResponseError) as refused,
    ):
        client.upload_blob("b", file)

    assert refused.value.status_code == 403
