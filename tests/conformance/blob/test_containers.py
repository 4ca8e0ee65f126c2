"""Containers and lists through azure-storage-blob."""

from __future__ import annotations

from uuid import uuid4

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobPrefix, BlobServiceClient, ContainerClient


def test_a_container_lives(account: BlobServiceClient) -> None:
    name = f"life-{uuid4().hex}"
    container = account.get_container_client(name)

    assert not container.exists()
    container.create_container(metadata={"run": "one"})
    assert container.exists()
    with pytest.raises(ResourceExistsError) as refused:
        container.create_container()
    assert refused.value.error_code == "ContainerAlreadyExists"  # type: ignore[attr-defined]
    properties = container.get_container_properties()
    assert (properties.name, properties.metadata) == (name, {"run": "one"})
    container.set_container_metadata({"run": "two"})
    assert container.get_container_properties().metadata == {"run": "two"}
    container.upload_blob("b", b"content")
    container.delete_container()
    with pytest.raises(ResourceNotFoundError) as gone:
        container.get_container_properties()
    assert gone.value.status_code == 404
    container.create_container()
    assert list(container.list_blobs()) == []
    container.delete_container()


@pytest.mark.parametrize("name", ["Upper", "un_der", "a--b", "-a", "a", "x" * 64])
def test_names_that_are_none(account: BlobServiceClient, name: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        account.create_container(name)

    assert refused.value.status_code == 400


def test_containers_are_listed_in_pages(account: BlobServiceClient) -> None:
    stem = f"list-{uuid4().hex[:8]}"
    names = [f"{stem}-{number}" for number in range(7)]
    for name in reversed(names):
        account.create_container(name, metadata={"name": name})

    found = list(account.list_containers(stem, include_metadata=True, results_per_page=3))

    assert [container.name for container in found] == names
    assert [container.metadata for container in found] == [{"name": name} for name in names]
    for name in names:
        account.delete_container(name)


def test_blobs_are_listed_in_pages_and_by_prefix(container: ContainerClient) -> None:
    names = [f"{letter}/{number:03}" for letter in "abc" for number in range(20)]
    for name in reversed(names):
        container.upload_blob(name, b"")

    pages = list(container.list_blobs(results_per_page=7).by_page())
    found = [[blob.name for blob in page] for page in pages]

    assert [name for page in found for name in page] == names
    assert [len(page) for page in found] == [7] * 8 + [4]
    assert list(container.list_blob_names(name_starts_with="b/00")) == names[20:30]


def test_blobs_are_walked_by_levels(container: ContainerClient) -> None:
    for name in ("top", "a/1", "a/2", "a/deep/3", "b/4", "\x02/5"):
        container.upload_blob(name, b"")

    def walk(prefix: str) -> list[str]:
        found = []
        for item in container.walk_blobs(prefix):
            found.append(item.name)
            if isinstance(item, BlobPrefix):
                found += walk(item.name)
        return found

    assert sorted(walk("")) == sorted(
        ["top", "a/", "a/1", "a/2", "a/deep/", "a/deep/3", "b/", "b/4", "\x02/", "\x02/5"]
    )


def test_account_information(account: BlobServiceClient) -> None:
    information = account.get_account_information()

    assert (information["sku_name"], information["account_kind"]) == ("Standard_LRS", "StorageV2")
    assert account.get_service_properties()["cors"] == []
