"""Access tokens of Entra ID, over TLS: by the clients of both services."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from azure.batch import BatchClient
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    generate_blob_sas,
)

from tests.conformance.access.conftest import SignedIn
from tests.conformance.endpoints import Emulator


def test_batch_takes_a_token(secure: Emulator) -> None:
    with BatchClient(secure.batch_endpoint, SignedIn(), connection_verify=secure.ca_file) as client:
        assert next(iter(client.list_supported_images())).node_agent_sku_id


@pytest.mark.parametrize(
    "claims", [(("aud", "https://management.azure.com/"),), (("exp", 1), ("nbf", 0))]
)
def test_batch_refuses_a_token_that_does_not_fit(
    secure: Emulator, claims: tuple[tuple[str, object], ...]
) -> None:
    with (
        BatchClient(
            secure.batch_endpoint, SignedIn(claims), connection_verify=secure.ca_file
        ) as client,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        next(iter(client.list_jobs()), None)

    assert refused.value.status_code == 401
    assert refused.value.error is not None
    assert refused.value.error.code == "AuthenticationFailed"


def test_storage_takes_a_token_and_gives_a_key_to_sign_with(secure: Emulator) -> None:
    now = datetime.now(timezone.utc)
    name = f"token-{uuid4().hex[:8]}"
    with BlobServiceClient(
        secure.blob_endpoint, SignedIn(), connection_verify=secure.ca_file
    ) as service:
        container = service.create_container(name)
        container.upload_blob("a b", b"content")
        key = service.get_user_delegation_key(now, now + timedelta(hours=1))
        sas = generate_blob_sas(
            secure.storage_account,
            name,
            "a b",
            user_delegation_key=key,
            permission=BlobSasPermissions(read=True),
            expiry=now + timedelta(minutes=30),
        )
        url = f"{container.url}/a%20b?{sas}"
        with BlobClient.from_blob_url(url, connection_verify=secure.ca_file) as blob:
            assert blob.download_blob().readall() == b"content"
        container.delete_container()


def test_a_source_is_read_with_a_token_of_its_own(secure: Emulator) -> None:
    person = SignedIn()
    token = person.get_token("https://storage.azure.com/.default").token
    with BlobServiceClient(
        secure.blob_endpoint, person, connection_verify=secure.ca_file
    ) as service:
        container = service.create_container(f"token-{uuid4().hex[:8]}")
        source = container.upload_blob("source", b"content")
        blob = container.get_blob_client("copy")
        with pytest.raises(ClientAuthenticationError):
            blob.upload_blob_from_url(source.url)
        blob.upload_blob_from_url(source.url, source_authorization=f"Bearer {token}")
        assert blob.download_blob().readall() == b"content"
        container.delete_container()


def test_storage_refuses_a_token_for_batch(secure: Emulator) -> None:
    claims = (("aud", "https://batch.core.windows.net/"),)
    with (
        BlobServiceClient(
            secure.blob_endpoint, SignedIn(claims), connection_verify=secure.ca_file
        ) as service,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        service.create_container("never")

    assert refused.value.status_code == 401
    assert refused.value.error_code == "InvalidAuthenticationInfo"  # type: ignore[attr-defined]
