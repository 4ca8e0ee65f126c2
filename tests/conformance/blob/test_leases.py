"""Leases through the SDK: who holds one may change the blob, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient


def code_of(ask: Callable[[], object]) -> tuple[int | None, str | None]:
    """How a request is refused."""
    with pytest.raises(HttpResponseError) as refused:
        ask()
    code = refused.value.error_code  # type: ignore[attr-defined]
    return refused.value.status_code, code


def test_a_lease_of_a_blob_lives(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content")
    first, second = str(uuid4()), str(uuid4())

    lease = blob.acquire_lease(lease_duration=15, lease_id=first)
    leased = blob.get_blob_properties().lease
    refused = code_of(lambda: blob.upload_blob(b"other", overwrite=True))
    blob.upload_blob(b"other", overwrite=True, lease=lease)
    lease.change(second)
    wrong = code_of(lambda: blob.set_blob_metadata({"a": "1"}, lease=first))
    lease.renew()
    left = lease.break_lease(lease_break_period=10)
    breaking = blob.get_blob_properties().lease
    taken = code_of(lambda: blob.acquire_lease(lease_id=first))
    lease.release()

    assert (leased.status, leased.state, leased.duration) == ("locked", "leased", "fixed")
    assert refused == (412, "LeaseIdMissing")
    assert wrong == (412, "LeaseIdMismatchWithBlobOperation")
    assert 0 < left <= 10
    assert (breaking.status, breaking.state) == ("locked", "breaking")
    assert taken == (409, "LeaseAlreadyPresent")
    assert blob.get_blob_properties().lease.state == "available"
    blob.delete_blob()


def test_a_lease_of_a_container_keeps_it_from_being_deleted(account: BlobServiceClient) -> None:
    container = account.create_container(f"test-{uuid4().hex}")

    lease = container.acquire_lease()
    held = container.get_container_properties().lease
    refused = code_of(container.delete_container)
    container.upload_blob("b", b"content")

    assert (held.status, held.state, held.duration) == ("locked", "leased", "infinite")
    assert refused == (412, "LeaseIdMissing")
    container.delete_container(lease=lease)
    assert not container.exists()


def test_all_writes_need_the_lease(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content", tags={"a": "1"})
    lease = blob.acquire_lease()

    refusals = {
        code_of(ask)
        for ask in (
            lambda: blob.set_blob_metadata({}),
            blob.set_http_headers,
            lambda: blob.stage_block("a", b"block"),
            lambda: blob.commit_block_list([]),
            lambda: blob.set_blob_tags({}),
            blob.delete_blob,
        )
    }

    assert refusals == {(412, "LeaseIdMissing")}
    assert blob.download_blob().readall() == b"content"
    assert blob.create_snapshot()["snapshot"]
    blob.delete_blob(lease=lease, delete_snapshots="include")


def test_who_holds_the_lease_replaces_the_blob(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"one")
    lease = blob.acquire_lease()

    blob.upload_blob(b"two", lease=lease)
    with pytest.raises(ResourceExistsError):
        blob.upload_blob(b"three")

    assert blob.download_blob().readall() == b"two"
