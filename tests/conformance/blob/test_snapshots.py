"""Snapshots through the SDK: what a blob was stays as it was."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient


def test_a_snapshot_stays_as_it_was(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"first", metadata={"a": "1"})
    taken = blob.create_snapshot()
    named = blob.create_snapshot(metadata={"b": "2"})
    blob.upload_blob(b"second", overwrite=True)

    old = container.get_blob_client("b", snapshot=str(taken["snapshot"]))
    metadata = container.get_blob_client("b", snapshot=str(named["snapshot"]))

    assert old.download_blob().readall() == b"first"
    assert old.get_blob_properties().metadata == {"a": "1"}
    assert metadata.get_blob_properties().metadata == {"b": "2"}
    assert blob.download_blob().readall() == b"second"
    assert old.get_blob_properties().etag == taken["etag"]


def test_snapshots_are_listed_and_pages_join(container: ContainerClient) -> None:
    for name in ("a", "b", "c"):
        blob = container.upload_blob(name, name.encode())
        for _ in range(3):
            blob.create_snapshot()

    whole = [(b.name, b.snapshot) for b in container.list_blobs(include=["snapshots"])]
    pages = container.list_blobs(include=["snapshots"], results_per_page=2).by_page()
    paged = [[(blob.name, blob.snapshot) for blob in page] for page in pages]

    assert [name for name, _ in whole] == ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    assert [snapshot is None for _, snapshot in whole] == [False, False, False, True] * 3
    assert [len(page) for page in paged] == [2] * 6
    assert [item for page in paged for item in page] == whole
    assert [blob.name for blob in container.list_blobs()] == ["a", "b", "c"]


def test_a_blob_goes_with_its_snapshots_only_where_told(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content")
    taken = [blob.create_snapshot()["snapshot"] for _ in range(2)]

    with pytest.raises(ResourceExistsError) as refused:
        blob.delete_blob()
    container.get_blob_client("b", snapshot=str(taken[0])).delete_blob()
    left = [item.snapshot for item in container.list_blobs(include=["snapshots"])]
    blob.delete_blob(delete_snapshots="only")
    alone = [item.snapshot for item in container.list_blobs(include=["snapshots"])]
    blob.create_snapshot()
    blob.delete_blob(delete_snapshots="include")

    assert refused.value.error_code == "SnapshotsPresent"  # type: ignore[attr-defined]
    assert left == [taken[1], None]
    assert alone == [None]
    with pytest.raises(ResourceNotFoundError):
        blob.get_blob_properties()
