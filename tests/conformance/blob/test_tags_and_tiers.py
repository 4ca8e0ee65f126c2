"""Tags and tiers through the SDK."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from azure.core.exceptions import HttpResponseError, ResourceModifiedError
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ContainerClient,
    RehydratePriority,
    ResourceTypes,
    StandardBlobTier,
    generate_account_sas,
)

from tests.conformance.endpoints import Emulator


def test_tags_are_kept_and_found(account: BlobServiceClient, container: ContainerClient) -> None:
    mark = container.container_name
    for number in range(5):
        container.upload_blob(f"b{number}", b"", tags={"mark": mark, "number": str(number)})
    blob = container.get_blob_client("b0")

    where = f"\"mark\"='{mark}' AND \"number\" >= '2'"
    found = sorted(blob.name for blob in container.find_blobs_by_tags(where))
    everywhere = account.find_blobs_by_tags(f"@container='{mark}' AND \"number\" = '3'")
    pages = account.find_blobs_by_tags(f"\"mark\"='{mark}'", results_per_page=2).by_page()

    assert found == ["b2", "b3", "b4"]
    assert [(item.container_name, item.name) for item in everywhere] == [(mark, "b3")]
    assert [len(list(page)) for page in pages] == [2, 2, 1]
    assert blob.get_blob_tags() == {"mark": mark, "number": "0"}
    blob.set_blob_tags({"other": "a b"})
    assert blob.get_blob_tags() == {"other": "a b"}
    assert blob.get_blob_properties().tag_count == 1
    listed = {item.name: item.tags for item in container.list_blobs(include=["tags"])}
    assert listed["b0"] == {"other": "a b"}


def test_tags_are_conditions(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content", tags={"state": "open"})

    with pytest.raises(ResourceModifiedError):
        blob.delete_blob(if_tags_match_condition="\"state\" = 'closed'")

    blob.delete_blob(if_tags_match_condition="\"state\" = 'open'")


def test_a_tier_is_a_label_and_the_archive_is_shut(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content", standard_blob_tier=StandardBlobTier.COOL)
    cool = blob.get_blob_properties()
    plain = container.upload_blob("plain", b"").get_blob_properties()

    blob.set_standard_blob_tier(StandardBlobTier.ARCHIVE)
    with pytest.raises(HttpResponseError) as refused:
        blob.download_blob()
    archived = blob.get_blob_properties()
    blob.set_standard_blob_tier(StandardBlobTier.HOT, rehydrate_priority=RehydratePriority("High"))

    assert (cool.blob_tier, cool.blob_tier_inferred) == ("Cool", None)
    assert (plain.blob_tier, plain.blob_tier_inferred) == ("Hot", True)
    assert (refused.value.status_code, archived.blob_tier) == (409, "Archive")
    assert refused.value.error_code == "BlobArchived"  # type: ignore[attr-defined]
    deadline = time.monotonic() + 60
    while blob.get_blob_properties().blob_tier != "Hot":
        assert time.monotonic() < deadline
    assert blob.download_blob().readall() == b"content"


def test_many_at_once(container: ContainerClient) -> None:
    names = [f"dir/b {number}" for number in range(5)]
    for name in names:
        container.upload_blob(name, b"content")

    container.set_standard_blob_tier_blobs("Cool", *names[:3])
    tiers = {item.name: item.blob_tier for item in container.list_blobs()}
    answers = list(container.delete_blobs(*names[:4], "none", raise_on_any_failure=False))

    assert tiers == dict(zip(names, ["Cool"] * 3 + ["Hot"] * 2, strict=True))
    assert [answer.status_code for answer in answers] == [202, 202, 202, 202, 404]
    assert [item.name for item in container.list_blobs()] == names[4:]


def test_a_batch_of_a_client_that_takes_the_account_for_a_container(
    emulator: Emulator, container: ContainerClient
) -> None:
    blob = container.upload_blob("b", b"content")
    part = (
        "--mark\r\nContent-Type: application/http\r\n\r\n"
        f"DELETE {urlsplit(blob.url).path} HTTP/1.1\r\n\r\n--mark--\r\n"
    )
    query = generate_account_sas(
        emulator.storage_account,
        emulator.storage_key,
        resource_types=ResourceTypes(service=True, container=True, object=True),
        permission=AccountSasPermissions(delete=True, write=True),
        expiry=datetime.now(timezone.utc) + timedelta(minutes=5),
    )
    part = part.replace(" HTTP/1.1", f"?{query} HTTP/1.1")
    request = Request(
        f"{emulator.blob_endpoint}?restype=container&comp=batch&{query}",
        data=part.encode(),
        headers={"Content-Type": "multipart/mixed; boundary=mark", "x-ms-version": "2024-11-04"},
    )

    with urlopen(request) as answer:
        assert answer.status == 202

    assert not blob.exists()
