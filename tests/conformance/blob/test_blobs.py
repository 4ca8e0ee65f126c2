"""Block blobs through azure-storage-blob."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobType, ContainerClient, ContentSettings

NAMES = [
    "plain",
    "with space",
    " leading and trailing ",
    "100%",
    "%41%2F%00",
    "plus+sign",
    "question?mark",
    "hash#tag",
    "semi;colon,comma",
    "amp&equals=",
    "quote'double\"back`tick",
    "<angle>",
    "back\\slash",
    "deep/er/est",
    "double//slash",
    "trailing/",
    "dots...",
    "..hidden",
    "a/..b/c",
    "combining e\u0301 and \u00e9",
    "日本語/ファイル",
    "emoji 😀",
    "tab\there",
    "line\nbreak",
    "return\rhere",
    "control \x01\x1f",
    "not in xml \ufffe\uffff",
    "~tilde-dash_under.dot",
    "x" * 1024,
    "😀" * 100,
]

ENCODED = ("control%20", "not%20in%20xml%20")


def test_hostile_names_come_back_byte_for_byte(container: ContainerClient) -> None:
    for name in NAMES:
        blob = container.get_blob_client(name)
        blob.upload_blob(name.encode(), metadata={"number": str(len(name))})
        assert blob.download_blob().readall() == name.encode()
        assert blob.get_blob_properties().metadata == {"number": str(len(name))}

    listed = [blob.name for blob in container.list_blobs()]
    assert listed == sorted(NAMES, key=lambda name: name.encode())
    # `list_blob_names` hands out such names encoded (azure-storage-blob 12.31), `list_blobs` not.
    decoded = [unquote(n) if n.startswith(ENCODED) else n for n in container.list_blob_names()]
    assert decoded == listed
    for name in NAMES:
        container.delete_blob(name)
    assert list(container.list_blob_names()) == []


@pytest.mark.parametrize("name", [".", "..", "a/../b", "./a"])
def test_a_name_that_the_client_itself_rewrites_is_refused_and_harms_nothing(
    container: ContainerClient, name: str
) -> None:
    container.upload_blob("b", b"untouched")

    # The HTTP library resolves dot segments after the SDK has signed the path.
    with pytest.raises(HttpResponseError) as refused:
        container.upload_blob(name, b"content", overwrite=True)

    assert refused.value.status_code == 403
    assert [blob.name for blob in container.list_blobs()] == ["b"]
    assert container.download_blob("b").readall() == b"untouched"


@pytest.mark.parametrize("size_bytes", [0, 1, 300_000, 9_000_000])
def test_contents_come_back(container: ContainerClient, size_bytes: int) -> None:
    content = hashlib.sha256(b"seed").digest() * (size_bytes // 32 + 1)
    content = content[:size_bytes]

    container.upload_blob("b", content)

    assert container.download_blob("b").readall() == content
    assert container.get_blob_client("b").get_blob_properties().size == size_bytes


def test_a_large_content_goes_in_blocks_and_comes_in_ranges(container: ContainerClient) -> None:
    content = b"".join(i.to_bytes(4, "big") for i in range(3_000_000))
    name, url = container.container_name, container.url
    with ContainerClient(
        url.removesuffix(f"/{name}"),
        name,
        credential=container.credential,
        max_single_put_size=1024 * 1024,
        max_block_size=1024 * 1024,
        max_single_get_size=1024 * 1024,
        max_chunk_get_size=1024 * 1024,
    ) as client:
        blob = client.upload_blob("big", content, max_concurrency=4)
        assert client.download_blob("big", max_concurrency=4).readall() == content
        committed, uncommitted = blob.get_block_list("all")

    assert len(committed) == 12
    assert uncommitted == []


def test_properties(container: ContainerClient) -> None:
    md5 = hashlib.md5(b"content").digest()
    settings = ContentSettings(
        content_type="text/plain",
        content_encoding="identity",
        content_language="de",
        content_disposition='attachment; filename="a b"',
        cache_control="max-age=1",
    )
    blob = container.upload_blob(
        "b", b"content", content_settings=settings, metadata={"key": "value & <more>"}
    )

    properties = blob.get_blob_properties()

    assert properties.blob_type == BlobType.BLOCKBLOB
    assert properties.size == 7
    assert properties.blob_tier == "Hot"
    assert properties.metadata == {"key": "value & <more>"}
    got = properties.content_settings
    assert got.content_md5 == bytearray(md5)
    assert got.content_type == "text/plain"
    assert got.content_encoding == "identity"
    assert got.content_language == "de"
    assert got.content_disposition == 'attachment; filename="a b"'
    assert got.cache_control == "max-age=1"
    [listed] = container.list_blobs(include=["metadata"])
    assert listed.metadata == {"key": "value & <more>"}
    assert listed.content_settings.content_md5 == bytearray(md5)
    assert listed.etag == properties.etag.strip('"')
    assert (listed.size, listed.last_modified) == (7, properties.last_modified)


def test_conditions_that_are_not_looked_at_are_not_passed_over(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content")
    early = datetime(2026, 1, 2, tzinfo=timezone.utc)

    with pytest.raises(HttpResponseError) as refused:
        blob.delete_blob(access_tier_if_unmodified_since=early)

    assert refused.value.status_code == 501
    assert blob.exists()


def test_names_of_metadata_keep_their_case(
    container: ContainerClient,
) -> None:
    metadata = {"Author": "a", "UP": "b", "low": "c"}
    blob = container.upload_blob("b", b"content", metadata=metadata)
    copy = container.get_blob_client("copy")
    copy.start_copy_from_url(blob.url)
    changed = {"FirstName": "d"}
    container.set_container_metadata(changed)

    assert blob.get_blob_properties().metadata == metadata
    assert copy.get_blob_properties().metadata == metadata
    assert [listed.metadata for listed in container.list_blobs(include=["metadata"])] == [
        metadata
    ] * 2
    assert container.get_container_properties().metadata == changed
    blob.set_blob_metadata(changed)
    assert blob.get_blob_properties().metadata == changed


def test_metadata_and_headers_can_be_set(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content")

    blob.set_blob_metadata({"a": "1"})
    blob.set_http_headers(ContentSettings(content_type="image/png"))

    properties = blob.get_blob_properties()
    assert properties.metadata == {"a": "1"}
    assert properties.content_settings.content_type == "image/png"


def test_an_upload_replaces_only_where_told(container: ContainerClient) -> None:
    container.upload_blob("b", b"first")

    with pytest.raises(ResourceExistsError) as refused:
        container.upload_blob("b", b"second")
    assert refused.value.error_code == "BlobAlreadyExists"  # type: ignore[attr-defined]
    assert container.download_blob("b").readall() == b"first"

    container.upload_blob("b", b"third", overwrite=True)
    assert container.download_blob("b").readall() == b"third"


def test_a_wrong_md5_is_refused(container: ContainerClient) -> None:
    blob = container.get_blob_client("b")

    with pytest.raises(HttpResponseError) as refused:
        blob.upload_blob(
            b"content",
            headers={"Content-MD5": base64.b64encode(hashlib.md5(b"other").digest()).decode()},
        )

    assert refused.value.status_code == 400
    assert refused.value.error_code == "Md5Mismatch"  # type: ignore[attr-defined]
    assert not blob.exists()


def test_contents_are_validated_both_ways(container: ContainerClient) -> None:
    container.upload_blob("b", b"content", validate_content=True)

    assert container.download_blob("b", validate_content=True).readall() == b"content"
    part = container.download_blob("b", offset=1, length=3, validate_content=True)
    assert part.readall() == b"ont"


def test_ranges(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"0123456789")

    assert blob.download_blob(offset=3, length=4).readall() == b"3456"
    assert blob.download_blob(offset=8).readall() == b"89"
    with pytest.raises(HttpResponseError) as refused:
        blob.download_blob(offset=10, length=1)
    assert refused.value.status_code == 416
    assert refused.value.error_code == "InvalidRange"  # type: ignore[attr-defined]


def test_conditions(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content")
    properties = blob.get_blob_properties()
    changed = MatchConditions.IfModified

    with pytest.raises(ResourceModifiedError):
        blob.upload_blob(
            b"x", overwrite=True, etag='"0x1"', match_condition=MatchConditions.IfNotModified
        )
    with pytest.raises(HttpResponseError) as unchanged:
        blob.download_blob(etag=properties.etag, match_condition=changed)
    assert unchanged.value.status_code == 304
    later = properties.last_modified + timedelta(hours=1)
    with pytest.raises(HttpResponseError) as unmodified:
        blob.get_blob_properties(if_modified_since=later)
    assert unmodified.value.status_code == 304
    assert blob.download_blob(if_unmodified_since=later).readall() == b"content"


def test_blocks_by_hand(container: ContainerClient) -> None:
    blob = container.get_blob_client("b")
    blob.stage_block("one", b"1")
    blob.stage_block("two", b"22")
    with pytest.raises(ResourceNotFoundError):
        blob.download_blob()
    committed, uncommitted = blob.get_block_list("all")
    assert (committed, [b.size for b in uncommitted]) == ([], [1, 2])

    blob.commit_block_list([BlobBlock("two"), BlobBlock("one")], metadata={"a": "b"})

    assert blob.download_blob().readall() == b"221"
    assert blob.get_blob_properties().metadata == {"a": "b"}


def test_a_blob_that_is_not_there(container: ContainerClient) -> None:
    blob = container.get_blob_client("none")

    assert not blob.exists()
    with pytest.raises(ResourceNotFoundError) as refused:
        blob.download_blob()
    assert refused.value.error_code == "BlobNotFound"  # type: ignore[attr-defined]
    with pytest.raises(ResourceNotFoundError):
        blob.delete_blob()


def test_an_operation_that_is_not_there_is_named(container: ContainerClient) -> None:
    blob = container.upload_blob("b", b"content")

    with pytest.raises(HttpResponseError) as refused:
        blob.undelete_blob()

    assert refused.value.status_code == 501
    assert "The emulator does not implement Undelete Blob." in str(refused.value)
