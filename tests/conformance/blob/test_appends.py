"""Append blobs through the SDK."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobType, ContainerClient


def code_of(ask: Callable[[], object]) -> str | None:
    """The code of a refusal."""
    with pytest.raises(HttpResponseError) as refused:
        ask()
    code: str | None = refused.value.error_code  # type: ignore[attr-defined]
    return code


def test_an_append_blob_grows(container: ContainerClient) -> None:
    blob = container.get_blob_client("log")
    blob.create_append_blob(metadata={"a": "1"})

    lines = [f"line {number}\n".encode() for number in range(200)]
    offsets = [blob.append_block(line)["blob_append_offset"] for line in lines]
    properties = blob.get_blob_properties()

    assert blob.download_blob().readall() == b"".join(lines)
    assert offsets[:3] == ["0", "7", "14"]
    assert (properties.blob_type, properties.append_blob_committed_block_count) == (
        BlobType.APPENDBLOB,
        200,
    )
    assert blob.download_blob(offset=7, length=6).readall() == b"line 1"


def test_a_snapshot_and_a_copy_of_an_append_blob_do_not_grow(container: ContainerClient) -> None:
    blob = container.get_blob_client("log")
    blob.upload_blob(b"one ", blob_type=BlobType.APPENDBLOB)
    old = container.get_blob_client("log", snapshot=str(blob.create_snapshot()["snapshot"]))
    copy = container.get_blob_client("copy")
    copy.start_copy_from_url(blob.url)

    blob.append_block(b"two ")
    copy.append_block(b"three ")
    blob.append_block(b"four ")

    assert blob.download_blob().readall() == b"one two four "
    assert old.download_blob().readall() == b"one "
    assert copy.download_blob().readall() == b"one three "


def test_conditions_of_position_and_size(container: ContainerClient) -> None:
    blob = container.get_blob_client("log")
    blob.create_append_blob()
    blob.append_block(b"12345", appendpos_condition=0, maxsize_condition=5)

    assert code_of(lambda: blob.append_block(b"6", appendpos_condition=4)) == (
        "AppendPositionConditionNotMet"
    )
    assert code_of(lambda: blob.append_block(b"6", maxsize_condition=5)) == (
        "MaxBlobSizeConditionNotMet"
    )
    assert code_of(lambda: blob.stage_block("a", b"x")) == "InvalidBlobType"
    assert blob.download_blob().readall() == b"12345"


def test_a_sealed_blob_is_done(container: ContainerClient) -> None:
    blob = container.get_blob_client("log")
    blob.create_append_blob()
    blob.append_block(b"done")
    blob.seal_append_blob()

    assert code_of(lambda: blob.append_block(b"x")) == "BlobIsSealed"
    assert blob.get_blob_properties().is_append_blob_sealed is True


@pytest.mark.parametrize(
    ("sealed", "asked", "copied"),
    [(True, None, True), (True, False, None), (False, True, True), (False, None, None)],
)
def test_a_copy_is_sealed_as_its_source_is_or_as_asked(
    container: ContainerClient, sealed: bool, asked: bool | None, copied: bool | None
) -> None:
    blob = container.get_blob_client("log")
    blob.upload_blob(b"one", blob_type=BlobType.APPENDBLOB)
    if sealed:
        blob.seal_append_blob()
    copy = container.get_blob_client("copy")

    if asked is None:
        copy.start_copy_from_url(blob.url)
    else:
        copy.start_copy_from_url(blob.url, seal_destination_blob=asked)

    assert copy.get_blob_properties().is_append_blob_sealed is copied


def test_a_block_from_a_url_under_conditions_of_the_source(container: ContainerClient) -> None:
    container.set_container_access_policy({}, public_access="blob")
    source = container.upload_blob("source", b"0123456789")
    modified = source.get_blob_properties().last_modified
    blob = container.get_blob_client("log")
    blob.create_append_blob()

    with pytest.raises(ResourceNotFoundError) as other:
        blob.append_block_from_url(
            source.url, source_etag="0x1", source_match_condition=MatchConditions.IfNotModified
        )
    with pytest.raises(ResourceNotFoundError) as unchanged:
        blob.append_block_from_url(source.url, source_if_modified_since=modified)

    told = [
        (error.value.status_code, error.value.error_code)  # type: ignore[attr-defined]
        for error in (other, unchanged)
    ]
    assert told == [(412, "CannotVerifyCopySource"), (304, "CannotVerifyCopySource")]


def test_large_blocks(container: ContainerClient) -> None:
    blob = container.get_blob_client("log")
    blob.create_append_blob()
    content = bytes(range(256)) * 4096

    for part in (content, b"tail", content):
        blob.append_block(part)

    assert blob.download_blob().readall() == content + b"tail" + content


def test_a_block_from_a_url(container: ContainerClient) -> None:
    container.set_container_access_policy({}, public_access="blob")
    source = container.upload_blob("source", b"0123456789")
    blob = container.get_blob_client("log")
    blob.create_append_blob()

    blob.append_block_from_url(source.url, source_offset=2, source_length=3)
    blob.append_block_from_url(source.url)

    assert blob.download_blob().readall() == b"2340123456789"
