"""Copies through the SDK: of blobs of the account, and of what another server gives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError, ResourceModifiedError
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    ContainerClient,
    ContentSettings,
    generate_blob_sas,
)

from tests.conformance.endpoints import Emulator

CONTENT = b"0123456789" * 100_000


@pytest.fixture
def source(container: ContainerClient) -> BlobClient:
    """A blob with all that a copy takes over."""
    return container.upload_blob(
        "source",
        CONTENT,
        metadata={"a": "1"},
        content_settings=ContentSettings(content_type="text/plain", cache_control="no-cache"),
        tags={"t": "1"},
    )


def sign(emulator: Emulator, blob: BlobClient, permission: str = "r") -> str:
    """The blob's URL with a signature."""
    query = generate_blob_sas(
        emulator.storage_account,
        blob.container_name,
        blob.blob_name,
        account_key=emulator.storage_key,
        permission=permission,
        expiry=datetime.now(timezone.utc) + timedelta(minutes=5),
    )
    return f"{blob.url}?{query}"


def test_a_copy_takes_all_over(container: ContainerClient, source: BlobClient) -> None:
    copy = container.get_blob_client("copy")

    started = copy.start_copy_from_url(source.url)
    properties = copy.get_blob_properties()

    assert started["copy_status"] == "success"
    assert copy.download_blob().readall() == CONTENT
    assert properties.metadata == {"a": "1"}
    assert properties.content_settings.content_type == "text/plain"
    assert properties.content_settings.cache_control == "no-cache"
    assert properties.copy.id == started["copy_id"]
    assert properties.copy.source == source.url
    assert properties.copy.progress == f"{len(CONTENT)}/{len(CONTENT)}"
    assert properties.tag_count is None
    with pytest.raises(HttpResponseError) as refused:
        copy.abort_copy(str(uuid4()))
    assert refused.value.error_code == "NoPendingCopyOperation"  # type: ignore[attr-defined]


def test_a_copy_stays_when_its_source_goes(container: ContainerClient, source: BlobClient) -> None:
    copy = container.get_blob_client("copy")
    copy.start_copy_from_url(source.url, metadata={"b": "2"}, tags={"u": "2"})

    source.delete_blob()

    assert copy.download_blob().readall() == CONTENT
    assert copy.get_blob_properties().metadata == {"b": "2"}
    assert copy.get_blob_tags() == {"u": "2"}


def test_a_copy_that_is_waited_for_needs_a_signature(
    emulator: Emulator, container: ContainerClient, source: BlobClient
) -> None:
    copy = container.get_blob_client("copy")

    with pytest.raises(HttpResponseError) as refused:
        copy.start_copy_from_url(source.url, requires_sync=True)
    with pytest.raises(HttpResponseError) as unreadable:
        copy.start_copy_from_url(sign(emulator, source, "w"), requires_sync=True)
    copy.start_copy_from_url(sign(emulator, source), requires_sync=True, tags="COPY")

    assert (refused.value.status_code, unreadable.value.status_code) == (401, 403)
    assert refused.value.error_code == "CannotVerifyCopySource"  # type: ignore[attr-defined]
    assert copy.download_blob().readall() == CONTENT
    assert copy.get_blob_tags() == {"t": "1"}


def test_conditions_of_the_source(container: ContainerClient, source: BlobClient) -> None:
    copy = container.get_blob_client("copy")
    etag = source.get_blob_properties().etag

    with pytest.raises(HttpResponseError) as refused:
        copy.start_copy_from_url(source.url, source_if_match='"0x1"')
    with pytest.raises(ResourceModifiedError) as untagged:
        copy.start_copy_from_url(source.url, source_if_tags_match_condition="\"t\"='2'")
    copy.start_copy_from_url(source.url, source_if_match=etag)

    assert refused.value.status_code == untagged.value.status_code == 412
    assert refused.value.error_code == "SourceConditionNotMet"  # type: ignore[attr-defined]
    assert copy.exists()


def test_uploads_from_a_url(
    emulator: Emulator, container: ContainerClient, source: BlobClient
) -> None:
    url = sign(emulator, source)
    whole = container.get_blob_client("whole")
    parts = container.get_blob_client("parts")

    whole.upload_blob_from_url(url, content_settings=ContentSettings(content_type="a/b"))
    parts.stage_block_from_url("a", url, source_offset=5, source_length=3)
    parts.stage_block_from_url("b", url, source_offset=0, source_length=2)
    parts.commit_block_list([BlobBlock("a"), BlobBlock("b")])

    assert whole.download_blob().readall() == CONTENT
    assert whole.get_blob_properties().content_settings.content_type == "a/b"
    assert whole.get_blob_properties().content_settings.cache_control == "no-cache"
    assert parts.download_blob().readall() == b"56701"


@contextmanager
def serve(content: bytes, status: int = 200) -> Iterator[str]:
    """Another server, with one file that anybody may read."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/file.csv"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_source_elsewhere(container: ContainerClient) -> None:
    copied, put = container.get_blob_client("copied"), container.get_blob_client("put")

    with serve(CONTENT) as url:
        copied.start_copy_from_url(url)
        put.upload_blob_from_url(url)

    assert copied.download_blob().readall() == put.download_blob().readall() == CONTENT
    assert copied.get_blob_properties().content_settings.content_type == "text/csv"


def test_a_source_elsewhere_that_is_not_there(container: ContainerClient) -> None:
    copy = container.get_blob_client("copy")

    with serve(b"no", status=404) as url, pytest.raises(HttpResponseError) as missing:
        copy.start_copy_from_url(url)
    with pytest.raises(HttpResponseError) as gone:
        copy.start_copy_from_url(url)

    for refused in (missing, gone):
        assert refused.value.status_code == 404
        assert refused.value.error_code == "CannotVerifyCopySource"  # type: ignore[attr-defined]
    assert not copy.exists()
